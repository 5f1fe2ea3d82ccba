"""Graphs that the tracer captures from whole functions, for tests of what is done with graphs.

Invariant: `captured(fn, *values)` fails unless *one* region holds all that the function does: the
region begins where the function begins, and behind it the function only returns values, alone or in containers.
A compiled graph takes the inputs that the region reads, in the region's order; `Captured.compiled`
turns it into a function of the arguments that `fn` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dyntrace.graph.node import Graph, Node, Op
from dyntrace.record import replace
from dyntrace.trace import sources
from tests.trace.tracing import analyse, plans

RETURNING = {
    *("LOAD_CONST", "LOAD_FAST", "LOAD_DEREF", "STORE_FAST", "POP_TOP", "RETURN_VALUE"),
    *("BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP"),
}


class NotCaptured(Exception):
    """More than one region, or fewer, or work that is in none."""


@dataclass
class Captured:
    """A function, the graph of all it does, and where the graph's inputs come from."""

    fn: Callable[..., Any]
    graph: Graph
    sources: list[sources.Source]

    def inputs(self, arguments):
        """The values that the graph takes, of a call with these arguments."""
        return [read(source, self.fn, arguments) for source in self.sources]

    def compiled(self, compile_graph):
        """What `compile_graph` makes of the graph, as a function of the arguments of `fn`."""
        region = compile_graph(self.graph)
        return lambda *arguments: region(*self.inputs(arguments))


def captured(fn, *values):
    """The graph of `fn` for arguments of these kinds; the arguments are neither run nor written."""
    analysis = analyse(fn, *values)
    breaks = analysis.breaks.all()
    if breaks:
        raise NotCaptured([f"{item.reason.code}: {item.detail}" for item in breaks])
    found = plans(analysis)
    if len(found) != 1:
        raise NotCaptured(f"{len(found)} regions")
    (plan,) = found
    facts, layout = analysis.facts, plan.layout
    rest = {micro.name for unit in facts.body.units[layout.end :] for micro in unit.micro}
    if layout.start != facts.first or not rest <= RETURNING:
        raise NotCaptured(f"work outside the region: units before {layout.start}, {sorted(rest)}")
    return Captured(fn, plan.region.graph, plan.region.input_sources())


def read(source, fn, arguments):
    """The value of a source at the entry of a call: an argument, an item of one, a closure's."""
    match source:
        case sources.Local(index=index):
            return arguments[index]
        case sources.Item(base=base, key=key):
            return read(base, fn, arguments)[key]
        case sources.Contents(base=sources.CellVariable(index=index)):
            code = fn.__code__
            name = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)[index]
            return fn.__closure__[code.co_freevars.index(name)].cell_contents
    raise NotCaptured(f"an input that is no argument: {source}")


# Variations of a captured graph -------------------------------------------------------------------


def with_operations(graph, change):
    """The graph with `change(op)` in the place of each operation; the registry's own stay as is."""
    new = {node: node for node in graph.inputs}
    for node in [*graph.nodes, *([graph.effect] if graph.effect is not None else [])]:
        new[node] = Node(
            change(node.op),
            _translated(node.args, new),
            _translated(node.kwargs, new),
            node.kind,
            node.origin,
        )
    return Graph(
        list(graph.inputs),
        [new[node] for node in graph.nodes],
        _translated(graph.outputs, new),
        graph.effect and new[graph.effect],
    )


def _translated(value, new):
    """A value in which other nodes stand; lists and dicts stay the same objects for each other."""
    match value:
        case Node():
            return new[value]
        case tuple() | list():
            return type(value)(_translated(item, new) for item in value)
        case dict():
            return {key: _translated(item, new) for key, item in value.items()}
        case slice():
            return slice(*_translated((value.start, value.stop, value.step), new))
    return value


def claiming_exact(graph, exact):
    """The graph, its computations marked exact or not: whether the executor checks their results."""

    def change(op: Op) -> Op:
        computes = op.style in ("call", "method", "infix") and not op.writes
        return replace(op, exact=exact) if computes else op

    return graph if exact is None else with_operations(graph, change)
