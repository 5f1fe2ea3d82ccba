"""Explanations as text: a summary line, each graph as NumPy, each break with its reason and hint.

Invariant: everything printed comes from the report and the break catalogue; nothing is worked out
here but wording. Read `report.html` for the same in a browser.
"""

from __future__ import annotations

from collections.abc import Iterable

from dyntrace.report.records import BreakReport, Findings, GraphReport, place

__all__ = ["all_findings_text", "findings_text", "plural", "span", "summary"]


def plural(count: int, word: str) -> str:
    """`1 graph`, `2 graphs`, `no graphs`."""
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"


def summary(findings: Findings) -> str:
    """`name: 2 graphs with 31 operations, 1 break`."""
    found = plural(findings.graph_count, "graph")
    if findings.graph_count:
        found += f" with {plural(findings.op_count, 'operation')}"
    name = findings.name or "<unnamed>"
    return f"{name}: {found}, {plural(findings.graph_break_count, 'break')}"


def span(graph: GraphReport) -> str:
    """The user's lines of a graph: `file.py:12` or `file.py:12-20`."""
    several = f"-{graph.end_lineno}" if graph.end_lineno > graph.lineno else ""
    return place(graph.filename, graph.lineno) + several


def usage(graph: GraphReport) -> str:
    """How a graph fared: `called 3 times, 1 of them given back to CPython`."""
    text = f"called {plural(graph.calls, 'time')}" if graph.calls else "not called yet"
    return text + (f", {graph.deopts} of them given back to CPython" if graph.deopts else "")


def graph_lines(number: int, graph: GraphReport) -> Iterable[str]:
    operations = plural(graph.op_count, "operation")
    yield f"graph {number}: {span(graph)}, {operations}, {usage(graph)}"
    for line in graph.code.rstrip().splitlines():
        yield f"    {line}".rstrip()


def break_lines(number: int, report: BreakReport) -> Iterable[str]:
    yield f"break {number}: {report}"
    yield from _advice(report)


def retired_lines(report: BreakReport) -> Iterable[str]:
    yield f"retired: {report}"
    yield from _advice(report)


def _advice(report: BreakReport) -> Iterable[str]:
    if report.why:
        yield f"    why:  {report.why}"
    if report.hint:
        yield f"    hint: {report.hint}"


def findings_text(findings: Findings) -> str:
    """`str(findings)`, without a newline at the end."""
    blocks = [[summary(findings)]]
    blocks += [list(graph_lines(*pair)) for pair in enumerate(findings.graphs, 1)]
    if findings.breaks:
        numbered = enumerate(findings.breaks, 1)
        blocks.append([line for pair in numbered for line in break_lines(*pair)])
    if findings.retired:
        blocks.append([line for item in findings.retired for line in retired_lines(item)])
    if findings.notes:
        blocks.append([f"note: {note}" for note in findings.notes])
    return "\n\n".join("\n".join(block) for block in blocks)


def all_findings_text(reports: Iterable[Findings]) -> str:
    """Several explanations below each other, under a ruler."""
    return f"\n{'-' * 80}\n".join(findings_text(findings) for findings in reports)
