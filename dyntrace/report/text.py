"""Explanations as text: a summary line, each graph as NumPy code, each break with reason and hint.

Invariant: this module decides the wording only; every number and reason is in the records.
`report.html` shows the same in a browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dyntrace.report.records import (
    BreakReport,
    Findings,
    GraphReport,
    LoopExit,
    LoopReport,
    Retirement,
    place,
)

__all__ = [
    "account",
    "all_findings_text",
    "exit_text",
    "findings_text",
    "loop_account",
    "plural",
    "summary",
]


def plural(count: int, word: str) -> str:
    """`1 graph`, `2 graphs`, `no graphs`."""
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"


def summary(findings: Findings) -> str:
    """`name: 2 graphs with 31 operations, 1 break`."""
    found = plural(findings.graph_count, "graph")
    if findings.graph_count:
        found += f" with {plural(findings.op_count, 'operation')}"
    name = findings.name or "<unnamed>"
    loops = sum(loop.compiled for loop in findings.loops)
    also = f", {plural(loops, 'loop')} in machine code" if loops else ""
    return f"{name}: {found}, {plural(findings.graph_break_count, 'break')}{also}"


def span(graph: GraphReport) -> str:
    """The user's lines of a graph: `file.py:12` or `file.py:12-20`."""
    several = f"-{graph.end_lineno}" if graph.end_lineno > graph.lineno else ""
    return place(graph.filename, graph.lineno) + several


def usage(graph: GraphReport) -> str:
    """A graph's counters in words: `ran 3 times, replayed once (floating-point flags)`."""
    if not (graph.calls or graph.declined or graph.compared):
        return "not called yet"
    parts = [f"ran {times(graph.runs)}" if graph.runs else "never ran to its end"]
    if graph.deopts:
        causes = ", ".join(words for words, count in graph.replays if count)
        parts.append(f"replayed {times(graph.deopts)}" + (f" ({causes})" if causes else ""))
    if graph.misses:
        parts.append(f"missed {times(graph.misses)} (inputs of other kinds)")
    if graph.compared:
        parts.append(f"left out {times(graph.compared)} to measure the original instructions")
    if graph.slower:
        parts.append(f"lost the comparison on inputs {graph.slower}")
    if graph.declined:
        parts.append(f"declined {times(graph.declined)} since it is slower there")
    return ", ".join(parts)


def times(count: int) -> str:
    """`once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"


def account(graph: GraphReport) -> str:
    """A graph's lines, size and counters in words."""
    return f"{span(graph)}, {plural(graph.op_count, 'operation')}, {usage(graph)}"


def graph_lines(number: int, graph: GraphReport) -> Iterable[str]:
    yield f"graph {number}: {account(graph)}"
    for line in graph.code.rstrip().splitlines():
        yield f"    {line}".rstrip()


def break_lines(number: int, report: BreakReport) -> Iterable[str]:
    yield f"break {number}: {report}"
    yield from _advice(report)


def retired_lines(report: Retirement) -> Iterable[str]:
    yield f"retired: {report}"
    if report.graph is not None:
        yield f"    was:  {account(report.graph)}"
    yield from _advice(report)


def left_alone_lines(report: Retirement) -> Iterable[str]:
    yield f"left alone: {report}"
    if report.graph is not None:
        yield f"    was:  {span(report.graph)}, {plural(report.graph.op_count, 'operation')}"
    yield from _advice(report)


def loop_account(loop: LoopReport) -> str:
    """A loop's line, what became of it, and its counters in words."""
    text = f"{place(loop.filename, loop.lineno)}, {loop.state}"
    if not loop.compiled:
        return text
    if loop.versions > 1:
        text += f" for {loop.versions} combinations of types"
    seconds, size = f"{1e3 * loop.seconds:.0f} ms", plural(loop.size, "byte")
    counts = f"{plural(loop.iterations, 'iteration')} in machine code, {loop.left} in CPython"
    if loop.declined:
        counts += f", not entered {times(loop.declined)} (values or types that do not fit)"
    return f"{text} in {seconds} to {size}: {counts}"


def exit_text(report: LoopExit) -> str:
    """Why and where iterations went on in CPython, and how many."""
    return f"{times(report.count)} {report}"


def loop_lines(number: int, loop: LoopReport) -> Iterable[str]:
    yield f"loop {number}: {loop_account(loop)}"
    for one in loop.exits:
        yield f"    left {exit_text(one)}"
        yield from (f"    {line}" for line in _advice(one))
    if loop.obstacle is not None:
        yield f"    {'for other types: ' if loop.state == 'compiled' else ''}{loop.obstacle}"
        yield from _advice(loop.obstacle)


def _advice(report: BreakReport) -> Iterable[str]:
    if report.why:
        yield f"    why:  {report.why}"
    if report.hint:
        yield f"    hint: {report.hint}"


def findings_text(findings: Findings) -> str:
    """`str(findings)`, without a newline at the end."""
    blocks = [[line for line in (summary(findings), findings.outcome) if line]]
    blocks += [list(graph_lines(*pair)) for pair in enumerate(findings.graphs, 1)]
    if findings.loops:
        numbered_loops = enumerate(findings.loops, 1)
        blocks.append([line for pair in numbered_loops for line in loop_lines(*pair)])
    if findings.breaks:
        numbered = enumerate(findings.breaks, 1)
        blocks.append([line for pair in numbered for line in break_lines(*pair)])
    if findings.retired:
        blocks.append([line for item in findings.retired for line in retired_lines(item)])
    if findings.left_alone:
        blocks.append([line for item in findings.left_alone for line in left_alone_lines(item)])
    if findings.notes:
        blocks.append([f"note: {note}" for note in findings.notes])
    return "\n\n".join("\n".join(block) for block in blocks)


def all_findings_text(
    reports: Iterable[Findings],
    libraries: Sequence[str] = (),
    hot: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Several explanations with rulers between them, then hot functions, libraries and notes."""
    texts = [findings_text(findings) for findings in reports]
    if texts and hot:
        texts.append("\n".join(["where the time went", *hot]))
    if libraries:
        texts.append("\n".join(f"library {line}" for line in libraries))
    if notes:
        texts.append("\n".join(f"note: {line}" for line in notes))
    return f"\n{'-' * 80}\n".join(texts) or "No array work was met."
