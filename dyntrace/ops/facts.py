"""Facts: what is known of each of NumPy's elementwise ufuncs, one row each.

The tracer's cost estimate, the operators' records, lowering, and the rules of writes and of
temporary elision read this table; no other table of ufuncs exists. Invariant: a row holds for every
supported NumPy and processor, or is conservative; `tests/ops/test_facts.py` runs NumPy's loops and
compares. A ufunc without a row is not lowered: its node is a Python call.
Read `exec.lower.inner_loops` next, which finds the loops themselves.
"""

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy._core import umath

__all__ = ["BY_INPLACE", "BY_OPERATOR", "UFUNCS", "UfuncFacts", "exactness"]

# The names of `EXACTNESS` in `_native/vm/instructions.def`.
EXACT, STRIDED, OFFSET_BOUND = "EXACT", "STRIDED", "OFFSET_BOUND"
LEFT, EITHER = "left", "either"
CHEAP, MODERATE, USUAL, DEAR = 0.15, 0.6, 3.0, 8.0


class UfuncFacts(NamedTuple):
    """One ufunc.

    name          its name in `numpy._core.umath`
    bits          what the bits of a real result's element depend on. "EXACT": on its operands only;
                  "STRIDED": on the strides as well; "OFFSET_BOUND": on these and on how far the
                  element is from where the loop began
    cost          nanoseconds for an element of eight bytes in the L1 cache
    complex_bits  `bits` for complex numbers
    clears        kinds of dtypes whose loops may clear floating-point flags that were set before
                  (many end in `npy_clear_floatstatus_barrier`)
    quiet         on integers of one dtype the result has that dtype, and no flag or error is raised
    operator      the function of `operator` that computes the same on arrays. `power` has none,
                  because `x ** 2` calls `np.square(x)`
    inplace       the operator has an in-place form (`operator.iadd`)
    elides        the operand of the operator in whose memory NumPy computes if it is a large
                  temporary: "left", "either" or "" (numpy/_core/src/multiarray/number.c)
    scalars       the operator on two of NumPy's float scalars gives what the loop gives
    lossy_out     some NumPy builds leave a strided `out` unwritten
    keeps_ints    some NumPy versions return a float for a Python int, and a large int unchanged
    long_ints     some NumPy versions convert a Python int operand to a C long, whatever the loop's
                  dtype, and raise OverflowError for a larger one
    """

    name: str
    bits: str
    cost: float = USUAL
    complex_bits: str = OFFSET_BOUND
    clears: str = "fc"
    quiet: bool = False
    operator: str = ""
    inplace: bool = False
    elides: str = ""
    scalars: bool = False
    lossy_out: bool = False
    keeps_ints: bool = False
    long_ints: bool = False


_OPERATORS = (
    UfuncFacts(
        "add",
        EXACT,
        CHEAP,
        complex_bits=EXACT,
        clears="",
        quiet=True,
        operator="add",
        inplace=True,
        elides=EITHER,
        scalars=True,
    ),
    UfuncFacts(
        "subtract",
        EXACT,
        CHEAP,
        complex_bits=EXACT,
        clears="",
        quiet=True,
        operator="sub",
        inplace=True,
        elides=LEFT,
        scalars=True,
    ),
    UfuncFacts(
        "multiply",
        EXACT,
        CHEAP,
        clears="",
        quiet=True,
        operator="mul",
        inplace=True,
        elides=EITHER,
        scalars=True,
    ),
    UfuncFacts(
        "divide",
        EXACT,
        MODERATE,
        clears="",
        operator="truediv",
        inplace=True,
        elides=LEFT,
        scalars=True,
    ),
    UfuncFacts("floor_divide", EXACT, DEAR, operator="floordiv", inplace=True, elides=LEFT),
    UfuncFacts("remainder", EXACT, DEAR, operator="mod", inplace=True),
    UfuncFacts("negative", EXACT, CHEAP, complex_bits=EXACT, quiet=True, operator="neg"),
    UfuncFacts("positive", EXACT, CHEAP, complex_bits=EXACT, quiet=True, operator="pos"),
    UfuncFacts("absolute", EXACT, CHEAP, quiet=True, operator="abs"),
    UfuncFacts(
        "bitwise_and", EXACT, CHEAP, quiet=True, operator="and_", inplace=True, elides=EITHER
    ),
    UfuncFacts("bitwise_or", EXACT, CHEAP, quiet=True, operator="or_", inplace=True, elides=EITHER),
    UfuncFacts("bitwise_xor", EXACT, quiet=True, operator="xor", inplace=True, elides=EITHER),
    UfuncFacts("invert", EXACT, CHEAP, quiet=True, operator="invert"),
    UfuncFacts(
        "left_shift",
        EXACT,
        MODERATE,
        clears="biu",
        quiet=True,
        operator="lshift",
        inplace=True,
        elides=LEFT,
    ),
    UfuncFacts(
        "right_shift", EXACT, MODERATE, quiet=True, operator="rshift", inplace=True, elides=LEFT
    ),
    UfuncFacts("less", EXACT, CHEAP, complex_bits=EXACT, operator="lt"),
    UfuncFacts("less_equal", EXACT, CHEAP, complex_bits=EXACT, operator="le"),
    UfuncFacts("equal", EXACT, CHEAP, complex_bits=EXACT, operator="eq"),
    UfuncFacts("not_equal", EXACT, CHEAP, complex_bits=EXACT, operator="ne"),
    UfuncFacts("greater", EXACT, CHEAP, complex_bits=EXACT, operator="gt"),
    UfuncFacts("greater_equal", EXACT, CHEAP, complex_bits=EXACT, operator="ge"),
)
_FUNCTIONS = (
    # Arithmetic.
    UfuncFacts("fmod", EXACT, DEAR),
    UfuncFacts("divmod", EXACT, DEAR),
    UfuncFacts("fabs", EXACT),
    UfuncFacts("square", EXACT, CHEAP, clears="", quiet=True),
    UfuncFacts("sqrt", EXACT, MODERATE, clears=""),
    UfuncFacts("reciprocal", EXACT, MODERATE),
    UfuncFacts("conjugate", EXACT, complex_bits=EXACT, quiet=True),
    UfuncFacts("gcd", EXACT, quiet=True),
    UfuncFacts("lcm", EXACT, quiet=True),
    # Truth.
    UfuncFacts("bitwise_count", EXACT),
    UfuncFacts("logical_and", EXACT, CHEAP, complex_bits=EXACT, long_ints=True),
    UfuncFacts("logical_or", EXACT, CHEAP, complex_bits=EXACT, long_ints=True),
    UfuncFacts("logical_xor", EXACT, complex_bits=EXACT, long_ints=True),
    UfuncFacts("logical_not", EXACT, CHEAP, complex_bits=EXACT),
    # Tests.
    UfuncFacts("isnan", EXACT, CHEAP, complex_bits=EXACT, lossy_out=True),
    UfuncFacts("isfinite", EXACT, CHEAP, complex_bits=EXACT, lossy_out=True),
    UfuncFacts("isinf", EXACT, complex_bits=EXACT, lossy_out=True),
    UfuncFacts("signbit", EXACT, CHEAP, lossy_out=True),
    # Selection. The vector part of a loop and its remainder may treat signalling NaNs and zeros
    # differently.
    UfuncFacts("maximum", OFFSET_BOUND, CHEAP, quiet=True),
    UfuncFacts("minimum", OFFSET_BOUND, CHEAP, quiet=True),
    UfuncFacts("fmax", OFFSET_BOUND, quiet=True),
    UfuncFacts("fmin", OFFSET_BOUND, quiet=True),
    UfuncFacts("clip", OFFSET_BOUND, MODERATE, clears="biufc", quiet=True),
    UfuncFacts("heaviside", EXACT),
    UfuncFacts("copysign", EXACT, CHEAP),
    UfuncFacts("sign", EXACT, quiet=True),
    # Rounding to integers.
    UfuncFacts("floor", EXACT, CHEAP, keeps_ints=True),
    UfuncFacts("ceil", EXACT, CHEAP, keeps_ints=True),
    UfuncFacts("trunc", EXACT, CHEAP, keeps_ints=True),
    UfuncFacts("rint", EXACT, CHEAP),
    # Functions whose vector loops may compute other bits than the scalar loops.
    UfuncFacts("exp", STRIDED, MODERATE),
    UfuncFacts("exp2", STRIDED, MODERATE),
    UfuncFacts("expm1", STRIDED, MODERATE),
    UfuncFacts("log", STRIDED, MODERATE),
    UfuncFacts("log2", STRIDED, MODERATE),
    UfuncFacts("log10", STRIDED, MODERATE),
    UfuncFacts("log1p", STRIDED, MODERATE),
    UfuncFacts("sin", STRIDED, DEAR),
    UfuncFacts("cos", STRIDED, DEAR),
    UfuncFacts("tan", STRIDED, DEAR),
    UfuncFacts("sinh", STRIDED),
    UfuncFacts("cosh", STRIDED),
    UfuncFacts("tanh", STRIDED),
    UfuncFacts("arcsin", STRIDED),
    UfuncFacts("arccos", STRIDED),
    UfuncFacts("arctan", STRIDED),
    UfuncFacts("arcsinh", STRIDED),
    UfuncFacts("arccosh", STRIDED),
    UfuncFacts("arctanh", STRIDED),
    UfuncFacts("cbrt", STRIDED),
    UfuncFacts("deg2rad", STRIDED),
    UfuncFacts("rad2deg", STRIDED),
    UfuncFacts("degrees", STRIDED),
    UfuncFacts("radians", STRIDED),
    UfuncFacts("spacing", STRIDED),
    UfuncFacts("frexp", STRIDED),
    UfuncFacts("modf", STRIDED),
    UfuncFacts("arctan2", STRIDED, DEAR),
    UfuncFacts("power", STRIDED, DEAR),
    UfuncFacts("float_power", STRIDED, DEAR),
    UfuncFacts("hypot", STRIDED),
    UfuncFacts("logaddexp", STRIDED),
    UfuncFacts("logaddexp2", STRIDED),
    UfuncFacts("nextafter", STRIDED),
    UfuncFacts("ldexp", STRIDED),
)
_ROWS = _OPERATORS + _FUNCTIONS
# Older versions of NumPy lack some ufuncs.
UFUNCS: Mapping[np.ufunc, UfuncFacts] = MappingProxyType(
    {getattr(umath, row.name): row for row in _ROWS if hasattr(umath, row.name)}
)
_NAMES = MappingProxyType({row.operator: getattr(umath, row.name) for row in _OPERATORS})
_INPLACE_NAMES = MappingProxyType(
    {row.operator.rstrip("_"): row.name for row in _OPERATORS if row.inplace}
)
BY_OPERATOR: Mapping[Callable[..., Any], np.ufunc] = MappingProxyType(
    {getattr(operator, name): ufunc for name, ufunc in _NAMES.items()}
)
BY_INPLACE: Mapping[Callable[..., Any], np.ufunc] = MappingProxyType(
    {getattr(operator, f"i{name}"): getattr(umath, of) for name, of in _INPLACE_NAMES.items()}
)


def exactness(ufunc: np.ufunc, dtype: np.dtype[Any]) -> str:
    """What the bits of a result depend on where the first operand of the loop is of `dtype`.

    Loops of integers are exact. Those of half precision go through single precision in a way that
    differs between builds, and are exact only where that cannot show.
    """
    row = UFUNCS[ufunc]
    if dtype.kind in "biu":
        return EXACT
    if dtype.kind == "c":
        return row.complex_bits
    return OFFSET_BOUND if dtype.char == "e" and row.bits != EXACT else row.bits
