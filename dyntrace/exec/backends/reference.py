"""The reference backend: interprets a graph, one NumPy call per node in program order.

Invariant: this is the specification; tests compare the bits and strides of the other backends with
it. It keeps every value until the end, so NumPy finds no temporaries to reuse: `exec.elision`
computes the layouts that the reuse gives. Read `exec.effects.writes` next for the trailing write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from dyntrace.exec import elision
from dyntrace.exec.checks import check
from dyntrace.exec.effects import writes
from dyntrace.exec.results import returns_bare_value
from dyntrace.graph.node import Graph, Node


def compile_graph(graph: Graph) -> Callable[..., Any]:
    """A function of the input values that interprets the graph."""
    return lambda *values: run(graph, values)


def run(graph: Graph, values: Sequence[Any]) -> Any:
    """Run the graph once; return the bare value, or the outputs and the commit as a tuple."""
    found: dict[Node, Any] = dict(zip(graph.inputs, values, strict=True))
    resolve = partial(_resolve, found)
    for node in graph.nodes:
        args = tuple(map(resolve, node.args))
        kwargs = {name: resolve(value) for name, value in node.kwargs}
        found[node] = _call(node, args, kwargs, found)
        if not node.op.exact:
            check(found[node], node.kind)
    return _results(graph, found, resolve)


def _call(node: Node, args: Any, kwargs: dict[str, Any], found: dict[Node, Any]) -> Any:
    temporaries = [
        index
        for index in elision.reusable_operands(node)
        if sum(1 for value in found.values() if value is args[index]) < 2
    ]
    if temporaries:
        return elision.binary(node.op.target, args[0], args[1], temporaries)
    return node.op.target(*args, **kwargs)


def _results(graph: Graph, found: dict[Node, Any], resolve: Callable[[Any], Any]) -> Any:
    if returns_bare_value(graph):
        return found[graph.outputs[0]]
    commit: tuple[Any, ...] = ()
    if graph.effect is not None:
        effect = graph.effect
        args = tuple(map(resolve, effect.args))
        kwargs = {name: resolve(value) for name, value in effect.kwargs}
        commit = (writes.preparer(effect)(*args, **kwargs),)
        found[effect] = resolve(writes.value_of(effect))
    built: dict[int, Any] = {}
    return tuple(_build(found, built, value) for value in graph.outputs) + commit


def _resolve(found: dict[Node, Any], value: Any) -> Any:
    return _build(found, {}, value)


def _build(found: dict[Node, Any], built: dict[int, Any], value: Any) -> Any:
    """The value of an argument; a container that occurs twice is built once."""
    if isinstance(value, Node):
        return found[value]
    if type(value) not in (tuple, list, dict, slice):
        return value
    if id(value) not in built:
        build = partial(_build, found, built)
        built[id(value)] = _rebuild(value, build)
    return built[id(value)]


def _rebuild(value: Any, build: Callable[[Any], Any]) -> Any:
    if type(value) is slice:
        return slice(build(value.start), build(value.stop), build(value.step))
    if type(value) is dict:
        return {key: build(item) for key, item in value.items()}
    return type(value)(map(build, value))
