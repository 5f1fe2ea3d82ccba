"""Containment: an error in dyntrace's own code never reaches the program.

When a contained function fails, the compiled code that it worked on is given up, `incidents`
reports the error, and the original code runs. Invariant: an exception that a signal handler raises
is the program's, whatever its class. So signal handlers wait until the function has returned. Read
`functions.compiled_code` next, `runtime.failures` for errors inside regions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from dyntrace import incidents
from dyntrace.errors import GraphBreakError, InternalError
from dyntrace.runtime.handles import sheltered

__all__ = ["INSTEAD", "contained"]

INSTEAD = "the original code runs"
Answer = TypeVar("Answer")


def contained(fallback: Any) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Decorate a function of compiled code: after an internal error it returns `fallback`."""

    def decorate(method: Callable[..., Answer]) -> Callable[..., Answer]:
        def guarded(compiled: Any, *args: Any) -> Answer:
            try:
                return method(compiled, *args)
            except GraphBreakError:
                raise
            except (RecursionError, MemoryError):
                return cast(Answer, fallback)  # the program is short of stack or memory
            except Exception as error:
                _give_up(compiled, error)
                return cast(Answer, fallback)

        @functools.wraps(method)
        def undisturbed(compiled: Any, *args: Any) -> Answer:
            return cast(Answer, sheltered(guarded, compiled, *args))

        return undisturbed

    return decorate


def _give_up(compiled: Any, error: Exception) -> None:
    """Give `compiled` up and report `error`; report a second error if giving up fails as well."""
    try:
        compiled.give_up()
    except InternalError:
        raise
    except Exception as second:
        incidents.note(second, f"while giving {compiled.name} up", INSTEAD, compiled)
    incidents.note(error, f"while optimising {compiled.name}", INSTEAD, compiled)
