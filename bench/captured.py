"""The share of a workload's NumPy calls that run inside graphs, in one call after warm-up.

`bench.counting` counts all calls in an instrumented run under plain Python. The calls inside graphs
are the growth of the graphs' counters over one explained call. `bench.shares` defines what counts
as a NumPy call.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import dyntrace
from bench.counting import Instrument, Recorder
from bench.shares import numpy_nodes
from bench.timing import copied
from bench.workload import Arguments, Workload


def executed_calls(workload: Workload, arguments: Arguments) -> int:
    """NumPy calls of one run under plain Python."""
    tree = ast.parse(workload.path.read_text(encoding="utf-8"), filename=str(workload.path))
    recorder = Recorder()
    namespace: dict[str, Any] = {"__name__": workload.function.__module__, "__recorder__": recorder}
    code = compile(ast.fix_missing_locations(Instrument().visit(tree)), str(workload.path), "exec")
    exec(code, namespace)
    recorder.calls.clear()
    namespace[workload.function.__name__](*copied(arguments))
    return sum(recorder.calls.values())


def captured_calls(explanation: Any) -> int:
    """NumPy calls executed inside graphs so far."""
    return sum(len(numpy_nodes(graph)) * graph.runs for graph in explanation.graphs)


def captured_share(
    workload: Workload, optimised: Callable[..., Any], arguments: Arguments
) -> tuple[float, list[str]]:
    """The share of calls that ran inside graphs, up to 1.0, and the codes of the breaks.

    `optimised` must have been called before, so that its graphs exist. A graph may have more
    operations than the source has calls (unpacking an array, an inlined NumPy function), so the
    share is capped at 1.0.
    """
    explain = dyntrace.explain(optimised)
    before = captured_calls(explain(*copied(arguments)))
    found = explain(*copied(arguments))
    inside = captured_calls(found) - before
    codes = sorted(one.code for one in found.breaks)
    return min(1.0, inside / max(executed_calls(workload, arguments), 1)), codes
