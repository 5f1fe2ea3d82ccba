"""Explanations as HTML: a self-contained page, or the fragment that a notebook shows.

Invariant: every text that may come from the user's program is escaped, and the page loads nothing
from elsewhere. `report.text` has the wording of summaries and accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from dyntrace.report.records import (
    BreakReport,
    Findings,
    GraphReport,
    LoopReport,
    Retirement,
    place,
)
from dyntrace.report.text import account, exit_text, loop_account, summary

__all__ = ["fragment", "page"]

STYLE = """
.dyntrace { font-family: system-ui, sans-serif; max-width: 60em; margin: 1.5em auto; }
.dyntrace h2 { font-size: 1.1em; border-bottom: 1px solid #ccc; padding-bottom: 0.3em; }
.dyntrace pre { background: #f6f8fa; padding: 0.7em; overflow-x: auto; font-size: 0.85em; }
.dyntrace summary { cursor: pointer; padding: 0.2em 0; }
.dyntrace table { border-collapse: collapse; font-size: 0.9em; }
.dyntrace th, .dyntrace td { text-align: left; padding: 0.3em 0.7em; border: 1px solid #ddd;
  vertical-align: top; }
.dyntrace code { font-size: 0.95em; }
""".strip()


def graph_html(number: int, graph: GraphReport) -> str:
    head = f"graph {number}: {account(graph)}"
    return (
        f"<details open><summary>{escape(head)}</summary>"
        f"<pre>{escape(graph.code.rstrip())}</pre></details>"
    )


def break_html(report: BreakReport) -> str:
    line = place(report.filename, report.lineno)
    cells = (report.code, line, report.reason, report.why, report.hint)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def breaks_html(breaks: Sequence[BreakReport]) -> str:
    if not breaks:
        return ""
    names = ("code", "line", "reason", "why", "hint")
    head = "".join(f"<th>{name}</th>" for name in names)
    return f"<table><tr>{head}</tr>{''.join(map(break_html, breaks))}</table>"


def loop_html(number: int, loop: LoopReport) -> str:
    """A loop's account, why iterations left it, and what prevents it."""
    lines = [
        f"left {exit_text(one)}; {one.hint}" if one.hint else f"left {exit_text(one)}"
        for one in loop.exits
    ]
    if loop.obstacle is not None:
        lines.append(f"{loop.obstacle}; {loop.obstacle.hint}")
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    listed = f"<ul>{items}</ul>" if items else ""
    return f"<p>{escape(f'loop {number}: {loop_account(loop)}')}</p>{listed}"


def retired_text(report: Retirement) -> str:
    """What a retired graph had done."""
    return "" if report.graph is None else f"retired graph: {account(report.graph)}"


def body(findings: Findings) -> str:
    parts = [f"<h2>{escape(summary(findings))}</h2>"]
    if findings.outcome:
        parts.append(f"<p>{escape(findings.outcome)}</p>")
    parts += [graph_html(*pair) for pair in enumerate(findings.graphs, 1)]
    parts += [loop_html(*pair) for pair in enumerate(findings.loops, 1)]
    parts.append(breaks_html(findings.breaks))
    if findings.retired:
        parts.append(f"<p>retired:</p>{breaks_html(findings.retired)}")
        parts += [f"<p>{escape(line)}</p>" for line in map(retired_text, findings.retired) if line]
    if findings.left_alone:
        parts.append(f"<p>left alone:</p>{breaks_html(findings.left_alone)}")
    parts += [f"<p>note: {escape(note)}</p>" for note in findings.notes]
    return "\n".join(part for part in parts if part)


def fragment(findings: Findings) -> str:
    """The explanation as an HTML element with its own style, for notebooks."""
    return f'<div class="dyntrace"><style>{STYLE}</style>\n{body(findings)}\n</div>'


def page(
    reports: Iterable[Findings],
    title: str = "dyntrace",
    libraries: Sequence[str] = (),
    hot: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """A complete HTML document.

    libraries  a line for each installed package with array work
    hot        a line for each function that took most of the time
    notes      on all functions
    """
    parts = [body(findings) for findings in reports]
    if hot:
        lines = "".join(f"<li>{escape(line)}</li>" for line in hot)
        parts.insert(0, f"<h2>Where the time went</h2><ul>{lines}</ul>")
    parts += [f"<p>library {escape(line)}</p>" for line in libraries]
    parts += [f"<p>note: {escape(line)}</p>" for line in notes]
    sections = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n"
        f'<body><div class="dyntrace">\n{sections}\n</div></body>\n</html>\n'
    )
