"""Measures a program in interleaved pairs of runs, plain and by dyntrace.

Invariant: every run's output is compared with that of the first plain run, so figures are only
about runs that print the same. The first run of each way is not timed: it fills the system's caches
and writes the bytecode of imported modules.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.programs.process import Outcome, run
from bench.programs.program import Program
from bench.result import Result
from bench.timing import Effort, Pairs, middle


@dataclass
class ProgramResult(Result):
    """One program: `pairs` are seconds by the clock, `cpu` are processor seconds of the same runs.

    missing  modules that are not installed, for which the program was not run
    allowed  seconds that a run may take longer than a plain one
    """

    kind: str = ""
    cpu: Pairs = field(default_factory=Pairs)
    missing: list[str] = field(default_factory=list)
    allowed: float = 0.0

    @property
    def cpu_ratio(self) -> float:
        return middle(self.cpu.ratios())

    @property
    def reached(self) -> bool:
        over = [run - plain for plain, run in zip(self.pairs.first, self.pairs.second, strict=True)]
        return round(self.ratio, 2) >= self.goal or middle(over) <= self.allowed

    @property
    def lost(self) -> bool:
        """Whether it ran and missed its goal: the least ratio, or the start-up it may lose."""
        return bool(self.pairs.first) and not self.reached

    def add(self, other: Result) -> None:
        super().add(other)
        assert isinstance(other, ProgramResult)
        self.cpu += other.cpu
        self.differences += other.differences


def measure(program: Program, effort: Effort, small: bool = False) -> ProgramResult:
    """One row of the table; `small` is for trying the benchmark itself."""
    result = ProgramResult(
        program.name, program.family, program.goal, kind=program.kind, has_goal=program.has_goal
    )
    result.missing = program.missing()
    if not result.missing:
        try:
            time_pairs(program, effort, small, result)
        except TimeoutError as error:
            result.differences.append(str(error))
    return result


def time_pairs(program: Program, effort: Effort, small: bool, result: ProgramResult) -> None:
    expected = run(program, "plain", small)
    if expected.status != 0:
        result.notes.append(f"plain Python ends with {expected.status}")
    compare(expected, run(program, "run", small), result)
    spent = 0.0
    while not result.differences and more(len(result.pairs.first), spent, effort):
        outcomes = {way: run(program, way, small) for way in order(len(result.pairs.first))}
        plain, ours = outcomes["plain"], outcomes["run"]
        compare(expected, plain, result)
        compare(expected, ours, result)
        keep(result, plain, ours)
        spent += plain.wall + ours.wall
    result.allowed = program.allowed(middle(result.pairs.first))


def order(number: int) -> tuple[str, str]:
    """The two ways in the order of pair `number`: which goes first alternates."""
    return ("run", "plain") if number % 2 else ("plain", "run")


def more(count: int, spent: float, effort: Effort) -> bool:
    return count < effort.fewest or (count < effort.most and spent < effort.seconds)


def compare(expected: Outcome, outcome: Outcome, result: ProgramResult) -> None:
    for text in expected.differences(outcome):
        if text not in result.differences:
            result.differences.append(text)


def keep(result: ProgramResult, plain: Outcome, ours: Outcome) -> None:
    result.pairs.first.append(plain.wall)
    result.pairs.second.append(ours.wall)
    result.cpu.first.append(plain.cpu)
    result.cpu.second.append(ours.cpu)
