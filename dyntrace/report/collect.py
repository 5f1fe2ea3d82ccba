"""Collect: makes the records of a report from compiled code and its regions.

Invariant: every number comes from a region's counters (`runtime.region`); none is estimated. A call
that a region leaves to the original instructions, because they are faster or in order to measure
them, does not count as a call of its graph. `report.records` says what each number means.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

from dyntrace.breaks import NOT_WORTH_IT
from dyntrace.exec.backends.dump import plan_listing
from dyntrace.functions.compiled_code import CompiledCode
from dyntrace.incidents import lines_of
from dyntrace.report.collect_loops import lines_in_loops, loop_reports
from dyntrace.report.limits import limits_met
from dyntrace.report.records import BreakReport, Findings, GraphReport, Retirement, Stats
from dyntrace.runtime.causes import REASONS, Cause
from dyntrace.runtime.handles import Region
from dyntrace.trace.regions.paths import RegionPlan
from dyntrace.weaving.regions import RegionRecord

__all__ = ["add_compiled", "errors_of", "retirements", "stats_of"]

FAILED = MappingProxyType(
    {
        Cause.FLOATING: "floating-point flags",
        Cause.ERRORS: "failing operations",
        Cause.DECLINED: "what the executor cannot prove",
    }
)
UNITS = ("bytes", "KiB", "MiB", "GiB")


def add_compiled(found: Findings, compiled: CompiledCode) -> None:
    """Add the findings on one code object: graphs in use, breaks, retired graphs, notes."""
    compiled.compile_pending()
    filename = compiled.original.co_filename
    used = [record for record in compiled.used() if not record.region.retired]
    for record in used:
        if record.plans[0].region.does_work():
            found.graphs.append(graph_report(compiled, record))
    for item in sorted(compiled.knowledge.breaks, key=lambda item: item.unit):
        found.breaks.append(BreakReport.of(item.reason.code, filename, item.lineno, item.detail))
    found.loops += loop_reports(compiled)
    found.retired += retirements(compiled)
    found.left_alone += left_alone(compiled)
    found.notes += compiled.knowledge.notes + errors_of(compiled)
    found.notes += [*superseded(compiled, used), *limits_met(used)]


def errors_of(compiled: CompiledCode) -> list[str]:
    """A line for each internal error noted for compiled code, its regions or their graphs."""
    owners: list[Any] = [compiled]
    for record in compiled.regions.all():
        owners += [record.region, *(plan.region.graph for plan in record.plans)]
    return [f"internal error: {line}" for owner in owners for line in lines_of(owner)]


def graph_report(compiled: CompiledCode, record: RegionRecord) -> GraphReport:
    """One region as the graph of its first entry, with the counts of all its entries."""
    plan, region = record.plans[0], record.region
    return GraphReport(
        plan.region.graph,
        compiled.original.co_filename,
        plan.lineno,
        plan.end_lineno,
        calls=calls_of(region),
        deopts=region.deopts,
        names=plan.names(compiled.local_names()),
        misses=region.misses - region.learnt,
        declined=region.skips - region.compared,
        compared=region.compared,
        replays=tuple((words, region.replays[cause]) for cause, words in FAILED.items()),
        slower=sizes(region.lost),
        entries=tuple(zip(map(operations, record.plans), region.runs, strict=False)),
        plan=plan_listing(record.programs[0]),
    )


def calls_of(region: Region) -> int:
    """Calls in which an entry ran or failed, or no entry fitted the inputs."""
    return sum(region.runs) + region.deopts + region.misses - region.learnt


def operations(plan: RegionPlan) -> int:
    return GraphReport(plan.region.graph, "", plan.lineno, plan.end_lineno).op_count


def superseded(compiled: CompiledCode, used: list[RegionRecord]) -> Iterable[str]:
    """A note on graphs that ran in earlier versions of the code and are not in the current one."""
    others = [r for r in compiled.regions.all() if r not in used and not r.is_loop]
    runs = sum(sum(record.region.runs) for record in others if not record.region.retired)
    if runs:
        times = "once" if runs == 1 else f"{runs} times"
        yield f"graphs of earlier versions of {compiled.name}, since replaced, ran {times}"


def sizes(buckets: tuple[int, ...]) -> str:
    """Buckets of input bytes in words: `under 4 KiB`, `1 KiB to 16 KiB, 1 MiB to 4 MiB`.

    `buckets` are ascending numbers; bucket 0 holds inputs without arrays.
    """
    if not buckets or buckets == (0,):
        return "without arrays" if buckets else ""
    spans: list[list[int]] = []
    for bucket in buckets:
        if spans and spans[-1][1] == bucket:
            spans[-1][1] = bucket + 1
        else:
            spans.append([bucket, bucket + 1])
    return ", ".join(span_of_sizes(low, high) for low, high in spans)


def span_of_sizes(low: int, high: int) -> str:
    """The bytes of buckets `low` to `high` - 1; bucket n > 0 holds 4 ** (n - 1) up to 4 ** n."""
    return f"under {memory(high - 1)}" if low < 2 else f"{memory(low - 1)} to {memory(high - 1)}"


def memory(power: int) -> str:
    """4 ** `power` bytes in words: `16 KiB`."""
    step = min(power // 5, len(UNITS) - 1)
    return f"{4 ** (power - 5 * step)} {UNITS[step]}"


def retirements(compiled: CompiledCode) -> list[Retirement]:
    """The retired regions of compiled code: where, why, and what their graphs had done."""
    filename = compiled.original.co_filename
    return [
        Retirement.of_graph(
            REASONS[record.region.cause].code,
            filename,
            record.plans[0].lineno,
            graph_report(compiled, record),
        )
        for record in compiled.retired()
        if record.region.cause in REASONS
    ]


def left_alone(compiled: CompiledCode) -> list[Retirement]:
    """The graphs that `trace.regions.worth` kept from being woven; each range of lines once.

    Those in a loop that is compiled are not told: the loop has them.
    """
    filename = compiled.original.co_filename
    in_loops = lines_in_loops(compiled)
    found = {
        (item.lineno, item.end_lineno): item
        for item in compiled.knowledge.left_alone
        if item.lineno not in in_loops
    }
    return [
        Retirement.of_graph(
            NOT_WORTH_IT.code,
            filename,
            item.lineno,
            GraphReport(item.graph, filename, item.lineno, item.end_lineno),
        )
        for _, item in sorted(found.items())
    ]


def stats_of(all_compiled: list[CompiledCode]) -> Stats:
    """The counters of `all_compiled`, added up."""
    found = [record for compiled in all_compiled for record in compiled.regions.all()]
    regions = [record.region for record in found if not record.is_loop]
    loops = [loop for compiled in all_compiled for loop in compiled.loops.known()]
    return Stats(
        compiles=sum(compiled.versions.compiles for compiled in all_compiled),
        graphs=len(regions),
        graph_calls=sum(map(calls_of, regions)),
        graph_runs=sum(sum(region.runs) for region in regions),
        deopts=sum(region.deopts for region in regions),
        misses=sum(region.misses for region in regions),
        learnt=sum(region.learnt for region in regions),
        declined=sum(region.skips - region.compared for region in regions),
        compared=sum(region.compared for region in regions),
        retired=sum(bool(region.retired) for region in regions),
        loops=sum(bool(loop.programs) for loop in loops),
        loop_iterations=sum(one.iterations for loop in loops for one in loop.programs),
        replacements=sum(compiled.versions.replacements for compiled in all_compiled),
        internal_errors=sum(len(errors_of(compiled)) for compiled in all_compiled),
        retirements=tuple(item for compiled in all_compiled for item in retirements(compiled)),
    )
