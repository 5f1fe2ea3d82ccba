"""Python's operators, with numbers of every kind beside arrays: what NumPy's promotion makes of them."""

import numpy as np
import pytest

from tests.machine.capturing import Proof, expression, function
from tests.machine.operands import DTYPES, LAYOUTS, operand, some

OPERATORS = "+ - * / // % ** << >> & | ^ < <= > >= == !=".split()
NUMBERS = ("0", "1", "2", "3", "-1", "0.5", "-0.0", "2.0", "-2.5", "1e300", "300", "2**40", "2**63",
           "2**64 - 1", "-2**63", "True", "False", "1j", "2 - 1j", "1e-310", "float('nan')",
           "float('inf')", "np.float32(2)", "np.float64(0.5)", "np.int8(3)", "np.uint64(2**63)",
           "np.int64(-1)", "np.bool_(True)", "np.float16(0.25)", "np.complex64(1j)",
           "np.longdouble(3)", "np.array(2.5)", "np.array(3, 'b')")  # fmt: skip
SHAPES = ((70,), (5, 6), (), (1,), (0, 3), (2, 3, 4))
FORMS = (
    "x {op} {n}",
    "{n} {op} x",
    "(x {op} {n}) {op} x",
    "(x * x) {op} {n}",
    "(x + x, x {op} {n})",
)


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operator_beside_a_constant_number_has_eagers_dtype_and_bits(symbol):
    proof = Proof()
    for dtype in DTYPES:
        for number in some(NUMBERS, 3, symbol, dtype):
            form = some(FORMS, 1, symbol, dtype, number)[0]
            fn = expression(form.format(op=symbol, n=number), "x")
            for shape in some(SHAPES, 2, symbol, dtype, number):
                for layout in some(LAYOUTS, 2, symbol, dtype, number, shape):
                    for data, mode in (("odd", "ignore"), ("quiet", "raise")):

                        def build():
                            return (operand(data, dtype, shape, layout),)

                        proof.check(fn, build, mode, (shape, layout, data))
    proof.require(missed=200)


VALUES = (2, -1, 0, 2**40, 0.5, -0.0, float("nan"), True, 1j, np.float32(2), np.float64(3),
          np.int8(3), np.uint64(2**63), np.longdouble(0.1), np.complex64(2), np.float16(0.5))  # fmt: skip


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operator_beside_a_number_from_outside_has_eagers_dtype_and_bits(symbol):
    proof = Proof()
    for dtype in DTYPES:
        for value in some(VALUES, 2, "outside", symbol, dtype):
            for form in some(FORMS, 1, "outside", symbol, dtype, repr(value)):
                fn = expression(form.format(op=symbol, n="s"), "x, s")
                for shape in some(SHAPES, 2, "outside", symbol, dtype, repr(value)):
                    for layout in some(LAYOUTS, 2, symbol, dtype, repr(value), shape):
                        for data, mode in (("odd", "ignore"), ("quiet", "raise")):

                            def build():
                                return operand(data, dtype, shape, layout), value

                            proof.check(fn, build, mode, (value, shape, layout, data))
    proof.require(missed=100)


def test_numbers_that_change_between_calls_are_read_again():
    proof = Proof()
    for text in (
        "x + s",
        "x * s - s",
        "x ** s",
        "np.maximum(x, s)",
        "np.where(x > s, x, s)",
        "x[int(s):]",
    ):
        fn = expression(text, "x, s")
        for value in (1.5, 2.0, 0.5, -1.0, 0.0, -0.0, float("inf"), 3.0, 1.0, 2.0):
            proof.check(fn, lambda: (operand("odd", "d", (9, 4)), value), "ignore", value)
        for value in (1, 2, 3, 0, 5, 2**70, -1, 2):
            proof.check(fn, lambda: (operand("odd", "i", (9, 4)), value), "ignore", value)
    proof.require(ran=60)


POWERS = (
    "0",
    "1",
    "2",
    "-1",
    "0.5",
    "-0.5",
    "3",
    "2.0",
    "True",
    "np.float64(2)",
    "np.int64(2)",
    "0.0",
)


@pytest.mark.parametrize("power", POWERS)
def test_powers_with_a_fast_path_have_eagers_bits(power):
    proof = Proof()
    for form in (
        "x ** {n}",
        "(x + x) ** {n}",
        "x ** {n} + x",
        "np.power(x, {n})",
        "x ** {n} ** 2",
        "{n} ** x",
    ):
        fn = expression(form.format(n=power), "x")
        for dtype in some(DTYPES, 6, power, form):
            for layout in some(LAYOUTS, 2, power, form, dtype):
                for data, mode in (("odd", "ignore"), ("quiet", "raise")):
                    for shape in ((66,), (5, 7), ()):
                        proof.check(
                            fn, lambda: (operand(data, dtype, shape, layout),), mode, (layout, data)
                        )
    proof.require(missed=40)


@pytest.mark.parametrize("dtype", DTYPES)
def test_operators_on_scalars_alone_have_eagers_bits(dtype):
    """Arithmetic of NumPy's scalars is not the array loop of one item: `**` gives other bits."""
    proof = Proof()
    texts = [
        f"t = x.sum()\nu = x.max()\nreturn t {op} u, t {op} 2, 3 {op} u, t" for op in OPERATORS[:13]
    ]
    texts += [
        "t = x[0]\nreturn t * t, -t, abs(t), t + x[1], t == x[2]",
        "t = x[1]\nreturn x * t, t * x.mean()",
    ]
    for text in texts:
        fn = function(text, "x")
        for data, mode in (("odd", "ignore"), ("quiet", "raise"), ("odd", "raise")):
            for start in (0, 3, 4):
                proof.check(
                    fn, lambda: (operand(data, dtype, (5,), start=start),), mode, (data, start)
                )
    proof.require(missed=20)


MIXES = [(a, b) for a in DTYPES for b in DTYPES if a != b]


@pytest.mark.parametrize("symbol", OPERATORS)
def test_mixed_dtypes_are_cast_as_numpy_casts_them(symbol):
    proof = Proof()
    forms = (
        "x {op} y",
        "(x {op} y) {op} x",
        "(x * x) {op} y",
        "t = x {op} y\nreturn t, t == y",
        "t = y * y\nreturn x {op} t",
    )
    for one, other in some(MIXES, 30, symbol):
        form = some(forms, 1, symbol, one, other)[0]
        fn = function(
            form.format(op=symbol) if "return" in form else "return " + form.format(op=symbol)
        )
        for shapes in some(
            (((70,), (70,)), ((3, 5), (5,)), ((), (9,)), ((130,), ()), ((3, 1), (1, 4))),
            2,
            symbol,
            one,
            other,
        ):
            for layout in some(LAYOUTS, 2, symbol, one, other, shapes):
                for data, mode in (("odd", "ignore"), ("quiet", "raise")):

                    def build():
                        return (
                            operand(data, one, shapes[0], layout),
                            operand(data, other, shapes[1], layout, 2),
                        )

                    proof.check(fn, build, mode, (shapes, layout, data))
    proof.require(missed=60)
