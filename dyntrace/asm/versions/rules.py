"""Functions that make the rules of the version tables, and the entries that all versions share.

A rule turns an instruction's argument into micro-ops. `common()` has the shared entries; a version
adds to them and overrides some. Invariant: a rule is a pure function of the code object and the
argument, so `decode` may cache its result. Read `py311` next.
"""

from __future__ import annotations

from collections.abc import Callable

from dyntrace import breaks
from dyntrace.asm.instructions import MicroOp
from dyntrace.asm.versions.table import Context, Glue, Rule
from dyntrace.errors import AssemblyError

__all__ = ["OPERATORS", "common", "micro", "refuse"]

Micro = tuple[MicroOp, ...]

OPERATORS = (
    "add",
    "and",
    "floordiv",
    "lshift",
    "matmul",
    "mul",
    "mod",
    "or",
    "pow",
    "rshift",
    "sub",
    "truediv",
    "xor",
)
COMPARISONS = ("<", "<=", "==", "!=", ">", ">=")
SAME = (
    "POP_TOP",
    "NOP",
    "PUSH_NULL",
    "BINARY_SUBSCR",
    "STORE_SUBSCR",
    "GET_ITER",
    "GET_LEN",
    "RETURN_VALUE",
)
WITH_COUNT = (
    "BUILD_TUPLE",
    "BUILD_LIST",
    "BUILD_SET",
    "BUILD_MAP",
    "BUILD_CONST_KEY_MAP",
    "BUILD_SLICE",
    "BUILD_STRING",
    "LIST_EXTEND",
    "LIST_APPEND",
    "DICT_MERGE",
    "DICT_UPDATE",
    "SET_UPDATE",
    "SET_ADD",
    "MAP_ADD",
    "UNPACK_SEQUENCE",
    "UNPACK_EX",
    "COPY",
    "SWAP",
    "RESUME",
    "DELETE_FAST",
    "LOAD_DEREF",
    "STORE_DEREF",
    "STORE_FAST",
)
WITH_NAME = ("LOAD_NAME", "STORE_NAME", "STORE_GLOBAL", "STORE_ATTR")


def micro(name: str, arg: object = None) -> Rule:
    """The rule that ignores the argument and gives this micro-op."""
    answer = (MicroOp(name, arg),)
    return lambda context, value: answer


def nothing(context: Context, value: int) -> Micro:
    """A rule for instructions without an effect of their own."""
    return ()


def counted(name: str) -> Rule:
    """The micro-op has the instruction's argument."""
    return lambda context, value: (MicroOp(name, value),)


def named(name: str, shift: int = 0) -> Rule:
    """The argument, without its low `shift` bits, is an index into co_names."""
    return lambda context, value: (MicroOp(name, context.code.co_names[value >> shift]),)


def constant(context: Context, value: int) -> Micro:
    return (MicroOp("LOAD_CONST", context.code.co_consts[value]),)


def return_constant(context: Context, value: int) -> Micro:
    return (*constant(context, value), MicroOp("RETURN_VALUE"))


def load_fast(context: Context, index: int) -> Micro:
    """LOAD_FAST, or LOAD_CLOSURE if the slot holds a cell: then the cell itself is pushed."""
    return (MicroOp("LOAD_CLOSURE" if index in context.cells else "LOAD_FAST", index),)


def flagged(name: str, key: object = None) -> Rule:
    """The micro-op has the truth value of the instruction's argument."""
    return lambda context, value: (MicroOp(name, bool(value)),)


def load_global(null_first: bool) -> Rule:
    """The argument is an index into co_names, shifted by one; its low bit asks for a NULL.

    The NULL is pushed before the value if `null_first`, else after it.
    """

    def rule(context: Context, value: int) -> Micro:
        load = MicroOp("LOAD_GLOBAL", context.code.co_names[value >> 1])
        if not value & 1:
            return (load,)
        null = MicroOp("PUSH_NULL")
        return (null, load) if null_first else (load, null)

    return rule


def load_attribute(context: Context, value: int) -> Micro:
    """The argument is an index into co_names, shifted by one; its low bit asks for LOAD_METHOD."""
    name = context.code.co_names[value >> 1]
    return (MicroOp("LOAD_METHOD" if value & 1 else "LOAD_ATTR", name),)


def binary(context: Context, value: int) -> Micro:
    """The argument numbers the operators, then the in-place ones (NB_* in Include/opcode.h).

    AssemblyError for a larger argument: a later Python has given it another meaning.
    """
    inplace, operator = divmod(value, len(OPERATORS))
    if inplace > 1:
        raise AssemblyError(f"BINARY_OP {value} is no operator that is known")
    return (MicroOp("BINARY", (OPERATORS[operator], bool(inplace))),)


def compare(shift: int, to_bool: int = 0) -> Rule:
    """The argument holds the comparison above its low `shift` bits.

    `to_bool` is the bit, if any, by which the instruction converts its result to a bool.
    """

    def rule(context: Context, value: int) -> Micro:
        if value >> shift >= len(COMPARISONS):
            raise AssemblyError(f"COMPARE_OP {value} is no comparison that is known")
        step = MicroOp("COMPARE", COMPARISONS[value >> shift])
        return (step, MicroOp("TO_BOOL")) if value & to_bool else (step,)

    return rule


def call(context: Context, args: tuple[int, ...]) -> Micro:
    """PRECALL and CALL, or CALL alone; the last instruction's argument counts the call's."""
    return (MicroOp("CALL", (args[-1], ())),)


def keyword_call(context: Context, args: tuple[int, ...]) -> Micro:
    """A call whose first instruction, KW_NAMES or LOAD_CONST, names the keyword arguments."""
    return (MicroOp("CALL", (args[-1], context.code.co_consts[args[0]])),)


def plain_call(context: Context, value: int) -> Micro:
    return call(context, (value,))


def jump(name: str, condition: object = None) -> Rule:
    """A jump; `decode` adds the target's unit index to the micro-op's argument."""
    return micro(name, condition)


def refuse(
    reason: breaks.BreakReason,
    pops: int | Callable[[int], int],
    pushes: int | Callable[[int], int] | None,
) -> Rule:
    """A BREAK with the stack effect of the instruction, which no region absorbs.

    `pushes` is None if control never reaches the next instruction.
    """

    def rule(context: Context, value: int) -> Micro:
        taken = pops(value) if callable(pops) else pops
        given = pushes(value) if callable(pushes) else pushes
        return (MicroOp("BREAK", (reason.code, taken, given)),)

    return rule


def glued_break(
    followers: tuple[str, ...], reason: breaks.BreakReason, pops: int, pushes: int
) -> Glue:
    """An instruction and its `followers` as one BREAK."""
    answer = (MicroOp("BREAK", (reason.code, pops, pushes)),)
    return Glue(followers, lambda context, args: answer, located_last=False)


def common() -> dict[str, Rule]:
    """The entries that 3.11, 3.12 and 3.13 share."""
    rules: dict[str, Rule] = {name: micro(name) for name in SAME}
    rules |= {name: counted(name) for name in WITH_COUNT}
    rules |= {name: named(name) for name in WITH_NAME}
    rules |= {
        "EXTENDED_ARG": nothing,
        "MAKE_CELL": refuse(breaks.NEW_CELL, 0, 0),
        "COPY_FREE_VARS": refuse(breaks.NEW_CELL, 0, 0),
        "LOAD_CONST": constant,
        "LOAD_FAST": load_fast,
        "BINARY_OP": binary,
        "IS_OP": flagged("IS"),
        "CONTAINS_OP": flagged("CONTAINS"),
        "UNARY_NEGATIVE": micro("UNARY", "negative"),
        "UNARY_NOT": micro("UNARY", "not"),
        "UNARY_INVERT": micro("UNARY", "invert"),
        "CALL": plain_call,
        "CALL_FUNCTION_EX": lambda context, value: (MicroOp("CALL_FUNCTION_EX", bool(value & 1)),),
        "FOR_ITER": jump("FOR_ITER"),
        "JUMP_FORWARD": jump("JUMP"),
        "JUMP_BACKWARD": jump("JUMP_BACKWARD"),
        "JUMP_BACKWARD_NO_INTERRUPT": jump("JUMP_BACKWARD"),
    }
    return rules | _refused()


def _refused() -> dict[str, Rule]:
    """The instructions of every supported Python that no region absorbs."""
    return {
        "YIELD_VALUE": refuse(breaks.SUSPENSION, 1, 1),
        "SEND": refuse(breaks.SUSPENSION, 2, 2),
        "RETURN_GENERATOR": refuse(breaks.SUSPENSION, 0, 1),
        "GET_YIELD_FROM_ITER": refuse(breaks.SUSPENSION, 1, 1),
        "GET_AWAITABLE": refuse(breaks.SUSPENSION, 1, 1),
        "GET_AITER": refuse(breaks.SUSPENSION, 1, 1),
        "GET_ANEXT": refuse(breaks.SUSPENSION, 0, 1),
        "END_ASYNC_FOR": refuse(breaks.SUSPENSION, 2, 0),
        "BEFORE_WITH": refuse(breaks.CONTEXT_MANAGER, 1, 2),
        "BEFORE_ASYNC_WITH": refuse(breaks.CONTEXT_MANAGER, 1, 2),
        "WITH_EXCEPT_START": refuse(breaks.CONTEXT_MANAGER, 0, 1),
        "PUSH_EXC_INFO": refuse(breaks.EXCEPTION_HANDLING, 1, 2),
        "POP_EXCEPT": refuse(breaks.EXCEPTION_HANDLING, 1, 0),
        "CHECK_EXC_MATCH": refuse(breaks.EXCEPTION_HANDLING, 1, 1),
        "CHECK_EG_MATCH": refuse(breaks.EXCEPTION_HANDLING, 2, 2),
        "RERAISE": refuse(breaks.EXCEPTION_HANDLING, 1, None),
        "RAISE_VARARGS": refuse(breaks.RAISE, int, None),
        "LOAD_ASSERTION_ERROR": refuse(breaks.RAISE, 0, 1),
        "IMPORT_NAME": refuse(breaks.IMPORT, 2, 1),
        "IMPORT_FROM": refuse(breaks.IMPORT, 0, 1),
        "LOAD_BUILD_CLASS": refuse(breaks.CLASS_BUILDING, 0, 1),
        "MATCH_CLASS": refuse(breaks.PATTERN_MATCHING, 3, 1),
        "MATCH_KEYS": refuse(breaks.PATTERN_MATCHING, 0, 1),
        "MATCH_MAPPING": refuse(breaks.PATTERN_MATCHING, 0, 1),
        "MATCH_SEQUENCE": refuse(breaks.PATTERN_MATCHING, 0, 1),
        "SETUP_ANNOTATIONS": refuse(breaks.NAMESPACE, 0, 0),
        "DELETE_NAME": refuse(breaks.NAMESPACE, 0, 0),
        "DELETE_GLOBAL": refuse(breaks.NAMESPACE, 0, 0),
        "DELETE_ATTR": refuse(breaks.DELETION, 1, 0),
        "DELETE_SUBSCR": refuse(breaks.DELETION, 2, 0),
        "DELETE_DEREF": refuse(breaks.DELETION, 0, 0),
    }
