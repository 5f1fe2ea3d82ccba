"""Dump: a program and its last plans as text for people; the Python side of `_native/vm/dump.c`.

A line of a program says what is computed, from which registers, and how: by a NumPy loop that the
machine runs itself (elementwise, reduction), by a view, or by a Python call between segments. A
line of a plan says which registers one group computes, and in which tiles. Invariant: a dump
changes nothing and runs none of the user's code. Read `exec.lower.description` for the form of a
program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from dyntrace.debugging import tell, wanted
from dyntrace.exec.lower.choice import lowered
from dyntrace.exec.lower.description import (
    CallStep,
    CommitStep,
    ConstantTemplate,
    DictTemplate,
    JoinStep,
    ListTemplate,
    LoweredProgram,
    ProgramStep,
    PythonCall,
    RegisterTemplate,
    SegmentStep,
    SliceTemplate,
    SubmitStep,
    Template,
    TupleTemplate,
)
from dyntrace.exec.lower.instruction_table import INSTRUCTIONS
from dyntrace.graph.node import Graph

__all__ = ["listing", "logged", "plan_listing"]

TWIN_ONLY = "the machine has nothing to do: each node is a call of NumPy\n"
_HOW: Mapping[int | None, str] = MappingProxyType(
    {row.code: row.words for row in INSTRUCTIONS.values()}
)
WIDEST = 60  # characters of a constant


def listing(graph: Graph, names: Sequence[str | None] = ()) -> str:
    """The program of a graph: registers, segments with their instructions, calls, outputs.

    `names` are the user's names of the graph's inputs; None for an input without a name.
    """
    spec = lowered(graph)
    if spec is None:
        return TWIN_ONLY
    lines = [*_register_lines(spec, names)]
    for step, dropped in zip(spec.steps, spec.drops, strict=True):
        lines += _LINES[type(step)](step)
        if dropped:
            lines.append(f"drop {_registers(dropped)}")
    outputs = "none" if spec.outputs is None else _argument(spec.outputs)
    return "\n".join([*lines, f"outputs {outputs}"]) + "\n"


def _register_lines(spec: LoweredProgram, names: Sequence[str | None]) -> Iterator[str]:
    for number, register in enumerate(spec.registers[: spec.input_count]):
        name = names[number] if number < len(names) else None
        dtype, ndim = register.dtype, register.ndim
        what = "object" if dtype is None else f"{dtype}, {ndim} axes" if ndim >= 0 else str(dtype)
        yield f"r{number} input {name or number}: {what}"
    for number, constant in enumerate(spec.constants, spec.input_count):
        yield f"r{number} constant {_short(constant)}"


def _segment_lines(step: SegmentStep) -> Iterator[str]:
    effect = "" if step.target is None else f"; writes r{step.target}"
    yield f"segment: reads {_registers(step.inputs)}; keeps {_registers(step.exports)}{effect}"
    for node in step.nodes:
        call = _call(node.call)
        for instruction in node.instructions:
            made = f"{_registers(instruction.outputs[:1])} = " if instruction.outputs else ""
            how = f"{_HOW[instruction.code]} of {_registers(instruction.inputs)}"
            yield f"    {made}{call}  # {how}"


def _commit_lines(step: CommitStep) -> Iterator[str]:
    yield f"commit: r{step.reg} = write of r{step.source} into r{step.target}"


_LINES: Mapping[type[ProgramStep], Callable[[Any], Iterable[str]]] = MappingProxyType(
    {
        SegmentStep: _segment_lines,
        CallStep: lambda step: [f"call: r{step.call.reg} = {_call(step.call)}"],
        SubmitStep: lambda step: [f"submit: r{step.call.reg} = {_call(step.call)}"],
        JoinStep: lambda step: [f"join: r{step.reg}"],
        CommitStep: _commit_lines,
    }
)


def _call(call: PythonCall) -> str:
    written = [_argument(value) for value in call.arguments]
    if call.keywords:
        first = len(written) - len(call.keywords)
        named = zip(call.keywords, written[first:], strict=True)
        written = [*written[:first], *(f"{name}={value}" for name, value in named)]
    return f"{_name(call.target)}({', '.join(written)})"


def _name(function: Any) -> str:
    if isinstance(function, partial):  # an operator that may reuse a temporary
        inner = next((arg for arg in function.args if callable(arg)), function.func)
        return _name(inner)
    return str(getattr(function, "__name__", type(function).__name__))


def _argument(template: Any) -> str:
    return _WRITTEN[type(template)](template)


def _items(template: Any) -> str:
    return ", ".join(map(_argument, template.items))


def _dict(template: DictTemplate) -> str:
    items = zip(template.keys, template.items, strict=True)
    return ", ".join(f"{key!r}: {_argument(item)}" for key, item in items)


_WRITTEN: Mapping[type[Template], Callable[[Any], str]] = MappingProxyType(
    {
        RegisterTemplate: lambda template: f"r{template.reg}",
        ConstantTemplate: lambda template: _short(template.value),
        TupleTemplate: lambda template: f"({_items(template)}{',' * (len(template.items) == 1)})",
        ListTemplate: lambda template: f"[{_items(template)}]",
        DictTemplate: lambda template: f"{{{_dict(template)}}}",
        SliceTemplate: lambda template: f"slice({_items(template)})",
    }
)


def _short(value: Any) -> str:
    text = repr(value) if type(value) in (int, float, complex, bool, str, slice, type(None)) else ""
    text = text or getattr(value, "__name__", None) or f"<{type(value).__name__}>"
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _registers(numbers: Iterable[int]) -> str:
    return ", ".join(f"r{number}" for number in numbers) or "nothing"


# Plans --------------------------------------------------------------------------------------------


def plan_listing(program: Any) -> str:
    """The last plan of each segment of a program; '' for a callable that has no plans.

    A plan belongs to the shapes of one call. Times are estimates in microseconds.
    """
    plans = program.plans() if hasattr(program, "plans") else []
    lines = [line for number, plan in enumerate(plans) for line in _plan_lines(number, plan)]
    return "".join(f"{line}\n" for line in lines)


def _plan_lines(number: int, plan: dict[str, Any] | None) -> Iterator[str]:
    if plan is None:
        yield f"segment {number}: not planned yet"
    elif not plan:
        yield f"segment {number}: views, which need no plan"
    elif not plan["planned"]:
        yield f"segment {number}: this layout is left to NumPy, node by node"
    else:
        threads = "one thread" if plan["threads"] == 1 else f"up to {plan['threads']} threads"
        yield f"segment {number}: {plan['cost'] / 1e3:.1f} us, {threads}"
        yield from (f"    {_group_line(group)}" for group in plan["groups"])


def _group_line(group: dict[str, Any]) -> str:
    tiles = "1 tile" if group["tiles"] == 1 else f"{group['tiles']} tiles"
    parts = [
        f"{group['mode']}: {_registers(group['makes'])}",
        f"{group['size']} elements in {tiles} of {group['tile_lines']} x {group['piece']}",
        f"{group['buffers']} buffers, {group['scratch']} bytes",
        *(["results pass the caches by"] if group["streams"] else []),
    ]
    return "; ".join(parts)


# Debugging ----------------------------------------------------------------------------------------


def logged(graph: Graph, program: Any) -> Callable[..., Any]:
    """`program`, which now logs its listing when it first runs, and each plan that is made."""
    origin = next((node.origin for node in graph.nodes), None)
    line = (origin.filename, origin.lineno) if origin is not None else ("", 0)

    def run(*values: Any) -> Any:
        first, plans = program.runs + program.twin_runs == 0, program.plans_made
        try:
            return program(*values)
        finally:
            if first and wanted("program"):
                tell("program", *line, f"program\n{listing(graph)}")
            if program.plans_made > plans and wanted("plan"):
                tell("plan", *line, f"plans\n{plan_listing(program)}")

    run.quiet, run.plans = True, program.plans  # type: ignore[attr-defined]
    return run
