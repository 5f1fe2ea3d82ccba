"""Phis: the parameters of a loop's blocks as LLVM's phi instructions.

Invariant: a parameter has as many phi instructions as its kind has names, in the same order. Read
`held` for what those are, `loop_text` for the blocks.
"""

from __future__ import annotations

from dyntrace.exec.kernels.emission import Held
from dyntrace.exec.kernels.held import ArrayParts, NoRule, scalar_types
from dyntrace.exec.kernels.writer import Writer
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind

__all__ = ["names_of", "phi_lines", "phi_names", "types_of"]


def types_of(kind: Kind) -> list[str]:
    """The LLVM types of the names that hold a value of this kind."""
    if isinstance(kind, ArrayKind):
        scalar_types(NumpyScalarKind(kind.dtype))
        return ["ptr", "i1", *["i64"] * (2 * kind.ndim), "i64"]
    return list(scalar_types(kind))


def names_of(held: Held) -> list[str]:
    """The names of all parts of what is held; NoRule for what cannot be handed on."""
    if isinstance(held, ArrayParts):
        return [held.pointer, held.writeable, *held.dims, *held.strides, held.number]
    if not isinstance(held, tuple):
        raise NoRule("an array that an iteration makes")
    return list(held)


def phi_names(kind: Kind, writer: Writer) -> Held:
    """New names for a parameter of a block, held as a value of its kind is."""
    names = [f"%{writer.fresh('p')}" for _ in types_of(kind)]
    if isinstance(kind, ArrayKind):
        dims, strides = names[2 : 2 + kind.ndim], names[2 + kind.ndim : -1]
        return ArrayParts(names[0], names[1], tuple(dims), tuple(strides), names[-1])
    return tuple(names)


def phi_lines(names: list[str], types: list[str], edges: list[tuple[str, list[str]]]) -> list[str]:
    """The phi instructions of parameters; `edges` are predecessors with the values passed."""
    return [
        f"{name} = phi {held} " + ", ".join(f"[{values[k]}, %{label}]" for label, values in edges)
        for k, (name, held) in enumerate(zip(names, types, strict=True))
    ]
