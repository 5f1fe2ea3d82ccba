"""Whether a tool watches this thread, or little stack is left: then the original code runs.

A tracer, profiler or `sys.monitoring` tool must see the lines and calls of the original
instructions, so each region returns None while one is active. Only global events of
`sys.monitoring` count, not those set on single code objects. Invariant: `tracing_active` and
`recording_gate` agree with their native twins of the same names. Read `runtime.region` next.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

_events: Callable[[int], int] | None = None
if hasattr(sys, "monitoring"):
    _events = sys.monitoring.get_events

TOOLS = range(6)  # the tool ids sys.monitoring gives out
FRAMES_TO_COMPILE = 200  # Python frames that analysis may need, below the program's limit


def tracing_active() -> bool:
    """Whether this thread is traced or profiled, or a monitoring tool has asked for an event."""
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return True
    return _events is not None and any(_events(tool) for tool in TOOLS)


def _is_near_the_limit() -> bool:
    try:
        sys._getframe(max(sys.getrecursionlimit() - FRAMES_TO_COMPILE, 0))
    except ValueError:
        return False
    return True


def recording_gate() -> bool | None:
    """True if a recorder may be called now; None if a tool watches, or little stack is left.

    The native twin also suspends the frame hook. CPython then runs the recorder in the caller's
    evaluation loop, without which `osr` could not move the caller. The recorder calls `hook_resume`
    at its end.
    """
    return None if tracing_active() or _is_near_the_limit() else True
