"""The addresses of the functions that machine code calls, by the names that its text gives them.

A name is that of a C function of dyntrace's (`_native/ahead/loop_functions.c`), or a tuple for a
function of NumPy's: the dot of a dtype, or a part of an inner loop. Invariant: what has an address
lives as long as the process. Read `loop_programs` for the table that they are put in.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from dyntrace._native import dot_function, loop_functions
from dyntrace.exec.lower import inner_loops
from dyntrace.exec.lower.description import Loop

__all__ = ["CONTEXT", "DATA", "FUNCTION", "address_of", "inner_loop", "part_of_loop"]

FUNCTION, CONTEXT, DATA = range(3)
_CAPSULE = b"numpy_1.24_ufunc_call_info"


class CallInfo(ctypes.Structure):
    """What is in a loop's capsule, as the docstring of `ufunc._get_strided_loop` gives it."""

    _fields_ = (
        ("function", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("needs_python", ctypes.c_bool),
        ("sets_no_flags", ctypes.c_bool),
    )


def address_of(name: Any) -> int:
    """The address that a name of a loop's text stands for."""
    if not isinstance(name, tuple):
        return loop_functions()[name]
    if name[0] == "dot":
        return dot_function(np.dtype(name[1]))
    return part_of_loop(*name)


def inner_loop(how: str, name: str, char: str) -> Loop | None:
    """The loop of a ufunc whose operands all have one dtype; None if there is none."""
    ufunc, dtype = getattr(np, name), np.dtype(char)
    if how == "reduction":
        return inner_loops.reduction(ufunc, dtype)
    found = inner_loops.elementwise(ufunc, (dtype,) * ufunc.nin + (None,), "same_kind")
    return found if found is not None and all(one == dtype for one in found.dtypes) else None


def part_of_loop(how: str, name: str, char: str, part: int) -> int:
    """The address of an inner loop of NumPy's, of its context, or of its data, which may be 0."""
    loop = inner_loop(how, name, char)
    assert loop is not None
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    found = pointer(loop.source, _CAPSULE)
    assert found is not None
    info = CallInfo.from_address(found)
    return (info.function, info.context, info.data)[part] or 0
