"""Facts of a code object that never change: its body, where control flows, what is live.

They come first in the pipeline and depend on nothing but the bytecode: analyses, woven versions and
frames that are moved all read them. Invariant: nothing here knows kinds of values. Read
`trace.analysis` for what is found out with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType

from dyntrace.asm.decode import decode
from dyntrace.asm.flow import loop_heads, merge_points, stack_depths
from dyntrace.asm.instructions import Body
from dyntrace.asm.liveness import live_before
from dyntrace.errors import AssemblyError
from dyntrace.record import record
from dyntrace.trace.stepping import first_unit

__all__ = ["CodeFacts"]

_OBSERVERS = frozenset("locals vars dir eval exec _getframe currentframe inspect".split())


@record(frozen=True)
class CodeFacts:
    """What is known of a code object before anything runs.

    live         for each unit the slots that are read later
    depths       for each unit the depth of the evaluation stack, None where nothing leads to it
    heads        the units where loops begin
    merges       the units that several others lead to
    observed     whether the code may look at its own frame
    first        the unit where a call begins, behind the prologue
    entry_slots  the slots of arguments and free variables, and whether they hold cells
    """

    body: Body
    live: Sequence[frozenset[int]]
    depths: list[int | None]
    heads: frozenset[int]
    merges: frozenset[int]
    observed: bool
    first: int
    entry_slots: tuple[tuple[int, bool], ...]

    @classmethod
    def of(cls, code: CodeType) -> CodeFacts:
        """Decode and analyse `code`; AssemblyError if that cannot be done."""
        body = decode(code)
        first = first_unit(body)
        if not first:
            raise AssemblyError("the code has no RESUME")
        observed = not _OBSERVERS.isdisjoint(code.co_names)
        live, depths = live_before(body), stack_depths(body)
        heads, merges = loop_heads(body), merge_points(body)
        return cls(body, live, depths, heads, merges, observed, first, _entry_slots(body))

    def unit_at(self, offset: int) -> int | None:
        """The unit that begins at a byte of the original, where frames can be moved to."""
        for unit in self.body.units:
            if unit.offset == offset:
                return unit.index if self.depths[unit.index] is not None else None
        return None


def _entry_slots(body: Body) -> tuple[tuple[int, bool], ...]:
    code = body.code
    flags = (code.co_flags & 4 != 0) + (code.co_flags & 8 != 0)
    arguments = range(code.co_argcount + code.co_kwonlyargcount + flags)
    names = body.local_names
    free = range(len(names) - len(code.co_freevars), len(names))
    return tuple((index, index in body.cells) for index in [*arguments, *free])
