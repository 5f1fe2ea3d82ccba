"""The plain records of a report: graphs, breaks, loops, counters, and all findings on a function.

Invariant: a report is a snapshot. It holds graphs and texts, never a region, a frame or one of the
user's arrays, so keeping a report keeps nothing else alive. `report.collect` makes the records,
`report.text` and `report.html` print them, `report.data` has the public `Explanation`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any, Self

from dyntrace.breaks import reason
from dyntrace.exec.backends.dump import listing
from dyntrace.graph.node import Graph
from dyntrace.graph.show import show

__all__ = [
    "BreakReport",
    "Findings",
    "GraphReport",
    "LoopExit",
    "LoopReport",
    "Retirement",
    "Stats",
    "bounded",
    "place",
]

PLUMBING = frozenset({"item", "python"})  # families of nodes that are no NumPy operation


def place(filename: str, lineno: int) -> str:
    """`file:line`, with the path relative to the working directory if it lies below it."""
    folder = os.path.join(os.getcwd(), "")
    return f"{filename.removeprefix(folder)}:{lineno}"


def bounded(text: str, width: int = 76) -> str:
    """`text` on one line; if it is longer than `width`, `…` replaces its middle."""
    line = " ".join(text.split())
    half = (width - 1) // 2
    return line if len(line) <= width else f"{line[:half]}…{line[-half:]}"


@dataclass(frozen=True, slots=True, repr=False)
class GraphReport:
    """One captured graph.

    filename, lineno, end_lineno   the user's lines its operations come from
    calls                          calls of the region: runs + deopts + misses
    deopts                         runs that failed; CPython then ran the original instructions
    misses                         calls with inputs of kinds that no entry was made for
    declined                       times the original instructions ran because they are faster there
    compared                       times the original instructions ran in order to measure them
    replays                        `deopts` by cause, in words
    slower                         input sizes for which the original is faster, in words
    entries                        (operations, runs) of each combination of kinds of inputs
    names                          the user's names of the graph's inputs, None for unnamed ones
    plan                           how the machine ran it last, as text: groups, tiles, threads
    """

    graph: Graph
    filename: str
    lineno: int
    end_lineno: int
    calls: int = 0
    deopts: int = 0
    names: tuple[str | None, ...] = ()
    misses: int = 0
    declined: int = 0
    compared: int = 0
    replays: tuple[tuple[str, int], ...] = ()
    slower: str = ""
    entries: tuple[tuple[int, int], ...] = ()
    plan: str = ""

    @property
    def runs(self) -> int:
        """Calls that ran the graph to its end."""
        return self.calls - self.deopts - self.misses

    def __repr__(self) -> str:
        where = place(self.filename, self.lineno)
        return f"<graph at {bounded(where, 60)}: {self.op_count} operations, {self.calls} calls>"

    @property
    def op_count(self) -> int:
        """NumPy operations that one call executes, the effect at its end included."""
        operations = sum(node.op.family not in PLUMBING for node in self.graph.nodes)
        return operations + (self.graph.effect is not None)

    @property
    def executed(self) -> int:
        """NumPy operations executed inside this graph so far: runs times operations, by entry."""
        if self.entries:
            return sum(operations * runs for operations, runs in self.entries)
        return self.op_count * self.runs

    @property
    def code(self) -> str:
        """The graph as runnable NumPy, each operation with the user's file and line."""
        return show(self.graph, self.names)

    @property
    def program(self) -> str:
        """The program of the virtual machine as text: registers, segments, calls of Python."""
        return listing(self.graph, self.names)


@dataclass(frozen=True, slots=True, repr=False)
class BreakReport:
    """One graph break: its catalogue entry and the user's line."""

    code: str
    reason: str
    filename: str
    lineno: int
    hint: str = ""
    why: str = ""

    @classmethod
    def of(cls, code: str, filename: str, lineno: int, detail: str = "") -> Self:
        """The report of catalogue entry `code`; `detail` names the callee, operator or value."""
        entry = reason(code)
        text = f"{entry.text}: {detail}" if detail else entry.text
        return cls(code, text, filename, lineno, entry.fix, entry.why)

    def __repr__(self) -> str:
        return f"<{bounded(str(self))}>"

    def __str__(self) -> str:
        return f"{self.code} at {place(self.filename, self.lineno)}: {self.reason}"


@dataclass(frozen=True, slots=True, repr=False)
class Retirement(BreakReport):
    """One graph that was retired or never woven: where, why, and what it had done."""

    graph: GraphReport | None = None

    @classmethod
    def of_graph(cls, code: str, filename: str, lineno: int, graph: GraphReport) -> Retirement:
        """The report of catalogue entry `code` on `graph`."""
        return replace(cls.of(code, filename, lineno), graph=graph)


@dataclass(frozen=True, slots=True, repr=False)
class LoopExit(BreakReport):
    """A line where iterations left machine code for CPython: why, and how many.

    `code` is empty if it was trouble of those iterations alone, such as an index out of range.
    """

    count: int = 0

    def __str__(self) -> str:
        code = f"{self.code} " if self.code else ""
        return f"{code}at {place(self.filename, self.lineno)}: {self.reason}"


@dataclass(frozen=True, slots=True, repr=False)
class LoopReport:
    """One loop of a function.

    filename, lineno  of its head
    state             what became of it, in words
    versions          how many combinations of types it is compiled for
    iterations        those that ran as machine code
    left              those that CPython executed, as far as they are known: the head asks at each
                      while machine code is there, and now and then before; if it was not entered
                      for the last, the loop's end counts as one
    calls, declined   how often the machine code ran, and how often it was not entered
    exits             where iterations were left to CPython, the most frequent first
    obstacle          what keeps it from being compiled for the types met last, or why it was
                      given up
    seconds           that compiling took
    size              of its machine code, in bytes
    texts             what each version was compiled from
    """

    filename: str
    lineno: int
    state: str
    versions: int = 0
    iterations: int = 0
    left: int = 0
    calls: int = 0
    declined: int = 0
    exits: tuple[LoopExit, ...] = ()
    obstacle: BreakReport | None = None
    seconds: float = 0.0
    size: int = 0
    texts: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"<loop at {bounded(place(self.filename, self.lineno), 60)}: {self.state}>"

    @property
    def compiled(self) -> bool:
        """Whether it has machine code."""
        return self.versions > 0

    @property
    def llvm_ir(self) -> str:
        """What it is compiled from, as LLVM's text: one module for each combination of types."""
        return "\n".join(kept.text for kept in self.texts)

    @property
    def assembly(self) -> str:
        """The instructions of this processor that LLVM makes of `llvm_ir`; takes some time."""
        if not self.texts:
            return ""
        from dyntrace.exec.kernels.llvm import assembly_of

        return "\n".join(assembly_of(kept.text) for kept in self.texts)


@dataclass(slots=True)
class Findings:
    """What dyntrace made of a function.

    graphs, breaks  in the order of the code
    notes           on the function as a whole, internal errors among them
    retired         regions that were given up: the original instructions run there again
    left_alone      operations that were not woven, since a region of them would lose (DT706)
    loops           in the order of the code, if there is a compiler for them
    filename        the function's file; empty if the findings are on several functions
    """

    graphs: list[GraphReport] = field(default_factory=list)
    breaks: list[BreakReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    name: str = ""
    retired: list[Retirement] = field(default_factory=list)
    filename: str = ""
    left_alone: list[Retirement] = field(default_factory=list)
    loops: list[LoopReport] = field(default_factory=list)

    @property
    def graph_count(self) -> int:
        return len(self.graphs)

    @property
    def graph_break_count(self) -> int:
        return len(self.breaks)

    @property
    def outcome(self) -> str:
        """A sentence if graphs were made and none of them ran, nor a compiled loop; else empty."""
        if any(loop.iterations for loop in self.loops):
            return ""
        if not self.graphs and self.retired:
            return "All its graphs were given up, so the original instructions run."
        if not self.graphs and self.left_alone:
            return "What it does with arrays is too little for a graph; it runs as it was."
        if not self.graphs or any(graph.runs for graph in self.graphs):
            return ""
        if any(graph.calls or graph.declined for graph in self.graphs):
            return "No graph has run to its end; the original instructions ran each time."
        return "No graph has run yet: none was reached after it was made."

    @property
    def break_reasons(self) -> list[BreakReport]:
        return self.breaks

    @property
    def op_count(self) -> int:
        """NumPy operations in all graphs, each counted once however often it ran."""
        return sum(graph.op_count for graph in self.graphs)


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters of one optimised function since it was made or since the last `reset`.

    compiles          assemblies of a new code object
    graphs            regions in the code objects made so far
    graph_calls       calls of graphs: graph_runs + deopts + misses - learnt
    graph_runs        calls that ran a graph to its end
    deopts            calls whose graph failed, so that the original instructions ran
    misses            calls with inputs of kinds that no graph had been made for
    learnt            those of them for which a graph was made at once
    declined          times a graph was left out, since the original instructions are faster there
    compared          times it was left out to measure them
    retired           regions given up: they failed again and again, or were slower
    retirements       where each of those is, and why
    loops             loops that are compiled to machine code
    loop_iterations   iterations that ran as machine code
    replacements      running frames moved into newer code
    internal_errors   broken invariants of dyntrace itself; the original code ran instead
    """

    compiles: int = 0
    graphs: int = 0
    graph_calls: int = 0
    graph_runs: int = field(default=0, repr=False)
    deopts: int = 0
    misses: int = 0
    learnt: int = field(default=0, repr=False)
    declined: int = field(default=0, repr=False)
    compared: int = field(default=0, repr=False)
    retired: int = 0
    loops: int = 0
    loop_iterations: int = 0
    replacements: int = 0
    internal_errors: int = 0
    retirements: tuple[Retirement, ...] = field(default=(), repr=False)
