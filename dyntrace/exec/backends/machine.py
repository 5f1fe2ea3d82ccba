"""The `numpy` backend: a graph as a program of the virtual machine, or as generated Python.

Invariant: a program and its Python twin give the same answer. The program calls the twin for inputs
of other kinds than the graph's, and always if the machine has nothing to do. If lowering fails, or
the native module refuses the description, it warns and calls the twin. Without the native module
the twin is used alone. Read `exec.lower.choice` next.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dyntrace import config, incidents
from dyntrace.exec.backends import generated
from dyntrace.exec.lower import choice
from dyntrace.graph.node import Graph

if config.native:
    from dyntrace._native import Program

__all__ = ["compile_graph", "report"]


def compile_graph(graph: Graph) -> Callable[..., Any]:
    """A callable of the input values that runs the graph once; it is lowered when first called."""
    twin = generated.compile_graph(graph)
    if not config.native:
        return twin
    program = Program(partial(choice.lowered, graph), twin, partial(report, graph))
    if config.debug.isdisjoint(("program", "plan")):
        return program
    from dyntrace.exec.backends.dump import logged  # imported only where something is logged

    return logged(graph, program)


def report(graph: Graph, error: Exception) -> None:
    """Warn that a graph could not be lowered and runs as Python calls."""
    if not isinstance(error, (RecursionError, MemoryError)):  # not a fault of lowering
        incidents.note(error, "while lowering a graph", "it runs as Python calls", graph)
