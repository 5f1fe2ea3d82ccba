"""Arrays of one item: NumPy's loops see strides by which some of them choose how they compute."""

import numpy as np
import pytest

from tests.machine.capturing import Proof, function

BODIES = (
    "return x * np.min(y, axis=0, keepdims=True)",
    "return np.sum(y, axis=0, keepdims=True) * x",
    "return x * np.prod(y)",
    "return x[0] * np.max(y, axis=0)",
    "return (x * y[0]) * np.min(y * x[..., :1], axis=0, keepdims=True)",
    "return (x + y[:1]) * y[0], x * y, x / (y + 1)",
    "return np.square(x + 1) * np.conjugate(y), np.abs(x * y), np.exp(x) * y",
)
REAL = (
    "m = np.sum(y, axis=0, keepdims=True)\nreturn np.power(np.abs(x), m), np.arctan2(x, m), np.hypot(m, x)",
    "m = np.max(y, axis=-1, keepdims=True)\nreturn np.exp(x - m), np.fmod(x, m), np.maximum(x, m), np.log1p(m * m)",
    "m = np.mean(y)\nreturn np.sin(x * m), np.cos(m - x), np.tanh(x) * np.cbrt(x + m), np.remainder(x, m)",
    "t = x + y[0]\nreturn np.power(np.abs(t), y[:1]), np.arctan2(t, y[0]), np.exp(t) * np.log(np.abs(y))",
)  # fmt: skip


def numbers(draw, dtype, shape):
    values = draw.standard_normal(shape) * 3
    return (values + 1j * draw.standard_normal(shape)).astype(dtype) if dtype in "FD" else values.astype(dtype)  # fmt: skip


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1)])
@pytest.mark.parametrize("body", BODIES + REAL)
def test_one_item_has_eagers_bits(body, shape):
    proof = Proof(allowed=0.0)
    fn = function(body, "x, y")
    for dtype in "fd" if body in REAL else "FDfd":
        for seed in range(40):
            draw = np.random.default_rng(seed)
            x, y = numbers(draw, dtype, shape), np.asfortranarray(numbers(draw, dtype, shape))
            proof.check(fn, lambda: (x.copy(), y.copy(order="K")), "ignore", (dtype, seed))  # noqa: B023
    proof.require(ran=60)
