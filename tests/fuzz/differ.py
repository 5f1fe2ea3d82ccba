"""Run one random program eagerly and optimised, over several calls, and list the differences."""

from __future__ import annotations

import functools
import operator
import random
import sys
from dataclasses import dataclass

import numpy as np

from dyntrace.report.collect import errors_of
from dyntrace.trace.marks import tag_of
from dyntrace.verification.compare import difference, run
from dyntrace.verification.snapshot import World
from tests.differential.harness import around, optimised
from tests.fuzz.generator import write_program
from tests.fuzz.loop_generator import loop_arguments, write_loop_program
from tests.fuzz.number_generator import number_arguments, write_number_program
from tests.fuzz.odd_inputs import odd_arguments
from tests.fuzz.repair import repaired


@dataclass
class Case:
    """A program and the arguments of its successive calls.

    yielding    the program may be a generator, which is then run to its end
    persistent  globals and the mutable arguments live on from call to call
    """

    source: str
    arguments: list
    label: str = "program"
    persistent: bool = False

    @classmethod
    def drawn(cls, chance, statements=12, label="program"):
        source = write_program(chance, statements, yielding=chance.randint(0, 9) == 0)
        first, second = odd_arguments(chance), odd_arguments(chance)
        order = [first, first, first, second, first, second, second, first]
        case = cls(source, order, label, persistent=chance.randint(0, 3) == 0)
        return repaired(case, lambda: chance.randint(0, 19) == 0)

    @classmethod
    def looping(cls, chance, statements=14, label="program"):
        """A program whose loops run long, and are compiled if `at_once` is in force."""
        source = write_loop_program(chance, statements)
        first, second = loop_arguments(chance), loop_arguments(chance)
        order = [first, first, first, second, first, second]
        case = cls(source, order, label, persistent=chance.randint(0, 3) == 0)
        return repaired(case, lambda: chance.randint(0, 9) == 0)

    @classmethod
    def of_numbers(cls, chance, label="program"):
        """A loop over numbers of every kind, at the edges of their ranges."""
        families, first = number_arguments(chance)
        other = number_arguments(chance)[1]
        source = write_number_program(chance, families)
        case = cls(source, [first, first, first, other, first], label)
        return repaired(case, lambda: chance.randint(0, 9) == 0)

    @classmethod
    def seeded(cls, seed, statements=12):
        return cls.drawn(random.Random(seed), statements, f"fuzz {seed}")

    def function(self):
        """The program in a namespace of its own."""
        space = {"np": np, "functools": functools, "operator": operator, "sys": sys}
        space.update(G=2, __name__="fuzzed")
        exec(compile(self.source, f"<{self.label}>", "exec"), space)
        space["half"] = functools.partial(operator.mul, 0.5)
        return space["program"]

    def differences(self, prepare=optimised):
        """Differences of the first call that differs, or an empty list."""
        eager, program = Side(self), Side(self)
        fast = prepare(program.program)
        for call, build in enumerate(self.arguments, 1):
            expected = eager.outcome(eager.program, build)
            with around():
                actual = program.outcome(fast, build)
            found = difference(expected, actual)
            if found:
                return [f"call {call}", *found]
        errors = internal_errors(fast)
        return ["contained", *errors] if errors else []


class Side:
    """One of the two copies of a program, with its globals and mutable arguments."""

    def __init__(self, case):
        self.program = case.function()
        self.persistent = case.persistent
        self.world = World.around(self.program)
        self.rest = None

    def outcome(self, one, build):
        space, arrays = self.program.__globals__, build()
        if self.rest is None or not self.persistent:
            space["G"], space["Box"].rate = 2, 2
            self.rest = [], {}, space["Box"](arrays[0])
        return run(consumed(one), (*arrays, *self.rest), {}, self.world)


def consumed(function):
    """Runs the generator that `function` may return to its end."""

    def consuming(*args):
        result = function(*args)
        return list(result) if hasattr(result, "gi_frame") else result

    return consuming


def internal_errors(fast):
    """Errors of dyntrace's own that it contained; the warning about them comes only once."""
    mark = tag_of(fast)
    all_compiled = list(mark.family.all_compiled()) if mark is not None else []
    return [line for compiled in all_compiled for line in errors_of(compiled)]
