"""States: the expected kinds between regions, and how native instructions change it."""

from __future__ import annotations

import numpy as np

from dyntrace.asm.decode import decode
from dyntrace.asm.instructions import MicroOp
from dyntrace.asm.versions import TABLE
from dyntrace.breaks import SUPER
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import UNKNOWN
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.sources import Local, StackItem
from dyntrace.trace.state import (
    MAYBE_NULL,
    NULL_SLOT,
    State,
    snapshot_of,
    stack_values,
    state_after,
)
from dyntrace.trace.values.base import METHOD_NULL, NULL, Constant, MaybeNull, Null, Outside

A = np.arange(3.0)
ARRAY, NUMBER, TEXT = describe(A), describe(1), describe("x")


class Unit:
    """As much of a unit as `after` looks at."""

    def __init__(self, *micro):
        self.micro = tuple(MicroOp(*step) for step in micro)


def stack_after(start, *micro, results=()):
    return state_after(State({}, tuple(start)), Unit(*micro), results).stack


def test_stores_and_loads_carry_kinds_between_slots_and_stack():
    state = state_after(State({0: ARRAY}, (NUMBER,)), Unit(("STORE_FAST", 1), ("LOAD_FAST", 0)))
    assert state == State({0: ARRAY, 1: NUMBER}, (ARRAY,))
    state = state_after(state, Unit(("STORE_DEREF", 0), ("LOAD_DEREF", 1)))
    assert state == State({0: ARRAY, 1: NUMBER}, (NUMBER,))


def test_a_deleted_local_is_forgotten():
    assert state_after(State({0: ARRAY}, ()), Unit(("DELETE_FAST", 0))).slots == {}


def test_shuffles_move_kinds():
    assert stack_after([ARRAY, NUMBER, TEXT], ("SWAP", 3)) == (TEXT, NUMBER, ARRAY)
    assert stack_after([ARRAY, NUMBER], ("COPY", 2)) == (ARRAY, NUMBER, ARRAY)


def test_what_an_instruction_pushes_is_unknown_unless_it_was_seen():
    assert stack_after([ARRAY, NUMBER], ("BINARY", ("add", False))) == (UNKNOWN,)
    assert stack_after([ARRAY, NUMBER], ("BINARY", ("add", False)), results=(ARRAY,)) == (ARRAY,)
    found = stack_after([ARRAY], ("UNPACK_SEQUENCE", 2), results=(NUMBER, TEXT))
    assert found == (NUMBER, TEXT)


def test_slots_that_may_hold_null_have_kinds_of_their_own():
    assert stack_after([], ("PUSH_NULL", None)) == (NULL_SLOT,)
    assert stack_after([ARRAY], ("LOAD_METHOD", "sum")) == (MAYBE_NULL, MAYBE_NULL)
    assert stack_after([], ("LOAD_FAST_AND_CLEAR", 0)) == (MAYBE_NULL,)
    method, attribute = (SUPER.code, 3, 2), (SUPER.code, 3, 1)
    assert stack_after([ARRAY] * 3, ("BREAK", method)) == (MAYBE_NULL, MAYBE_NULL)
    assert stack_after([ARRAY] * 3, ("BREAK", attribute)) == (UNKNOWN,)


def test_a_null_is_never_believed_of_a_local():
    assert state_after(State({}, (MAYBE_NULL,)), Unit(("STORE_FAST", 0))).slots == {0: UNKNOWN}
    assert state_after(State({}, (NULL_SLOT,)), Unit(("STORE_FAST", 0))).slots == {0: UNKNOWN}


def test_results_of_a_recorder_do_not_overwrite_what_is_certain():
    found = stack_after([ARRAY], ("LOAD_METHOD", "sum"), results=(NUMBER, TEXT))
    assert found == (MAYBE_NULL, MAYBE_NULL)


def test_the_stack_of_a_new_region_names_where_its_values_lie():
    null, buried, value = stack_values(State({}, (NULL_SLOT, MAYBE_NULL, ARRAY)))
    assert isinstance(null, Null) and isinstance(buried, MaybeNull)
    assert isinstance(value, Outside)
    assert value.source == StackItem(2) and value.expected == ARRAY


def test_a_method_pair_is_buried_once_cpython_has_run_it():
    function = Constant(1)
    pair = [METHOD_NULL, function] if TABLE.null_first else [function, METHOD_NULL]
    native = snapshot_of({}, {}, [Constant("below"), *pair])
    assert native.stack == (TEXT, MAYBE_NULL, MAYBE_NULL)
    woven = snapshot_of({}, {}, [Constant("below"), *pair], native=False)
    assert woven.stack.count(NULL_SLOT) == 1 and MAYBE_NULL not in woven.stack
    assert snapshot_of({}, {}, [NULL]).stack == (NULL_SLOT,)


def test_a_snapshot_prefers_what_the_trace_knows_to_what_was_believed():
    found = snapshot_of({0: NUMBER, 2: TEXT}, {0: Outside(Local(0), ARRAY)}, [])
    assert found.slots == {0: ARRAY, 2: TEXT}


def test_only_live_slots_make_states_differ():
    state = State({0: ARRAY, 1: NUMBER}, (TEXT,))
    assert state.only(frozenset({1})) == State({1: NUMBER}, (TEXT,))


def test_native_steps_keep_the_depth_that_the_bytecode_has():
    def program(a, b):
        c = [a, *b]
        x, y = c
        with open(a) as f:
            del x
        return {**y, "k": f.read()[a:b]}

    facts = CodeFacts.of(program.__code__)
    body = decode(program.__code__)
    for unit in body.units:
        depth = facts.depths[unit.index]
        following = unit.index + 1
        if depth is None or unit.target is not None or following >= len(body.units):
            continue
        if not unit.micro or unit.micro[-1].name == "RETURN_VALUE":
            continue
        if unit.micro[-1].name == "BREAK" and unit.micro[-1].arg[2] is None:
            continue
        found = state_after(State({}, (UNKNOWN,) * depth), unit)
        assert len(found.stack) == facts.depths[following]
