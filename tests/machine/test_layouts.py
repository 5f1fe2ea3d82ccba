"""Layout as a result: strides of results, and the reuse of large temporaries that decides them.

NumPy computes `(a * b) + c` in the memory of `a * b` if that is on the stack only and has 256 KiB
or more. Then the result has the strides of `a * b`, and otherwise those of both operands.
"""

import itertools

import numpy as np
import pytest

from tests.differential.harness import check
from tests.machine.capturing import Proof, function, functions_of, name_of, text_of
from tests.machine.operands import Draw, drawn, operand, some

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
ORDERS = (
    "contiguous",
    "fortran",
    "transposed",
    "stride 2",
    "reversed",
    "reversed inner",
    "rows",
    "columns",
    "read-only",
    "misaligned",
)
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
}


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


class Sums:
    """Programs whose large temporary is reused, or has a name and is not."""

    def temporary_first(a, b, c):
        return (a + b) + c

    def temporary_second(a, b, c):
        return c * (a + b)

    def two_temporaries(a, b, c):
        return (a * b) + (c + a)

    def named(a, b, c):
        t = a + b
        return t + c


MIXED_ORDERS = (
    ("fortran", "fortran", "contiguous"),
    ("contiguous", "contiguous", "fortran"),
    ("fortran", "contiguous", "fortran"),
)


@pytest.mark.parametrize("dtype", tuple("?bhefFDg"))
def test_the_threshold_counts_bytes_of_the_temporary(dtype):
    proof = Proof()
    size = np.dtype(dtype).itemsize
    cases = itertools.product(functions_of(Sums), (255, 256, 257), MIXED_ORDERS)
    for fn, rows, orders in cases:

        def build():
            shape = rows, 1024 // size
            return tuple(operand("quiet", dtype, shape, order, s) for s, order in enumerate(orders))

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


RESULTS = (
    lambda a, b: a + b,
    lambda a, b: (np.add(a, b), a * 2),
    lambda a, b: (a > b, np.sqrt(a)),
    lambda a, b: np.where(a > b, a, b),
    lambda a, b: a.copy("K") + b,
    lambda a, b: (np.add(a, b, order="F"), np.add(a, b, order="C")),
    lambda a, b: ((a + b).T, a.T + b.T),
    lambda a, b: a.sum(0, keepdims=True) + b,
    lambda a, b: (np.zeros_like(a) + b, np.empty_like(b).strides),
    lambda a, b: a[None] + b[:, None],
    lambda a, b: a[..., None] * b[..., None, :],
    lambda a, b: (a.astype("f"), (a + b).astype("i")),
)


RESULT_ORDERS = (
    *(*CUBE_ORDERS, "stride 3", "columns", "one item", "odd strides"),
    *("misaligned", "reversed"),
)
RESULT_SHAPES = (
    *((5, 6, 7), (5, 1, 7), (1, 1, 1), (1, 6, 1), (0, 6, 7), (5, 6), (1, 6), (6, 1)),
    (2, 3, 4, 5),
)


@pytest.mark.parametrize("fn", RESULTS, ids=name_of)
def test_results_have_the_strides_eager_gives_them(fn):
    proof = Proof()
    orders_of_two = list(itertools.product(RESULT_ORDERS, RESULT_ORDERS))
    for shape, orders in drawn(RESULT_SHAPES, Draw(orders_of_two, 15), key=(text_of(fn),)):

        def build():
            return (
                operand("quiet", "d", shape, orders[0]),
                operand("quiet", "d", shape, orders[1], 3),
            )

        proof.check(fn, build, "ignore", (shape, orders))
    proof.require(ran=50, missed=9)


UNLIKE = (
    *(((4, 5, 6), (5, 6)), ((4, 5, 6), (6,)), ((5, 6), (4, 5, 1)), ((1, 6), (5, 1))),
    *(((4, 1, 6), (1, 5, 1)), ((6,), (3, 1))),
)
BROADCAST = (
    lambda a, b: a + b,
    lambda a, b: b * a + a,
    lambda a, b: np.where(b > 0, a, b),
)


def test_broadcast_operands_of_unlike_rank_give_eagers_strides():
    proof = Proof()
    orders_of_two = list(itertools.product(CUBE_ORDERS, CUBE_ORDERS))
    for fn in BROADCAST:
        for shapes, orders in drawn(UNLIKE, Draw(orders_of_two, 12), key=(text_of(fn),)):

            def build():
                return tuple(
                    operand("odd", "d", *pair) for pair in zip(shapes, orders, strict=True)
                )

            proof.check(fn, build, "ignore", (*shapes, orders))
    proof.require(ran=100)
