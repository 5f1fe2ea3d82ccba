"""Loops that run ahead in real frames: a stub before FOR_ITER calls a region over machine code."""

import ctypes
import types

import pytest

from dyntrace.asm.assemble import assemble
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.sources import Local, StackItem
from dyntrace.weaving.stubs import region_stub
from tests.native.building import COMPILER, library

_native = pytest.importorskip("dyntrace._native")
pytestmark = pytest.mark.skipif(not COMPILER, reason="the machine code is compiled from C")


@pytest.fixture
def program(tmp_path_factory):
    """Adds up a range, and stops before an item."""
    code = library("loop_code", tmp_path_factory.getbasetemp())
    address = ctypes.cast(code.add_up, ctypes.c_void_p).value
    return _native.LoopProgram(address, ("r", "i", "i"), ("i", "i"), 2, (), code)


@pytest.fixture
def ahead(program):
    """A function whose first loop runs ahead with `total`, `stop` and the loop variable `item`."""
    regions = []  # a handle does not keep its region alive

    def make(function):
        facts = CodeFacts.of(function.__code__)
        steps = tuple(("argument", index, None, "none", None, None) for index in range(3))
        region = _native.Region([(steps, (0, 1, 2), program, False)])
        regions.append(region)
        stub = region_stub(layout_of(facts), region.handle)
        code = assemble(facts.body, {head_of(facts): stub}, tails={}).code
        code = code.replace(co_stacksize=code.co_stacksize + 16)
        return types.FunctionType(code, function.__globals__)

    yield make
    regions.clear()


def head_of(facts):
    return next(
        index
        for index, unit in enumerate(facts.body.units)
        if any(step.name == "FOR_ITER" for step in unit.micro)
    )


def layout_of(facts):
    names = facts.body.local_names
    total, stop, item = (names.index(name) for name in ("total", "stop", "item"))
    head = head_of(facts)
    return Layout(
        start=head,
        end=head,
        arguments=(StackItem(0), Local(total), Local(stop)),
        dropped=(),
        stores=((total, False), (item, False)),
        pushes=(),
        cleared=(),
        depth=1,
        commit=False,
        bare=False,
    )


def add_up(count, stop, total=0):
    item = None
    for item in range(count):
        total += item
    return total, item


def add_to_others(count, stop, total=0):
    item, others = None, []
    iterator = iter(range(count))
    for item in iterator:
        total += item
        if item % 3 == 0:
            others.append(next(iterator, None))
    return total, item, others


def generate(count, stop, total=0):
    item = None
    for item in range(count):
        total += item
        if item == stop:
            yield total
    yield total, item


@pytest.mark.parametrize("count", [0, 1, 2, 5, 100])
@pytest.mark.parametrize("stop", [-1, 0, 3, 4, 99])
def test_a_loop_that_runs_ahead_ends_as_without(ahead, program, count, stop):
    assert ahead(add_up)(count, stop, 0) == add_up(count, stop)
    stops = int(0 <= stop < count)
    assert (program.iterations, program.declined) == (count - stops, 0)
    assert program.exits == (1, 0, stops)


def test_an_iterator_that_the_body_uses_is_left_alone(ahead, program):
    assert ahead(add_to_others)(20, -1, 0) == add_to_others(20, -1)
    assert program.calls == 0 and program.declined > 5


def test_a_total_that_leaves_64_bits_is_left_to_python(ahead, program):
    assert ahead(add_up)(5, -1, 2**63) == (2**63 + 10, 4)
    assert program.calls == 0 and program.declined > 0


def test_a_generator_that_yields_in_the_loop_goes_on_where_it_was(ahead, program):
    assert list(ahead(generate)(10, 4, 0)) == list(generate(10, 4))
    assert program.iterations == 9
