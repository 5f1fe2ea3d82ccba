"""Chains of operations at sizes around vectors, tiles and buffers, in one dimension and more."""

import itertools

import numpy as np
import pytest

from tests.machine.capturing import Proof, function, functions_of, name_of
from tests.machine.operands import LAYOUTS, SHAPES, SIZES, Draw, chosen, drawn, operand


class Chains:
    """Chains of operations on two arrays."""

    def five_operations(x, y):
        return (x * y + x) / (y + 2) - x

    def fifteen_operations(x, y):
        t = x * 2
        u = t + y
        v = u * u - t
        w = np.sqrt(np.abs(v)) + u / 3
        return w * t - v + np.minimum(w, u) * 0.5 - y

    def transcendental(x, y):
        return np.exp(x) * np.sin(y) + np.log1p(np.abs(x))

    def shared_operand(x, y):
        return x + y, x - y, x * y

    def kept_in_the_middle(x, y):
        t = x * y
        u = t + x
        v = u * t
        return u, v, t

    def mask(x, y):
        m = x > y
        return np.where(m, x - y, y - x) * 2, m, ~m & (x < 1)

    def mixed_widths(x, y):
        t = (x * y).astype("f")
        return t + 1, (t > 0.5), t * x

    def broadcast_inside(x, y):
        return (x * y)[..., :1] + x * y[..., -1:], x * 2

    def shifted(x, y):
        return x[..., 1:] * y[..., :-1] + x[..., 1:], y[..., ::-1] + x

    def sum_at_the_end(x, y):
        t = x * y
        return t.sum(), t + 1

    def sum_in_the_middle(x, y):
        s = (x * y).sum()
        return x * s - y

    def max_and_shift(x, y):
        t = x + y
        return t - t.max(), t.min(axis=-1)

    def dead_value(x, y):
        t = x * y
        u = np.sin(t)
        return t + 1

    def transposed(x, y):
        return (x * y).T + 1, x.T * y.T

    def reversed(x, y):
        t = x[..., ::-1]
        return np.exp(t) + t * y

    def integers(x, y):
        t = (x * 8).astype("i")
        return t // 3 + t % 5 << 1, t ^ (t >> 2)

    def rint(x, y):
        return np.rint(x * 10) / 10, np.floor(x) + np.trunc(y), np.copysign(x, y)

    def pairs(x, y):
        a, b = np.divmod(x * 7, y + 1)
        m, e = np.frexp(x)
        return a + b, m * e


CHAINS = functions_of(Chains)


def pair(data, dtype, shape, layouts):
    """A builder of x and y of one shape, each in its layout."""
    return lambda: (
        operand(data, dtype, shape, layouts[0]),
        operand(data, dtype, shape, layouts[1], 3),
    )


def has_no_maximum(chain, size):
    return "max" in chain.__name__ and not size


@pytest.mark.parametrize("chain", CHAINS, ids=name_of)
def test_chain_has_eagers_bits_at_every_size(chain):
    proof = Proof()
    for size in SIZES:
        if has_no_maximum(chain, size):
            continue
        small = size < 5000
        levels = "dfegFD" if small else "df", Draw(LAYOUTS, 4 if small else 1)
        for dtype, layout in drawn(*levels, key=(chain.__name__, size)):
            for data in ("quiet", "odd") if small else ("quiet",):
                build = pair(data, dtype, (size,), (layout, "contiguous"))
                proof.check(chain, build, "ignore", (size, layout, data))
    proof.require(ran=40, missed=8)


@pytest.mark.parametrize("chain", CHAINS, ids=name_of)
def test_chain_has_eagers_bits_in_every_shape(chain):
    proof = Proof()
    shapes = [*SHAPES, (2, 3, 4), (0, 4), (5, 1, 3)]
    shapes = [shape for shape in shapes if not has_no_maximum(chain, np.prod(shape))]
    levels = shapes, "dfD", Draw(list(itertools.product(LAYOUTS, LAYOUTS)), 6)
    for case in drawn(*levels, key=(chain.__name__,)):
        shape, dtype, layouts = case
        for data in ("odd", "quiet"):
            if chosen(2, chain.__name__, *case, data):
                build = pair(data, dtype, shape, layouts)
                proof.check(chain, build, "ignore", (shape, layouts, data))
    proof.require(ran=30, missed=8)


class Flagging:
    """Chains that a zero, an infinity, a huge or a tiny number in y makes raise a flag."""

    def five_operations(x, y):
        return (x * y + x) / y - x, x / y

    def transcendental(x, y):
        return np.exp(x) * np.sin(y) + np.log1p(np.abs(x)), x / y

    def mask(x, y):
        m = x > y
        return np.where(m, x - y, y - x) * 2, m, ~m & (x < 1), x / y

    def sum_at_the_end(x, y):
        t = x * y
        return t.sum(), t + 1, x / y


@pytest.mark.parametrize("chain", functions_of(Flagging), ids=name_of)
def test_flag_raised_by_one_item_anywhere_declines(chain):
    proof = Proof()
    places = [
        (size, place)
        for size in (1, 8, 64, 65, 1000, 4097, 20011)
        for place in sorted({0, 1, size // 2, size - 1})
    ]
    numbers = (0.0, np.inf, 1e308, np.nan, 5e-324)
    for (size, place), bad in itertools.product(places, numbers):

        def build():
            x, y = operand("quiet", "d", (size,)), operand("quiet", "d", (size,), start=3)
            y[place % size] = bad
            return x, y

        for mode in ("raise", "ignore"):
            proof.check(chain, build, mode, (size, place, bad))
    assert proof.caused > 20
    proof.require(ran=40)


def test_chains_of_hundreds_of_operations_compile():
    proof = Proof()
    for step in ("t = t * y + x", "t = np.maximum(t, x) - y", "t = t[::-1]", "t = t + t.sum()"):
        fn = function("t = x\n" + f"{step}\n" * 200 + "return t")
        for size, data in itertools.product((10, 1000), ("quiet", "odd")):
            proof.check(fn, pair(data, "d", (size,), ("contiguous", "contiguous")))
    proof.require(ran=8)
