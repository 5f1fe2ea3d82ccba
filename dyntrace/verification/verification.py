"""Verification: runs a function eagerly and optimised, each time from the same state, and compares.

Invariant: a fact that differs between two eager runs is never blamed on dyntrace. It depends on
state that cannot be restored (a file, the clock, a foreign module); a StateWarning names it.
`reachable` restores the state, `compare` runs the function and records what came out.
"""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dyntrace.errors import StateWarning, VerificationError
from dyntrace.verification.compare import Outcome, differences, run
from dyntrace.verification.observations import Facts
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
    """Call both functions `calls` times, each time from the same state, and compare the outcomes.

    The state is that of all objects the functions can reach, see `Reachable`. The user sees the
    output, warnings and result or exception of the last run of `optimised` only.

    Raises VerificationError, with one line per difference, at the first call that differs. Warns
    with a StateWarning of facts that could not be compared.
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
    """One verification: the two functions, their arguments, and the state each run starts from."""

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
        """The function's globals and cells, and every other reachable object that has changed."""
        yield from self.world.now()
        yield from self.state.now()

    def outcome(self, fn: Callable[..., Any], *, last: bool = False) -> Outcome:
        """Restore the state kept at the start and run `fn`."""
        self.state.restore(last=last)
        return run(fn, tuple(self.positional), dict(self.keywords), self)

    def compare(self, call: int, *, last: bool) -> Outcome:
        """Run both functions; raise if they differ in a fact that eager runs agree about."""
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
        """Paths of facts that differ between eager runs too.

        The eager function runs twice more, not once, so that a fact that alternates between two
        values shows both. Afterwards the state that run `actual` left is restored.
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
        """Warn of the facts that could not be compared, if there are any."""
        if not self.unsteady:
            return
        name = getattr(self.eager, "__qualname__", repr(type(self.eager)))
        lost = "".join(f"\n  not put back: {path}" for path in self.state.lost)
        lines = "".join(f"\n  not compared: {path}" for path in self.unsteady)
        text = f"state outside the arguments changed between the runs of {name}, eager ones too"
        text = f"{text}; this says nothing about dyntrace{lost}{lines}"
        warnings.warn(StateWarning(text), stacklevel=4)


def _as_method(eager: Callable[..., Any], optimised: Callable[..., Any]) -> Callable[..., Any]:
    """The bound `__call__` of a callable object, since `optimize` returns that for one."""
    if getattr(optimised, "__self__", None) is eager:
        return types.MethodType(type(eager).__call__, eager)
    return eager


def _covers(unsteady: Mapping[str, None], path: str) -> bool:
    """Whether `path` is unsteady, or lies in an object whose type or length is."""
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
    """Print the output, issue the warnings, and return the value or raise the exception."""
    sys.stdout.write(outcome.stdout)
    sys.stderr.write(outcome.stderr)
    for entry in outcome.warnings:
        warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.value
