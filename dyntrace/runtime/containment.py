"""Containment: an error in what compiled code does for a program never reaches the program.

It is given up, the error goes to `incidents`, and the original code runs. Invariant: what a handler
of a signal raises is the program's, whatever its class: handlers wait until it is over.
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
    """Decorate a method of `CompiledCode`: on an internal error give up, answer `fallback`."""

    def decorate(method: Callable[..., Answer]) -> Callable[..., Answer]:
        def guarded(compiled: Any, *args: Any) -> Answer:
            try:
                return method(compiled, *args)
            except GraphBreakError:
                raise
            except (RecursionError, MemoryError):
                return cast(Answer, fallback)  # the program is short of these, not wrong
            except Exception as error:
                _give_up(compiled, error)
                return cast(Answer, fallback)

        @functools.wraps(method)
        def undisturbed(compiled: Any, *args: Any) -> Answer:
            return cast(Answer, sheltered(guarded, compiled, *args))

        return undisturbed

    return decorate


def _give_up(compiled: Any, error: Exception) -> None:
    """Note `error`, and what is wrong with giving up, if anything is."""
    try:
        compiled.give_up()
    except InternalError:
        raise
    except Exception as second:
        incidents.note(second, f"while giving {compiled.name} up", INSTEAD, compiled)
    incidents.note(error, f"while optimising {compiled.name}", INSTEAD, compiled)
