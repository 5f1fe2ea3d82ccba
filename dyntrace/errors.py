"""The exceptions dyntrace raises on purpose, each with the code that earns it and the right code.

Invariant: an optimised function raises only what the original raises; these come from dyntrace's
own calls (`optimize`, `verify`, `fullgraph=True`, a backend that misbehaves). Read `breaks` next.
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
    """A graph break was met under ``fullgraph=True``.

    Wrong::  optimize(lambda x: print(x) or x + 1, fullgraph=True)(x)
    Right::  optimize(lambda x: x + 1, fullgraph=True)(x)
    """

    def __init__(self, reason: str, filename: str, lineno: int) -> None:
        super().__init__(f"{filename}:{lineno}: {reason}")
        self.reason = reason
        self.filename = filename
        self.lineno = lineno


class AssemblyError(DyntraceError):
    """A code object cannot be decoded or woven; the function runs as it was."""


class BackendError(DyntraceError, ValueError):
    """A backend is unknown, or returned something that is not callable.

    Wrong::  optimize(fn, backend="tpu")
    Right::  register_backend("mine", compile_graph); optimize(fn, backend="mine")
    """


class VerificationError(DyntraceError):
    """`verify` saw the optimised function and eager NumPy differ."""


class StateWarning(UserWarning):
    """`verify` could not compare everything: state outside the arguments changes from run to run.

    It says nothing about dyntrace. Such state is a file's content, a generator inside a tuple, the
    clock, or anything in foreign modules; `verify` a function that takes it as an argument instead.
    """


class InternalError(DyntraceError):
    """A broken invariant of dyntrace; never reaches the user's program, see `DyntraceWarning`."""


class DyntraceWarning(RuntimeWarning):
    """Reported once when dyntrace met an internal error and ran the original code instead."""
