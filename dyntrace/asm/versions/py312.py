"""CPython 3.12 adds instrumented opcodes, intrinsics, inlined comprehensions, END_FOR and slices.

The table has the entries shared by all versions (`rules.common`), those shared with 3.13
(`shared`), and those that differ here. Invariant: `table.check` accepts it on 3.12. Read `table`
for the fields, `py313` next.
"""

from __future__ import annotations

from types import MappingProxyType

from dyntrace import breaks
from dyntrace.asm.instructions import MicroOp
from dyntrace.asm.versions import rules as r
from dyntrace.asm.versions.py311 import CONDITIONS, RESUME_LOOP, format_value, make_function
from dyntrace.asm.versions.table import Context, Glue, Rule, Table

__all__ = ["table"]

CACHES = MappingProxyType(
    {
        "BINARY_SUBSCR": 1,
        "STORE_SUBSCR": 1,
        "UNPACK_SEQUENCE": 1,
        "STORE_ATTR": 4,
        "BINARY_OP": 1,
        "CALL": 3,
        "FOR_ITER": 1,
        "SEND": 1,
        "LOAD_ATTR": 9,
        "LOAD_SUPER_ATTR": 1,
        "COMPARE_OP": 1,
        "LOAD_GLOBAL": 4,
    }
)
INTRINSICS = MappingProxyType({5: MicroOp("UNARY", "positive"), 6: MicroOp("LIST_TO_TUPLE")})

NEVER = frozenset(
    {
        "CACHE",
        "INTERPRETER_EXIT",
        "RESERVED",
        "SETUP_FINALLY",
        "SETUP_CLEANUP",
        "SETUP_WITH",
        "POP_BLOCK",
        "JUMP",
        "JUMP_NO_INTERRUPT",
        "LOAD_METHOD",
        "LOAD_SUPER_METHOD",
        "LOAD_ZERO_SUPER_METHOD",
        "LOAD_ZERO_SUPER_ATTR",
        "STORE_FAST_MAYBE_NULL",
        "INSTRUMENTED_LOAD_SUPER_ATTR",
        "INSTRUMENTED_POP_JUMP_IF_NONE",
        "INSTRUMENTED_POP_JUMP_IF_NOT_NONE",
        "INSTRUMENTED_RESUME",
        "INSTRUMENTED_CALL",
        "INSTRUMENTED_RETURN_VALUE",
        "INSTRUMENTED_YIELD_VALUE",
        "INSTRUMENTED_CALL_FUNCTION_EX",
        "INSTRUMENTED_JUMP_FORWARD",
        "INSTRUMENTED_JUMP_BACKWARD",
        "INSTRUMENTED_RETURN_CONST",
        "INSTRUMENTED_FOR_ITER",
        "INSTRUMENTED_POP_JUMP_IF_FALSE",
        "INSTRUMENTED_POP_JUMP_IF_TRUE",
        "INSTRUMENTED_END_FOR",
        "INSTRUMENTED_END_SEND",
        "INSTRUMENTED_INSTRUCTION",
        "INSTRUMENTED_LINE",
    }
)


def intrinsic(context: Context, number: int) -> tuple[MicroOp, ...]:
    """INTRINSIC_UNARY_POSITIVE and INTRINSIC_LIST_TO_TUPLE are operations; all others break.

    The others serve imports, generators and type parameters.
    """
    if number in INTRINSICS:
        return (INTRINSICS[number],)
    return (MicroOp("BREAK", (breaks.INTRINSIC.code, 1, 1)),)


# Python/instrumentation.c makes a LINE event if an instruction's line differs from that of the
# instruction before. When a called frame returns, or a generator resumes, 3.12 takes a cache entry
# or the RESUME for the instruction before; neither has a line there.
LOSES_LINE = frozenset(
    "CALL KW_NAMES BINARY_SUBSCR LOAD_ATTR FOR_ITER SEND END_SEND YIELD_VALUE".split()
)


def shared() -> dict[str, Rule]:
    """The entries that 3.12 and 3.13 share and 3.11 lacks."""
    rules: dict[str, Rule] = {
        "BINARY_SLICE": r.micro("BINARY_SLICE"),
        "STORE_SLICE": r.micro("STORE_SLICE"),
        "END_FOR": r.micro("END_FOR"),
        "LOAD_ATTR": r.load_attribute,
        "LOAD_FAST_CHECK": r.counted("LOAD_FAST_CHECK"),
        "LOAD_FAST_AND_CLEAR": r.counted("LOAD_FAST_AND_CLEAR"),
        "RETURN_CONST": r.return_constant,
        "CALL_INTRINSIC_1": intrinsic,
        "CALL_INTRINSIC_2": r.refuse(breaks.INTRINSIC, 2, 1),
        "END_SEND": r.refuse(breaks.SUSPENSION, 2, 1),
        "CLEANUP_THROW": r.refuse(breaks.SUSPENSION, 3, 2),
        "LOAD_SUPER_ATTR": r.refuse(breaks.SUPER, 3, lambda value: 1 + (value & 1)),
        "LOAD_LOCALS": r.refuse(breaks.NAMESPACE, 0, 1),
        "LOAD_FROM_DICT_OR_DEREF": r.refuse(breaks.NAMESPACE, 1, 1),
        "LOAD_FROM_DICT_OR_GLOBALS": r.refuse(breaks.NAMESPACE, 1, 1),
    }
    for suffix, condition in CONDITIONS.items():
        rules[f"POP_JUMP_IF_{suffix}"] = r.jump("POP_JUMP_IF", condition)
    return rules


def table() -> Table:
    """The table, unchecked, so that any Python can build it."""
    rules = (
        r.common()
        | shared()
        | {
            "COMPARE_OP": r.compare(4),
            "LOAD_GLOBAL": r.load_global(null_first=True),
            "LOAD_CLOSURE": r.counted("LOAD_CLOSURE"),
            "MAKE_FUNCTION": make_function,
            "FORMAT_VALUE": format_value,
            "KW_NAMES": r.nothing,
        }
    )
    return Table(
        rules=rules,
        never=frozenset(NEVER),
        glue={
            "KW_NAMES": (Glue(("CALL",), r.keyword_call),),
            "YIELD_VALUE": (r.glued_break(("RESUME",), breaks.SUSPENSION, 1, 1),),
            "SEND": (r.glued_break(RESUME_LOOP, breaks.SUSPENSION, 2, 2),),
        },
        never_alone=frozenset({"KW_NAMES", "YIELD_VALUE", "SEND"}),
        backward=frozenset(name for name in rules if "BACKWARD" in name),
        prologue=frozenset({"MAKE_CELL", "COPY_FREE_VARS"}),
        no_line_event=frozenset({"RESUME", "END_ASYNC_FOR", "END_FOR", "END_SEND"}),
        loses_line=LOSES_LINE,
        caches=CACHES,
        null_first=True,
        checked_loads=False,
        call=("CALL",),
        load_cell="LOAD_CLOSURE",
        pop_jump_if_none="POP_JUMP_IF_NONE",
        pop_jump_if_true="POP_JUMP_IF_TRUE",
        to_bool=(),
    )
