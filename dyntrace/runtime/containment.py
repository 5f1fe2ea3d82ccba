"""Containment: an error in what a unit does for a program never reaches the program.

The unit is given up, the error goes to `incidents`, and the original code runs. Invariant: what a
handler of a signal raises is the program's, whatever its class: handlers wait until it is over.
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
    """Decorate a method of a unit: on an internal error give the unit up and answer `fallback`."""

    def decorate(method: Callable[..., Answer]) -> Callable[..., Answer]:
        def guarded(unit: Any, *args: Any) -> Answer:
            try:
                return method(unit, *args)
            except GraphBreakError:
                raise
            except (RecursionError, MemoryError):
                return cast(Answer, fallback)  # the program is short of these, not wrong
            except Exception as error:
                _give_up(unit, error)
                return cast(Answer, fallback)

        @functools.wraps(method)
        def undisturbed(unit: Any, *args: Any) -> Answer:
            return cast(Answer, sheltered(guarded, unit, *args))

        return undisturbed

    return decorate


def _give_up(unit: Any, error: Exception) -> None:
    """Note `error`, and what is wrong with giving up, if anything is."""
    try:
        unit.give_up()
    except InternalError:
        raise
    except Exception as second:
        incidents.note(second, f"while giving {unit.name} up", INSTEAD, unit)
    incidents.note(error, f"while optimising {unit.name}", INSTEAD, unit)
