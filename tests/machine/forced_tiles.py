"""A compact proof in a process of its own: `python -m tests.machine.forced_tiles`.

The environment says how many elements a tile has and from which size on threads are used; both are
read when dyntrace is imported, so each value needs its own process. Prints what ran.
"""

from __future__ import annotations

import numpy as np

from tests.machine.capturing import Proof, functions_of, text_of
from tests.machine.operands import Draw, drawn, operand

SIZES = (0, 1, 2, 3, 7, 8, 63, 64, 65, 127, 129, 1000, 1025, 4097)
SHAPES = ((3, 129), (130, 3), (65, 1), (33, 65), (2, 3, 65))
LAYOUTS = (
    "contiguous",
    "fortran",
    "stride 2",
    "reversed",
    "reversed inner",
    "columns",
    "rows",
    "misaligned",
    "permuted",
    "one item",
)


class Bodies:
    """Programs whose groups are cut into tiles."""

    def chain(x, y):
        return (x * y + x) / (y + 2) - x

    def transcendental(x, y):
        return np.exp(x) * np.sin(y) + np.log1p(np.abs(x)), np.arctan2(x, y), np.cbrt(x)

    def extremes(x, y):
        return np.fmax(x, y), np.fmin(x, y), np.maximum(x, y), x.max(initial=0), np.hypot(x, y)

    def mask(x, y):
        m = x > y
        return np.where(m, x - y, y - x) * 2, m, ~m

    def casts(x, y):
        t = x * y
        u = t + x
        return u * t, t, (x * 8).astype("i") // 3

    def sums_of_a_product(x, y):
        t = x * y
        return t.sum(), t.sum(axis=0), t.sum(axis=-1), t + 1

    def moments(x, y):
        t = x + y
        return t.mean(axis=-1, keepdims=True) * t, t.std(axis=0), (t > 0).any(axis=0)

    def shifted(x, y):
        return x[..., ::-1] + y, x[..., 1:] * y[..., :-1], (x.T + y.T)

    def columns(x, y):
        return (x * y)[..., :1] + x, (x**2).prod(axis=-1), x.var(axis=0)

    def plus_doubled(x, y):
        x += y * 2

    def smoothed(x, y):
        x[..., 1:-1] = x[..., 2:] * 0.5 + x[..., :-2]

    def reversed_product(x, y):
        x[::-1] = x * y

    def roots_to_out(x, y):
        np.sqrt(np.abs(y), out=x)


BODIES = functions_of(Bodies)


WAYS = (("odd", "ignore"), ("quiet", "raise"), ("wide", "ignore"))
EACH_SHAPE = (*((size,) for size in SIZES), *SHAPES)


def long(x, y):
    t = x * y + 1
    return t, t.sum(), np.exp(x), t.reshape(-1, 10).sum(0)


def main():
    proof = Proof(allowed=0.3)
    for fn in BODIES:
        writes = "return" not in text_of(fn)
        levels = EACH_SHAPE, Draw("dfeDlB", 1), Draw(LAYOUTS, 2)
        for case in drawn(*levels, key=(text_of(fn),)):
            if not (writes and case[2] in ("columns", "rows", "one item")):
                check(proof, fn, *case)
    for dtype in "df":
        proof.check(long, lambda: (operand("wide", dtype, (100_000,)), np.ones(100_000, dtype)))
    proof.require(ran=500, missed=40)
    print(proof.ran, len(proof.declined))


def check(proof, fn, shape, dtype, layout):
    """Three kinds of data in a shape, dtype and layout."""
    for data, mode in WAYS:

        def build():
            return operand(data, dtype, shape, layout), operand(data, dtype, shape, start=3)

        proof.check(fn, build, mode, (shape, layout, data))


if __name__ == "__main__":
    main()
