"""What a first call costs grows with a function's length, not with its square.

Calls of functions are counted, not seconds: of everything from the code object to the woven one.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from dyntrace.exec.backends.machine import compile_graph
from dyntrace.graph.describe import describe
from dyntrace.trace.analysis import explore
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.tracer import RegionTracer
from dyntrace.trace.state import State
from dyntrace.weaving import weave
from dyntrace.weaving.weave import Regions
from tests.trace.tracing import NoCopies

A = np.arange(4.0)


def locals_kept(count):
    lines = [f"    v{i} = a * {i}.5" for i in range(count)]
    return [
        "def program(a):",
        *lines,
        "    print(" + ", ".join(f"v{i}" for i in range(count)) + ")",
    ]


def breaks_among_locals(count):
    lines = [f"    v{i} = opaque(a)" for i in range(count)]
    return [
        "def program(a):",
        *lines,
        "    print(" + ", ".join(f"v{i}" for i in range(count)) + ")",
    ]


def branches(count):
    lines = [f"    if a[{i % 4}] > {i}:\n        b = b + a * {i}.5" for i in range(count)]
    return ["def program(a):", "    b = a * 2", *lines, "    return b"]


def named_tuple(count):
    names = ", ".join(f"field_{i}" for i in range(count))
    return [f"def program({names}):", f"    return tuple.__new__(tuple, ({names},))"]


def list_display(count):
    return ["def program(a):", f"    return [{', '.join(f'{i}, a' for i in range(count))}]"]


def handlers(count):
    lines = [
        f"    try:\n        b = b + a * {i}.5\n    except ValueError:\n        b = a"
        for i in range(count)
    ]
    return ["def program(a):", "    b = a * 2", *lines, "    return b"]


SHAPES = {
    locals_kept: 120,
    breaks_among_locals: 100,
    branches: 60,
    named_tuple: 400,
    list_display: 400,
    handlers: 40,
}


def calls_of(make, count):
    """How many functions are called while the function of that size is analysed and woven."""
    namespace = {"np": np}
    exec("\n".join(make(count)), namespace)
    counted = 0

    def count_calls(frame, event, arg):
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count_calls)
    try:
        first_version(namespace["program"])
    finally:
        sys.setprofile(None)
    return counted


def first_version(function):
    facts = CodeFacts.of(function.__code__)
    weave.first_version(facts, print)
    state = State({index: describe(A) for index, _ in facts.entry_slots}, ())
    tracer = RegionTracer(facts, function.__globals__, NoCopies())
    analysis = explore(tracer, [(facts.first, state)], {}, {})
    owner = Owner()
    regions = Regions(compile_graph, owner)
    recorders = weave.Recorders(analysis.recorders, lambda point: print, None, frozenset())
    weave.weave(facts, analysis.plans, regions, recorders)


class Owner:
    """Takes what regions report."""

    def on_miss(self, region, args):
        return False

    def on_retire(self, region):
        return None

    def on_rest(self, region):
        return None


@pytest.mark.parametrize("make", SHAPES, ids=lambda make: make.__name__)
def test_twice_the_length_is_at_most_twice_the_work(make):
    size = SHAPES[make]
    first_version_of_all = calls_of(make, size)  # fills what is kept for the whole process
    once, twice = calls_of(make, size), calls_of(make, 2 * size)
    assert once <= first_version_of_all
    assert twice < 2.3 * once, (once, twice)
