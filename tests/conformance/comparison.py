"""Compares two runs of a module, test by test.

Invariant: a test whose two plain runs end differently is unstable, and says nothing about tracing.
The second plain run is only made when there is a difference to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.conformance.discovery import Module
from tests.conformance.process import Run
from tests.conformance.records import Outcome

MISSING = Outcome("missing")


@dataclass(frozen=True)
class Difference:
    """A test that ended one way plain and another way traced, or met an error of dyntrace's own."""

    test: str
    plain: Outcome
    traced: Outcome

    def __str__(self) -> str:
        noted = f", {self.traced.internal} internal errors" if self.traced.internal else ""
        return f"{self.test}: plain {self.plain}, traced {self.traced}{noted}"


@dataclass
class Comparison:
    """What was found of one module.

    trouble    why nothing, or not everything, could be compared
    functions  how many functions were traced, and `graphs` how many graphs were captured in them
    """

    module: Module
    through: str
    same: int = 0
    different: list[Difference] = field(default_factory=list)
    unstable: list[Difference] = field(default_factory=list)
    internal: int = 0
    trouble: str = ""
    functions: int = 0
    graphs: int = 0
    seconds: float = 0.0


def compare(
    module: Module, through: str, plain: Run, traced: Run, again: Callable[[], Run]
) -> Comparison:
    """The comparison of a plain and a traced run; `again` makes a second plain run."""
    found = Comparison(module, through, trouble=_trouble(plain, traced))
    found.functions, found.graphs = traced.functions, traced.graphs
    found.internal = sum(outcome.internal for outcome in traced.outcomes.values())
    differing = []
    for test in _comparable(plain, traced):
        one = plain.outcomes.get(test, MISSING)
        other = traced.outcomes.get(test, MISSING)
        if one.ends_like(other) and not other.internal:
            found.same += 1
        else:
            differing.append(Difference(test, one, other))
    if differing:
        second = again().outcomes
        for item in sorted(differing, key=lambda item: item.test):
            stable = item.plain.ends_like(second.get(item.test, MISSING))
            (found.different if stable else found.unstable).append(item)
    return found


def _comparable(plain: Run, traced: Run) -> set[str]:
    """The tests that both runs should have come to: all, unless one of them was given up."""
    if plain.trouble or traced.trouble:
        return plain.outcomes.keys() & traced.outcomes.keys()
    return plain.outcomes.keys() | traced.outcomes.keys()


def _trouble(plain: Run, traced: Run) -> str:
    if plain.trouble:
        return f"the plain run ended early: {plain.trouble}"
    if not plain.outcomes:
        return "" if not traced.outcomes else "the plain run had no tests"
    if traced.trouble:
        lost = len(plain.outcomes.keys() - traced.outcomes.keys())
        return f"the traced run ended early, {lost} tests were not run: {traced.trouble}"
    return ""
