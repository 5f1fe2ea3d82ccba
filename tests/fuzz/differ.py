"""Run one random program eagerly and optimised, over several calls, and list the differences."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from dyntrace.report.compare import difference, run
from dyntrace.report.snapshot import World
from dyntrace.trace.marks import mark_of
from tests.differential import optimised
from tests.fuzz.generator import write_program
from tests.fuzz.odd_inputs import odd_arguments
from tests.fuzz.repair import repaired


@dataclass
class Case:
    """A program and the arguments of its successive calls."""

    source: str
    arguments: list
    label: str = "program"

    @classmethod
    def drawn(cls, source_of_chance, statements=12, label="program"):
        source = write_program(source_of_chance, statements)
        first, second = odd_arguments(source_of_chance), odd_arguments(source_of_chance)
        case = cls(source, [first, first, first, second, first, second], label)
        return repaired(case, lambda: source_of_chance.randint(0, 19) == 0)

    @classmethod
    def seeded(cls, seed, statements=12):
        return cls.drawn(random.Random(seed), statements, f"fuzz {seed}")

    def function(self):
        """The program in a namespace of its own."""
        space = {"np": np, "G": 2, "__name__": "fuzzed"}
        exec(compile(self.source, f"<{self.label}>", "exec"), space)
        return space["program"]

    def differences(self, prepare=optimised):
        """Differences of the first call that differs, or an empty list."""
        program = self.function()
        fast = prepare(program)
        world = World.around(program)
        for call, build in enumerate(self.arguments, 1):
            outcomes = [self._outcome(one, program, world, build) for one in (program, fast)]
            found = difference(*outcomes)
            if found:
                return [f"call {call}", *found]
        errors = internal_errors(fast)
        return ["contained", *errors] if errors else []

    def _outcome(self, one, program, world, build):
        space = program.__globals__
        box = space["Box"]
        space["G"] = 2
        box.rate = 2
        arrays = build()
        return run(one, (*arrays, [], {}, box(arrays[0])), {}, world)


def internal_errors(fast):
    """Errors of dyntrace's own that it contained; the warning about them comes only once."""
    mark = mark_of(fast)
    units = list(mark.family.units()) if mark is not None else []
    return [note for unit in units for note in unit.notes if note.startswith("internal error")]
