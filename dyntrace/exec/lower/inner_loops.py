"""NumPy's inner loops, found and described for the virtual machine.

NumPy offers `ufunc._resolve_dtypes_and_context` and `_get_strided_loop` to compilers. They return a
capsule with the loop that an eager call would run. Invariant: a described loop runs without the
GIL, on built-in numeric dtypes, and the machine has the casts of its operands. `ops.facts` says
what is known of a ufunc; read `exec.lower.selftest` next.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy._core import umath

from dyntrace.exec.lower import selftest
from dyntrace.exec.lower.description import Loop
from dyntrace.exec.lower.instruction_table import CODES
from dyntrace.graph.kinds import NUMERIC_CHARS
from dyntrace.ops import facts

_EXACTNESS = CODES["EXACTNESS"]
EXACT, STRIDED = _EXACTNESS["EXACT"], _EXACTNESS["STRIDED"]
OFFSET_BOUND, WHOLE_LOOP = _EXACTNESS["OFFSET_BOUND"], _EXACTNESS["WHOLE_LOOP"]
CLIP: np.ufunc = vars(umath)["clip"]  # the ufunc that np.clip calls
_INTEGERS = "?bhilqBHILQ"
_REALS = "fdg"
_COMPLEX = "FDG"


def can_cast(source: Any, target: np.dtype[Any]) -> bool:
    """Whether the machine casts an operand (a dtype, or the type of a number) to `target`."""
    if not isinstance(source, np.dtype):
        return target.char != "e" or source not in (int, float)
    if source == target:
        return True
    if target.char == "?":
        return source.char in _INTEGERS + _REALS + _COMPLEX
    if source.char in _INTEGERS:
        return target.char in _INTEGERS + _REALS + _COMPLEX
    if source.char in _REALS:
        return target.char in _REALS + _COMPLEX
    return source.char in _COMPLEX and target.char in _COMPLEX


def may_overflow(source: Any, target: np.dtype[Any]) -> bool:
    """Whether the cast of an array may set a floating-point flag."""
    return isinstance(source, np.dtype) and source != target and source.char not in _INTEGERS


def exactness(ufunc: np.ufunc, dtype: np.dtype[Any]) -> int:
    """The code of what a result's bits depend on: by the facts, or by trial if OFFSET_BOUND."""
    found = facts.exactness(ufunc, dtype)
    if found == facts.UFUNCS[ufunc].bits == facts.OFFSET_BOUND:
        return WHOLE_LOOP if selftest.depends_on_position(ufunc, dtype.char) else OFFSET_BOUND
    return _EXACTNESS[found]


def elementwise(ufunc: np.ufunc, operands: tuple[Any, ...], casting: str) -> Loop | None:
    """The loop for these operands and results (dtypes, or types of Python numbers); None: no loop.

    A Python number is given as its type, so that it promotes as weakly as beside an array (NEP 50).
    """
    keys = tuple([value.char if isinstance(value, np.dtype) else value for value in operands])
    return _elementwise(ufunc, keys, casting)


@cache
def _elementwise(ufunc: np.ufunc, keys: tuple[Any, ...], casting: str) -> Loop | None:
    """Keys are the characters of dtypes: C long equals C long long, but has loops of its own."""
    operands = tuple(np.dtype(key) if isinstance(key, str) else key for key in keys)
    if ufunc not in facts.UFUNCS:
        return None  # loops of other libraries may raise errors from a worker thread
    found = _resolved(ufunc, operands, casting=casting)
    if found is None:
        return None
    dtypes, capsule = found
    if ufunc is np.power and dtypes[0].kind in "iu":
        return None  # raises for negative exponents
    inputs = operands[: ufunc.nin]
    if not all(dtype.char in NUMERIC_CHARS for dtype in dtypes):
        return None
    if not all(map(can_cast, inputs, dtypes)):
        return None
    return _described(ufunc, capsule, dtypes, exactness(ufunc, dtypes[0]))


def reduction(ufunc: np.ufunc, dtype: np.dtype[Any]) -> Loop | None:
    """The loop that reduces numbers of `dtype`; its operands are (result, number, result)."""
    return _reduction(ufunc, dtype.char)


@cache
def _reduction(ufunc: np.ufunc, char: str) -> Loop | None:
    found = _resolved(ufunc, (None, np.dtype(char), None), reduction=True)
    if found is None or not all(dtype.char in NUMERIC_CHARS for dtype in found[0]):
        return None
    return _described(ufunc, found[1], found[0], EXACT)


def _resolved(ufunc: Any, operands: tuple[Any, ...], **how: Any) -> tuple[Any, Any] | None:
    """The dtypes of a loop and the capsule that holds it; None if there is none."""
    try:
        dtypes, capsule = ufunc._resolve_dtypes_and_context(operands, **how)
        ufunc._get_strided_loop(capsule)
    except (TypeError, ValueError):
        return None
    return dtypes, capsule


def _described(ufunc: np.ufunc, capsule: Any, dtypes: Any, exact: int) -> Loop | None:
    row, dtype = facts.UFUNCS[ufunc], dtypes[0]
    cost = row.cost * max(1.0, dtype.itemsize / 8)
    clears = dtype.kind in row.clears
    return Loop(capsule, tuple(dtypes), ufunc.nin, exact, clears, cost)


def machine_loop(name: str, dtypes: tuple[np.dtype[Any], ...]) -> Loop:
    """A loop that the machine implements itself: "where" or "copy"."""
    return Loop(name, dtypes, len(dtypes) - 1, EXACT, False, facts.CHEAP)


@cache
def identity(ufunc: np.ufunc, dtype: np.dtype[Any]) -> bytes | None:
    """The bytes of a reduction's start value; None: it starts with the first number.

    A sum starts from 0.0 or -0.0, depending on the NumPy version: summing [-0.0] tells which.
    """
    if ufunc.identity is None or ufunc in (np.maximum, np.minimum):
        return None
    start = np.zeros(1, dtype) + np.array([ufunc.identity], dtype)
    if ufunc is np.add and dtype.kind in "fc":
        start = np.add.reduce(np.array([-0.0]).astype(dtype), keepdims=True)
    found: bytes = start.astype(dtype).tobytes()
    return found
