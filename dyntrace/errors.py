"""The exceptions and warnings of dyntrace; those that users cause show the wrong and right code.

Invariant: an optimised function raises only what the original raises. These are raised by
dyntrace's own functions (`optimize`, `verify`, `register_backend`) and under `fullgraph=True`.
`incidents` handles InternalError.
"""

from __future__ import annotations

__all__ = [
    "AssemblyError",
    "BackendError",
    "DyntraceError",
    "DyntraceWarning",
    "GraphBreakError",
    "InternalError",
    "VerificationError",
]


class DyntraceError(Exception):
    """Base of every exception dyntrace raises itself."""


class GraphBreakError(DyntraceError):
    """There is a graph break in a function optimised with ``fullgraph=True``.

    Wrong::  optimize(lambda x: print(x) or x + 1, fullgraph=True)(x)
    Right::  optimize(lambda x: x + 1, fullgraph=True)(x)
    """

    def __init__(self, reason: str, filename: str, lineno: int) -> None:
        super().__init__(f"{filename}:{lineno}: {reason}")
        self.reason = reason
        self.filename = filename
        self.lineno = lineno


class AssemblyError(DyntraceError):
    """A code object cannot be decoded or woven.

    dyntrace catches it, reports DT602, and the function runs its original code.
    """


class BackendError(DyntraceError, ValueError):
    """A backend is unknown, or returned something that is not callable.

    Wrong::  optimize(fn, backend="tpu")
    Right::  register_backend("mine", compile_graph); optimize(fn, backend="mine")
    """


class VerificationError(DyntraceError):
    """`verify` saw the optimised function and eager NumPy differ."""


class StateWarning(UserWarning):
    """`verify` could not compare everything: state outside the arguments changes from run to run.

    It is no sign of a fault in dyntrace. Such state is the content of a file, a generator inside a
    tuple, the clock, or anything in a foreign module. Remedy: pass it to the function as an
    argument.
    """


class InternalError(DyntraceError):
    """A broken invariant of dyntrace.

    The user's program gets a `DyntraceWarning` instead, except under `DYNTRACE_STRICT=1`.
    """


class DyntraceWarning(RuntimeWarning):
    """An internal error was met and the original code ran instead; warned once for each error."""
