"""Lists and dicts of a region grow in place, and shrink again when an instruction is taken back."""

from __future__ import annotations

import numpy as np
import pytest

from dyntrace.asm.decode import decode
from dyntrace.graph.kinds import SequenceKind
from dyntrace.trace.frame import Break, Frame
from dyntrace.trace.regions.builder import RegionBuilder
from dyntrace.trace.semantics import changes as module
from dyntrace.trace.semantics.changes import (
    extend_list,
    new_list,
    new_tuple,
    replace_items,
    set_pair,
)
from dyntrace.trace.sources import Local
from dyntrace.trace.values.base import Constant, Outside
from dyntrace.trace.values.containers import DictValue, ListValue, TupleValue
from tests.differential import check

A = np.arange(4.0)
ONE, TWO, THREE = Constant(1), Constant(2), Constant(3)


@pytest.fixture
def frame():
    body = decode((lambda: None).__code__)
    return Frame(RegionBuilder(body.code), body, {})


def test_what_was_appended_is_taken_back_in_turn(frame):
    found = ListValue([ONE])
    items, mark = found.items, frame.region.checkpoint()
    extend_list(frame, found, [TWO])
    replace_items(frame, found, [THREE])
    extend_list(frame, found, [ONE, TWO])
    assert found.items == [THREE, ONE, TWO] and items == [ONE, TWO]
    frame.region.rollback(mark)
    assert found.items is items and items == [ONE]


def test_pairs_that_were_set_or_replaced_are_taken_back(frame):
    found = DictValue({"a": ONE})
    mark = frame.region.checkpoint()
    set_pair(frame, found, "b", TWO)
    set_pair(frame, found, "a", THREE)
    set_pair(frame, found, "b", ONE)
    assert found.items == {"a": THREE, "b": ONE}
    frame.region.rollback(mark)
    assert found.items == {"a": ONE}


def test_no_container_comes_to_hold_itself(frame):
    found, pairs = ListValue([]), DictValue({})
    for change in (
        lambda: extend_list(frame, found, [TupleValue((ONE, found))]),
        lambda: set_pair(frame, pairs, "a", ListValue([pairs])),
        lambda: replace_items(frame, found, [found]),
    ):
        with pytest.raises(Break):
            change()
    assert found.items == [] and pairs.items == {}


def test_containers_have_a_limit(frame, monkeypatch):
    monkeypatch.setattr(module, "MAX_BUILT", 2)
    found, pairs = ListValue([ONE, TWO]), DictValue({"a": ONE, "b": TWO})
    for change in (
        lambda: extend_list(frame, found, [THREE]),
        lambda: replace_items(frame, found, [ONE, TWO, THREE]),
        lambda: set_pair(frame, pairs, "c", THREE),
    ):
        with pytest.raises(Break):
            change()


def test_what_a_container_holds_counts_as_often_as_it_is_in_it(frame, monkeypatch):
    monkeypatch.setattr(module, "MAX_BUILT", 6)
    pair = new_tuple([ONE, TWO])
    assert new_list([pair, pair]).items == [pair, pair]
    outside = Outside(Local(0), SequenceKind(tuple, (ONE.kind, TWO.kind)))
    assert new_tuple([outside, outside]).items == (outside, outside)
    pairs = DictValue({"a": ONE, "b": TWO})
    for part in (pair, outside, pairs):
        with pytest.raises(Break):
            new_tuple([part, part, part])
        with pytest.raises(Break):
            set_pair(frame, DictValue({}), "a", ListValue([part, part, part]))
    with pytest.raises(Break):
        extend_list(frame, ListValue([]), [new_list([pair, pair]), ONE])


def test_displays_of_a_thousand_items_do_not_part_the_work_around_them():
    items = ", ".join(str(number) for number in range(1000))
    namespace = {"np": np}
    exec(
        f"def program(a):\n    b = a * 2\n    c = [{items}, b[0]]\n    return b + len(c)", namespace
    )
    check(namespace["program"], A, captured=1, breaks=())


def test_a_list_that_grows_outside_is_the_same_kind_to_its_methods():
    def program(a):
        found = []
        for factor in range(40):
            b = a * factor
            found.append(b + 1)
        return found

    check(program, A, captured=1)
