"""Containment: an error inside dyntrace never reaches the user's program.

It is counted, reported once as a warning with how to report it, and the original code runs.
Invariant: only `Exception` is contained; what the user or a signal throws passes through.
"""

from __future__ import annotations

import functools
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

from dyntrace import config
from dyntrace.errors import DyntraceError, DyntraceWarning, GraphBreakError

__all__ = ["contained"]

Answer = TypeVar("Answer")
_reported: set[str] = set()


def contained(fallback: Any) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Decorate a method of a unit: on an internal error give the unit up and answer `fallback`."""

    def decorate(method: Callable[..., Answer]) -> Callable[..., Answer]:
        @functools.wraps(method)
        def guarded(unit: Any, *args: Any) -> Answer:
            try:
                return method(unit, *args)
            except GraphBreakError:
                raise
            except (RecursionError, MemoryError):
                return cast(Answer, fallback)  # the program is short of these, not wrong
            except Exception as error:
                unit.give_up(error)
                report(error, unit.name)
                return cast(Answer, fallback)

        return guarded

    return decorate


def report(error: Exception, name: str) -> None:
    """Warn once per kind of error; in strict mode raise it."""
    if config.strict:
        raise error
    key = f"{type(error).__name__}: {error}"
    if key in _reported:
        return
    _reported.add(key)
    trace = "".join(traceback.format_exception(error))
    text = (
        f"dyntrace met an internal error while optimising {name}; the original code runs instead. "
        f"Please report this text with the function's source:\n{trace}"
    )
    try:
        warnings.warn(DyntraceWarning(text), stacklevel=4)
    except (DyntraceWarning, DyntraceError):
        print(text, file=sys.stderr)
