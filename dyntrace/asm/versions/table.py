"""What a table of one Python must say, and the check that it says all of it.

`rules` names every opcode of `dis.opmap` that may occur in `co_code`, `never` the rest, both
exactly: an opcode in neither, in both, or unknown to this Python fails at import. `glued` lists
what must follow an instruction without a gap. Read `rules` for the entries' vocabulary, then one
of `py311` ... `py313`.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Mapping
from types import CodeType

from dyntrace.asm.instructions import MicroOp
from dyntrace.errors import AssemblyError
from dyntrace.record import record

__all__ = ["EMITTED", "Context", "Glue", "Rule", "Table", "check"]

# What stubs and landing pads are made of on every Python; a table names what differs.
EMITTED = frozenset(
    "NOP EXTENDED_ARG RESUME LOAD_CONST LOAD_FAST STORE_FAST STORE_DEREF PUSH_NULL POP_TOP COPY "
    "SWAP UNPACK_SEQUENCE BUILD_TUPLE BINARY_SUBSCR JUMP_FORWARD JUMP_BACKWARD "
    "JUMP_BACKWARD_NO_INTERRUPT".split()
)


@record(frozen=True)
class Context:
    """What a rule may read of the code object besides the argument."""

    code: CodeType
    cells: frozenset[int]


Rule = Callable[[Context, int], tuple[MicroOp, ...]]


@record(frozen=True)
class Glue:
    """Instructions that follow `first` without a gap; `rule` sees the arguments of all of them.

    `located_last`: the unit has the location of the last of them, else that of the first.
    """

    followers: tuple[str, ...]
    rule: Callable[[Context, tuple[int, ...]], tuple[MicroOp, ...]]
    located_last: bool = True


@record(frozen=True)
class Table:
    """One Python's bytecode.

    `glue[first]` are alternatives, longest first; an instruction in `never_alone` must match one
    of them. `silent` instructions never begin a line for a tracer, whatever their location. Behind
    a `forgetful` one a jump's target begins a line for a tracer, even one that had begun: CPython
    has lost the place it came from. `caches` has the inline caches behind an instruction, if any.
    `to_bool` comes before a conditional jump on anything but a bool.
    `null_first` tells whether a call's NULL lies below the callable.
    """

    rules: Mapping[str, Rule]
    never: frozenset[str]
    glue: Mapping[str, tuple[Glue, ...]]
    never_alone: frozenset[str]
    backward: frozenset[str]
    prologue: frozenset[str]
    silent: frozenset[str]
    forgetful: frozenset[str]
    caches: Mapping[str, int]
    null_first: bool
    checked_loads: bool
    call: tuple[str, ...]
    load_cell: str
    pop_jump_if_none: str
    pop_jump_if_true: str
    to_bool: tuple[str, ...]


def check(table: Table, opmap: Mapping[str, int] = dis.opmap) -> Table:
    """The same table if it names every opcode exactly once; AssemblyError otherwise."""
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
        | table.silent
        | table.forgetful
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
