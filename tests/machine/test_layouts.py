"""Layout as a result: strides of results, and eager's reuse of large temporaries, which decides them.

NumPy computes `(a * b) + c` in the memory of `a * b` if that is on the stack only and has 256 KiB
or more. Then the result has the strides of `a * b`, and otherwise those of both operands.
"""

import numpy as np
import pytest

from tests.differential.harness import check
from tests.machine.capturing import Proof, function
from tests.machine.operands import operand, some

KIB = 128  # doubles
SIZES = {
    "255 KiB": (255, KIB),
    "256 KiB": (256, KIB),
    "257 KiB": (257, KIB),
    "small": (30, 40),
    "large": (300, 300),
}
CUBES = {
    "255 KiB": (5, 51, KIB),
    "256 KiB": (4, 64, KIB),
    "257 KiB": (1, 257, KIB),
    "large": (40, 30, 50),
}
ORDERS = ("contiguous", "fortran", "transposed", "stride 2", "reversed", "reversed inner", "rows", "columns", "read-only", "misaligned")  # fmt: skip
CUBE_ORDERS = ("contiguous", "fortran", "permuted", "permuted other", "reversed outer", "rows")
OPERATORS = tuple("+ - * / // % ** & | ^ << >> < ==".split())
FORMS = {
    "left temporary": "return (a {op} b) {op} c",
    "right temporary": "return c {op} (a {op} b)",
    "both temporaries": "return (a {op} b) {op} (c {op} a)",
    "named": "t = a {op} b\nreturn t {op} c",
    "named on the right": "t = a {op} b\nreturn c {op} t",
    "named and kept": "t = a {op} b\nu = t {op} c\nreturn u, t",
    "called": "return np.add(a, b) {op} c",
    "of a call": "return c {op} np.multiply(a, b)",
    "with a number": "return (a {op} b) {op} 2",
    "with a number before": "return 2 {op} (a {op} b)",
    "with a column": "return (a {op} b) {op} c[..., :1]",
    "of a view": "return (a {op} b)[...] {op} c",
    "of a transpose": "return (a {op} b).T {op} c.T",
    "three deep": "return ((a {op} b) {op} c) {op} a",
    "from both sides": "return a {op} ((b {op} c) {op} b)",
    "wider": "return (a {op} b) {op} c.astype('g')",
    "narrower": "return (a {op} b) {op} c.astype('f')",
    "negated": "return -(a {op} b) {op} c",
    "method": "return (a {op} b).copy() {op} c",
    "twice": "t = a {op} b\nreturn (t {op} c) {op} (t {op} t)",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_strides_and_operand_order_follow_eagers_reuse_of_temporaries(form):
    proof = Proof(allowed=0.05)
    for symbol in some(OPERATORS, 6, form):
        dtype = "l" if symbol in "& | ^ << >>".split() else "d"
        fn = function(FORMS[form].format(op=symbol), "a, b, c")
        cases = [(shape, orders) for shape in SIZES.values() for orders in pairs(ORDERS)]
        cases += [(shape, orders) for shape in CUBES.values() for orders in pairs(CUBE_ORDERS)]
        for shape, orders in some(cases, 8, form, symbol):

            def build():
                return tuple(
                    operand("quiet", dtype, shape, order, start)
                    for start, order in enumerate(orders)
                )

            proof.check(fn, build, "ignore", (shape, orders))
    proof.require(ran=0 if form == "negated" else 20, missed=16)


def pairs(orders):
    """Layouts of a, b and c: alike, one unlike, and mixed."""
    return [(a, b, c) for a in orders for b in orders[:3] for c in orders[:4]]


@pytest.mark.parametrize("dtype", tuple("?bhefFDg"))
def test_the_threshold_counts_bytes_of_the_temporary(dtype):
    proof = Proof()
    size = np.dtype(dtype).itemsize
    for text in ("return (a + b) + c", "return c * (a + b)", "return (a * b) + (c + a)", "t = a + b\nreturn t + c"):  # fmt: skip
        fn = function(text, "a, b, c")
        for rows in (255, 256, 257):
            for orders in (("fortran", "fortran", "contiguous"), ("contiguous", "contiguous", "fortran"), ("fortran", "contiguous", "fortran")):  # fmt: skip

                def build():
                    shape = rows, 1024 // size
                    return tuple(
                        operand("quiet", dtype, shape, order, s) for s, order in enumerate(orders)
                    )

                proof.check(fn, build, "ignore", (rows, orders))
    proof.require(ran=30)


def test_results_of_calls_are_temporaries_too():
    """The temporary may come from a function that is inlined, called, or not captured at all."""

    def product(p, q):
        return p * q

    def outside(p):
        return eval("p * 2")

    def called(a, b, c):
        return product(a, b) + c, c + product(a, b), (lambda p: p - 1)(a) * c

    def opaque(a, b, c):
        return outside(a) + c, c + outside(b), outside(a) - outside(c)

    def held(a, b, c):
        t = outside(a)
        u = t + c
        return u, (t + b) + c, [t]

    for shape in ((255, KIB), (256, KIB), (300, 300)):
        for orders in (
            ("fortran", "fortran", "contiguous"),
            ("contiguous", "contiguous", "fortran"),
        ):
            args = tuple(operand("quiet", "d", shape, order) for order in orders)
            for fn in (called, opaque, held):
                check(fn, *args, calls=3)


RESULTS = ("return a + b", "return np.add(a, b), a * 2", "return a > b, np.sqrt(a)", "return np.where(a > b, a, b)", "return a.copy('K') + b",
           "return np.add(a, b, order='F'), np.add(a, b, order='C')", "return (a + b).T, (a.T + b.T)", "return a.sum(0, keepdims=True) + b",
           "return np.zeros_like(a) + b, np.empty_like(b).strides", "return a[None] + b[:, None]", "return a[..., None] * b[..., None, :]", "return a.astype('f'), (a + b).astype('i')")  # fmt: skip


@pytest.mark.parametrize("text", RESULTS)
def test_results_have_the_strides_eager_gives_them(text):
    proof, fn = Proof(), function(text, "a, b")
    names = (
        *CUBE_ORDERS,
        "stride 3",
        "columns",
        "one item",
        "odd strides",
        "misaligned",
        "reversed",
    )
    for shape in ((5, 6, 7), (5, 1, 7), (1, 1, 1), (1, 6, 1), (0, 6, 7), (5, 6), (1, 6), (6, 1), (2, 3, 4, 5)):  # fmt: skip
        for orders in some([(a, b) for a in names for b in names], 15, text, shape):

            def build():
                return operand("quiet", "d", shape, orders[0]), operand(
                    "quiet", "d", shape, orders[1], 3
                )

            proof.check(fn, build, "ignore", (shape, orders))
    proof.require(ran=50, missed=9)


def test_broadcast_operands_of_unlike_rank_give_eagers_strides():
    proof = Proof()
    for text in ("return a + b", "return b * a + a", "return np.where(b > 0, a, b)"):
        fn = function(text, "a, b")
        for one, other in (((4, 5, 6), (5, 6)), ((4, 5, 6), (6,)), ((5, 6), (4, 5, 1)), ((1, 6), (5, 1)), ((4, 1, 6), (1, 5, 1)), ((6,), (3, 1))):  # fmt: skip
            for orders in some([(a, b) for a in CUBE_ORDERS for b in CUBE_ORDERS], 12, text, one):
                proof.check(fn, lambda: (operand("odd", "d", one, orders[0]), operand("odd", "d", other, orders[1])), "ignore", (one, other, orders))  # fmt: skip
    proof.require(ran=100)
