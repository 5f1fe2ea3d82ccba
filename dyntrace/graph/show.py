"""Print a graph as runnable NumPy; `explain` shows the text.

Each node is one line, followed by the user's file and line. Invariant: the text compiles, and run
with the inputs bound to their names it gives the graph's values. Strides may differ: each node has
a name here, so NumPy reuses no temporary's memory. Read `graph.source` for how operations are
spelt.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.graph import source
from dyntrace.graph.node import Graph, Node, Op


def show(graph: Graph, names: Sequence[str | None] = ()) -> str:
    """The graph's source text; `names` has the user's name of each input, or None."""
    return _Printer(graph, names).text()


class _Printer:
    """The text of one graph in the making: `names` has the name of each node written so far."""

    def __init__(self, graph: Graph, names: Sequence[str | None]) -> None:
        self.graph = graph
        self.names: dict[Node, str] = {}
        self.imports: dict[str, None] = {}
        self.count = 0
        given = list(names) + [None] * (len(graph.inputs) - len(names))
        for index, (node, name) in enumerate(zip(graph.inputs, given, strict=False)):
            self.names[node] = self._input_name(index, name)

    def _input_name(self, index: int, name: str | None) -> str:
        """The input's name as an identifier, self_x for `self.x`; input0 if there is none."""
        found = "".join(c if c.isalnum() else "_" for c in name or "")
        taken = found in self.names.values() or found in ("np", "outputs")
        usable = found.isidentifier() and not keyword.iskeyword(found)
        return found if usable and not taken else f"input{index}"

    def text(self) -> str:
        lines = [self._line(node) for node in self.graph.nodes]
        if self.graph.effect is not None:
            lines.append(self._line(self.graph.effect))
        if self.graph.outputs:
            lines.append("outputs = " + self._outputs())
        return "\n".join([*self._import_lines(), *lines]) + "\n"

    def _import_lines(self) -> list[str]:
        return ["import numpy as np"] + [f"import {name}" for name in self.imports]

    def _outputs(self) -> str:
        return ", ".join(self.write(value) for value in self.graph.outputs) + ","

    def _line(self, node: Node) -> str:
        text = source.expression(node, self.write, self.function)
        if node.op.style == "inplace" and node.op.target in source.INPLACE:
            self.names[node] = self.write(node.args[0])
        elif node.op.style != "setitem":
            name = self.names[node] = self._new_name()
            text = f"{name} = {text}"
        file = node.origin.filename.replace("\n", " ").rpartition("/")[2]
        return f"{text}  # {file}:{node.origin.lineno}"

    def _new_name(self) -> str:
        taken = set(self.names.values())
        while f"t{self.count}" in taken:
            self.count += 1
        return f"t{self.count}"

    def write(self, value: Any) -> str:
        """The source of an operand, as an atom (see `graph.source`)."""
        if isinstance(value, Node):
            return self.names[value]
        text = source.literal(value) or source.container(value, self.write)
        return text if text is not None else self._object(value)

    def _object(self, value: Any) -> str:
        """The source of a constant that has no literal: its constructor or name, else its repr."""
        if isinstance(value, (int, float, complex)) and not isinstance(value, np.generic):
            return _number(value)
        if isinstance(value, np.dtype):
            return f"np.dtype({value.str!r})"
        if isinstance(value, np.generic):
            return f"np.{type(value).__name__}({_number(value.item())})"
        if isinstance(value, np.ndarray):
            return f"np.array({value.tolist()!r}, {value.dtype.str!r})"
        if hasattr(value, "__qualname__"):
            return self._dotted(value.__module__ or "", value.__qualname__)
        return _NAMED.get(id(value)) or repr(value)

    def function(self, op: Op) -> str:
        """The dotted name that a reader would write for the operation's function."""
        module, _, name = op.name.rpartition(".")
        return self._dotted(module, name)

    def _dotted(self, module: str, name: str) -> str:
        if module in ("", "builtins"):
            return name
        if module == "np" or module == "numpy" or module.startswith(("np.", "numpy.")):
            return (
                "np" + module[module.index(".") :] + "." + name if "." in module else "np." + name
            )
        if module in sys.modules:
            self.imports[module] = None
        return f"{module}.{name}"


DECIMAL_BITS = 2000  # longer integers may exceed sys.get_int_max_str_digits(), at least 640 digits
_NAMED = MappingProxyType(
    {
        id(getattr(np, name)): f"np.{name}"
        for name in ("_NoValue", "r_", "c_", "mgrid", "ogrid", "s_", "index_exp")
    }
)


def _number(value: Any) -> str:
    """The source of a number, as an atom; an infinity or NaN is a call of its type."""
    if isinstance(value, int) and value.bit_length() > DECIMAL_BITS:
        return f"({value:#x})"
    finite = value == value and abs(value) != float("inf")
    return f"({value!r})" if finite else f"{type(value).__name__}('{value}')"
