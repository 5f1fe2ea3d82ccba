"""NumPy's floating-point modes inside a region: each mode but "ignore" becomes "raise".

Invariant: a region emits no warning and calls no `seterrcall` function. A floating-point flag that
is not ignored raises, the region returns None, and the original instruction warns or raises as the
user's modes say. NumPy keeps the modes in a context variable, as an opaque capsule
(numpy/_core/src/umath/extobj.c): a region changes them by one set and one reset. The native twin
caches the answer of `raising_state` for each capsule. Read `runtime.region` next.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar
from types import MappingProxyType
from typing import Any

from numpy._core import umath

STATE: ContextVar[Any] = umath._extobj_contextvar
_modes: Callable[[], Any] = umath._get_extobj_dict
_make: Callable[..., Any] = umath._make_extobj

DEFAULT = Context().run(STATE.get)  # the capsule of a context in which no modes were set

FLAGS = ("divide", "over", "under", "invalid")
BITS = MappingProxyType({"invalid": 1, "divide": 4, "over": 8, "under": 16})  # in MXCSR


def raising_state() -> Any:
    """A capsule with the current modes, each one but "ignore" made "raise".

    If all of them are one or the other already, it is the current capsule.
    """
    modes = _modes()
    quiet = {flag: "ignore" if modes[flag] == "ignore" else "raise" for flag in FLAGS}
    if all(modes[flag] == mode for flag, mode in quiet.items()):
        return STATE.get()
    return _make(**quiet)


def trouble_flags() -> int:
    """The bits of the flags whose current mode is not "ignore"."""
    modes = _modes()
    return sum(bit for flag, bit in BITS.items() if modes[flag] != "ignore")
