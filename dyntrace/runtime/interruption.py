"""Is someone watching this thread? Then compiled code steps aside.

A tracer, profiler or `sys.monitoring` tool must see the lines and calls of the original
instructions, so every region answers None while one is active. This is the twin of the check in
`_native/module.c`; events set on single code objects only are not looked at.
Read `runtime.region` next.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

_events: Callable[[int], int] | None = None
if hasattr(sys, "monitoring"):
    _events = sys.monitoring.get_events

TOOLS = range(6)  # the tool ids sys.monitoring gives out
FRAMES_TO_COMPILE = 200  # Python frames that dyntrace may need; not taken from a program


def tracing_active() -> bool:
    """True while this thread is traced or profiled, or a monitoring tool listens."""
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
    """True if a recorder may be called now, else None: watched, or near the recursion limit.

    The native one also suspends the frame hook, so that the recorder is called within the caller's
    evaluation loop and `osr` can work; the recorder ends with `hook_resume`.
    """
    return None if tracing_active() or _is_near_the_limit() else True
