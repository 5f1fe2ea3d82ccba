"""NumPy's floating-point modes inside a region: whatever is not ignored is raised.

Invariant: a region emits no warning and calls no `seterrcall` function; a flag whose mode is not
"ignore" raises, the region answers None, and the original instruction warns as it always did.
NumPy keeps the modes in a context variable that holds an opaque capsule, so a change costs one set
and one reset, and the answer can be kept per capsule. Read `runtime.region` next.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any

from numpy._core import umath

STATE: ContextVar[Any] = umath._extobj_contextvar
_modes: Callable[[], Any] = umath._get_extobj_dict
_make: Callable[..., Any] = umath._make_extobj

DEFAULT = Context().run(STATE.get)  # the modes where nobody has set any

FLAGS = ("divide", "over", "under", "invalid")


def raising_state() -> Any:
    """The current state with every mode but "ignore" turned into "raise".

    When nothing would change the current capsule itself is returned.
    """
    modes = _modes()
    quiet = {flag: "ignore" if modes[flag] == "ignore" else "raise" for flag in FLAGS}
    if all(modes[flag] == mode for flag, mode in quiet.items()):
        return STATE.get()
    return _make(**quiet)
