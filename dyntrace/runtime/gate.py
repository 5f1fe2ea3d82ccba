"""The gate before recorders: shut while a debugger, profiler or coverage tool watches the thread."""

from __future__ import annotations

from dyntrace.runtime.handles import tracing_active

__all__ = ["gate"]


def gate() -> bool | None:
    """True if a recorder may run now, else None."""
    return None if tracing_active() else True
