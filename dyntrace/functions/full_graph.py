"""Full graphs: with `fullgraph=True`, a break between two pieces of work is an error.

Invariant: a break on the way to a `raise` is none, since no work follows it. Read
`functions.recording` for who asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType

from dyntrace.asm.flow import may_return
from dyntrace.asm.instructions import Body
from dyntrace.errors import GraphBreakError
from dyntrace.trace.found_breaks import FoundBreak

__all__ = ["demand_full_graph"]


def demand_full_graph(code: CodeType, body: Body, breaks: Iterable[FoundBreak]) -> None:
    """Raise GraphBreakError at the first break that control comes back from."""
    for found in breaks:
        if may_return(body, found.unit):
            raise _graph_break(code, found)


def _graph_break(code: CodeType, found: FoundBreak) -> GraphBreakError:
    text = f"{found.reason.code} {found.reason.text}" + (
        f": {found.detail}" if found.detail else ""
    )
    return GraphBreakError(text, code.co_filename, found.lineno)
