"""Arrays that normal random data does not give: signed zeros, NaNs, subnormals, odd layouts."""

from __future__ import annotations

import numpy as np

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "float32", "float64", "longdouble")
COMPLEX = ("complex64", "complex128", "clongdouble")
DTYPES = ("bool", *INTEGERS, *FLOATS, *COMPLEX)
LAYOUTS = ("C", "F", "reversed", "stepped", "transposed", "broadcast", "read-only", "unaligned")

_SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-3, 7.25, -6.0, 2.0, 100.0)
_EXTREME = (np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1.7e308, 2.2e-308, 65504.0)


def numbers(shape, dtype="float64", *, extreme=False):
    """An array of `shape` with signs, zeros and fractions; `extreme` adds infinities and NaNs."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    pool = np.array(_SPECIAL + (_EXTREME if extreme else ()))
    values = np.resize(pool, count) if count else np.empty(0)
    with np.errstate(all="ignore"):
        return _converted(values, dtype).reshape(shape)


def _converted(values, dtype):
    if dtype.kind == "b":
        return values > 0.6
    if dtype.kind in "iu":
        whole = np.nan_to_num(values, nan=3.0, posinf=9.0, neginf=-9.0).clip(-100, 100)
        return np.trunc(whole).astype(np.int64).astype(dtype)
    if dtype.kind == "c":
        return (values + 1j * values[::-1]).astype(dtype)
    return values.astype(dtype)


def laid_out(array, layout):
    """The same values in another layout of memory."""
    return _LAYOUTS[layout](array)


def _reversed(array):
    return array[tuple(slice(None, None, -1) for _ in array.shape)].copy()[
        tuple(slice(None, None, -1) for _ in array.shape)
    ]


def _stepped(array):
    wide = np.zeros(tuple(2 * n + 1 for n in array.shape), array.dtype)
    view = wide[(..., *(slice(1, 2 * n + 1, 2) for n in array.shape))]
    view[...] = array
    return view


def _broadcast(array):
    return np.broadcast_to(array[:1], array.shape) if array.ndim else array


def _read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def _unaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)
    view = raw[1:].view(array.dtype)[: array.size].reshape(array.shape)
    view[...] = array
    return view


_LAYOUTS = {
    "C": lambda array: np.array(array, order="C"),
    "F": lambda array: np.array(array, order="F"),
    "reversed": _reversed,
    "stepped": _stepped,
    "transposed": lambda array: np.array(array.T, order="C").T,
    "broadcast": _broadcast,
    "read-only": _read_only,
    "unaligned": _unaligned,
}
