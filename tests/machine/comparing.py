"""Two outcomes that nothing can tell apart: the strict comparison behind the proofs.

Invariant: `differences` is empty only if types, dtypes, shapes, strides, flags, bits (of NaNs the
positions only), bases, and the sharing with inputs and among results are equal. Nothing is rounded,
and arrays of size 0 or 1 are held to the same as others.
"""

from __future__ import annotations

import numpy as np

FLAGS = ("C_CONTIGUOUS", "F_CONTIGUOUS", "OWNDATA", "WRITEABLE", "ALIGNED", "WRITEBACKIFCOPY")


def leaves(value):
    """The arrays and numbers in nested tuples and lists, in order; None is no value."""
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in leaves(item)]
    return [] if value is None else [value]


def differences(found, wanted, found_inputs=(), wanted_inputs=()):
    """Lines that say where two results differ; each side's inputs tell what it shares with them."""
    found, wanted = leaves(found), leaves(wanted)
    if len(found) != len(wanted):
        return [f"{len(found)} results instead of {len(wanted)}"]
    lines = []
    for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
        lines += [f"result {place}: {line}" for line in value_differences(one, other)]
    for what in (_relations, _sharing):
        one, other = what(found, found_inputs), what(wanted, wanted_inputs)
        if one != other:
            lines.append(f"{what.__name__.strip('_')}: {one} instead of {other}")
    return lines


def value_differences(found, wanted):
    """Where one value differs from another, sharing left aside."""
    if type(found) is not type(wanted):
        return [f"{type(found).__name__} instead of {type(wanted).__name__}"]
    if isinstance(wanted, np.ndarray):
        if _are_alike(found, wanted):
            return bit_differences(found, wanted)
        facts = _facts(found), _facts(wanted)
        lines = [f"{name}: {facts[0][name]} instead of {facts[1][name]}"
                 for name in facts[1] if facts[0][name] != facts[1][name]]  # fmt: skip
        same_form = found.shape == wanted.shape and found.dtype == wanted.dtype
        return lines + (bit_differences(found, wanted) if same_form else [])
    if isinstance(wanted, np.generic):
        if found.dtype.num != wanted.dtype.num:
            return [f"{found.dtype} instead of {wanted.dtype}"]
        return bit_differences(np.asarray(found), np.asarray(wanted))
    return [] if repr(found) == repr(wanted) else [f"{found!r} instead of {wanted!r}"]


def _are_alike(found, wanted):
    """Whether two arrays that own their memory have the same facts; quick."""
    return (
        found.base is None
        and wanted.base is None
        and found.flags.num == wanted.flags.num
        and found.dtype is wanted.dtype
        and found.shape == wanted.shape
        and found.strides == wanted.strides
    )


def _facts(array):
    facts = {"dtype": (array.dtype.str, array.dtype.num, array.dtype.metadata)}
    facts |= {"shape": array.shape, "strides": array.strides}
    facts |= {name: array.flags[name] for name in FLAGS} | {"offset": None}
    base = array.base
    facts["base"] = type(base).__name__
    if isinstance(base, np.ndarray):
        facts["base"] = (base.dtype.str, base.shape, base.strides, base.flags.writeable)
        facts["offset"] = address(array) - address(base)
    return facts


def address(array):
    """Where the first item lies."""
    return array.__array_interface__["data"][0]


def bit_differences(found, wanted):
    """The first place where the bits of two arrays of one shape and dtype differ."""
    if found.tobytes() == wanted.tobytes():
        return []
    if wanted.dtype.kind == "c":
        parts = [(found.real, wanted.real), (found.imag, wanted.imag)]
        return [line for one, other in parts for line in bit_differences(one, other)]
    unequal = _unequal(np.asarray(found), np.asarray(wanted))
    if not unequal.any():
        return []
    place = tuple(map(int, np.argwhere(unequal)[0])) if unequal.ndim else ()
    count, total = int(unequal.sum()), unequal.size
    return [f"{count} of {total} items, first at {place}: "
            f"{found[place]!r} instead of {wanted[place]!r}"]  # fmt: skip


def _unequal(found, wanted):
    if wanted.dtype.kind == "f":
        with np.errstate(all="ignore"):
            nan, other = np.isnan(found), np.isnan(wanted)
            unequal = (found != wanted) | (np.signbit(found) != np.signbit(wanted))
        return (nan != other) | (unequal & ~nan & ~other)
    return np.ascontiguousarray(found).reshape(found.shape).view(_raw(found)) != (
        np.ascontiguousarray(wanted).reshape(wanted.shape).view(_raw(wanted))
    )


def _raw(array):
    """An unsigned type of the same width: a bool other than 0 and 1 shows."""
    return np.dtype(f"u{array.dtype.itemsize}") if array.dtype.kind in "biu" else array.dtype


def _relations(results, inputs):
    """Which results are inputs or earlier results, and whose base is one."""
    known = [*inputs, *results]
    return [
        (_place(known[: len(inputs) + place], result), _place(known, getattr(result, "base", None)))
        for place, result in enumerate(results)
    ]


def _place(known, value):
    if value is None or not isinstance(value, (np.ndarray, bytearray)):
        return None
    return next((place for place, item in enumerate(known) if item is value), None)


def _sharing(results, inputs):
    """How far each array result lies from each input or earlier result it shares memory with."""
    known = [*inputs, *results]
    return [
        [_distance(result, other) for other in known[: len(inputs) + place]]
        for place, result in enumerate(results)
    ]


def _distance(one, other):
    arrays = isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
    if not arrays or not np.may_share_memory(one, other):
        return None
    return address(one) - address(other)


def memory(values):
    """The bytes of arrays and of whatever they are views of."""
    return [_owner(value).tobytes() for value in values if isinstance(value, np.ndarray)]


def _owner(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def memory_differences(found, wanted):
    """Where the inputs of two runs differ afterwards, their bases included."""
    lines = []
    for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
        if isinstance(other, np.ndarray):
            lines += [f"input {place} afterwards: {line}" for line in value_differences(one, other)]
            if other.dtype.char in "gG" and _owner(other).dtype != other.dtype:
                continue  # bytes between the items, which a write leaves undefined
            lines += [f"base of input {place}: {line}"
                      for line in bit_differences(_owner(one), _owner(other))]  # fmt: skip
    return lines
