"""CPython 3.11: calls are PRECALL and CALL, jumps name their direction, LOAD_FAST checks.

The table has the entries shared by all versions (`rules.common`) and those that differ here.
Invariant: `table.check` accepts it on 3.11. Read `table` for the fields, `py312` next.
"""

from __future__ import annotations

from types import MappingProxyType

from dyntrace import breaks
from dyntrace.asm.instructions import MicroOp
from dyntrace.asm.versions import rules as r
from dyntrace.asm.versions.table import Context, Glue, Table

__all__ = ["table"]

CACHES = MappingProxyType(
    {
        "BINARY_SUBSCR": 4,
        "STORE_SUBSCR": 1,
        "UNPACK_SEQUENCE": 1,
        "STORE_ATTR": 4,
        "BINARY_OP": 1,
        "CALL": 4,
        "COMPARE_OP": 2,
        "LOAD_GLOBAL": 5,
        "LOAD_ATTR": 4,
        "LOAD_METHOD": 10,
        "PRECALL": 1,
    }
)
CONDITIONS = MappingProxyType(
    {"TRUE": "true", "FALSE": "false", "NONE": "none", "NOT_NONE": "not_none"}
)
RESUME_LOOP = ("YIELD_VALUE", "RESUME", "JUMP_BACKWARD_NO_INTERRUPT")


def make_function(context: Context, flags: int) -> tuple[MicroOp, ...]:
    return (MicroOp("MAKE_FUNCTION", flags),)


def format_value(context: Context, flags: int) -> tuple[MicroOp, ...]:
    return (MicroOp("FORMAT", (flags & 3, bool(flags & 4))),)


def table() -> Table:
    """The table, unchecked, so that any Python can build it."""
    rules = r.common() | {
        "UNARY_POSITIVE": r.micro("UNARY", "positive"),
        "LIST_TO_TUPLE": r.micro("LIST_TO_TUPLE"),
        "COMPARE_OP": r.compare(0),
        "LOAD_GLOBAL": r.load_global(null_first=True),
        "LOAD_ATTR": r.named("LOAD_ATTR"),
        "LOAD_METHOD": r.named("LOAD_METHOD"),
        "LOAD_CLOSURE": r.counted("LOAD_CLOSURE"),
        "MAKE_FUNCTION": make_function,
        "FORMAT_VALUE": format_value,
        "PRECALL": r.nothing,
        "KW_NAMES": r.nothing,
        "JUMP_IF_FALSE_OR_POP": r.jump("JUMP_IF_OR_POP", False),
        "JUMP_IF_TRUE_OR_POP": r.jump("JUMP_IF_OR_POP", True),
        "SEND": r.refuse(breaks.SUSPENSION, 2, 1),
        "ASYNC_GEN_WRAP": r.refuse(breaks.SUSPENSION, 1, 1),
        "PREP_RERAISE_STAR": r.refuse(breaks.EXCEPTION_HANDLING, 2, 1),
        "LOAD_CLASSDEREF": r.refuse(breaks.NAMESPACE, 0, 1),
        "PRINT_EXPR": r.refuse(breaks.NAMESPACE, 1, 0),
        "IMPORT_STAR": r.refuse(breaks.IMPORT, 1, 0),
    }
    for direction in ("FORWARD", "BACKWARD"):
        for suffix, condition in CONDITIONS.items():
            rules[f"POP_JUMP_{direction}_IF_{suffix}"] = r.jump("POP_JUMP_IF", condition)
    return Table(
        rules=rules,
        never=frozenset({"CACHE"}),
        glue={
            "KW_NAMES": (Glue(("PRECALL", "CALL"), r.keyword_call),),
            "PRECALL": (Glue(("CALL",), r.call),),
            "YIELD_VALUE": (r.glued_break(("RESUME",), breaks.SUSPENSION, 1, 1),),
            "SEND": (r.glued_break(RESUME_LOOP, breaks.SUSPENSION, 2, 1),),
        },
        never_alone=frozenset({"KW_NAMES", "PRECALL", "CALL", "YIELD_VALUE", "SEND"}),
        backward=frozenset(name for name in rules if "BACKWARD" in name),
        prologue=frozenset({"MAKE_CELL", "COPY_FREE_VARS"}),
        no_line_event=frozenset({"RESUME", "END_ASYNC_FOR"}),
        loses_line=frozenset(),
        caches=CACHES,
        null_first=True,
        checked_loads=True,
        call=("PRECALL", "CALL"),
        load_cell="LOAD_CLOSURE",
        pop_jump_if_none="POP_JUMP_FORWARD_IF_NONE",
        pop_jump_if_true="POP_JUMP_FORWARD_IF_TRUE",
        to_bool=(),
    )
