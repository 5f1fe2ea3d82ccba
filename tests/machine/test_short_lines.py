"""Arrays of many short rows (points, colours, pairs) are gone through column by column.

Each row must come out as NumPy's loop over the row alone makes it: fewer than eight numbers are
summed up one after the other, behind the first; zeros and NaNs of maxima are those of the row.
"""

import numpy as np
import pytest

from tests.machine.capturing import Proof, function, functions_of, name_of, text_of
from tests.machine.operands import Draw, drawn, operand

WIDTHS = (1, 2, 3, 4, 5, 7, 8, 9)
REDUCTIONS = ("sum", "prod", "mean", "min", "max", "any", "all", "std", "var", "argmax")
LAYOUTS = (
    "contiguous",
    "fortran",
    "stride 2",
    "reversed",
    "reversed inner",
    "misaligned",
    "permuted",
)
BODIES = (
    "return np.{name}(x * y, axis=-1)",
    "return np.{name}(x, axis=-1, keepdims=True) + y",
    "t = x - y\nreturn np.{name}(t, axis=-1), t",
    "return (x + y[:1]) * y[0] - np.{name}(x - y, axis=-1, keepdims=True)",
)


class Elementwise:
    """Programs on rows without a reduction over all of them."""

    def products_and_quotients(x, y):
        return x * y[0] + 1, x[:, :1] - y, x / (y[:, -1:] + 2)

    def choices_by_a_row(x, y):
        return x > y[0], np.where(x > y, x, y[0]), np.abs(x) * y

    def pairs_of_rows(x, y):
        return x[:, None, :] * y[None, :3, :] - y[None, 2:5, :]

    def distances(x, y):
        d = x[:, None, :] - y[None, :9, :]
        return (d * d).sum(axis=-1), d.max(axis=-1)

    def functions_of_rows(x, y):
        return np.exp(x) * y[0], np.sqrt(np.abs(x - y[:1])), x**2 + y[1]

    def plus_a_row(x, y):
        x += y[0]

    def columns_moved_on(x, y):
        x[:, 1:] = x[:, :-1] * y[0, 1:]

    def rows_moved_on(x, y):
        x[1:] = x[:-1] + y[0]


ELEMENTWISE = functions_of(Elementwise)
DATA = (("wide", "ignore"), ("odd", "ignore"), ("quiet", "raise"))


def check(proof, fn, dtype, shape, layout):
    for data, mode in DATA:

        def build():
            return operand(data, dtype, shape, layout), operand(data, dtype, shape, start=3)

        proof.check(fn, build, mode, (dtype, shape, layout, data))


@pytest.mark.parametrize("name", REDUCTIONS)
def test_short_rows_are_reduced_as_rows(name):
    proof = Proof(allowed=0.05)
    for body in BODIES:
        fn = function(body.format(name=name), "x, y")
        levels = Draw("fdgFDeilB?", 4), Draw((1, 5, 31, 64, 300, 5000), 2), Draw(LAYOUTS, 2)
        for width, dtype, lines, layout in drawn(WIDTHS, *levels, key=(name, body)):
            check(proof, fn, dtype, (lines, width), layout)
    proof.require(ran=300, missed=400)


@pytest.mark.parametrize("fn", ELEMENTWISE, ids=name_of)
def test_short_rows_are_computed_as_rows(fn):
    proof = Proof(allowed=0.3)
    levels = Draw("fdgFDilB", 3), Draw((12, 64, 300, 5000), 2), Draw(LAYOUTS, 2)
    for width, dtype, lines, layout in drawn(WIDTHS[1:], *levels, key=(text_of(fn),)):
        check(proof, fn, dtype, (lines, width), layout)
    proof.require(ran=20, missed=200)


@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize("width", range(1, 10))
def test_sums_of_rows_begin_with_the_rest(dtype, width):
    """1e16 + 1 + 1 is not 1e16 + (1 + 1): the order shows in every row."""
    rows = np.ones((200, width), dtype)
    rows[::2, 0] = 1e16 if dtype in "dD" else 1e8
    rows[1::3, -1] = -1e16 if dtype in "dD" else -1e8
    rows[5::7] = -0.0
    proof = Proof(allowed=0.0)
    fn = function("return (x * 1).sum(axis=1), (x + 0).prod(axis=1)", "x")
    proof.check(fn, lambda: (rows.copy(),), "ignore", (dtype, width))
    proof.require(ran=1)


@pytest.mark.parametrize("dtype", "fd")
def test_zeros_and_nans_of_maxima_are_those_of_the_row(dtype):
    values = np.array([0.0, -0.0, np.nan, 1.0, -1.0, np.inf, -np.inf], dtype)
    rows = values[np.random.default_rng(4).integers(0, 7, (900, 3))]
    proof = Proof(allowed=0.0)
    fn = function("t = x * 1\nreturn t.max(axis=1), t.min(axis=1)", "x")
    proof.check(fn, lambda: (rows.copy(),), "ignore", dtype)
    proof.require(ran=1)


@pytest.mark.parametrize("dtype", "efdgFD")
@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "signbit"])
def test_what_is_told_of_numbers_is_told_row_by_row(name, dtype):
    """NumPy's loops leave items out where their results do not lie side by side."""
    if name == "signbit" and dtype in "FD":
        pytest.skip("complex numbers have no sign")
    proof = Proof(allowed=0.0)
    fn = function(f"return np.{name}(x[:, ::-1]) + 0.5, np.{name}(x[::2])", "x")
    for width in WIDTHS[1:]:
        proof.check(fn, lambda: (operand("odd", dtype, (900, width)),), "ignore", (dtype, width))
    proof.require(ran=1)


@pytest.mark.parametrize("exponent", [0.5, 2.0, -1.0, 3.0])
@pytest.mark.parametrize("shape", [(23, 6), (3, 23, 6), (2, 5000)])
def test_powers_with_an_exponent_for_each_row_have_eagers_bits(shape, exponent):
    """NumPy writes the exponents of short rows out, and then takes no square root of -0.0."""
    proof = Proof(allowed=0.0)
    for body in (
        "return x ** y, (x ** y).sum(axis=-1)",
        "return x ** y.max(axis=-1, keepdims=True)",
    ):
        fn = function(body, "x, y")
        rows = operand("odd", "d", shape)
        rows[..., 0] = -0.0
        exponents = np.full((*shape[-2:-1], 1), exponent)
        proof.check(fn, lambda: (rows.copy(), exponents.copy()), "ignore", (shape, exponent))
    proof.require(ran=1)
