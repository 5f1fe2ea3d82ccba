"""Rules for functions of numbers: `math`, rounding, and NumPy's ufuncs on scalars.

`math.f` calls the function of the C library that CPython calls, by its address. LLVM's own
knowledge of such functions is never used: it replaces calls by others, with other bits. Invariant:
what `math` raises an error for leaves the iteration. Read `arithmetic` for arithmetic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dyntrace.exec.kernels.arithmetic import Names, cast, family, line_of, truncated
from dyntrace.exec.kernels.emission import Emission, rule
from dyntrace.exec.kernels.held import NoRule, kind_of, scalar_types
from dyntrace.exec.kernels.writer import float_literal
from dyntrace.graph.kinds import ArrayKind, PythonScalarKind
from dyntrace.graph.node import Node

_ONE = tuple(
    """sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp expm1 exp2 log1p erf erfc
    cbrt""".split()
)
_LOGARITHMS = ("log", "log2", "log10")
_TWO = ("atan2", "fmod", "copysign")


def _doubles(emission: Emission, node: Node) -> list[str]:
    """The arguments as doubles; NoRule if one is complex or an array."""
    for argument in node.args:
        kind = kind_of(argument)
        if isinstance(kind, ArrayKind) or family(kind) not in "biuf":
            raise NoRule(node.op.name)
    return [emission.as_double(argument, line_of(node)) for argument in node.args]


def _check_finite(emission: Emission, name: str, node: Node, what: str) -> None:
    writer = emission.writer
    size = writer.intrinsic("llvm.fabs.f64", "double", "double", f"double {name}")
    bad = writer.compare("uge", "double", size, float_literal(math.inf))
    emission.check(bad, what, line_of(node))


def _called(emission: Emission, name: str, *values: str) -> str:
    typed = ", ".join(f"double {value}" for value in values)
    return emission.writer.op(f"call double {emission.call_table(name)}({typed})")


@rule(*(f"math.{name}" for name in _ONE))
def one_argument(emission: Emission, node: Node) -> Names:
    (value,) = _doubles(emission, node)
    result = _called(emission, node.op.name, value)
    _check_finite(emission, result, node, "a result that is not finite")
    return (result,)


@rule(*(f"math.{name}" for name in _LOGARITHMS))
def logarithm(emission: Emission, node: Node) -> Names:
    if len(node.args) != 1 or family(kind_of(node.args[0])) in "iu":
        raise NoRule(node.op.name)  # CPython takes large integers apart
    (value,) = _doubles(emission, node)
    low = emission.writer.compare("ule", "double", value, float_literal(0.0))
    emission.check(low, "the logarithm of a number that is not positive", line_of(node))
    _check_finite(emission, value, node, "an argument that is not finite")
    return (_called(emission, node.op.name, value),)


@rule(*(f"math.{name}" for name in _TWO))
def two_arguments(emission: Emission, node: Node) -> Names:
    first, second = _doubles(emission, node)
    for value in (first, second):
        _check_finite(emission, value, node, "an argument that is not finite")
    if node.op.name == "math.fmod":
        zero = emission.writer.compare("oeq", "double", second, float_literal(0.0))
        emission.check(zero, "division by zero", line_of(node))
    return (_called(emission, node.op.name, first, second),)


@rule("math.sqrt")
def square_root(emission: Emission, node: Node) -> Names:
    (value,) = _doubles(emission, node)
    bad = emission.writer.compare("ult", "double", value, float_literal(0.0))
    emission.check(bad, "the root of a number below 0", line_of(node))
    return (emission.writer.floating("sqrt", "double", value),)


@rule("math.fabs")
def absolute(emission: Emission, node: Node) -> Names:
    (value,) = _doubles(emission, node)
    return (emission.writer.intrinsic("llvm.fabs.f64", "double", "double", f"double {value}"),)


@rule("math.degrees", "math.radians")
def angle(emission: Emission, node: Node) -> Names:
    """CPython multiplies by a constant (Modules/mathmodule.c)."""
    (value,) = _doubles(emission, node)
    factor = 180.0 / math.pi if node.op.name == "math.degrees" else math.pi / 180.0
    return (emission.writer.floating("fmul", "double", value, float_literal(factor)),)


@rule("math.isnan", "math.isinf", "math.isfinite")
def classify(emission: Emission, node: Node) -> Names:
    (value,) = _doubles(emission, node)
    writer = emission.writer
    if node.op.name == "math.isnan":
        return (writer.compare("uno", "double", value, value),)
    size = writer.intrinsic("llvm.fabs.f64", "double", "double", f"double {value}")
    predicate = "oeq" if node.op.name == "math.isinf" else "olt"
    return (writer.compare(predicate, "double", size, float_literal(math.inf)),)


@rule("math.floor", "math.ceil", "math.trunc")
def whole(emission: Emission, node: Node) -> Names:
    (argument,) = node.args
    if not isinstance(kind_of(argument), ArrayKind) and family(kind_of(argument)) in "biu":
        return (emission.integer(argument, kind_of(argument), line_of(node)),)
    (value,) = _doubles(emission, node)
    if node.op.name != "math.trunc":
        value = _rounded(emission, node.op.name.removeprefix("math."), value)
    return (truncated(emission, value, node),)


def _rounded(emission: Emission, name: str, value: str) -> str:
    """A double rounded to a whole number; no flag is raised but "inexact"."""
    full = f"llvm.{name}.f64"
    return emission.writer.intrinsic(full, "double", "double", f"double {value}")


@rule("round")
def rounded(emission: Emission, node: Node) -> Names:
    kind = kind_of(node.args[0])
    if len(node.args) != 1 or isinstance(kind, ArrayKind):
        raise NoRule("round with digits")
    if family(kind) in "iub":
        return (emission.integer(node.args[0], kind, line_of(node)),)
    if node.kind != PythonScalarKind(int):
        raise NoRule("round")
    (value,) = _doubles(emission, node)
    return (truncated(emission, _rounded(emission, "roundeven", value), node),)


@rule("divmod")
def quotient_and_rest(emission: Emission, node: Node) -> Any:
    raise NoRule("divmod")


# NumPy's functions on scalars ---------------------------------------------------------------------


@rule(np.sqrt)
def numpy_root(emission: Emission, node: Node) -> Names:
    (held,) = scalar_types(node.kind)
    (value,) = cast(emission, node.args[0], node.kind, node)
    if held not in ("double", "float"):
        raise NoRule("numpy.sqrt")
    return (emission.result(emission.writer.floating("sqrt", held, value), held, value),)
