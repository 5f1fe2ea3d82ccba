"""The text of a graph's function, for the `numpy` backend.

Invariant: the function makes one call per node, in program order. A value that only the stack held
in the user's program is only on the stack here (nested, or moved out of its local). A value that
had a name has a local here. So NumPy reuses temporaries where it does in eager code. A local is
deleted after its last use. `exec.jobs.parallel` decides which nodes start early on another thread;
`exec.effects.writes` prepares the trailing write. Read `exec.backends.uses` next.
"""

from __future__ import annotations

from functools import partial
from types import CodeType, MappingProxyType
from typing import Any

import numpy as np

from dyntrace.errors import InternalError
from dyntrace.exec import elision
from dyntrace.exec.backends.uses import Uses
from dyntrace.exec.checks import check, quick_test
from dyntrace.exec.effects import writes
from dyntrace.exec.jobs import parallel, threads
from dyntrace.exec.results import returns_bare_value
from dyntrace.graph import source
from dyntrace.graph.node import Graph, Node, Op
from dyntrace.graph.ownership import nodes_in, operands
from dyntrace.record import field, record

__all__ = ["generated_code"]

_MAX_NESTING = 20
_WRITING_STYLES = ("inplace", "setitem")
_GLOBALS = MappingProxyType(
    {
        "ndarray": np.ndarray,
        "check": check,
        "submit": threads.submit,
        "drain": threads.drain,
        "Job": threads.Job,
    }
)


def generated_code(graph: Graph, namespace: dict[str, Any]) -> CodeType:
    """The code of a function that runs `graph`; adds the globals it needs to `namespace`."""
    namespace.update(_GLOBALS)
    compiler = _Compiler(graph, namespace)
    module = compile(compiler.text(), compiler.filename(), "exec")
    (code,) = (constant for constant in module.co_consts if isinstance(constant, CodeType))
    return code


@record()
class _Expression:
    """A node's source, how deep it nests, and the locals that are dead after it."""

    node: Node
    text: str = ""
    depth: int = 1
    dying: list[str] = field(default_factory=list)


class _Compiler:
    """One compilation: the lines so far, and the names of values in them.

    `pending` holds the expressions of values that stay on the stack, oldest first. A node whose
    operands are the newest of them, in order, nests them in its own expression.
    """

    def __init__(self, graph: Graph, namespace: dict[str, Any]) -> None:
        self.graph = graph
        self.globals = namespace
        self.uses = Uses(graph)
        self.joins = parallel.joins(graph.nodes)
        self.lines: list[str] = []
        self.names: dict[Node, str] = {}
        self.bound: dict[int, str] = {}
        self.pending: list[_Expression] = []
        self.built: dict[int, str] = {}

    def text(self) -> str:
        """The text of the function `region`."""
        for index, node in enumerate(self.graph.inputs):
            self.names[node] = f"i{index}"
        parameters = ", ".join(self.names.values())
        for index, node in enumerate(self.graph.nodes):
            self._join(index)
            self._node(node)
        self._flush()
        self._join(len(self.graph.nodes))
        self._return()
        body = self._guarded(self.lines) if self.joins else self.lines
        return f"def region({parameters}):\n    " + "\n    ".join(body) + "\n"

    def filename(self) -> str:
        """The file name that tracebacks show: the region's first line in the user's code."""
        first = self.graph.nodes[0] if self.graph.nodes else self.graph.effect
        if first is None:
            return "<dyntrace region>"
        origin = first.origin
        return f"<dyntrace region {origin.filename}:{origin.lineno}>"

    def _guarded(self, lines: list[str]) -> list[str]:
        """`lines` in a `try` that drains the jobs, so none reads the caller's arrays afterwards."""
        inner = ["    " + line for line in lines]
        return ["jobs = []", "try:", *inner, "finally:", "    drain(jobs)"]

    # -- nodes ---------------------------------------------------------------------------------

    def _node(self, node: Node) -> None:
        if node in self.joins:
            self._flush()  # a job's operands need names
        nested = self._nested_operands(node)
        found = _Expression(node, depth=1 + max((inner.depth for inner in nested), default=0))
        for inner in nested:
            found.dying += inner.dying
        stays = self._stays_on_stack(node, found.depth)
        if not stays:
            self._flush()
        found.text = self._source(found, {inner.node: f"({inner.text})" for inner in nested})
        if stays:
            self.pending.append(found)
        elif node in self.joins:
            self._begin(found)
        else:
            self._statement(found)

    def _source(self, found: _Expression, texts: dict[Node, str]) -> str:
        node = found.node
        write = self._writer(found, texts)
        temporaries = elision.reusable_operands(node)
        if any(node.args[index] in self.uses.inputs for index in temporaries):
            call = partial(elision.without_reuse, temporaries, node.op.target)
            return f"{self._bind(call)}({source.arguments(node, write)})"
        if node in self.joins or _is_replaced(node.op):
            return f"{self._function(node.op)}({source.arguments(node, write)})"
        return source.expression(node, write, self._function)

    def _nested_operands(self, node: Node) -> list[_Expression]:
        """Pop the pending expressions that `node` uses, if they are the newest, in order."""
        if not self.pending:
            return []
        waiting = {pending.node for pending in self.pending}
        used = [operand for operand in operands(node) if operand in waiting]
        first = len(self.pending) - len(used)
        if [pending.node for pending in self.pending[first:]] != used:
            self._flush()
            return []
        tail = self.pending[first:]
        del self.pending[first:]
        return tail

    def _stays_on_stack(self, node: Node, depth: int) -> bool:
        return (
            node in self.uses.stack_only
            and node.op.exact
            and depth < _MAX_NESTING
            and node.op.style not in _WRITING_STYLES
            and node not in self.joins
        )

    def _writer(self, found: _Expression, texts: dict[Node, str]) -> source.Write:
        node = found.node
        moved = set() if node in self.joins else self.uses.moved_operands(node)

        def write(value: Any) -> str:
            if not isinstance(value, Node):
                return self._constant(value, write)
            if value in texts:
                return texts[value]
            name = self.names[value]
            if self.uses.count_use(value) and value not in moved:
                found.dying.append(name)
            return f"({name}, {name} := None)[0]" if value in moved else name

        return write

    def _flush(self) -> None:
        """Give every pending expression a local, in program order."""
        pending, self.pending = self.pending, []
        for found in pending:
            self._statement(found)

    def _statement(self, found: _Expression) -> None:
        node, text = found.node, found.text
        needed = self.uses.is_needed(node) or not node.op.exact
        if node.op.style == "setitem" or not needed:
            self.lines.append(text)
        else:
            name = self.names[node] = f"t{len(self.names)}"
            self.lines.append(_assignment(node, name, text))
            self._check(node, name)
        self._delete(found.dying)

    def _check(self, node: Node, name: str) -> None:
        if node.op.exact:
            return
        test = quick_test(name, node.kind, self._bind)
        if test is not None:
            self.lines.append(f"if {test}: check({name}, {self._bind(node.kind)})")
        if not self.uses.is_needed(node):
            self._delete([name])

    def _delete(self, names: list[str]) -> None:
        if names:
            self.lines.append("del " + ", ".join(names))

    def _begin(self, found: _Expression) -> None:
        """Start a heavy node on another thread if its operand is large at run time."""
        node, text = found.node, found.text
        name = self.names[node] = f"t{len(self.names)}"
        early = "submit(jobs, " + text.replace("(", ", ", 1)
        operand = parallel.first_array(node)
        assert operand is not None
        size = f"{self.names[operand]}.nbytes"
        self.lines.append(f"{name} = {early} if {size} >= {threads.LARGE} else {text}")
        self._delete(found.dying)

    def _join(self, index: int) -> None:
        """Wait for the jobs whose results node `index` needs."""
        for node, end in self.joins.items():
            if end == index:
                name = self.names[node]
                self.lines.append(f"if type({name}) is Job: {name} = {name}.wait()")
                self._check(node, name)

    # -- constants and functions ---------------------------------------------------------------

    def _bind(self, value: Any) -> str:
        """A global name of the generated function for an object."""
        name = self.bound.get(id(value))
        if name is None:
            name = self.bound[id(value)] = f"k{len(self.bound)}"
            self.globals[name] = value
        return name

    def _constant(self, value: Any, write: source.Write) -> str:
        text = source.literal(value)
        if text is not None:
            return text
        if type(value) in (list, dict) or any(True for _ in nodes_in(value)):
            text = source.container(value, write)
        return text if text is not None else self._bind(value)

    def _function(self, op: Op) -> str:
        return self._bind(parallel.target_of(op))

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
        prepare = self._bind(writes.preparer(effect))
        write = self._writer(_Expression(effect), {})
        self.lines.append(f"commit = {prepare}({source.arguments(effect, write)})")
        value = writes.value_of(effect)
        self.names[effect] = self.names[value] if isinstance(value, Node) else self._bind(value)
        return ["commit"]

    def _output(self, value: Any) -> str:
        """The text of an output; a container that occurs twice is built once."""
        if isinstance(value, Node):
            return self.names[value]
        if type(value) not in (tuple, list, dict, slice):
            return self._bind(value)  # a literal would be another object
        name = self.built.get(id(value))
        if name is None:
            name = f"b{len(self.built)}"
            self.built[id(value)] = ""
            text = self._constant(value, self._output)
            self.built[id(value)] = name
            self.lines.append(f"{name} = {text}")
        if not name:
            raise InternalError("an output contains itself")
        return name


def _is_replaced(op: Op) -> bool:
    """Whether a method's target is a clone of the method."""
    if op.style != "method":
        return False
    return getattr(np.ndarray, source.last_name(op), None) is not op.target


def _assignment(node: Node, name: str, text: str) -> str:
    if node.op.style == "inplace" and node.op.target in source.INPLACE:
        target, _, rest = text.partition(" ")
        return f"{name} = {target}; {name} {rest}"
    return f"{name} = {text}"
