"""The pipeline on one page: from the facts of a code object and what was learnt of it to new code.

    facts      trace.code_facts      the body, control flow and live slots, once for a code object
    explore    trace.analysis        every path from the states seen is traced to a graph
    lay out    trace.regions.flush   which slots and stack items a region takes and leaves; a trace
                                     without a layout is no region, so exploring includes this
    weave      weaving.weave         stubs that call regions and recorders, before their units
    code       asm.assemble          a code object of this Python

Read `functions.recording` for when this is done, `functions.compiled_code` for what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dyntrace.trace.analysis import Analysis, Paths, Profile, Start, explore
from dyntrace.trace.regions.tracer import RegionTracer
from dyntrace.weaving import weave
from dyntrace.weaving.regions import RegionRecord, Regions
from dyntrace.weaving.weave import Recorders, Woven

__all__ = ["compile_code"]


def compile_code(
    tracer: RegionTracer,
    starts: list[Start],
    profile: Profile,
    earlier: Paths,
    regions: Regions,
    review: Callable[[Analysis], Recorders],
    loops: Sequence[RegionRecord] = (),
) -> Woven:
    """The next version of the tracer's code object.

    `starts` are the states seen, `profile` the kinds that units pushed, `earlier` the paths of the
    analysis before. `review` is shown the analysis and says what is still to be learnt; it may
    raise GraphBreakError. `regions` keeps the regions from version to version. `loops` are those
    that run loops.
    """
    analysis = explore(tracer, starts, profile, earlier)
    recorders = review(analysis)
    return weave.weave(tracer.facts, analysis.plans, regions, recorders, loops)
