"""What the table of one Python says, and the check that it is complete.

Invariant: each opcode of `dis.opmap` is either in `rules`, if it can occur in `co_code`, or in
`never`; neither has others. The opcodes that stubs are made of (`EMITTED`, `call`, `to_bool`, …)
have rules. `check` tests this at import. Read `rules` for how entries are made, then `py311`.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Mapping
from types import CodeType

from dyntrace.asm.instructions import MicroOp
from dyntrace.errors import AssemblyError
from dyntrace.record import record

__all__ = ["EMITTED", "Context", "Glue", "Rule", "Table", "check"]

# The opcodes that `asm.lower` and `asm.assemble` use on every Python. Fields of `Table` name the
# others.
EMITTED = frozenset(
    "NOP EXTENDED_ARG RESUME LOAD_CONST LOAD_FAST STORE_FAST STORE_DEREF PUSH_NULL POP_TOP COPY "
    "SWAP UNPACK_SEQUENCE BUILD_TUPLE BINARY_SUBSCR JUMP_FORWARD JUMP_BACKWARD "
    "JUMP_BACKWARD_NO_INTERRUPT".split()
)


@record(frozen=True)
class Context:
    """What a rule may read besides the argument."""

    code: CodeType
    cells: frozenset[int]


Rule = Callable[[Context, int], tuple[MicroOp, ...]]


@record(frozen=True)
class Glue:
    """Instructions that form one unit with the instruction they follow.

    `rule` gets the arguments of all of them. The unit has the location of the last instruction if
    `located_last`, else that of the first.
    """

    followers: tuple[str, ...]
    rule: Callable[[Context, tuple[int, ...]], tuple[MicroOp, ...]]
    located_last: bool = True


@record(frozen=True)
class Table:
    """One Python's bytecode.

    rules             the rule of each opcode that can occur in `co_code`
    never             the opcodes that cannot
    glue              for an opcode the ways to form a unit with those that follow, longest first
    never_alone       opcodes that must match one of these ways
    backward          jumps whose argument counts backwards
    prologue          instructions without micro-ops while they precede RESUME
    no_line_event     instructions that make no LINE event, whatever their location
    loses_line        instructions after which CPython has lost the current line: a jump target
                      behind one makes a LINE event even if it is on the same line
    caches            the number of inline caches behind an opcode; 0 if it is not listed
    null_first        a call's NULL is below the callable, else above it
    checked_loads     LOAD_FAST checks that its local is bound
    call              the instructions of a call
    load_cell         pushes a cell
    pop_jump_if_none  pops, and jumps forward if the value is None
    pop_jump_if_true  pops, and jumps forward if the value is true
    to_bool           the instructions that make a bool of what `pop_jump_if_true` tests
    """

    rules: Mapping[str, Rule]
    never: frozenset[str]
    glue: Mapping[str, tuple[Glue, ...]]
    never_alone: frozenset[str]
    backward: frozenset[str]
    prologue: frozenset[str]
    no_line_event: frozenset[str]
    loses_line: frozenset[str]
    caches: Mapping[str, int]
    null_first: bool
    checked_loads: bool
    call: tuple[str, ...]
    load_cell: str
    pop_jump_if_none: str
    pop_jump_if_true: str
    to_bool: tuple[str, ...]


def check(table: Table, opmap: Mapping[str, int] = dis.opmap) -> Table:
    """The same table if it lists every opcode exactly once; AssemblyError otherwise."""
    listed = set(table.rules) | table.never
    _refuse("not listed", set(opmap) - listed)
    _refuse("unknown", listed - set(opmap))
    _refuse("listed twice", set(table.rules) & table.never)
    named = {
        name for alternatives in table.glue.values() for g in alternatives for name in g.followers
    }
    named |= (
        set(table.glue)
        | table.never_alone
        | table.backward
        | table.prologue
        | table.no_line_event
        | table.loses_line
        | set(table.call)
        | set(table.caches)
        | set(table.to_bool)
    )
    named |= {table.load_cell, table.pop_jump_if_none, table.pop_jump_if_true, *EMITTED}
    _refuse("without a rule", named - set(table.rules))
    return table


def _refuse(what: str, names: Iterable[str]) -> None:
    if found := sorted(names):
        raise AssemblyError(f"opcodes {what}: {', '.join(found)}")
