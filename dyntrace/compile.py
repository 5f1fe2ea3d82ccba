"""The pipeline on one page: from what is known of a code object to its next version.

    facts      trace.code_facts      the body, control flow and live slots, once for a code object
    explore    trace.analysis        every path from the states seen is traced to a graph
    lay out    trace.regions.flush   which slots and stack items a region takes and leaves; a trace
                                     without a layout is no region, so this happens while exploring
    weave      weaving.weave         stubs that call regions and recorders, before their units
    code       asm.assemble          a code object of this Python

`compile_code` does it. Read `functions.compiled_code` for its caller, `functions.recording` for
when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyntrace.breaks import GIVEN_UP
from dyntrace.functions import recording, stages
from dyntrace.functions.full_graph import demand_full_graph
from dyntrace.functions.judging import JUDGED_CALLS, WATCHED_CALLS
from dyntrace.functions.misses import MAX_VERSIONS
from dyntrace.functions.recorders import recorder
from dyntrace.trace.analysis import explore
from dyntrace.trace.regions.tracer import RegionTracer
from dyntrace.weaving import weave
from dyntrace.weaving.weave import Woven

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode

__all__ = ["compile_code"]


def compile_code(compiled: CompiledCode, tracer: RegionTracer) -> Woven:
    """The next version of `compiled`, from everything known now; GraphBreakError if a full graph
    was demanded and there is none.
    """
    facts, knowledge = tracer.facts, compiled.knowledge
    analysis = explore(tracer, knowledge.starts, knowledge.profile.results, knowledge.paths)
    stages.traced(compiled, analysis)
    knowledge.keep(analysis)
    if compiled.fullgraph:
        demand_full_graph(compiled.original, facts.body, knowledge.breaks)
    given_up = compiled.pace.gives_up(fruitful=bool(analysis.plans))
    if given_up or compiled.versions.count >= MAX_VERSIONS:
        analysis.recorders.clear()
        knowledge.note(f"{GIVEN_UP.code}: {GIVEN_UP.text}")
    knowledge.stops.update((point, found.at) for point, found in analysis.recorders.items())
    calls = JUDGED_CALLS if analysis.recorders else WATCHED_CALLS
    watches = not (given_up or analysis.finds_work()) and knowledge.visits < calls
    return weave.weave(
        facts,
        analysis,
        compiled.regions,
        lambda point: recorder(compiled, recording.note, point),
        recorder(compiled, recording.enter_again, -1) if watches else None,
        frozenset(knowledge.stops.values()),
    )
