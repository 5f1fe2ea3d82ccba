"""Rules for numbers: Python's own with CPython's semantics, and NumPy's scalars.

Python ints are 64-bit integers here, and what leaves 64 bits leaves the iteration. NumPy's scalars
have the dtype that the graph inferred, by NEP 50. Invariant: a rule computes what eager computes,
or leaves the iteration; whatever CPython or NumPy would raise or warn about leaves it. Flags of
floating-point operations are looked at where the iteration ends (`Emission.check_flags`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.exec.kernels.emission import Emission, Modulus, rule
from dyntrace.exec.kernels.held import NoRule, dtype_of, kind_of, scalar_types
from dyntrace.exec.kernels.writer import float_literal
from dyntrace.graph.kinds import Kind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Node

Names = tuple[str, ...]
_INT, _FLOAT = PythonScalarKind(int), PythonScalarKind(float)
_FLOATING: Mapping[str, str] = MappingProxyType(
    {"add": "fadd", "sub": "fsub", "mul": "fmul", "truediv": "fdiv"}
)
_BITS = ("and", "or", "xor")
EXACT = 2**53  # integers up to here are float64 exactly


def line_of(node: Node) -> int:
    return node.origin.lineno


def is_python(kind: Kind) -> bool:
    return isinstance(kind, PythonScalarKind)


def family(kind: Kind) -> str:
    """ "b", "i", "u", "f" or "c": the dtype's kind of a number."""
    return dtype_of(kind).kind


# casts --------------------------------------------------------------------------------------------


def cast(emission: Emission, argument: Any, target: Kind, node: Node) -> Names:
    """A number as one of another kind, as NumPy converts operands; it may leave the iteration.

    Integers must fit, as a Python int must that meets a NumPy scalar.
    """
    kind = kind_of(argument)
    source, wanted = dtype_of(kind), dtype_of(target)
    types = scalar_types(target)
    if source == wanted and not isinstance(argument, (int, float, complex)):
        return tuple(emission.of(argument))
    if wanted.kind == "c":
        return _to_complex(emission, argument, types[0], node)
    if wanted.kind == "f":
        return (to_float(emission, argument, types[0], node),)
    if wanted.kind in "iu":
        return (to_integer(emission, argument, target, node),)
    if wanted.kind == source.kind == "b":
        return tuple(emission.of(argument))
    raise NoRule(f"{source} to {wanted}")


def to_float(emission: Emission, argument: Any, held: str, node: Node) -> str:
    """A real number as a double or float."""
    kind = kind_of(argument)
    if dtype_of(kind).kind == "c":
        raise NoRule("complex to float")
    if scalar_types(kind) == ("float",) and held == "float":
        return emission.name(argument)
    if held == "float" and isinstance(argument, (int, float)):
        return float_literal(float(np.float32(argument)))
    name = emission.as_double(argument, line_of(node))
    if held == "float":
        if dtype_of(kind).kind != "f" and dtype_of(kind).itemsize > 2:
            raise NoRule("integer to float32")  # two roundings may differ from one
        emission.opaque_flags()
        name = emission.writer.convert("fptrunc", "double", "float", name)
    return name


def to_integer(emission: Emission, argument: Any, target: Kind, node: Node) -> str:
    """An integer or bool as one of the target's type; leaves the iteration if it does not fit."""
    kind, writer = kind_of(argument), emission.writer
    if dtype_of(kind).kind not in "biu":
        raise NoRule(f"{dtype_of(kind)} to an integer")
    (held,) = scalar_types(target)
    wanted = dtype_of(target)
    if isinstance(argument, int):
        info = np.iinfo(wanted)
        if not info.min <= argument <= info.max:
            raise NoRule("an integer out of range")
        return str(int(argument) - (1 << 64 if argument >= 2**63 else 0))
    name = emission.integer(argument, kind, line_of(node))
    if held != "i64":
        narrow = writer.op(f"trunc i64 {name} to {held}")
        extend = "sext" if wanted.kind == "i" else "zext"
        back = writer.op(f"{extend} {held} {narrow} to i64")
        bad = writer.op(f"icmp ne i64 {back}, {name}")
        emission.check(bad, "an integer out of range", line_of(node))
        return narrow
    if wanted.kind == "u":
        bad = writer.op(f"icmp slt i64 {name}, 0")
        emission.check(bad, "an integer out of range", line_of(node))
    return name


def _to_complex(emission: Emission, argument: Any, held: str, node: Node) -> Names:
    kind = kind_of(argument)
    if dtype_of(kind).kind != "c":
        return (to_float(emission, argument, held, node), float_literal(0.0))
    names, types = emission.of(argument), scalar_types(kind)
    if types[0] == held:
        return tuple(names)
    if held == "float":
        raise NoRule("complex128 to complex64")
    return tuple(emission.writer.convert("fpext", "float", held, name) for name in names)


# arithmetic ---------------------------------------------------------------------------------------


@rule(*(f"operator.{name}" for name in ("add", "sub", "mul", "truediv", "iadd", "isub", "imul")))
def arithmetic(emission: Emission, node: Node) -> Names:
    name = node.op.name.removeprefix("operator.").removeprefix("i")
    kind = node.kind
    refuse_arrays(node)
    found = family(kind)
    if found == "c":
        return _complex(emission, node, name)
    if found == "f":
        return (_float(emission, node, name),)
    if found == "b":
        raise NoRule("arithmetic on bools")
    return (_int(emission, node, name),)


def refuse_arrays(node: Node) -> None:
    for kind in map(kind_of, node.args):
        if not isinstance(kind, (PythonScalarKind, NumpyScalarKind)):
            raise NoRule(node.op.name)


def _float(emission: Emission, node: Node, name: str) -> str:
    writer, kind = emission.writer, node.kind
    (held,) = scalar_types(kind)
    if name == "truediv" and all(family(kind_of(arg)) in "biu" for arg in node.args):
        return _int_quotient(emission, node)
    left, right = (cast(emission, arg, kind, node)[0] for arg in node.args)
    if is_python(kind):
        if name == "truediv":
            zero = writer.compare("oeq", held, right, float_literal(0.0))
            emission.check(zero, "division by zero", line_of(node))
        return writer.floating(_FLOATING[name], held, left, right)
    shown = (left,) if name == "truediv" else (left, right)
    return emission.result(writer.floating(_FLOATING[name], held, left, right), held, *shown)


def _int_quotient(emission: Emission, node: Node) -> str:
    """The true quotient of two integers: exact operands give the correctly rounded result."""
    writer, lineno = emission.writer, line_of(node)
    names = [emission.as_double(arg, lineno) for arg in node.args]
    if is_python(node.kind):
        for arg in node.args:
            if not isinstance(arg, int):
                wide = emission.integer(arg, kind_of(arg), lineno)
                shifted = writer.op(f"add i64 {wide}, {EXACT}")
                bad = writer.op(f"icmp ugt i64 {shifted}, {2 * EXACT}")
                emission.check(bad, "an integer of more than 53 bits", lineno)
        zero = writer.compare("oeq", "double", names[1], float_literal(0.0))
        emission.check(zero, "division by zero", lineno)
    else:
        emission.opaque_flags()
    return writer.floating("fdiv", "double", *names)


def _int(emission: Emission, node: Node, name: str) -> str:
    writer, kind = emission.writer, node.kind
    (held,) = scalar_types(kind)
    left, right = (cast(emission, arg, kind, node)[0] for arg in node.args)
    prefix = "u" if family(kind) == "u" else "s"
    result, bad = writer.overflowing(prefix + name, held, left, right)
    emission.check(bad, "an integer out of range", line_of(node))
    return result


def _complex(emission: Emission, node: Node, name: str) -> Names:
    writer, kind = emission.writer, node.kind
    held = scalar_types(kind)[0]
    if not is_python(kind):
        emission.opaque_flags()
    if name == "truediv":
        return _complex_quotient(emission, node)
    (a, b), (c, d) = (cast(emission, arg, kind, node) for arg in node.args)
    if name in ("add", "sub"):
        op = _FLOATING[name]
        return writer.floating(op, held, a, c), writer.floating(op, held, b, d)
    return _product(emission, held, (a, b), (c, d))


def _product(emission: Emission, held: str, left: Names, right: Names) -> Names:
    """The product of two complex numbers by the textbook, as CPython's and NumPy's."""
    writer, (a, b), (c, d) = emission.writer, left, right

    def times(x: str, y: str) -> str:
        return writer.floating("fmul", held, x, y)

    return (
        writer.floating("fsub", held, times(a, c), times(b, d)),
        writer.floating("fadd", held, times(a, d), times(b, c)),
    )


def _complex_quotient(emission: Emission, node: Node) -> Names:
    if not is_python(node.kind):
        raise NoRule("division of complex numbers")
    writer = emission.writer
    parts = [part for arg in node.args for part in cast(emission, arg, node.kind, node)]
    function = emission.call_table("complex_div")
    typed = ", ".join(f"double {part}" for part in parts)
    ok = writer.op(f"call i64 {function}({typed}, ptr %pair)")
    bad = writer.op(f"icmp eq i64 {ok}, 0")
    emission.check(bad, "division by zero", line_of(node))
    second = writer.op("getelementptr i8, ptr %pair, i64 8")
    return tuple(writer.op(f"load double, ptr {place}, align 8") for place in ("%pair", second))


@rule("operator.floordiv", "operator.mod", "operator.ifloordiv", "operator.imod")
def floor_division(emission: Emission, node: Node) -> Names:
    refuse_arrays(node)
    wants_quotient = node.op.name.endswith("floordiv")
    if family(node.kind) == "f":
        return (_float_floor(emission, node, wants_quotient),)
    if family(node.kind) in "iu":
        return (_int_floor(emission, node, wants_quotient),)
    raise NoRule(node.op.name)


def _float_floor(emission: Emission, node: Node, wants_quotient: bool) -> str:
    """`//` or `%` of floats: NumPy's npy_divmod is CPython's float_divmod (both with fmod)."""
    writer = emission.writer
    if scalar_types(node.kind) != ("double",):
        raise NoRule("float32 // float32")
    left, right = (cast(emission, arg, node.kind, node)[0] for arg in node.args)
    zero = writer.compare("oeq", "double", right, float_literal(0.0))
    emission.check(zero, "division by zero", line_of(node))
    if not is_python(node.kind):
        emission.opaque_flags()
    function = emission.call_table("float_floordiv" if wants_quotient else "float_mod")
    return writer.op(f"call double {function}(double {left}, double {right})")


def _int_floor(emission: Emission, node: Node, wants_quotient: bool) -> str:
    writer, kind, lineno = emission.writer, node.kind, line_of(node)
    (held,) = scalar_types(kind)
    left, right = (cast(emission, arg, kind, node)[0] for arg in node.args)
    if not right.lstrip("-").isdigit() or right == "0":
        zero = writer.op(f"icmp eq {held} {right}, 0")
        emission.check(zero, "division by zero", lineno)
    if right.isdigit() and int(right).bit_count() == 1:  # rounds down, whatever the sign
        bits = int(right).bit_length() - 1
        shift = "lshr" if family(kind) == "u" else "ashr"
        operation = f"{shift} {held} {left}, {bits}" if wants_quotient else None
        return writer.op(operation or f"and {held} {left}, {int(right) - 1}")
    if family(kind) == "u":
        return writer.op(f"{'udiv' if wants_quotient else 'urem'} {held} {left}, {right}")
    if not right.isdigit():
        least = -(1 << (8 * dtype_of(kind).itemsize - 1))
        small = writer.op(f"icmp eq {held} {left}, {least}")
        minus = writer.op(f"icmp eq {held} {right}, -1")
        emission.check(writer.op(f"and i1 {small}, {minus}"), "an integer out of range", lineno)
    quotient = writer.op(f"sdiv {held} {left}, {right}")
    product = writer.op(f"mul {held} {quotient}, {right}")
    rest = writer.op(f"sub {held} {left}, {product}")
    signs = writer.op(f"xor {held} {rest}, {right}")
    differ = writer.op(f"icmp slt {held} {signs}, 0")
    inexact = writer.op(f"icmp ne {held} {rest}, 0")
    off = writer.op(f"and i1 {differ}, {inexact}")
    if wants_quotient:
        less = writer.op(f"sub {held} {quotient}, 1")
        return writer.op(f"select i1 {off}, {held} {less}, {held} {quotient}")
    more = writer.op(f"add {held} {rest}, {right}")
    return writer.op(f"select i1 {off}, {held} {more}, {held} {rest}")


@rule(*(f"operator.{prefix}{name}" for name in _BITS for prefix in ("", "i")))
def bitwise(emission: Emission, node: Node) -> Names:
    refuse_arrays(node)
    name = node.op.name.removeprefix("operator.")
    name = name if name in _BITS else name[1:]
    (held,) = scalar_types(node.kind)
    if family(node.kind) not in "biu":
        raise NoRule(node.op.name)
    left, right = (cast(emission, arg, node.kind, node)[0] for arg in node.args)
    return (emission.writer.op(f"{name} {held} {left}, {right}"),)


@rule("operator.lshift", "operator.rshift", "operator.ilshift", "operator.irshift")
def shift(emission: Emission, node: Node) -> Names:
    refuse_arrays(node)
    if family(node.kind) not in "iu":
        raise NoRule(node.op.name)
    writer, kind, lineno = emission.writer, node.kind, line_of(node)
    (held,) = scalar_types(kind)
    bits = 8 * dtype_of(kind).itemsize
    left, right = (cast(emission, arg, kind, node)[0] for arg in node.args)
    if not (right.isdigit() and int(right) < bits):
        bad = writer.op(f"icmp uge {held} {right}, {bits}")
        emission.check(bad, "a shift by all bits or a negative number", lineno)
    if "rshift" in node.op.name:
        return (writer.op(f"{'lshr' if family(kind) == 'u' else 'ashr'} {held} {left}, {right}"),)
    result = writer.op(f"shl {held} {left}, {right}")
    if is_python(kind):
        back = writer.op(f"ashr {held} {result}, {right}")
        bad = writer.op(f"icmp ne {held} {back}, {left}")
        emission.check(bad, "an integer out of range", lineno)
    return (result,)


@rule("operator.pow", "operator.ipow", "pow")
def power(emission: Emission, node: Node) -> Names:
    refuse_arrays(node)
    if len(node.args) != 2:
        raise NoRule("pow")
    writer, kind, lineno = emission.writer, node.kind, line_of(node)
    if family(kind) == "f" and scalar_types(kind) == ("double",):
        left, right = (cast(emission, arg, kind, node)[0] for arg in node.args)
        name = "float_pow" if is_python(kind) else "math.pow"
        function = emission.call_table(name)
        result = writer.op(f"call double {function}(double {left}, double {right})")
        if is_python(kind):
            bad = writer.compare("uno", "double", result, result)
            emission.check(bad, "a power that is no float", lineno)
        else:
            emission.opaque_flags()
        return (result,)
    if kind == _INT:
        left, right = (cast(emission, arg, kind, node)[0] for arg in node.args)
        if right == "2":
            result, bad = writer.overflowing("smul", "i64", left, left)
            emission.check(bad, "an integer out of range", lineno)
            return (result,)
        function = emission.call_table("int_pow")
        ok = writer.op(f"call i64 {function}(i64 {left}, i64 {right}, ptr %pair)")
        bad = writer.op(f"icmp eq i64 {ok}, 0")
        emission.check(bad, "an integer out of range", lineno)
        return (writer.op("load i64, ptr %pair, align 8"),)
    if kind == PythonScalarKind(complex):
        return _complex_power(emission, node)
    raise NoRule("**")


def _complex_power(emission: Emission, node: Node) -> Names:
    """A power with a constant whole exponent: products, as in CPython's `c_powu`."""
    base, exponent = node.args
    if type(exponent) not in (int, float) or not 1 <= exponent <= 100 or exponent % 1:
        raise NoRule("a power of a complex number")
    power, mask, left = cast(emission, base, node.kind, node), 1, int(exponent)
    result: Names = (float_literal(1.0), float_literal(0.0))
    while mask <= left:
        if left & mask:
            result = _product(emission, "double", result, power)
        mask <<= 1
        if mask <= left:
            power = _product(emission, "double", power, power)
    for part in result:
        size = emission.writer.intrinsic("llvm.fabs.f64", "double", "double", f"double {part}")
        infinite = emission.writer.compare("oeq", "double", size, float_literal(math.inf))
        emission.check(infinite, "a power that overflows", line_of(node))
    return result


@rule("index.real", "index.imag")
def part(emission: Emission, node: Node) -> Names:
    """A part of a complex number."""
    return (emission.of(node.args[0])[node.op.name == "index.imag"],)


# one operand --------------------------------------------------------------------------------------


@rule("operator.negative", "operator.positive", "operator.invert")
def unary(emission: Emission, node: Node) -> Names:
    refuse_arrays(node)
    name, kind, writer = node.op.name.removeprefix("operator."), node.kind, emission.writer
    (argument,) = node.args
    if family(kind) not in "iufc" or (name == "invert" and family(kind) not in "iu"):
        raise NoRule(node.op.name)
    names, types = cast(emission, argument, kind, node), scalar_types(kind)
    if name == "positive":
        return names
    if name == "invert":
        return (writer.op(f"xor {types[0]} {names[0]}, -1"),)
    if family(kind) in "fc":
        return tuple(writer.op(f"fneg {held} {n}") for held, n in zip(types, names, strict=True))
    if family(kind) == "u":
        raise NoRule("the negative of an unsigned number")
    result, bad = writer.overflowing("ssub", types[0], "0", names[0])
    emission.check(bad, "an integer out of range", line_of(node))
    return (result,)


@rule("operator.abs", "abs", np.absolute, np.fabs)
def absolute(emission: Emission, node: Node) -> Names | Modulus:
    refuse_arrays(node)
    (argument,) = node.args
    kind, writer = kind_of(argument), emission.writer
    if family(kind) == "c":
        if not is_python(kind):
            raise NoRule("abs of a NumPy complex number")
        real, imaginary = emission.of(argument)
        return Modulus(real, imaginary, line_of(node))
    if node.kind != kind and not is_python(kind):
        raise NoRule(node.op.name)
    (held,) = scalar_types(node.kind)
    (name,) = cast(emission, argument, node.kind, node)
    if held in ("double", "float"):
        full = "llvm.fabs.f64" if held == "double" else "llvm.fabs.f32"
        return (writer.intrinsic(full, held, held, f"{held} {name}"),)
    if family(node.kind) == "u":
        return (name,)
    negated, bad = writer.overflowing("ssub", held, "0", name)
    emission.check(bad, "an integer out of range", line_of(node))
    below = writer.op(f"icmp slt {held} {name}, 0")
    return (writer.op(f"select i1 {below}, {held} {negated}, {held} {name}"),)


@rule("float", "int", "complex")
def conversion(emission: Emission, node: Node) -> Names:
    if not node.args or (len(node.args) > 1 and node.op.name != "complex"):
        raise NoRule(node.op.name)
    refuse_arrays(node)
    if node.op.name == "complex" and len(node.args) == 2:
        if any(family(kind_of(arg)) == "c" for arg in node.args):
            raise NoRule("complex")
        real, imaginary = (to_float(emission, arg, "double", node) for arg in node.args)
        return (real, imaginary)
    (argument,) = node.args
    kind = kind_of(argument)
    if node.op.name == "int" and family(kind) == "f":
        return (truncated(emission, emission.as_double(argument, line_of(node)), node),)
    if node.op.name == "int" and family(kind) in "biu":
        return (emission.integer(argument, kind, line_of(node)),)
    return cast(emission, argument, node.kind, node)


def truncated(emission: Emission, name: str, node: Node) -> str:
    """A double, truncated to an i64; leaves the iteration if that does not hold it."""
    writer = emission.writer
    size = writer.intrinsic("llvm.fabs.f64", "double", "double", f"double {name}")
    bad = writer.compare("uge", "double", size, float_literal(2.0**63))
    emission.check(bad, "a float that is no 64-bit integer", line_of(node))
    return writer.convert("fptosi", "double", "i64", name)
