"""Compare: runs a function, records everything a user could observe, and finds the differences.

Observed are the result, the arguments and globals after the call, memory shared between them,
everything printed, each warning with its file and line, and the exception with its traceback and
its chain. `verification` and the differential tests use it. Read `observations` next, which turns
values into facts.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from dyntrace.verification.observations import Bits, Description, Facts, without_addresses

__all__ = ["Outcome", "Surroundings", "difference", "differences", "run"]


class Surroundings(Protocol):
    """The state around a function; `now` yields paths and the values found there."""

    def now(self) -> Iterable[tuple[str, Any]]: ...


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
    """Records stdout, stderr and warnings while the function runs."""

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
    world: Surroundings | None = None,
    *,
    action: str = "always",
) -> Outcome:
    """Call `fn` on these very objects and describe the outcome.

    world   more state to describe after the call, such as globals and cells
    action  the warnings filter during the call

    Every exception is caught, KeyboardInterrupt and SystemExit included.
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
    world: Surroundings | None,
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
        description.add(name, item)
    description.add("result", value)
    description.add("exception", exception)
    description.facts["numpy.random"] = _random_state()
    return description.facts


def _random_state() -> tuple[Any, ...]:
    """The state of NumPy's global generator, which each draw changes."""
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
    """One readable line for each fact in which `actual` differs from `expected`."""
    return [f"{path}: {text}" for path, text in differences(expected.facts, actual.facts).items()]


def differences(expected: Facts, actual: Facts) -> dict[str, str]:
    """The facts that differ: each path with a text that says how."""
    absent = "<absent>"
    pairs = {
        path: (expected.get(path, absent), actual.get(path, absent))
        for path in [*expected, *actual]
    }
    return {path: _unequal(*pair) for path, pair in pairs.items() if not _same(*pair)}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _unequal(one: Any, other: Any) -> str:
    if isinstance(one, Bits) and isinstance(other, Bits):
        return one.against(other)
    return f"{one!r} != {other!r}"
