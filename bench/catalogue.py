"""All workloads and programs, and the choice of those to run.

Invariant: names are unique. A choice that leaves nothing to run raises `UnknownChoice`, whose
message lists what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.programs.known import PROGRAMS
from bench.programs.program import FAMILY, Program
from bench.workload import Case, Workload
from bench.workloads import (
    branches,
    elementwise,
    loops,
    overhead,
    points,
    reductions,
    rows,
    stencils,
)

FAMILIES: dict[str, tuple[Workload, ...]] = {
    module.__name__.rpartition(".")[2]: module.WORKLOADS
    for module in (elementwise, reductions, points, stencils, rows, loops, branches, overhead)
}
WORKLOADS = tuple(workload for family in FAMILIES.values() for workload in family)
FIXED = "fixed"  # in `--sizes`: the workloads whose size is not a free number of elements
Size = int | str


@dataclass(frozen=True)
class Choice:
    """The cases (workloads at sizes) and the programs to run."""

    cases: list[Case]
    programs: list[Program]


class UnknownChoice(ValueError):
    """A choice that fits no workload; the message lists what there is."""


def choose(
    families: Sequence[str] = (),
    words: Sequence[str] = (),
    sizes: Sequence[Size] | None = None,
    goals: bool = False,
) -> Choice:
    """The cases and programs of these families that have one of these words in the name.

    families  all if empty
    words     all if empty
    sizes     numbers of elements for scaled workloads, and FIXED for all others; all if None
    goals     only cases that have a ratio of their own to reach

    Raises UnknownChoice.
    """
    for family in families:
        if family not in (*FAMILIES, FAMILY):
            raise UnknownChoice(f"no family {family!r}; there are {', '.join(FAMILIES)}, {FAMILY}")
    cases = [
        case
        for workload in WORKLOADS
        if not families or workload.family in families
        if has_word(workload.name, words)
        for case in cases_of(workload, sizes)
        if case.has_goal or not goals
    ]
    programs = [
        program
        for program in PROGRAMS
        if not families or FAMILY in families
        if has_word(program.name, words)
        if sizes is None or FIXED in sizes
    ]
    if not cases and not programs:
        raise UnknownChoice("no workload fits this choice; --list shows what there is")
    return Choice(cases, programs)


def has_word(name: str, words: Sequence[str]) -> bool:
    """Whether the name contains one of the words; True if there are none."""
    return not words or any(word in name for word in words)


def cases_of(workload: Workload, sizes: Sequence[Size] | None) -> list[Case]:
    """A workload at its own sizes, or at those of `sizes` that apply to it."""
    chosen: Sequence[Size] = workload.sizes
    if sizes is not None and workload.scaled:
        chosen = sizes
    elif sizes is not None and FIXED not in sizes:
        chosen = ()
    return [Case(workload, size) for size in chosen if isinstance(size, int)]


def case_called(name: str) -> Case:
    """The case of a name such as `softmax/2000`."""
    workload, _, size = name.partition("/")
    for known in WORKLOADS:
        if known.name == workload and size.isdecimal():
            return Case(known, int(size))
    raise UnknownChoice(f"no case {name!r}; names look like softmax/2000")
