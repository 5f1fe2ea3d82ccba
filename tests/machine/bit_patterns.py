"""A proof on unusual bit patterns in a process of its own: `python -m tests.machine.bit_patterns`.

As `forced_tiles`, it is run under environments that force small tiles and threads.
"""

from __future__ import annotations

from tests.machine.capturing import Proof, function
from tests.machine.operands import DTYPES, laid_out, some
from tests.machine.patterns import patterns

NUMBERS = tuple(char for char in DTYPES if char != "?")
SHAPES = ((70,), (1,), (), (9, 13), (9000,))
LAYOUTS = ("contiguous", "stride 2", "reversed", "fortran", "misaligned")
CASTS = tuple(f"return x.astype({char!r})" for char in "?biQefdgFDG")
ANY = (
    *CASTS,
    "return x.astype('?') * 2.0, np.where(x, 1.0, y), np.where(x, y, x), np.where(y > 0, x, 1)",
    "return x * 1, x + 1.0, x / 2",
    "return x + y, x * y, x == y, x != y, x < y, x >= y",
    "return x.max(), x.min(), x.max(axis=0), x.min(axis=-1), x.max(keepdims=True)",
    "return np.maximum(x, y), np.minimum(x, y), np.logical_and(x, y), np.logical_not(x)",
    "return x.sum(), x.sum(axis=0), x.sum(axis=-1), x.prod(), x.any(), x.all(axis=0)",
    "return x.mean(), x.mean(axis=0), np.add.reduce(x, axis=-1), np.count_nonzero(x)",
    "return x.argmax(), x.argmin(), np.logical_or.reduce(x), np.maximum.reduce(x)",
    "return x.copy(), np.copy(x), (x == y) * 1.5, np.positive(x * 1)",
    "return x.ravel()[0] * y, x.ravel()[0] + 1.5, np.where(y, x.ravel()[0], y)",
    "return x.ravel()[0] == y, x.max() == y, x.ravel()[:1].max() == y",
    "return x[..., 0] == y, x[..., 0] != y, y[..., :1] < x[..., 0]",
    "t = np.zeros(x.shape, 'F')\nt[...] = x\nreturn t",
    "t = np.zeros(x.shape, '?')\nt[...] = x.ravel()[0]\nreturn t",
    "t = x.copy()\nt[...] = y\nreturn t, t * 1",
    "x[...] = y",
    "x[...] = y[..., ::-1]",
    "x[...] = y.ravel()[0]",
    "x[...] = y == x",
    "x *= y",
    "np.add(y, y, out=x)",
)
BOOLS = (
    "return x & y, x | y, x ^ y, ~x, x & True, True ^ x",
    "return x.ravel()[0] & y, x.ravel()[0] ^ y, x.ravel()[0] == y.ravel()[0]",
    "return np.logical_xor(x, y), np.logical_xor(x.max(axis=-1), y.ravel()[0]), x // 2, x % 2",
    "x |= y",
    "x ^= y",
    "np.logical_not(y, out=x)",
)
FLOATS = (
    "return -x, x - 1.5, abs(x), np.sqrt(x), np.copysign(1.0, x), np.maximum(x, 0.0), x ** 2",
    "return np.where(y > 0, x, -x), np.clip(x, y, y), np.isnan(x), np.signbit(x), np.floor(x)",
    "return np.fmax(x, y), np.fmin(x * 1, y[..., :1]), np.fmax(x.max(axis=-1), 0.5) * 2",
    "return x.std(), x.var(axis=-1), x.astype('q') + 1, x.astype('H'), x.astype('b')",
    "x[..., 1:] = x[..., :-1]",
)
INTEGERS = ("return x // -1, x % -1, -x, abs(x), x << 70, x >> 70, x << y, x // y",)
GROUPS = (
    (ANY, "?" + "".join(some(NUMBERS, 9, "patterns"))),
    (BOOLS, "?"),
    (FLOATS, "efdg"),
    (INTEGERS, "bilq"),
)


def main():
    proof = Proof(allowed=0.02)
    programs = [
        (body, function(body), dtype)
        for bodies, dtypes in GROUPS
        for body in bodies
        for dtype in dtypes
    ]
    for body, fn, dtype in programs:
        for shape in some(SHAPES, 2, "shapes", body, dtype):
            check_layouts(proof, fn, body, dtype, shape)
    proof.require(ran=1000, missed=10)
    print(proof.ran, len(proof.declined))


def check_layouts(proof, fn, body, dtype, shape):
    for layout in some(LAYOUTS, 2, body, dtype, shape):
        for start in (0, 1):

            def build():
                return (
                    laid_out(patterns(shape, dtype, start), layout),
                    patterns(shape, dtype, start + 3),
                )

            proof.check(fn, build, "ignore", (shape, layout, start))


if __name__ == "__main__":
    main()
