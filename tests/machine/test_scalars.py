"""Python's operators, with numbers of every kind beside arrays: NumPy's promotion decides."""

import itertools

import numpy as np
import pytest

from tests.machine.capturing import Proof, expression, function, functions_of
from tests.machine.operands import DTYPES, LAYOUTS, Draw, drawn, operand, some

OPERATORS = "+ - * / // % ** << >> & | ^ < <= > >= == !=".split()
NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "-0.0",
    "2.0",
    "-2.5",
    "1e300",
    "300",
    "2**40",
    "2**63",
    "2**64 - 1",
    "-2**63",
    "True",
    "False",
    "1j",
    "2 - 1j",
    "1e-310",
    "float('nan')",
    "float('inf')",
    "np.float32(2)",
    "np.float64(0.5)",
    "np.int8(3)",
    "np.uint64(2**63)",
    "np.int64(-1)",
    "np.bool_(True)",
    "np.float16(0.25)",
    "np.complex64(1j)",
    "np.longdouble(3)",
    "np.array(2.5)",
    "np.array(3, 'b')",
)
SHAPES = ((70,), (5, 6), (), (1,), (0, 3), (2, 3, 4))
FORMS = (
    "x {op} {n}",
    "{n} {op} x",
    "(x {op} {n}) {op} x",
    "(x * x) {op} {n}",
    "(x + x, x {op} {n})",
)


WAYS = (("odd", "ignore"), ("quiet", "raise"))


def check(proof, fn, case, *more):
    """Two kinds of data in a dtype, shape and layout, and the further arguments as they are."""
    dtype, shape, layout = case
    for data, mode in WAYS:

        def build():
            return operand(data, dtype, shape, layout), *more

        proof.check(fn, build, mode, (*more, shape, layout, data))


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operator_beside_a_constant_number_has_eagers_dtype_and_bits(symbol):
    proof = Proof()
    for dtype, number in drawn(DTYPES, Draw(NUMBERS, 3), key=(symbol,)):
        form = some(FORMS, 1, symbol, dtype, number)[0]
        fn = expression(form.format(op=symbol, n=number), "x")
        levels = Draw(SHAPES, 2), Draw(LAYOUTS, 2)
        for shape, layout in drawn(*levels, key=(symbol, dtype, number)):
            check(proof, fn, (dtype, shape, layout))
    proof.require(missed=200)


VALUES = (
    2,
    -1,
    0,
    2**40,
    0.5,
    -0.0,
    float("nan"),
    True,
    1j,
    np.float32(2),
    np.float64(3),
    np.int8(3),
    np.uint64(2**63),
    np.longdouble(0.1),
    np.complex64(2),
    np.float16(0.5),
)


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operator_beside_a_number_from_outside_has_eagers_dtype_and_bits(symbol):
    proof = Proof()
    for dtype, value in drawn(DTYPES, Draw(VALUES, 2), key=("outside", symbol)):
        key = ("outside", symbol, dtype, repr(value))
        form = some(FORMS, 1, *key)[0]
        fn = expression(form.format(op=symbol, n="s"), "x, s")
        for shape, layout in drawn(Draw(SHAPES, 2), Draw(LAYOUTS, 2), key=key):
            check(proof, fn, (dtype, shape, layout), value)
    proof.require(missed=100)


CHANGING = (
    lambda x, s: x + s,
    lambda x, s: x * s - s,
    lambda x, s: x**s,
    lambda x, s: np.maximum(x, s),
    lambda x, s: np.where(x > s, x, s),
    lambda x, s: x[int(s) :],
)


def test_numbers_that_change_between_calls_are_read_again():
    proof = Proof()
    floats = [
        ("d", value) for value in (1.5, 2.0, 0.5, -1.0, 0.0, -0.0, float("inf"), 3.0, 1.0, 2.0)
    ]
    integers = [("i", value) for value in (1, 2, 3, 0, 5, 2**70, -1, 2)]
    for fn, (dtype, value) in itertools.product(CHANGING, floats + integers):
        proof.check(fn, lambda: (operand("odd", dtype, (9, 4)), value), "ignore", value)
    proof.require(ran=60)


POWERS = (
    *("0", "1", "2", "-1", "0.5", "-0.5", "3", "2.0", "True"),
    *("np.float64(2)", "np.int64(2)", "0.0"),
)
POWER_FORMS = (
    *("x ** {n}", "(x + x) ** {n}", "x ** {n} + x", "np.power(x, {n})", "x ** {n} ** 2"),
    "{n} ** x",
)


@pytest.mark.parametrize("power", POWERS)
def test_powers_with_a_fast_path_have_eagers_bits(power):
    proof = Proof()
    for form in POWER_FORMS:
        fn = expression(form.format(n=power), "x")
        levels = Draw(DTYPES, 6), Draw(LAYOUTS, 2), ((66,), (5, 7), ())
        for dtype, layout, shape in drawn(*levels, key=(power, form)):
            check(proof, fn, (dtype, shape, layout))
    proof.require(missed=40)


class Scalars:
    """Arithmetic on items of x, and of such an item with x."""

    def items(x):
        t = x[0]
        return t * t, -t, abs(t), t + x[1], t == x[2]

    def item_with_its_array(x):
        t = x[1]
        return x * t, t * x.mean()


SCALAR_FORM = "t = x.sum()\nu = x.max()\nreturn t {op} u, t {op} 2, 3 {op} u, t"


@pytest.mark.parametrize("dtype", DTYPES)
def test_operators_on_scalars_alone_have_eagers_bits(dtype):
    """Arithmetic of NumPy's scalars is not the array loop of one item: `**` gives other bits."""
    proof = Proof()
    programs = [function(SCALAR_FORM.format(op=op), "x") for op in OPERATORS[:13]]
    ways = (*WAYS, ("odd", "raise"))
    for fn, (data, mode), start in itertools.product(
        [*programs, *functions_of(Scalars)], ways, (0, 3, 4)
    ):
        proof.check(fn, lambda: (operand(data, dtype, (5,), start=start),), mode, (data, start))
    proof.require(missed=20)


MIXES = [(a, b) for a in DTYPES for b in DTYPES if a != b]


MIXED_FORMS = (
    *("return x {op} y", "return (x {op} y) {op} x", "return (x * x) {op} y"),
    *("t = x {op} y\nreturn t, t == y", "t = y * y\nreturn x {op} t"),
)
SHAPE_PAIRS = (((70,), (70,)), ((3, 5), (5,)), ((), (9,)), ((130,), ()), ((3, 1), (1, 4)))


@pytest.mark.parametrize("symbol", OPERATORS)
def test_mixed_dtypes_are_cast_as_numpy_casts_them(symbol):
    proof = Proof()
    for one, other in some(MIXES, 30, symbol):
        form = some(MIXED_FORMS, 1, symbol, one, other)[0]
        fn = function(form.format(op=symbol))
        levels = Draw(SHAPE_PAIRS, 2), Draw(LAYOUTS, 2), WAYS
        for shapes, layout, (data, mode) in drawn(*levels, key=(symbol, one, other)):

            def build():
                return (
                    operand(data, one, shapes[0], layout),
                    operand(data, other, shapes[1], layout, 2),
                )

            proof.check(fn, build, mode, (shapes, layout, data))
    proof.require(missed=60)
