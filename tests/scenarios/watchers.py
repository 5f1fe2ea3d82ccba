"""Tools that record what they see of the programs in `watched`: events, functions and lines."""

from __future__ import annotations

import sys

from tests.scenarios import watched

__all__ = ["WATCHERS"]

_APART = {"pause", "run", "during_pause"}


def _is_of_a_program(code):
    return code.co_filename == watched.__file__ and code.co_name not in _APART


class Tracer:
    """sys.settrace."""

    def __init__(self):
        self.seen = []

    def start(self):
        sys.settrace(self.event)

    def stop(self):
        sys.settrace(None)

    def event(self, frame, event, arg):
        if not _is_of_a_program(frame.f_code):
            return None
        what = type(arg[1]).__name__ if event == "exception" else None
        self.seen.append((event, frame.f_code.co_name, frame.f_lineno, what))
        return self.event


class OpcodeTracer(Tracer):
    """With f_trace_opcodes, whose own events are those of the code that runs."""

    def event(self, frame, event, arg):
        frame.f_trace_opcodes = True
        return super().event(frame, event, arg) if event != "opcode" else self.event


class Debugger(Tracer):
    """sys.settrace, also of the frames that run already, as pdb does it."""

    def start(self):
        frame = sys._getframe(1)
        while frame is not None:
            if _is_of_a_program(frame.f_code):
                frame.f_trace = self.event
            frame = frame.f_back
        sys.settrace(self.event)


class Profiler(Tracer):
    """sys.setprofile, with the names of C functions."""

    def start(self):
        sys.setprofile(self.event)

    def stop(self):
        sys.setprofile(None)

    def event(self, frame, event, arg):
        if _is_of_a_program(frame.f_code):
            what = getattr(arg, "__name__", None) if event.startswith("c_") else None
            self.seen.append((event, frame.f_code.co_name, frame.f_lineno, what))


class Monitor(Tracer):
    """sys.monitoring with all events that name no offset within the code."""

    tool = 4
    names = (
        "LINE PY_START PY_RESUME PY_RETURN PY_YIELD PY_THROW PY_UNWIND RAISE RERAISE "
        "EXCEPTION_HANDLED STOP_ITERATION"
    ).split()

    def start(self):
        monitoring = sys.monitoring
        monitoring.use_tool_id(self.tool, "watcher")
        wanted = 0
        for name in self.names:
            monitoring.register_callback(
                self.tool, getattr(monitoring.events, name), self.seeing(name)
            )
            wanted |= getattr(monitoring.events, name)
        monitoring.set_events(self.tool, wanted)

    def stop(self):
        monitoring = sys.monitoring
        if monitoring.get_tool(self.tool) is None:
            return
        monitoring.set_events(self.tool, 0)
        for name in self.names:
            monitoring.register_callback(self.tool, getattr(monitoring.events, name), None)
        monitoring.free_tool_id(self.tool)

    def seeing(self, name):
        def callback(code, *args):
            if _is_of_a_program(code):
                what = args[-1] if name == "LINE" else None
                if isinstance(args[-1], BaseException):
                    what = type(args[-1]).__name__
                self.seen.append((name, code.co_name, what))

        return callback


WATCHERS: list[type] = [Tracer, OpcodeTracer, Debugger, Profiler]
if hasattr(sys, "monitoring"):
    WATCHERS.append(Monitor)
