"""Listing: a program, and the plans that it ran by, as text for people.

A program's line says what is computed, from which registers, and how: by a loop of NumPy's that the
machine runs itself (elementwise, reduction), by a view, or by a call of Python between segments. A
plan's line says which registers one group makes, and in which tiles. Invariant: listing changes
nothing and runs no code of the user's. Read `exec.lower.lowering` for the form of a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from dyntrace.debugging import tell, wanted
from dyntrace.exec.backends.machine import lowered
from dyntrace.exec.lower.instruction_table import INSTRUCTIONS
from dyntrace.exec.lower.templates import CONSTANT, DICT, LIST, REGISTER, SLICE
from dyntrace.graph.node import Graph

__all__ = ["listing", "plan_listing", "told"]

TWIN_ONLY = "the machine has nothing to do: each node is a call of NumPy\n"
_HOW = {row.code: row.words for row in INSTRUCTIONS.values()}
WIDEST = 60  # characters of a constant


def listing(graph: Graph, names: Sequence[str | None] = ()) -> str:
    """The program of a graph: registers, segments with their instructions, calls, outputs.

    `names` are the user's names of the graph's inputs, None where there is none.
    """
    spec = lowered(graph)
    if spec is None:
        return TWIN_ONLY
    inputs, registers, constants, steps, drops, outputs = spec
    lines = [*_register_lines(inputs, registers, constants, names)]
    for step, dropped in zip(steps, drops, strict=True):
        lines += _segment_lines(step) if step[0] == "segment" else [_call_line(step)]
        if dropped:
            lines.append(f"drop {_registers(dropped)}")
    return "\n".join([*lines, f"outputs {_argument(outputs) if outputs else 'none'}"]) + "\n"


def _register_lines(
    inputs: int, registers: Sequence[Any], constants: Sequence[Any], names: Sequence[str | None]
) -> Iterator[str]:
    for number, (dtype, ndim) in enumerate(registers):
        what = "object" if dtype is None else f"{dtype}, {ndim} axes" if ndim >= 0 else str(dtype)
        if number < inputs:
            name = names[number] if number < len(names) else None
            yield f"r{number} input {name or number}: {what}"
        elif number < inputs + len(constants):
            yield f"r{number} constant {_short(constants[number - inputs])}"
        else:
            return


def _segment_lines(step: tuple[Any, ...]) -> Iterator[str]:
    _, reads, exports, _, instructions, _, target, nodes = step
    effect = "" if target is None else f"; writes r{target}"
    yield f"segment: reads {_registers(reads)}; keeps {_registers(exports)}{effect}"
    for code, ins, outs, _, node in instructions:
        _, function, arguments, keywords, _ = nodes[node]
        made = f"{_registers(outs[:1])} = " if outs else ""
        call = _call(function, arguments, keywords)
        yield f"    {made}{call}  # {_HOW[code]} of {_registers(ins)}"


def _call_line(step: tuple[Any, ...]) -> str:
    how, reg, function, arguments, keywords, _ = step
    made = f"r{reg} = " if reg >= 0 else ""
    return f"{how}: {made}{_call(function, arguments, keywords)}"


def _call(function: Any, arguments: Sequence[Any], keywords: Sequence[str] | None) -> str:
    written = [_argument(value) for value in arguments]
    if keywords:
        first = len(written) - len(keywords)
        named = zip(keywords, written[first:], strict=True)
        written = [*written[:first], *(f"{name}={value}" for name, value in named)]
    return f"{_name(function)}({', '.join(written)})"


def _name(function: Any) -> str:
    if isinstance(function, partial):  # an operator whose temporary NumPy takes for the result
        inner = next((arg for arg in function.args if callable(arg)), function.func)
        return _name(inner)
    return str(getattr(function, "__name__", type(function).__name__))


def _argument(template: Any) -> str:
    if not isinstance(template, tuple):
        return _short(template)
    code, content, *rest = template
    if code == REGISTER:
        return f"r{content}"
    if code == CONSTANT:
        return _short(content)
    parts = [_argument(part) for part in content]
    if code == SLICE:
        return f"slice({', '.join(parts)})"
    if code == DICT:
        keys = rest[-1] or ()
        return f"{{{', '.join(f'{k!r}: {v}' for k, v in zip(keys, parts, strict=False))}}}"
    if code == LIST:
        return f"[{', '.join(parts)}]"
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _short(value: Any) -> str:
    text = repr(value) if type(value) in (int, float, complex, bool, str, slice, type(None)) else ""
    text = text or getattr(value, "__name__", None) or f"<{type(value).__name__}>"
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _registers(numbers: Iterable[int]) -> str:
    return ", ".join(f"r{number}" for number in numbers) or "nothing"


# Plans --------------------------------------------------------------------------------------------


def plan_listing(program: Any) -> str:
    """The plan that each segment of a program has made last; '' for what has no plans.

    A plan belongs to the shapes of one call. Times are estimates in microseconds.
    """
    plans = program.plans() if hasattr(program, "plans") else []
    lines = [line for place, plan in enumerate(plans) for line in _plan_lines(place, plan)]
    return "".join(f"{line}\n" for line in lines)


def _plan_lines(place: int, plan: dict[str, Any] | None) -> Iterator[str]:
    if plan is None:
        yield f"segment {place}: not planned yet"
    elif not plan:
        yield f"segment {place}: views, which need no plan"
    elif not plan["planned"]:
        yield f"segment {place}: this layout is left to NumPy, node by node"
    else:
        threads = "one thread" if plan["threads"] == 1 else f"up to {plan['threads']} threads"
        yield f"segment {place}: {plan['cost'] / 1e3:.1f} us, {threads}"
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


def told(graph: Graph, program: Any) -> Callable[..., Any]:
    """`program`, telling its listing when it first runs, and each plan that is made."""
    origin = next((node.origin for node in graph.nodes), None)
    place = (origin.filename, origin.lineno) if origin is not None else ("", 0)

    def run(*values: Any) -> Any:
        first, plans = program.runs + program.twin_runs == 0, program.plans_made
        try:
            return program(*values)
        finally:
            if first and wanted("program"):
                tell("program", *place, f"program\n{listing(graph)}")
            if program.plans_made > plans and wanted("plan"):
                tell("plan", *place, f"plans\n{plan_listing(program)}")

    run.quiet, run.plans = True, program.plans  # type: ignore[attr-defined]
    return run
