"""How much of the example programs' NumPy work is captured: `python -m bench.shares`.

It counts executions, not source lines. `bench.counting` counts all NumPy calls in an instrumented
run under plain Python. A run under `optimize()` gives those in graphs: completed calls of each
graph times its NumPy operations. A call is *understood* if the graphs at its line have as many
NumPy operations as the line has.

A NumPy call is a call of a NumPy function, ufunc, method or scalar type; an operator whose result
is an array or a NumPy scalar; a subscript of an array, read or written. Neither side counts
attribute reads (`x.shape`), iteration, `len(x)`, `float(x)`, error and print modes. Random draws,
and effects that can fail half-way, are counted apart.
"""

from __future__ import annotations

import argparse
import operator
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

import dyntrace
from bench.counting import Recorder, is_numpy_callable, run_program
from dyntrace.api import explanations
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind, leaves
from dyntrace.graph.node import Node
from dyntrace.report.data import GraphReport

EXAMPLES = Path(__file__).parent.parent / "examples"
FALLIBLE = {"DT208", "DT215"}
CONVERSIONS = (operator.truth, operator.index, bool, int, float, complex, str, len, abs, round)


def is_numpy_node(node: Node) -> bool:
    """Whether a captured operation is a NumPy call, by the definition above."""
    if node.op.style == "attribute" or node.op.target in CONVERSIONS:
        return False
    if node.op.style in ("call", "method") and is_numpy_callable(node.op.target):
        return True
    operands = [arg for arg in node.args if isinstance(arg, Node)]
    kinds = [kind for one in (node, *operands) for kind in leaves(one.kind)]
    return any(isinstance(kind, ArrayKind | NumpyScalarKind) for kind in kinds)


def numpy_nodes(report: GraphReport) -> list[Node]:
    effect = [] if report.graph.effect is None else [report.graph.effect]
    return [node for node in [*report.graph.nodes, *effect] if is_numpy_node(node)]


@dataclass
class Shares:
    """Executions of NumPy calls in one program."""

    name: str
    counted: int = 0
    understood: float = 0
    executed: int = 0
    draws: int = 0
    fallible: int = 0

    def __add__(self, other: Shares) -> Shares:
        names = [field.name for field in fields(self)[1:]]
        return Shares("all", *(getattr(self, name) + getattr(other, name) for name in names))

    def row(self) -> str:
        parts = (self.understood, self.executed)
        understood, executed = (100 * part / max(self.counted, 1) for part in parts)
        return (
            f"{self.name:16} {self.counted:8d} {understood:10.1f} % {executed:8.1f} %"
            f" {self.draws:6d} {self.fallible:8d}"
        )


class Captured:
    """The graphs and breaks of `times` runs of a program under `optimize()`."""

    def __init__(self, path: Path, times: int) -> None:
        dyntrace.reset()
        with dyntrace.optimize():
            run_program(path, times)
        found = explanations()
        self.name = path.name
        self.graphs = [graph for one in found for graph in one.graphs if self.here(graph.filename)]
        self.breaks = [each for one in found for each in one.breaks if self.here(each.filename)]

    def here(self, filename: str) -> bool:
        return Path(filename).name == self.name

    def operations_by_line(self) -> Counter[int]:
        """NumPy operations of each line, in the graph that has the most of that line."""
        most: Counter[int] = Counter()
        for graph in self.graphs:
            most |= Counter(node.origin.lineno for node in numpy_nodes(graph))
        return most

    def executed(self) -> int:
        return sum(len(numpy_nodes(graph)) * graph.runs for graph in self.graphs)


def measure(path: Path, times: int) -> Shares:
    recorder = Recorder()
    run_program(path, times, recorder)
    captured = Captured(path, times)
    fallible = {one.lineno for one in captured.breaks if one.code in FALLIBLE}
    operations = captured.operations_by_line()
    shares = Shares(path.stem, executed=captured.executed(), draws=sum(recorder.draws.values()))
    for line in {line for line, *_ in recorder.calls}:
        counts = [count for (at, *_), count in recorder.calls.items() if at == line and count]
        if line in fallible and len(counts) > operations[line]:
            shares.fallible += counts.pop()
        shares.counted += sum(counts)
        if counts:
            shares.understood += sum(counts) * min(1.0, operations[line] / len(counts))
    return shares


def all_shares(times: int) -> list[Shares]:
    return [measure(path, times) for path in sorted(EXAMPLES.glob("*.py"))]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--times", type=int, default=1, help="runs of each program's main")
    programs = all_shares(arguments.parse_args().times)
    print("program          NumPy calls understood executed  draws fallible")
    for shares in [*programs, sum(programs, Shares("all"))]:
        print(shares.row())


if __name__ == "__main__":
    main()
