"""Rules for comparisons, truth values, and the choices of `min` and `max`.

Invariant: a comparison of an integer with a float is exact, as CPython's is; integers that a
float64 does not hold leave the iteration. No comparison raises a flag for a quiet NaN, as NumPy's
do not. Read `arithmetic` for what the rules share.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.exec.kernels.arithmetic import (
    EXACT,
    Names,
    cast,
    family,
    is_python,
    line_of,
    refuse_arrays,
    to_float,
)
from dyntrace.exec.kernels.emission import Emission, Modulus, rule
from dyntrace.exec.kernels.held import NoRule, dtype_of, kind_of, scalar_types
from dyntrace.exec.kernels.writer import float_literal
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Node

_SIGNED: Mapping[str, str] = MappingProxyType(
    {"lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge", "eq": "eq", "ne": "ne"}
)
_TURNED: Mapping[str, str] = MappingProxyType(
    {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
)
_ORDERED: Mapping[str, str] = MappingProxyType(
    {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
)


@rule(*(f"operator.{name}" for name in _SIGNED))
def comparison(emission: Emission, node: Node) -> Names:
    refuse_arrays(node)
    name = node.op.name.removeprefix("operator.")
    quick = _compare_modulus(emission, node, name)
    if quick is not None:
        return (quick,)
    families = {family(kind_of(arg)) for arg in node.args}
    writer, lineno = emission.writer, line_of(node)
    if families <= {"b", "i", "u"}:
        left, right = (emission.integer(arg, kind_of(arg), lineno) for arg in node.args)
        return (writer.op(f"icmp {_SIGNED[name]} i64 {left}, {right}"),)
    if "c" in families:
        return (_compare_complex(emission, node, name),)
    kinds = [kind_of(arg) for arg in node.args]
    if all(scalar_types(kind) == ("float",) or _is_python_number(kind) for kind in kinds):
        if not all(map(is_python, kinds)):
            target = NumpyScalarKind(np.dtype("f"))
            pair = [to_float(emission, arg, "float", node) for arg in node.args]
            return (writer.compare(_ORDERED[name], scalar_types(target)[0], *pair),)
    for arg, kind in zip(node.args, kinds, strict=True):
        if family(kind) in "iu" and dtype_of(kind).itemsize == 8:
            _check_exact(emission, arg, lineno)
    pair = [emission.as_double(arg, lineno) for arg in node.args]
    return (writer.compare(_ORDERED[name], "double", *pair),)


def _compare_modulus(emission: Emission, node: Node, name: str) -> str | None:
    """`abs(z) < c` for a constant c: by squares, unless they are too close to tell.

    The square of the modulus is computed to within 1e-15 of itself, and hypot to within an ulp.
    """
    left, right = node.args
    if type(right) not in (int, float):
        left, right, name = right, left, _TURNED[name]
    held = emission.held.get(left) if isinstance(left, Node) else None
    if type(held) is not Modulus or type(right) not in (int, float):
        return None
    if not 1e-100 < right < 1e100:
        return None
    writer, square = emission.writer, float(right) * float(right)
    parts = [writer.floating("fmul", "double", x, x) for x in (held.real, held.imaginary)]
    total = writer.floating("fadd", "double", *parts)
    below = writer.compare("olt", "double", total, float_literal(square * (1 - 1e-13)))
    above = writer.compare("ogt", "double", total, float_literal(square * (1 + 1e-13)))
    finite = writer.compare("olt", "double", total, float_literal(1e300))
    above = writer.op(f"and i1 {above}, {finite}")
    clear = writer.op(f"or i1 {below}, {above}")
    exact, done, before = writer.fresh("exact"), writer.fresh("compared"), writer.label
    writer.do(f"br i1 {clear}, label %{done}, label %{exact}")
    writer.start(exact)
    modulus = emission.modulus(held)
    slow = writer.compare(_ORDERED[name], "double", modulus, float_literal(float(right)))
    behind = writer.label
    writer.do(f"br label %{done}")
    writer.start(done)
    quick = {"lt": below, "le": below, "gt": above, "ge": above, "eq": "false", "ne": "true"}[name]
    return writer.op(f"phi i1 [{quick}, %{before}], [{slow}, %{behind}]")


def _is_python_number(kind: Kind) -> bool:
    return is_python(kind) and family(kind) in "f"


def _check_exact(emission: Emission, argument: Any, lineno: int) -> None:
    """Leave the iteration if an integer is not exactly a float64, which a comparison would see."""
    if isinstance(argument, int) and abs(argument) <= EXACT:
        return
    writer = emission.writer
    wide = emission.integer(argument, kind_of(argument), lineno)
    shifted = writer.op(f"add i64 {wide}, {EXACT}")
    bad = writer.op(f"icmp ugt i64 {shifted}, {2 * EXACT}")
    emission.check(bad, "an integer of more than 53 bits", lineno)


def _compare_complex(emission: Emission, node: Node, name: str) -> str:
    if name not in ("eq", "ne") or not all(is_python(kind_of(arg)) for arg in node.args):
        raise NoRule("comparison of complex numbers")
    writer, target = emission.writer, PythonScalarKind(complex)
    (a, b), (c, d) = (cast(emission, arg, target, node) for arg in node.args)
    predicate, both = ("oeq", "and") if name == "eq" else ("une", "or")
    first = writer.compare(predicate, "double", a, c)
    second = writer.compare(predicate, "double", b, d)
    return writer.op(f"{both} i1 {first}, {second}")


@rule("operator.truth", "bool", "operator.not_")
def truth(emission: Emission, node: Node) -> Names:
    (argument,) = node.args
    kind, writer = kind_of(argument), emission.writer
    if isinstance(kind, ArrayKind):
        raise NoRule("the truth of an array")
    names, types = emission.of(argument), scalar_types(kind)
    found = names[0]
    if types[0] in ("double", "float"):
        zero = float_literal(0.0)
        parts = [writer.compare("une", held, n, zero) for held, n in zip(types, names, strict=True)]
        found = parts[0] if len(parts) == 1 else writer.op(f"or i1 {parts[0]}, {parts[1]}")
    elif types[0] != "i1":
        found = writer.op(f"icmp ne {types[0]} {found}, 0")
    return (writer.op(f"xor i1 {found}, true") if node.op.name == "operator.not_" else found,)


@rule("loop.least", "loop.greatest")
def choice(emission: Emission, node: Node) -> Names:
    """`min` or `max`: a later number takes the place of an earlier one if it is beyond it."""
    writer, kind = emission.writer, node.kind
    (held,) = scalar_types(kind)
    least = node.op.name == "loop.least"
    best = emission.name(node.args[0])
    for argument in node.args[1:]:
        other = emission.name(argument)
        if held in ("double", "float"):
            beyond = writer.compare("olt" if least else "ogt", held, other, best)
        else:
            sign = "u" if family(kind) in "ub" else "s"
            beyond = writer.op(f"icmp {sign}{'lt' if least else 'gt'} {held} {other}, {best}")
        best = writer.op(f"select i1 {beyond}, {held} {other}, {held} {best}")
    return (best,)
