"""Arrays for proofs: every dtype, every layout of memory, and data that random numbers do not give.

Invariant: the same call makes equal arrays each time, so that two runs get operands of their own
with the same bits, strides, alignment and sharing. `laid_out(values, layout)` keeps the values
(the broadcast layouts repeat some of them) and changes only where they lie.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

AMOUNT = os.environ.get("DYNTRACE_PROOF", "1")
FULL = AMOUNT == "full"  # everything; a number takes so many times the default sample
TIMES = int(AMOUNT) if AMOUNT.isdigit() else 1
DTYPES = tuple("?bhilqBHILQefdgFDG")
SIZES = (0, 1, 2, 7, 8, 63, 64, 65, 127, 128, 129, 1000, 1023, 1025, 4097, 10007, 100003)
SHAPES = ((3, 1000), (1000, 3), (1, 257), (257, 1), (33, 65), (128, 1), (2, 2, 2, 500))
EMPTY = ((0,), (0, 3), (3, 0), (2, 0, 2), (1, 0))

_ODD = (0.0, -0.0, 1.0, np.nan, -1.0, np.inf, 0.5, -2.5, -np.inf, 3.0, -np.nan, 1e-3, 7.25, 255.0)


def chosen(share, *key):
    """Whether a case belongs to the sample of about one in `share`; the full proof takes all."""
    return FULL or chance(*key) % share < TIMES


def chance(*key):
    """A number that depends on the key only, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=6).digest(), "big")


def some(items, count, *key):
    """`count` of the items, drawn by the key, in their order; the full proof takes all."""
    items, count = list(items), count * TIMES
    if FULL or count >= len(items):
        return items
    drawn = sorted(range(len(items)), key=lambda place: chance(key, place))[:count]
    return [items[place] for place in sorted(drawn)]


def drawn(*levels, key=()):
    """Tuples of one item of each level: of a Draw its count of items, of anything else all.

    What is drawn depends on the key and on the items before; the full proof takes every tuple.
    """
    found = [()]
    for level in levels:
        items, count = level if isinstance(level, Draw) else (level, None)
        found = [
            (*before, item)
            for before in found
            for item in (items if count is None else some(items, count, *key, *before))
        ]
    return found


class Draw(NamedTuple):
    """A level of `drawn` of which `count` items are drawn."""

    items: Sequence
    count: int


# -- data ----------------------------------------------------------------------------------------


def odd(shape, dtype, start=0):
    """Signed zeros, NaNs, infinities, subnormals, largest and smallest; extremes of integers."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        real = odd(shape, dtype.char.lower(), start)
        found = np.empty(real.shape, dtype)
        found.real, found.imag = real, odd(shape, dtype.char.lower(), start + 5)
        return found
    pool = _odd_pool(dtype)
    return np.resize(np.roll(pool, -start), _count(shape)).reshape(shape)


def _odd_pool(dtype):
    if dtype.kind == "b":
        return np.array([True, False, False, True, True], dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = [0, 1, limits.max, limits.min, 2, limits.max - 1, 3, limits.min + 1, 7, 100, 63]
        values += [-1, -2, -7, limits.min // 2] if dtype.kind == "i" else [limits.max // 2 + 1, 64]
        return np.array(values, dtype)
    info = np.finfo(dtype)
    extremes = np.array([info.max, info.tiny, info.smallest_subnormal, info.eps, info.min], dtype)
    with np.errstate(all="ignore"):
        return np.concatenate([np.array(_ODD, dtype), extremes, -extremes[2:4], extremes[:1] / 2])


def quiet(shape, dtype, start=0):
    """Numbers between 1/4 and 1, or small positive integers: few operations raise a flag."""
    dtype = np.dtype(dtype)
    ramp = (np.arange(start, start + _count(shape)) * 37) % 101
    if dtype.kind == "b":
        return (ramp % 3 > 0).reshape(shape)
    if dtype.kind in "iu":
        return (ramp % 6 + 1).astype(dtype).reshape(shape)
    found = (0.25 + ramp.astype(np.longdouble) / 136).astype(dtype)
    if dtype.kind == "c":
        found = found + found.dtype.type(1j) * found[::-1]
    return found.reshape(shape)


def wide(shape, dtype, start=0):
    """Whole numbers of very different size and both signs: each order of summation shows."""
    dtype = np.dtype(dtype)
    if dtype.kind in "?biu":
        return odd(shape, dtype, start)
    count = _count(shape)
    place = np.arange(start, start + count, dtype=np.int64)
    digits = (place * 7919 + place * place % 911) % 1000 - 480
    reach = {2: 3, 4: 7, 8: 15}.get(dtype.itemsize // (2 if dtype.kind == "c" else 1), 18)
    found = digits.astype(np.longdouble) * np.longdouble(2) ** (place * 31 % (2 * reach) - reach)
    found = (found / 16).astype(dtype)
    if dtype.kind == "c":
        found = found + dtype.type(1j) * found[::-1]
    return found.reshape(shape)


DATA = {"odd": odd, "quiet": quiet, "wide": wide}


def _count(shape):
    return int(np.prod(shape, dtype=np.int64))


# -- layouts -------------------------------------------------------------------------------------


def laid_out(values, layout):
    """The values of a C-ordered array in another layout."""
    return LAYOUTS[layout](values)


def _room(shape, dtype, steps):
    """Memory in which an array of `shape` takes every so-manieth place of each axis."""
    return np.zeros(tuple(n * step + 1 for n, step in zip(shape, steps, strict=True)), dtype)


def stepped(values, *steps):
    """Every so-manieth item of a larger array; a negative step goes backwards."""
    steps = (*steps, *steps[-1:] * values.ndim)[: values.ndim]
    room = _room(values.shape, values.dtype, map(abs, steps))
    index = tuple(slice(1, n * abs(s) + 1, abs(s)) for n, s in zip(values.shape, steps))
    view = room[(..., *index)]
    view = view[(..., *(slice(None, None, 1 if s > 0 else -1) for s in steps))]
    view[...] = values
    return view


def reversed_axes(values, *axes):
    """An array over memory that holds it back to front along some axes."""
    index = tuple(slice(None, None, -1 if axis in axes else 1) for axis in range(values.ndim))
    index = (..., *index)
    return values[index].copy()[index]


def permuted(values, order):
    """An array whose axes lie in memory in another order."""
    order = [axis for axis in order if axis < values.ndim]
    order += range(len(order), values.ndim)
    return np.transpose(np.transpose(values, order).copy(), np.argsort(order))


def misaligned(values, offset=1):
    """An array that begins at an odd address, over memory from `bytearray`."""
    raw = np.frombuffer(bytearray(values.nbytes + offset), np.uint8)[offset:]
    view = raw.view(values.dtype).reshape(values.shape)
    view[...] = values
    return view


def broadcast(values, *axes):
    """Stride 0 along some axes: the first item of each is repeated."""
    first = values[
        tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(values.ndim))
    ]
    return np.broadcast_to(first.copy(), values.shape)


def read_only(values):
    """An array of its own that must not be written."""
    values = values.copy()
    values.flags.writeable = False
    return values


def odd_strides(values):
    """Axes of length one whose strides mean nothing: 8 bytes more than anything else has."""
    values = values.copy()
    shape = (1, *values.shape, 1)
    strides = (values.itemsize * 3 + 8, *values.strides, -8 * values.itemsize)
    wide = np.lib.stride_tricks.as_strided(values, shape, strides, writeable=True)
    return wide.reshape(values.shape) if values.ndim > 2 else wide[0, ..., 0]


def window(values):
    """Rows that overlap in memory: each begins one item after the one before."""
    if values.ndim != 2 or not values.size:
        return values.copy()
    rows, columns = values.shape
    line = np.resize(values, rows + columns - 1)
    step = values.itemsize
    return np.lib.stride_tricks.as_strided(line, values.shape, (step, step), writeable=False)


LAYOUTS = {
    "contiguous": lambda a: a.copy(),
    "fortran": lambda a: np.array(a, order="F"),
    "transposed": lambda a: a.T.copy().T,
    "stride 2": lambda a: stepped(a, 2),
    "stride 3": lambda a: stepped(a, 1, 3),
    "outer stride": lambda a: stepped(a, 2, 1),
    "reversed": lambda a: reversed_axes(a, *range(a.ndim)),
    "reversed inner": lambda a: reversed_axes(a, a.ndim - 1),
    "reversed outer": lambda a: reversed_axes(a, 0),
    "reversed stride 2": lambda a: stepped(a, -2),
    "permuted": lambda a: permuted(a, (1, 2, 0)),
    "permuted other": lambda a: permuted(a, (2, 0, 1)),
    "rows": lambda a: broadcast(a, 0),
    "columns": lambda a: broadcast(a, a.ndim - 1),
    "one item": lambda a: broadcast(a, *range(a.ndim)),
    "misaligned": misaligned,
    "misaligned stride 2": lambda a: stepped_misaligned(a),
    "read-only": read_only,
    "odd strides": odd_strides,
    "window": window,
}
_NOT_WRITTEN = ("rows", "columns", "one item", "read-only", "window")
WRITEABLE = tuple(name for name in LAYOUTS if name not in _NOT_WRITTEN)


def stepped_misaligned(values):
    """Every second item, at odd addresses."""
    spread = stepped(values, 2)
    index = tuple(slice(1, n * 2 + 1, 2) for n in values.shape)
    return misaligned(spread.base)[(..., *index)]


def swapped(values):
    """The same values in the other byte order."""
    return values.astype(values.dtype.newbyteorder("S"))


def overlapping(values):
    """Two views of one base, the second begins one item later along the first axis."""
    base = np.concatenate([values, values[-1:]])
    return base[:-1], base[1:]


def operand(data, dtype, shape, layout="contiguous", start=0):
    """One operand: `data` names one of DATA, `layout` one of LAYOUTS."""
    return laid_out(_values(data, dtype, shape, start), layout)


@functools.lru_cache(64)
def _values(data, dtype, shape, start):
    return DATA[data](shape, dtype, start)
