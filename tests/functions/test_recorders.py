"""Every instruction that can get a recorder is run with one: nothing shown to it may be a NULL."""

from __future__ import annotations

import functools

import pytest

import dyntrace
from dyntrace.asm.versions import TABLE
from dyntrace.graph.describe import describe
from tests.functions.recorded import PROGRAMS, with_recorders

# What pushes nothing, what no path goes on behind, what only moves control.
PUSHES_NOTHING = """
    COPY_FREE_VARS DELETE_ATTR DELETE_DEREF DELETE_FAST DELETE_GLOBAL DELETE_NAME DELETE_SUBSCR
    DICT_MERGE DICT_UPDATE END_ASYNC_FOR END_FOR EXTENDED_ARG IMPORT_STAR JUMP_BACKWARD
    JUMP_BACKWARD_NO_INTERRUPT JUMP_FORWARD JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP LIST_APPEND
    LIST_EXTEND MAKE_CELL MAP_ADD NOP POP_EXCEPT POP_JUMP_BACKWARD_IF_FALSE
    POP_JUMP_BACKWARD_IF_NONE POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_TRUE
    POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE
    POP_JUMP_FORWARD_IF_TRUE POP_JUMP_IF_FALSE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE
    POP_JUMP_IF_TRUE POP_TOP PRINT_EXPR RAISE_VARARGS RERAISE RESUME RETURN_CONST RETURN_VALUE
    SETUP_ANNOTATIONS SET_ADD SET_UPDATE STORE_ATTR STORE_DEREF STORE_FAST STORE_FAST_STORE_FAST
    STORE_GLOBAL STORE_NAME STORE_SLICE STORE_SUBSCR SWAP
"""
# What pushes two slots of which one may be NULL, or what is thrown away, or is new in each call.
NOT_WORTH_IT = """
    BEFORE_ASYNC_WITH BEFORE_WITH CHECK_EG_MATCH CLEANUP_THROW GET_ITER LOAD_FAST_AND_CLEAR
    LOAD_METHOD MAKE_FUNCTION PUSH_EXC_INFO PUSH_NULL RETURN_GENERATOR SET_FUNCTION_ATTRIBUTE
"""


@functools.cache
def outcome(name):
    """What a program gives with recorders, and the instructions they were behind."""
    seen = set()

    def shown(code, opname, values):
        assert values
        for value in values:
            describe(value)
        seen.add(opname)

    namespace = {"__name__": "recorded"}
    exec(with_recorders(compile(PROGRAMS[name], name, "exec"), shown), namespace)
    return namespace["result"], seen


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_with_recorders_everywhere_gives_the_same(name):
    plain = {"__name__": "recorded"}
    exec(compile(PROGRAMS[name], name, "exec"), plain)
    assert repr(outcome(name)[0]) == repr(plain["result"])


def test_every_instruction_that_can_get_a_recorder_had_one():
    silent = {*PUSHES_NOTHING.split(), *NOT_WORTH_IT.split()}
    if "END_SEND" in TABLE.rules:  # the receiver below what SEND pushes is left to it
        silent.add("SEND")
    seen = set().union(*(outcome(name)[1] for name in PROGRAMS))
    assert set(TABLE.rules) - silent - seen == set()


def test_a_global_that_appears_in_its_first_call_is_called():
    def late():
        global sqrt_of_late
        from math import sqrt as sqrt_of_late

        return sqrt_of_late(4.0)

    fast = dyntrace.optimize(late)
    assert [fast() for _ in range(4)] == [2.0] * 4
    del globals()["sqrt_of_late"]


def test_a_loop_back_to_the_first_instruction_does_not_show_deleted_arguments():
    source = """
def program(a, n):
    while 1: n = n - 1; exec("") if n > 3 else n; a = 3; del a; assert n > 0
"""
    found = {}
    exec(source, found)
    fast = dyntrace.optimize(found["program"])
    for _ in range(4):
        with pytest.raises(AssertionError):
            fast("argument", 6)
