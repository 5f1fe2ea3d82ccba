"""RegionBuilder: reads made once, guards that only grow stronger, and everything taken back."""

from __future__ import annotations

import operator
import weakref

import numpy as np
import pytest

from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import UNKNOWN
from dyntrace.graph.node import Op, Origin
from dyntrace.trace.regions import builder as module
from dyntrace.trace.regions.builder import Guard, RegionBuilder, TooLarge, guard_of
from dyntrace.trace.sources import (
    Attribute,
    CellVariable,
    ClassAttribute,
    Contents,
    FunctionPart,
    GlobalName,
    ImpliedFunction,
    Item,
    Local,
    ModuleAttribute,
    NoOwnAttribute,
    StackItem,
    TypeOf,
)

A = np.arange(3.0)
ARRAY = describe(A)
ADD = Op("operator.add", operator.add, "operator", exact=True)
HERE = Origin("file", 1)


@pytest.fixture
def region():
    return RegionBuilder((lambda: None).__code__)


def contents(region):
    """All that a rollback has to restore."""
    return (
        [(step.source, step.guard) for step in region.steps],
        list(region.arguments),
        list(region.graph.inputs),
        list(region.graph.nodes),
        region.graph.effect,
        region.copy_of,
        region.cells_stored,
        region.entry_steps(),
    )


def test_equal_sources_are_one_read(region):
    assert region.read(Local(0)) == region.read(Local(0)) == 0
    assert region.read(Attribute(Local(0), "x")) == 1
    assert region.read(Item(Attribute(Local(0), "x"), 2)) == 2
    assert region.arguments == [Local(0)]


def test_a_read_comes_after_what_it_builds_on(region):
    region.read(Item(Contents(CellVariable(4)), "key"))
    assert region.entry_steps() == (
        ("argument", 0, None, "none", None, None),
        ("cell", 0, None, "none", None, None),
        ("item", 1, "key", "none", None, None),
    )


@pytest.mark.parametrize(
    ("source", "name", "operand"),
    [
        (Attribute(Local(0), "x"), "attribute", "x"),
        (NoOwnAttribute(Local(0), "x"), "lacks", "x"),
        (ModuleAttribute(Local(0), "x"), "module", "x"),
        (FunctionPart(Local(0), "code"), "function", "code"),
        (TypeOf(Local(0)), "type", None),
        (ClassAttribute(Local(0), "x"), "class", "x"),
        (StackItem(3), "argument", None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_source_has_its_step(region, source, name, operand):
    region.read(source)
    assert region.entry_steps()[-1][0] == name
    assert region.entry_steps()[-1][2] == operand


def test_globals_and_fixed_objects_are_looked_up_by_name(region):
    function = test_globals_and_fixed_objects_are_looked_up_by_name
    other = FunctionPart(GlobalName("f"), "globals")
    region.read(GlobalName("x", other))
    region.read(ImpliedFunction(id(function), weakref.ref(function)))
    found = [step[:3] for step in region.entry_steps()]
    assert found[:3] == [("global", None, "f"), ("function", 0, "globals"), ("global", 1, "x")]
    assert found[3][0] == "held" and found[3][2]() is function


def test_a_stronger_guard_replaces_a_weaker_one_and_never_the_reverse(region):
    for guard, expected in [
        (Guard("exact", int), "exact"),
        (Guard("value", 3), "value"),
        (Guard("exact", int), "value"),
        (Guard("none"), "value"),
    ]:
        region.guard(Local(0), guard)
        assert region.steps[0].guard.op == expected


def test_an_input_is_demanded_to_be_of_its_kind_and_made_once(region):
    node = region.input(Local(0), ARRAY)
    assert region.input(Local(0), ARRAY) is node
    assert region.steps[0].guard == Guard("array", A.dtype, 1)
    assert region.input_sources() == [Local(0)]
    assert region.entry_uses() == (0,)


def test_rollback_takes_back_everything_since_the_mark(region):
    base = region.input(Local(0), ARRAY)
    region.add(ADD, (base, 1), (), ARRAY, HERE)
    before, mark = contents(region), region.checkpoint()
    other = region.input(Attribute(Local(1), "x"), ARRAY)
    region.guard(Local(0), Guard("is", A))
    node = region.add(ADD, (base, other), (), ARRAY, HERE)
    region.set_effect(node)
    region.replace_callee(contents.__code__)
    region.store_cell()
    assert region.graph.effect is node and contents(region) != before
    region.rollback(mark)
    assert contents(region) == before
    region.input(Attribute(Local(1), "x"), ARRAY)
    assert len(region.steps) == 3


def test_rollbacks_nest_in_each_other(region):
    outer = region.checkpoint()
    region.read(Local(0))
    inner = region.checkpoint()
    done = []
    region.on_rollback(lambda: done.append("inner"))
    region.rollback(inner)
    assert done == ["inner"] and len(region.steps) == 1
    region.rollback(outer)
    assert done == ["inner"] and region.steps == [] and region.arguments == []


def test_a_region_that_is_too_large_says_so(region, monkeypatch):
    monkeypatch.setattr(module, "MAX_NODES", 2)
    monkeypatch.setattr(module, "MAX_ARGUMENTS", 2)
    base = region.input(Local(0), ARRAY)
    for _ in range(2):
        region.add(ADD, (base, 1), (), ARRAY, HERE)
    with pytest.raises(TooLarge):
        region.add(ADD, (base, 1), (), ARRAY, HERE)
    region.read(Local(1))
    with pytest.raises(TooLarge):
        region.read(Local(2))
    region.read(Local(1))


@pytest.mark.parametrize(
    ("value", "guard"),
    [
        (A, Guard("array", A.dtype, 1)),
        (np.float32(1), Guard("exact", np.float32)),
        (3, Guard("exact", int)),
        ("x", Guard("exact", str)),
        (None, Guard("is", None)),
        ((1, 2), Guard("sequence", tuple, 2)),
        ([1], Guard("sequence", list, 1)),
        ({"a": 1}, Guard("keys", ("a",))),
        (np, Guard("is", weakref.ref(np))),
    ],
    ids=str,
)
def test_each_kind_has_its_guard(value, guard):
    assert guard_of(describe(value)) == guard


def test_nothing_known_is_nothing_guarded():
    assert guard_of(UNKNOWN).op == "none"
