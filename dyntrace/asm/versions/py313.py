"""CPython 3.13 adds superinstructions, CALL_KW and TO_BOOL; a call's NULL is above the callable.

The table has the entries shared by all versions (`rules.common`), those shared with 3.12
(`py312.shared`), and those that differ here. Invariant: `table.check` accepts it on 3.13. Read
`table` for the fields, `asm.decode` for how the table is used.
"""

from __future__ import annotations

from types import MappingProxyType

from dyntrace import breaks
from dyntrace.asm.instructions import MicroOp
from dyntrace.asm.versions import rules as r
from dyntrace.asm.versions.py311 import RESUME_LOOP
from dyntrace.asm.versions.py312 import shared
from dyntrace.asm.versions.table import Context, Glue, Table

__all__ = ["table"]

CACHES = MappingProxyType(
    {
        "BINARY_SUBSCR": 1,
        "STORE_SUBSCR": 1,
        "UNPACK_SEQUENCE": 1,
        "STORE_ATTR": 4,
        "BINARY_OP": 1,
        "CONTAINS_OP": 1,
        "CALL": 3,
        "FOR_ITER": 1,
        "JUMP_BACKWARD": 1,
        "SEND": 1,
        "LOAD_ATTR": 9,
        "LOAD_SUPER_ATTR": 1,
        "POP_JUMP_IF_TRUE": 1,
        "POP_JUMP_IF_FALSE": 1,
        "POP_JUMP_IF_NONE": 1,
        "POP_JUMP_IF_NOT_NONE": 1,
        "COMPARE_OP": 1,
        "LOAD_GLOBAL": 4,
        "TO_BOOL": 3,
    }
)
NEVER = frozenset(
    {
        "CACHE",
        "INTERPRETER_EXIT",
        "EXIT_INIT_CHECK",
        "ENTER_EXECUTOR",
        "RESERVED",
        "JUMP",
        "JUMP_NO_INTERRUPT",
        "LOAD_CLOSURE",
        "LOAD_METHOD",
        "LOAD_SUPER_METHOD",
        "LOAD_ZERO_SUPER_ATTR",
        "LOAD_ZERO_SUPER_METHOD",
        "POP_BLOCK",
        "SETUP_CLEANUP",
        "SETUP_FINALLY",
        "SETUP_WITH",
        "STORE_FAST_MAYBE_NULL",
        "INSTRUMENTED_RESUME",
        "INSTRUMENTED_END_FOR",
        "INSTRUMENTED_END_SEND",
        "INSTRUMENTED_RETURN_VALUE",
        "INSTRUMENTED_RETURN_CONST",
        "INSTRUMENTED_YIELD_VALUE",
        "INSTRUMENTED_LOAD_SUPER_ATTR",
        "INSTRUMENTED_FOR_ITER",
        "INSTRUMENTED_CALL",
        "INSTRUMENTED_CALL_KW",
        "INSTRUMENTED_CALL_FUNCTION_EX",
        "INSTRUMENTED_INSTRUCTION",
        "INSTRUMENTED_JUMP_FORWARD",
        "INSTRUMENTED_JUMP_BACKWARD",
        "INSTRUMENTED_POP_JUMP_IF_TRUE",
        "INSTRUMENTED_POP_JUMP_IF_FALSE",
        "INSTRUMENTED_POP_JUMP_IF_NONE",
        "INSTRUMENTED_POP_JUMP_IF_NOT_NONE",
        "INSTRUMENTED_LINE",
    }
)


def load_load(context: Context, pair: int) -> tuple[MicroOp, ...]:
    return r.load_fast(context, pair >> 4) + r.load_fast(context, pair & 15)


def store_load(context: Context, pair: int) -> tuple[MicroOp, ...]:
    return (MicroOp("STORE_FAST", pair >> 4), *r.load_fast(context, pair & 15))


def store_store(context: Context, pair: int) -> tuple[MicroOp, ...]:
    return (MicroOp("STORE_FAST", pair >> 4), MicroOp("STORE_FAST", pair & 15))


def function_with_attributes(context: Context, args: tuple[int, ...]) -> tuple[MicroOp, ...]:
    """MAKE_FUNCTION with its SET_FUNCTION_ATTRIBUTEs pops what 3.12's MAKE_FUNCTION pops.

    Each attribute is a flag of 3.12's argument, so their sum is that argument.
    """
    return (MicroOp("MAKE_FUNCTION", sum(args[1:])),)


def end_for(context: Context, args: tuple[int, ...]) -> tuple[MicroOp, ...]:
    """END_FOR and POP_TOP as 3.12's END_FOR: FOR_ITER skips both, so no stub may separate them."""
    return (MicroOp("END_FOR"),)


def table() -> Table:
    """The table, unchecked, so that any Python can build it."""
    rules = (
        r.common()
        | shared()
        | {
            "COMPARE_OP": r.compare(5, to_bool=16),
            "LOAD_GLOBAL": r.load_global(null_first=False),
            "LOAD_FAST_LOAD_FAST": load_load,
            "STORE_FAST_LOAD_FAST": store_load,
            "STORE_FAST_STORE_FAST": store_store,
            "TO_BOOL": r.micro("TO_BOOL"),
            "CALL_KW": r.refuse(breaks.HAND_MADE, lambda value: value + 3, 1),
            "MAKE_FUNCTION": r.micro("MAKE_FUNCTION", 0),
            "SET_FUNCTION_ATTRIBUTE": r.refuse(breaks.HAND_MADE, 2, 1),
            "CONVERT_VALUE": r.counted("CONVERT"),
            "FORMAT_SIMPLE": r.micro("FORMAT", (0, False)),
            "FORMAT_WITH_SPEC": r.micro("FORMAT", (0, True)),
        }
    )
    attributes = ("SET_FUNCTION_ATTRIBUTE",)
    return Table(
        rules=rules,
        never=frozenset(NEVER),
        glue={
            "LOAD_CONST": (Glue(("CALL_KW",), r.keyword_call),),
            "MAKE_FUNCTION": tuple(
                Glue(attributes * count, function_with_attributes) for count in (4, 3, 2, 1)
            ),
            "END_FOR": (Glue(("POP_TOP",), end_for),),
            "YIELD_VALUE": (r.glued_break(("RESUME",), breaks.SUSPENSION, 1, 1),),
            "SEND": (r.glued_break(RESUME_LOOP, breaks.SUSPENSION, 2, 2),),
        },
        never_alone=frozenset({"END_FOR", "YIELD_VALUE", "SEND", "SET_FUNCTION_ATTRIBUTE"}),
        backward=frozenset(name for name in rules if "BACKWARD" in name),
        prologue=frozenset({"MAKE_CELL", "COPY_FREE_VARS"}),
        no_line_event=frozenset({"RESUME", "END_ASYNC_FOR", "END_FOR", "END_SEND"}),
        loses_line=frozenset(),
        caches=CACHES,
        null_first=False,
        checked_loads=False,
        call=("CALL",),
        load_cell="LOAD_FAST",
        pop_jump_if_none="POP_JUMP_IF_NONE",
        pop_jump_if_true="POP_JUMP_IF_TRUE",
        to_bool=("TO_BOOL",),
    )
