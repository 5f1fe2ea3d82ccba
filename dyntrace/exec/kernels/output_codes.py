"""Which outputs of a loop are objects that there are already: of an input, of another output.

Two names of one number stay two names of one object: `best = item` makes none. Invariant: what is
said holds for every way in which an iteration ends, so it holds after any number of them. Read
`loop_text` for the outputs, `_native/ahead/loop_values.h` for the codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dyntrace.exec.kernels.held import output_code
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.loop_graph import Again, LoopGraph
from dyntrace.graph.node import Node

__all__ = ["has_words", "output_codes"]


def output_codes(loop: LoopGraph, ends: Sequence[Again]) -> tuple[str, ...]:
    """The codes of the outputs; `ends` are all ends of iterations."""
    found: dict[tuple[Any, ...], int] = {}
    codes = []
    for number, carried in enumerate(loop.carried):
        values = tuple(end.values[number] for end in ends)
        if isinstance(carried.kind, ArrayKind) or not all(map(_is_number, values)):
            codes.append(output_code(carried.kind))
        elif len(set(values)) == 1 and values[0] in loop.inputs:
            codes.append(f"@{loop.inputs.index(values[0])}")
        elif values in found:
            codes.append(f"={found[values]}")
        else:
            found[values] = number
            codes.append(output_code(carried.kind))
    return tuple(codes)


def has_words(code: str) -> bool:
    """Whether machine code writes the output, not only the caller."""
    return code[0] not in "@="


def _is_number(value: Any) -> bool:
    return isinstance(value, Node) and isinstance(value.kind, (PythonScalarKind, NumpyScalarKind))
