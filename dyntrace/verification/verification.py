"""Verification: `verify`, which runs a function eagerly and optimised from equal states.

A difference is laid on dyntrace only if eager runs agree about the fact among themselves. Where
they do not, state that cannot be put back has changed (a file, the clock, a foreign module): that
is said, and the result is returned. Read `reachable` next.
"""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dyntrace.errors import StateWarning, VerificationError
from dyntrace.verification.compare import Outcome, differences, run
from dyntrace.verification.facts import Facts
from dyntrace.verification.reachable import Reachable
from dyntrace.verification.snapshot import World

__all__ = ["verify"]


def verify(
    eager: Callable[..., Any],
    optimised: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    calls: int = 3,
) -> Any:
    """Call both functions `calls` times, each time from the same state, and compare what comes out.

    The state is that of all objects in reach, see `Reachable`; output of all runs but the last of
    `optimised` is dropped. What that run prints, warns, returns or raises is passed on.

    Raises VerificationError, with one line per difference, at the first call that differs. Warns of
    what could not be compared with a StateWarning.
    """
    trial = _Trial(eager, optimised, args, kwargs)
    try:
        for call in range(1, calls + 1):
            actual = trial.compare(call, last=call == calls)
    except BaseException:
        trial.state.restore()
        raise
    finally:
        trial.state.materialise()
    trial.warn()
    return _passed_on(actual)


class _Trial:
    """One verification: the two functions, their arguments, and the state that runs start from."""

    def __init__(
        self,
        eager: Callable[..., Any],
        optimised: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self.eager, self.optimised = _as_method(eager, optimised), optimised
        self.positional, self.keywords = list(args), dict(kwargs)
        self.world = World.around(eager)
        self.home = str(getattr(eager, "__module__", "") or "")
        self.state = Reachable(self._roots(), self.home)
        self.unsteady: dict[str, None] = {}

    def _roots(self, *more: tuple[str, Any]) -> list[tuple[str, Any]]:
        named = [("function", self.eager), ("arguments", self.positional)]
        return [*named, ("arguments", self.keywords), *more]

    def now(self) -> Iterator[tuple[str, Any]]:
        """The globals and cells of the function, and whatever else has changed."""
        yield from self.world.now()
        yield from self.state.now()

    def outcome(self, fn: Callable[..., Any], *, last: bool = False) -> Outcome:
        """One run of `fn` from the state kept at the start."""
        self.state.restore(last=last)
        return run(fn, tuple(self.positional), dict(self.keywords), self)

    def compare(self, call: int, *, last: bool) -> Outcome:
        """Run both functions; raise if they differ in what eager runs agree about."""
        expected = self.outcome(self.eager).facts
        actual = self.outcome(self.optimised, last=last)
        found = differences(expected, actual.facts)
        if found:
            unsteady = self._unsteady(expected, actual)
            blamed = [path for path in found if not _covers(unsteady, path)]
            if blamed:
                raise VerificationError(self._blame(call, {path: found[path] for path in blamed}))
            self.unsteady.update(dict.fromkeys(found))
        return actual

    def _unsteady(self, expected: Facts, actual: Outcome) -> dict[str, None]:
        """Paths of facts that differ between eager runs too; the state after `actual` is kept.

        Two runs more, not one: state that alternates is then seen at an even and at an odd turn.
        """
        left = (("result", actual.value), ("exception", actual.exception))
        after = Reachable(self._roots(*left), self.home, replay=False)
        controls = [self.outcome(self.eager).facts for _ in range(2)]
        after.restore()
        return {path: None for facts in controls for path in differences(expected, facts)}

    def _blame(self, call: int, found: Mapping[str, str]) -> str:
        lines = "\n  ".join(f"{path}: {text}" for path, text in found.items())
        return f"call {call} differs (eager != optimised):\n  {lines}"

    def warn(self) -> None:
        """Say what could not be compared, if anything."""
        if not self.unsteady:
            return
        name = getattr(self.eager, "__qualname__", repr(type(self.eager)))
        lost = "".join(f"\n  not put back: {path}" for path in self.state.lost)
        lines = "".join(f"\n  not compared: {path}" for path in self.unsteady)
        text = f"state outside the arguments changed between the runs of {name}, eager ones too"
        text = f"{text}; this says nothing about dyntrace{lost}{lines}"
        warnings.warn(StateWarning(text), stacklevel=4)


def _as_method(eager: Callable[..., Any], optimised: Callable[..., Any]) -> Callable[..., Any]:
    """A callable object as its bound `__call__`, which is what `optimize` makes of one."""
    if getattr(optimised, "__self__", None) is eager:
        return types.MethodType(type(eager).__call__, eager)
    return eager


def _covers(unsteady: Mapping[str, None], path: str) -> bool:
    """Whether `path` is one of the unsteady facts or part of a thing whose type or size is one."""
    return path in unsteady or any(
        path.startswith(whole) and not path[len(whole)].isidentifier()
        for whole in _wholes(unsteady)
        if len(path) > len(whole)
    )


def _wholes(unsteady: Mapping[str, None]) -> Iterator[str]:
    for path in unsteady:
        if path == "number of warnings":
            yield "warning"
        elif path.endswith((" type", " is")):
            yield path.rpartition(" ")[0]


def _passed_on(outcome: Outcome) -> Any:
    """What the user would have seen of `outcome`: its output, warnings, and value or exception."""
    sys.stdout.write(outcome.stdout)
    sys.stderr.write(outcome.stderr)
    for entry in outcome.warnings:
        warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.value
