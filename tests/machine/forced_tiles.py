"""A compact proof in a process of its own: `python -m tests.machine.forced_tiles`.

The environment says how many elements a tile has and from which size on threads are used; both are
read when dyntrace is imported, so each value needs its own process. Prints what ran.
"""

from __future__ import annotations

import numpy as np

from tests.machine.capturing import Proof, function
from tests.machine.operands import operand, some

SIZES = (0, 1, 2, 3, 7, 8, 63, 64, 65, 127, 129, 1000, 1025, 4097)
SHAPES = ((3, 129), (130, 3), (65, 1), (33, 65), (2, 3, 65))
LAYOUTS = ("contiguous", "fortran", "stride 2", "reversed", "reversed inner", "columns", "rows",
           "misaligned", "permuted", "one item")  # fmt: skip
BODIES = (
    "return (x * y + x) / (y + 2) - x",
    "return np.exp(x) * np.sin(y) + np.log1p(np.abs(x)), np.arctan2(x, y), np.cbrt(x)",
    "return np.fmax(x, y), np.fmin(x, y), np.maximum(x, y), x.max(initial=0), np.hypot(x, y)",
    "m = x > y\nreturn np.where(m, x - y, y - x) * 2, m, ~m",
    "t = x * y\nu = t + x\nreturn u * t, t, (x * 8).astype('i') // 3",
    "t = x * y\nreturn t.sum(), t.sum(axis=0), t.sum(axis=-1), t + 1",
    "t = x + y\nreturn t.mean(axis=-1, keepdims=True) * t, t.std(axis=0), (t > 0).any(axis=0)",
    "return x[..., ::-1] + y, x[..., 1:] * y[..., :-1], (x.T + y.T)",
    "return (x * y)[..., :1] + x, (x ** 2).prod(axis=-1), x.var(axis=0)",
    "x += y * 2",
    "x[..., 1:-1] = x[..., 2:] * 0.5 + x[..., :-2]",
    "x[::-1] = x * y",
    "np.sqrt(np.abs(y), out=x)",
)


def main():
    proof = Proof(allowed=0.3)
    for body in BODIES:
        fn = function(body)
        writes = "return" not in body
        for shape in (*((size,) for size in SIZES), *SHAPES):
            for dtype in some("dfeDlB", 1, body, shape):
                for layout in some(LAYOUTS, 2, body, shape, dtype):
                    if writes and layout in ("columns", "rows", "one item"):
                        continue
                    for data, mode in (("odd", "ignore"), ("quiet", "raise"), ("wide", "ignore")):

                        def build():
                            return operand(data, dtype, shape, layout), operand(data, dtype, shape, start=3)  # fmt: skip

                        proof.check(fn, build, mode, (shape, layout, data))
    long = function("t = x * y + 1\nreturn t, t.sum(), np.exp(x), t.reshape(-1, 10).sum(0)")
    for dtype in "df":
        proof.check(long, lambda: (operand("wide", dtype, (100_000,)), np.ones(100_000, dtype)))
    proof.require(ran=500, missed=40)
    print(proof.ran, len(proof.declined))


if __name__ == "__main__":
    main()
