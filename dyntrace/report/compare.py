"""Compare: run a function, keep everything a user could observe, and say where two runs differ.

What is observed: the result, the arguments and globals afterwards, what is shared between them,
everything printed, each warning with its file and line, and the exception with its traceback and
its chain. `verify` is built on this, and so are the differential tests. Read `describe` next.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dyntrace.errors import VerificationError
from dyntrace.report.describe import Bits, Description, Facts, without_addresses
from dyntrace.report.snapshot import World, copies

__all__ = ["Outcome", "difference", "run", "verify"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: its observable `facts`, and the live `value` or `exception` that came out."""

    facts: Facts
    value: Any
    exception: BaseException | None
    stdout: str
    stderr: str
    warnings: tuple[warnings.WarningMessage, ...]


@dataclass(slots=True)
class _Watch:
    """What is recorded while the function runs."""

    stdout: io.StringIO = field(default_factory=io.StringIO)
    stderr: io.StringIO = field(default_factory=io.StringIO)
    warned: list[warnings.WarningMessage] = field(default_factory=list)

    @contextlib.contextmanager
    def __call__(self, action: Any) -> Iterator[None]:
        with (
            contextlib.redirect_stdout(self.stdout),
            contextlib.redirect_stderr(self.stderr),
            warnings.catch_warnings(record=True) as self.warned,
        ):
            warnings.simplefilter(action)
            yield


def run(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    world: World | None = None,
    *,
    action: str = "always",
) -> Outcome:
    """Call `fn` on exactly these objects and describe what came of it.

    `world` holds the globals and cells to describe afterwards; `action` is the warning filter that
    holds during the call. Every exception is caught, KeyboardInterrupt and SystemExit included.
    """
    watch = _Watch()
    value, exception = None, None
    with np.errstate():
        with watch(action):
            try:
                value = fn(*args, **(kwargs or {}))
            except BaseException as error:  # the exception is the outcome
                exception = error
        modes = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        facts = _describe(fn, args, kwargs or {}, world, value, exception)
    facts["errstate"] = modes
    facts.update(_recorded(watch))
    out, err = watch.stdout.getvalue(), watch.stderr.getvalue()
    return Outcome(facts, value, exception, out, err, tuple(watch.warned))


def _describe(
    fn: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    world: World | None,
    value: Any,
    exception: BaseException | None,
) -> Facts:
    description = Description()
    if hasattr(fn, "__self__"):
        description.add("self", fn.__self__)
    for index, item in enumerate(args):
        description.add(f"argument {index}", item)
    for name, item in kwargs.items():
        description.add(f"argument {name}", item)
    for name, item in world.now() if world else ():
        description.add(f"global {name}", item)
    description.add("result", value)
    description.add("exception", exception)
    description.facts["numpy.random"] = _random_state()
    return description.facts


def _random_state() -> tuple[Any, ...]:
    """NumPy's global random stream: where a draw leaves its mark."""
    name, key, *rest = np.random.get_state(legacy=True)
    return name, np.asarray(key).tobytes(), *rest


def _recorded(watch: _Watch) -> Iterator[tuple[str, Any]]:
    yield "stdout", without_addresses(watch.stdout.getvalue())
    yield "stderr", without_addresses(watch.stderr.getvalue())
    yield "number of warnings", len(watch.warned)
    for index, entry in enumerate(watch.warned):
        text = without_addresses(str(entry.message))
        yield f"warning {index}", (entry.category.__name__, text, entry.filename, entry.lineno)


def difference(expected: Outcome, actual: Outcome) -> list[str]:
    """Where `actual` differs from `expected`, one readable line per fact; empty if nowhere."""
    paths = dict.fromkeys([*expected.facts, *actual.facts])
    absent = "<absent>"
    return [
        f"{path}: {_unequal(expected.facts.get(path, absent), actual.facts.get(path, absent))}"
        for path in paths
        if not _same(expected.facts.get(path, absent), actual.facts.get(path, absent))
    ]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _unequal(one: Any, other: Any) -> str:
    if isinstance(one, Bits) and isinstance(other, Bits):
        return one.against(other)
    return f"{one!r} != {other!r}"


def verify(
    eager: Callable[..., Any],
    optimised: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    calls: int = 3,
) -> Any:
    """Call both functions `calls` times on equal arguments and compare everything observable.

    All runs but the last are on copies, and their output is dropped. The last run of `optimised` is
    on `args` and `kwargs` themselves; what it prints, warns, returns or raises is passed on.

    Raises VerificationError, with one line per difference, at the first call that differs.
    """
    world = World.around(eager)
    names = tuple(kwargs)
    inputs = (*world.held, *args, *kwargs.values())
    random = np.random.get_state(legacy=False)

    def once(fn: Callable[..., Any], values: Iterable[Any]) -> Outcome:
        held = list(values)
        positional = held[len(world.held) : len(held) - len(names)]
        keywords = dict(zip(names, held[len(held) - len(names) :], strict=True))
        world.set(held[: len(world.held)])
        np.random.set_state(random)
        return run(fn, tuple(positional), keywords, world)

    try:
        for call in range(1, calls + 1):
            pristine = copies(inputs)
            expected = once(eager, copies(inputs))
            actual = once(optimised, inputs if call == calls else pristine)
            _require_equal(call, expected, actual)
    except BaseException:
        world.set(world.held)
        raise
    return _passed_on(actual)


def _require_equal(call: int, expected: Outcome, actual: Outcome) -> None:
    found = difference(expected, actual)
    if found:
        lines = "\n  ".join(found)
        raise VerificationError(f"call {call} differs (eager != optimised):\n  {lines}")


def _passed_on(outcome: Outcome) -> Any:
    """What the user would have seen of `outcome`: its output, warnings, and value or exception."""
    sys.stdout.write(outcome.stdout)
    sys.stderr.write(outcome.stderr)
    for entry in outcome.warnings:
        warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.value
