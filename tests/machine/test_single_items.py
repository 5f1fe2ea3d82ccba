"""Arrays of one item: NumPy's loops see strides by which some of them choose how they compute."""

import itertools

import numpy as np
import pytest

from tests.machine.capturing import Proof, functions_of, name_of

BODIES = (
    lambda x, y: x * np.min(y, axis=0, keepdims=True),
    lambda x, y: np.sum(y, axis=0, keepdims=True) * x,
    lambda x, y: x * np.prod(y),
    lambda x, y: x[0] * np.max(y, axis=0),
    lambda x, y: x * y[0] * np.min(y * x[..., :1], axis=0, keepdims=True),
    lambda x, y: ((x + y[:1]) * y[0], x * y, x / (y + 1)),
    lambda x, y: (np.square(x + 1) * np.conjugate(y), np.abs(x * y), np.exp(x) * y),
)


class Real:
    """Programs on real numbers."""

    def power_of_a_sum(x, y):
        m = np.sum(y, axis=0, keepdims=True)
        return np.power(np.abs(x), m), np.arctan2(x, m), np.hypot(m, x)

    def exponential_beside_a_maximum(x, y):
        m = np.max(y, axis=-1, keepdims=True)
        return np.exp(x - m), np.fmod(x, m), np.maximum(x, m), np.log1p(m * m)

    def sine_of_a_mean(x, y):
        m = np.mean(y)
        return np.sin(x * m), np.cos(m - x), np.tanh(x) * np.cbrt(x + m), np.remainder(x, m)

    def logarithm_of_a_row(x, y):
        t = x + y[0]
        return np.power(np.abs(t), y[:1]), np.arctan2(t, y[0]), np.exp(t) * np.log(np.abs(y))


REAL = functions_of(Real)


def numbers(draw, dtype, shape):
    values = draw.standard_normal(shape) * 3
    if dtype in "FD":
        values = values + 1j * draw.standard_normal(shape)
    return values.astype(dtype)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1)])
@pytest.mark.parametrize("fn", [*BODIES, *REAL], ids=name_of)
def test_one_item_has_eagers_bits(fn, shape):
    proof = Proof(allowed=0.0)
    for dtype, seed in itertools.product("fd" if fn in REAL else "FDfd", range(40)):
        draw = np.random.default_rng(seed)
        x, y = numbers(draw, dtype, shape), np.asfortranarray(numbers(draw, dtype, shape))
        proof.check(fn, lambda: (x.copy(), y.copy(order="K")), "ignore", (dtype, seed))
    proof.require(ran=60)
