"""Lowering of a whole graph: instructions for the nodes that have a rule, calls for all others.

A rule is a function of a lowering and a node. It emits instructions and returns True, or emits
nothing and returns False. `RULES` finds it by the operation's name; its parts are in
`exec.lower.lower_*`. Invariant: the instructions of a rule give what the node's own call gives, bit
for bit and in the same layout, or decline at run time. Read `exec.lower.lower_elementwise` next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.exec import elision
from dyntrace.exec.jobs import parallel, threads
from dyntrace.exec.lower import templates
from dyntrace.exec.lower.description import (
    JoinStep,
    LoweredProgram,
    RegisterTemplate,
    SegmentStep,
    SubmitStep,
    Template,
    TupleTemplate,
)
from dyntrace.exec.lower.lower_elementwise import ELEMENTWISE_RULES, lower_ufunc
from dyntrace.exec.lower.lower_reductions import REDUCTION_RULES
from dyntrace.exec.lower.lower_views import VIEW_RULES
from dyntrace.exec.lower.lowering import Lowering, NotLowered, Outputs
from dyntrace.exec.results import returns_bare_value
from dyntrace.graph.kinds import (
    ArrayKind,
    Kind,
    NumpyScalarKind,
    ObjectKind,
    PythonScalarKind,
)
from dyntrace.graph.node import Graph, Node
from dyntrace.graph.ownership import written

Rule = Callable[[Lowering, Node], bool]
RULES: Mapping[str, Rule] = MappingProxyType({**ELEMENTWISE_RULES, **VIEW_RULES, **REDUCTION_RULES})


def lowered(graph: Graph) -> LoweredProgram | None:
    """The description of the graph's program; None if the machine would have nothing to do."""
    try:
        lowering = Lowering(graph)
        outputs = lower(lowering)
        spec = lowering.finished(outputs)
    except NotLowered:
        return None
    return spec if any(isinstance(step, SegmentStep) for step in spec.steps) else None


def lower(lowering: Lowering) -> Outputs:
    """Lower every node, the effect and the outputs; return the template of the outputs."""
    nodes = lowering.graph.nodes
    joins = parallel.joins(nodes)
    for index, node in enumerate(nodes):
        _join(lowering, joins, index)
        if node in joins:
            _submit(lowering, node)
        elif not _emit(lowering, node):
            lower_call(lowering, node)
    _join(lowering, joins, len(nodes))
    return _outputs(lowering)


def _emit(lowering: Lowering, node: Node) -> bool:
    """Emit the node's instructions, with the call that they stand for; False if it has none."""
    if not lowering.is_within_limits(node):
        return False
    rule = _rule_of(node)
    if rule is None:
        return False
    call = lowering.begin(call_target(lowering, node), node.args, node.kwargs, result_test(node))
    if not rule(lowering, node):
        return False
    call.reg = lowering.register_of[node]
    return True


def _rule_of(node: Node) -> Rule | None:
    """The node's rule, if it has one. Rules of writes are imported when a node first writes."""
    if written(node):
        from dyntrace.exec.lower.lower_effects import lower_inplace

        return lower_inplace
    rule = RULES.get(node.op.name)
    return lower_ufunc if rule is None and isinstance(node.op.target, np.ufunc) else rule


def call_target(lowering: Lowering, node: Node) -> Any:
    """The function that the node's call calls; it gives the layout that eager's elision gives."""
    target: Any = parallel.target_of(node.op)
    temporaries = elision.reusable_operands(node)
    if not temporaries:
        return target
    if any(node.args[index] in lowering.inputs for index in temporaries):
        return partial(elision.without_reuse, temporaries, target)
    return partial(_elided, temporaries, target)


def result_test(node: Node) -> Any:
    """The test of the call's result; None if its kind is certain."""
    return None if node.op.exact else kind_test(node.kind)


def lower_call(lowering: Lowering, node: Node) -> None:
    """Emit a Python call for the node."""
    target = call_target(lowering, node)
    reg = lowering.declare(node)
    ordered = bool(written(node)) or _is_array(node)
    lowering.call(reg, target, node.args, node.kwargs, result_test(node), ordered=ordered)


def _is_array(node: Node) -> bool:
    return isinstance(node.kind, ArrayKind) and node.kind.ndim > 0


def _elided(temporaries: tuple[int, ...], target: Any, left: Any, right: Any) -> Any:
    return elision.binary(target, left, right, temporaries)


def kind_test(kind: Kind) -> Any:
    """The test of a call's result for `_native/vm/calls.c`; None for an array, which C tests."""
    if isinstance(kind, ArrayKind):
        return None
    if isinstance(kind, NumpyScalarKind):
        return kind.dtype.type
    if isinstance(kind, (PythonScalarKind, ObjectKind)):
        return kind.type
    return (kind,)


# Heavy calls beside each other --------------------------------------------------------------------
def _submit(lowering: Lowering, node: Node) -> None:
    reg = lowering.declare(node)
    array = parallel.first_array(node)
    assert array is not None
    source = lowering.register_of[array]
    lowering.as_object(source)
    lowering.close()
    call = lowering.python_call(reg, parallel.target_of(node.op), node.args, node.kwargs)
    lowering.steps.append(SubmitStep(call, source, threads.LARGE))


def _join(lowering: Lowering, joins: dict[Node, int], index: int) -> None:
    """Join the calls whose results node `index` needs."""
    for node, end in joins.items():
        if end == index:
            reg = lowering.register_of[node]
            lowering.close()
            lowering.steps.append(JoinStep(reg, kind_test(node.kind)))


# The end ------------------------------------------------------------------------------------------
def _outputs(lowering: Lowering) -> Outputs:
    """The template of the outputs: a bare value or a tuple; None if there is only an effect."""
    graph = lowering.graph
    if returns_bare_value(graph):
        reg = lowering.register_of[graph.outputs[0]]
        lowering.as_object(reg)
        return RegisterTemplate(reg)
    commit: list[Template] = []
    if graph.effect is not None:
        from dyntrace.exec.lower.lower_effects import lower_effect, prepare_commit

        if not graph.outputs and lower_effect(lowering, graph.effect):
            return None
        commit = [prepare_commit(lowering, graph.effect)]
    for reg in templates.registers(lowering, graph.outputs):
        lowering.as_object(reg)
    numbers: dict[int, int] = {}
    items = tuple(templates.template(lowering, value, numbers) for value in graph.outputs)
    return TupleTemplate((*items, *commit), None)
