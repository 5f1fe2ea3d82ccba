"""The `numpy` backend: a graph as a program of the virtual machine, or as generated Python.

Invariant: a program and its Python twin are two ways to run one graph; the program calls the twin
for inputs of other kinds than the graph's. Without the native module, and for graphs that have
nothing for the machine, the twin is all there is; so it is, with a warning, where lowering fails or
its description is wrong. Read `exec.lower.lowering` next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dyntrace import config, incidents
from dyntrace.exec.backends import generated
from dyntrace.exec.lower import choice
from dyntrace.exec.lower.description import LoweredProgram, SegmentStep
from dyntrace.exec.lower.lowering import Lowering, NotLowered
from dyntrace.graph.node import Graph

if config.native:
    from dyntrace._native import Program

__all__ = ["compile_graph", "lowered", "report"]


def compile_graph(graph: Graph) -> Callable[..., Any]:
    """A callable of the input values that runs the graph once; it is lowered when first called."""
    twin = generated.compile_graph(graph)
    if not config.native:
        return twin
    program = Program(partial(lowered, graph), twin, partial(report, graph))
    if config.debug.isdisjoint(("program", "plan")):
        return program
    from dyntrace.exec.backends.listing import told  # which lowers graphs, as this module does

    return told(graph, program)


def lowered(graph: Graph) -> LoweredProgram | None:
    """The description of the graph's program; None if the machine would have nothing to do."""
    try:
        lowering = Lowering(graph)
        outputs = choice.lower(lowering)
        spec = lowering.finished(outputs)
    except NotLowered:
        return None
    return spec if any(isinstance(step, SegmentStep) for step in spec.steps) else None


def report(graph: Graph, error: Exception) -> None:
    """A graph has to do with its twin."""
    if not isinstance(error, (RecursionError, MemoryError)):  # the program is short of these
        incidents.note(error, "while lowering a graph", "it runs as Python calls", graph)
