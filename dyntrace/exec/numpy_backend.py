"""The `numpy` backend: a graph as one generated Python function over NumPy's own calls.

Invariant: the function makes the calls of the graph in program order, one per node. A value that
was only on the stack in the user's program is only on the stack here (nested, or moved out of its
local), and a value that had a name has one here: so NumPy itself reuses temporaries exactly where
it does in eager code. Locals are deleted at their last use. Read `exec.effects` next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dyntrace.errors import InternalError
from dyntrace.exec import effects
from dyntrace.exec.checks import check, quick_test
from dyntrace.exec.protocol import returns_bare_value
from dyntrace.graph import source
from dyntrace.graph.node import Graph, Node, Op
from dyntrace.graph.ownership import nodes_in, operands

_MAX_NESTING = 20


def compile_graph(graph: Graph) -> Callable[..., Any]:
    """A function of the input values that runs the graph once."""
    return _Compiler(graph).compile()


class _Compiler:
    """State of one compilation: the text so far, and what its names stand for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.names: dict[Node, str] = {}
        self.globals: dict[str, Any] = {
            "__name__": "dyntrace.exec.generated",
            "ndarray": np.ndarray,
            "check": check,
        }
        self.bound: dict[int, str] = {}
        self.uses = _count_uses(graph)
        self.pending: list[tuple[Node, str, int]] = []
        self.dying: list[str] = []
        self.built: dict[int, str] = {}

    def compile(self) -> Callable[..., Any]:
        parameters = []
        for index, node in enumerate(self.graph.inputs):
            self.names[node] = f"i{index}"
            parameters.append(f"i{index}")
        for node in self.graph.nodes:
            self._node(node)
        self._flush()
        self._return()
        header = f"def region({', '.join(parameters)}):\n    "
        code = compile(header + "\n    ".join(self.lines) + "\n", self._filename(), "exec")
        exec(code, self.globals)
        region: Callable[..., Any] = self.globals.pop("region")
        return region

    def _filename(self) -> str:
        nodes = self.graph.nodes or [self.graph.effect]
        if nodes[0] is None:
            return "<dyntrace region>"
        origin = nodes[0].origin
        return f"<dyntrace region {origin.filename}:{origin.lineno}>"

    # -- nodes ---------------------------------------------------------------------------------

    def _node(self, node: Node) -> None:
        nested = self._nested_operands(node)
        depth = 1 + max((depth for _, _, depth in nested), default=0)
        if not self._stays_on_stack(node, depth):
            self._flush()
        texts = {operand: text for operand, text, _ in nested}
        text = source.expression(node, self._writer(node, texts), self._function)
        if self._stays_on_stack(node, depth):
            self.pending.append((node, f"({text})", depth))
        else:
            self._statement(node, text)

    def _nested_operands(self, node: Node) -> list[tuple[Node, str, int]]:
        """Take the pending expressions that `node` uses, if they are the newest, in order."""
        if not self.pending:
            return []
        waiting = {pending for pending, _, _ in self.pending}
        used = [operand for operand in operands(node) if operand in waiting]
        tail = self.pending[len(self.pending) - len(used):]
        if [pending for pending, _, _ in tail] != used:
            self._flush()
            return []
        del self.pending[len(self.pending) - len(used):]
        return tail

    def _stays_on_stack(self, node: Node, depth: int) -> bool:
        return (
            node in self.uses.stack_only
            and node.op.exact
            and depth < _MAX_NESTING
            and node.op.style not in ("inplace", "setitem")
        )

    def _writer(self, node: Node, texts: dict[Node, str]) -> Callable[[Any], str]:
        moved = self._moved_operands(node)

        def write(value: Any) -> str:
            if isinstance(value, Node):
                if value in texts:
                    return texts[value]
                self._used(value, value in moved)
                name = self.names[value]
                return f"({name}, {name} := None)[0]" if value in moved else name
            return self._constant(value, write)

        return write

    def _moved_operands(self, node: Node) -> set[Node]:
        """Operands that were on the stack only, have a local here, and die in this node."""
        found = set()
        for place in node.origin.temporaries:
            operand = node.args[place] if place < len(node.args) else None
            if isinstance(operand, Node) and operand not in self.graph.inputs:
                uses = sum(1 for other in operands(node) if other is operand)
                if uses == 1 and self.uses.left.get(operand) == 1:
                    found.add(operand)
        return found

    def _used(self, node: Node, moved: bool) -> None:
        left = self.uses.left
        left[node] -= 1
        if left[node] == 0 and not moved and node not in self.graph.inputs:
            self.dying.append(self.names[node])

    def _flush(self) -> None:
        """Give every pending expression a local, in program order."""
        pending, self.pending = self.pending, []
        for node, text, _ in pending:
            self._statement(node, text)

    def _statement(self, node: Node, text: str) -> None:
        if node.op.style == "setitem" or not (self.uses.left.get(node) or not node.op.exact):
            self.lines.append(text)
        else:
            name = self.names[node] = f"t{len(self.names)}"
            self.lines.append(self._assignment(node, name, text))
            self._check(node, name)
        self._delete_dying()

    def _assignment(self, node: Node, name: str, text: str) -> str:
        if node.op.style == "inplace" and node.op.target in source.INPLACE:
            target, _, rest = text.partition(" ")
            return f"{name} = {target}; {name} {rest}"
        return f"{name} = {text}"

    def _check(self, node: Node, name: str) -> None:
        if node.op.exact:
            return
        test = quick_test(name, node.kind, self._bind)
        if test is not None:
            self.lines.append(f"if {test}: check({name}, {self._bind(node.kind)})")
        if not self.uses.left.get(node):
            self.dying.append(name)

    def _delete_dying(self) -> None:
        if self.dying:
            self.lines.append("del " + ", ".join(self.dying))
            self.dying.clear()

    # -- constants and functions ---------------------------------------------------------------

    def _bind(self, value: Any) -> str:
        """A global name of the generated function for an object."""
        name = self.bound.get(id(value))
        if name is None:
            name = self.bound[id(value)] = f"k{len(self.bound)}"
            self.globals[name] = value
        return name

    def _constant(self, value: Any, write: Callable[[Any], str]) -> str:
        text = source.literal(value)
        if text is not None:
            return text
        if type(value) in (list, dict) or any(True for _ in nodes_in(value)):
            text = source.container(value, write)
        return text if text is not None else self._bind(value)

    def _function(self, op: Op) -> str:
        return self._bind(op.target)

    # -- the end -------------------------------------------------------------------------------

    def _return(self) -> None:
        commit = self._effect()
        if returns_bare_value(self.graph):
            self.lines.append(f"return {self._output(self.graph.outputs[0])}")
            return
        texts = [self._output(value) for value in self.graph.outputs] + commit
        self.lines.append(f"return ({', '.join(texts)}{',' if texts else ''})")

    def _effect(self) -> list[str]:
        effect = self.graph.effect
        if effect is None:
            return []
        prepare = self._bind(effects.preparer(effect))
        write = self._writer(effect, {})
        self.lines.append(f"commit = {prepare}({source.arguments(effect, write)})")
        self.names[effect] = self._effect_value(effect)
        return ["commit"]

    def _effect_value(self, effect: Node) -> str:
        target = effects.target(effect)
        return self.names[target]

    def _output(self, value: Any) -> str:
        """A returned value; a container met twice is built once."""
        if isinstance(value, Node):
            return self.names[value]
        name = self.built.get(id(value))
        if name == "":
            raise InternalError("an output contains itself")
        if name is None and type(value) in (tuple, list, dict, slice):
            self.built[id(value)] = ""
            text = self._constant(value, self._output)
            name = self.built[id(value)] = f"b{len(self.built)}"
            self.lines.append(f"{name} = {text}")
        return name if name is not None else self._constant(value, self._output)


class _Uses:
    """How often each node is still used, and which nodes live on the stack only."""

    def __init__(self) -> None:
        self.left: dict[Node, int] = {}
        self.stack_only: set[Node] = set()


def _count_uses(graph: Graph) -> _Uses:
    uses = _Uses()
    left = uses.left
    consumers = graph.nodes if graph.effect is None else [*graph.nodes, graph.effect]
    for node in consumers:
        for operand in operands(node):
            left[operand] = left.get(operand, 0) + 1
    for operand in nodes_in(graph.outputs):
        left[operand] = left.get(operand, 0) + 1
    for node in graph.nodes:
        for place in node.origin.temporaries:
            operand = node.args[place] if place < len(node.args) else None
            if isinstance(operand, Node) and left[operand] == 1:
                uses.stack_only.add(operand)
    uses.stack_only.difference_update(graph.inputs)
    return uses
