"""How much of a workload's NumPy work runs inside graphs, in one settled call.

The total is counted by `bench.counting` in an instrumented run under plain Python; what ran inside
graphs is the growth of the graphs' counters over one explained call. What counts as a NumPy call
is said in `bench.shares`.
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
    """The share of calls that ran inside graphs, of 1.0, and the codes of the breaks.

    `optimised` has been called before, so that its graphs are there. A graph may hold more
    operations than there are calls in the source, as unpacking an array does, or the inside of a
    NumPy function that was inlined; the share stays at 1.0 then.
    """
    explain = dyntrace.explain(optimised)
    before = captured_calls(explain(*copied(arguments)))
    found = explain(*copied(arguments))
    inside = captured_calls(found) - before
    codes = sorted(one.code for one in found.breaks)
    return min(1.0, inside / max(executed_calls(workload, arguments), 1)), codes
