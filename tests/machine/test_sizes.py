"""Chains of operations at sizes around vectors, tiles and buffers, in one dimension and more."""

import numpy as np
import pytest

from tests.machine.capturing import Proof, function
from tests.machine.operands import LAYOUTS, SHAPES, SIZES, chosen, operand, some

CHAINS = {
    "five operations": "return (x * y + x) / (y + 2) - x",
    "fifteen operations": "t = x * 2\nu = t + y\nv = u * u - t\nw = np.sqrt(np.abs(v)) + u / 3\nreturn w * t - v + np.minimum(w, u) * 0.5 - y",
    "transcendental": "return np.exp(x) * np.sin(y) + np.log1p(np.abs(x))",
    "shared operand": "return x + y, x - y, x * y",
    "kept in the middle": "t = x * y\nu = t + x\nv = u * t\nreturn u, v, t",
    "mask": "m = x > y\nreturn np.where(m, x - y, y - x) * 2, m, ~m & (x < 1)",
    "mixed widths": "t = (x * y).astype('f')\nreturn t + 1, (t > 0.5), t * x",
    "broadcast inside": "return (x * y)[..., :1] + x * y[..., -1:], x * 2",
    "shifted": "return x[..., 1:] * y[..., :-1] + x[..., 1:], y[..., ::-1] + x",
    "sum at the end": "t = x * y\nreturn t.sum(), t + 1",
    "sum in the middle": "s = (x * y).sum()\nreturn x * s - y",
    "max and shift": "t = x + y\nreturn t - t.max(), t.min(axis=-1)",
    "dead value": "t = x * y\nu = np.sin(t)\nreturn t + 1",
    "transposed": "return (x * y).T + 1, x.T * y.T",
    "reversed": "t = x[..., ::-1]\nreturn np.exp(t) + t * y",
    "integers": "t = (x * 8).astype('i')\nreturn t // 3 + t % 5 << 1, t ^ (t >> 2)",
    "rint": "return np.rint(x * 10) / 10, np.floor(x) + np.trunc(y), np.copysign(x, y)",
    "pairs": "a, b = np.divmod(x * 7, y + 1)\nm, e = np.frexp(x)\nreturn a + b, m * e",
}  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS)
def test_chain_has_eagers_bits_at_every_size(chain):
    proof, fn = Proof(), function(CHAINS[chain])
    for size in SIZES:
        if "max" in chain and not size:
            continue
        small = size < 5000
        for dtype in "dfegFD" if small else "df":
            for layout in some(LAYOUTS, 4 if small else 1, chain, size, dtype):

                def build():
                    return operand("quiet", dtype, (size,), layout), operand("quiet", dtype, (size,), start=3)  # fmt: skip

                proof.check(fn, build, "ignore", (size, layout))
                if small:
                    proof.check(fn, lambda: (operand("odd", dtype, (size,), layout), operand("odd", dtype, (size,), start=3)), "ignore", (size, layout, "odd"))  # fmt: skip
    proof.require(ran=40, missed=8)


@pytest.mark.parametrize("chain", CHAINS)
def test_chain_has_eagers_bits_in_every_shape(chain):
    proof, fn = Proof(), function(CHAINS[chain])
    for shape in (*SHAPES, (2, 3, 4), (0, 4), (5, 1, 3)):
        if "max" in chain and 0 in shape:
            continue
        for dtype in "dfD":
            for layouts in some([(a, b) for a in LAYOUTS for b in LAYOUTS], 6, chain, shape, dtype):
                for data in ("odd", "quiet"):
                    if not chosen(2, chain, shape, dtype, layouts, data):
                        continue

                    def build():
                        return operand(data, dtype, shape, layouts[0]), operand(data, dtype, shape, layouts[1], 3)  # fmt: skip

                    proof.check(fn, build, "ignore", (shape, layouts, data))
    proof.require(ran=30, missed=8)


@pytest.mark.parametrize("chain", ("five operations", "transcendental", "mask", "sum at the end"))
def test_flag_raised_by_one_item_anywhere_declines(chain):
    proof, fn = Proof(), function(CHAINS[chain].replace("y + 2", "y") + ", x / y")
    for size in (1, 8, 64, 65, 1000, 4097, 20011):
        for place in {0, 1, size // 2, size - 1}:
            for bad in (0.0, np.inf, 1e308, np.nan, 5e-324):

                def build():
                    x, y = operand("quiet", "d", (size,)), operand("quiet", "d", (size,), start=3)
                    y[place % size] = bad
                    return x, y

                for mode in ("raise", "ignore"):
                    proof.check(fn, build, mode, (size, place, bad))
    assert proof.caused > 20
    proof.require(ran=40)


def test_chains_of_hundreds_of_operations_compile():
    proof = Proof()
    for step in ("t = t * y + x", "t = np.maximum(t, x) - y", "t = t[::-1]", "t = t + t.sum()"):
        fn = function("t = x\n" + f"{step}\n" * 200 + "return t")
        for size in (10, 1000):
            for data in ("quiet", "odd"):
                proof.check(fn, lambda: (operand(data, "d", (size,)), operand(data, "d", (size,), start=3)))  # fmt: skip
    proof.require(ran=8)
