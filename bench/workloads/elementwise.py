"""Elementwise chains and reductions over any number of elements."""

import numpy as np

from bench.workload import Workload


def random(*shape, seed=11):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def chain_5(x, y):
    return np.sqrt(x * y + 2.0) - x / y


def chain_15(x, y):
    a = x * 1.5 + y
    b = np.sqrt(a) - x * y
    c = (a + b) * (a - b) + 0.25
    d = np.abs(c) + 1.0
    e = np.maximum(d, x) / d
    return (e * e + y) * 0.5 - x


def exp_sin_log1p(x):
    wave = np.exp(-x) * np.sin(3.0 * x)
    return wave + np.log1p(x * x)


def cumulative_normal(x):
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17."""
    k = 1.0 / (1.0 + 0.2316419 * np.abs(x))
    high = 1.781477937 + k * (-1.821255978 + k * 1.330274429)
    series = 0.319381530 + k * (-0.356563782 + k * high)
    tail = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi) * k * series
    return np.where(x < 0.0, tail, 1.0 - tail)


def black_scholes(price, strike, years, rate=0.03, volatility=0.25):
    spread = volatility * np.sqrt(years)
    d1 = (np.log(price / strike) + (rate + 0.5 * volatility**2) * years) / spread
    d2 = d1 - spread
    discounted = strike * np.exp(-rate * years)
    call = price * cumulative_normal(d1) - discounted * cumulative_normal(d2)
    put = call - price + discounted
    return call, put


def arc_distance(theta_1, phi_1, theta_2, phi_2):
    """Great-circle distance by the haversine formula, on the unit sphere."""
    across = np.sin((theta_2 - theta_1) / 2) ** 2
    along = np.cos(theta_1) * np.cos(theta_2) * np.sin((phi_2 - phi_1) / 2) ** 2
    both = across + along
    return 2 * np.arctan2(np.sqrt(both), np.sqrt(1 - both))


def standardise(x):
    return (x - x.mean()) / x.std()


def log_sum_exp(x):
    largest = np.max(x)
    return largest + np.log(np.sum(np.exp(x - largest)))


def cosine_similarity(x, y):
    return np.sum(x * y) / (np.sqrt(np.sum(x * x)) * np.sqrt(np.sum(y * y)))


def clipping(x, y, low=0.7, high=1.2):
    return np.clip(x, low, high) * 2.0 - np.minimum(y, high) + np.maximum(x, y)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def piecewise(x):
    inner = x * x * (3.0 - 2.0 * x)
    return np.where(x < 0.6, 0.0, np.where(x > 1.4, 1.0, inner))


def phase_shift(z, angle=0.3):
    turned = z * np.exp(1j * angle)
    return turned.real**2 + turned.imag**2 - np.abs(z)


def grey_levels(red, green, blue):
    """8-bit colour to 8-bit grey, ITU-R BT.601 weights, through float32."""
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    light = red * weights[0] + green * weights[1] + blue * weights[2]
    return np.minimum(np.round(light), 255).astype(np.uint8)


def momentum_step(weights, velocity, gradient, rate=0.01, decay=0.9):
    """One step of gradient descent with momentum, in place."""
    velocity *= decay
    velocity -= rate * gradient
    weights += velocity
    return weights


def mean_absolute_error(x, y):
    error = np.abs(x - y)
    return error.mean(), error.max(), np.sqrt(np.mean(error**2))


def vectors(count):
    return lambda size: tuple(random(size, seed=11 + index) for index in range(count))


def market(size):
    return 100.0 * random(size), 100.0 * random(size, seed=12), 2.0 * random(size, seed=13)


def complex_signal(size):
    return (random(size) + 1j * random(size, seed=12),)


def colours(size):
    draw = np.random.default_rng(11)
    return tuple(draw.integers(0, 256, size, dtype=np.uint8) for _ in range(3))


WORKLOADS = (
    Workload(
        "chain_5",
        chain_5,
        vectors(2),
        scaled=True,
        goals={10: 4.0, 1_000: 2.1, 10_000: 2.0, 100_000: 2.0, 1_000_000: 1.7, 10_000_000: 2.0},
    ),
    Workload(
        "chain_15",
        chain_15,
        vectors(2),
        scaled=True,
        goals={1_000: 4.0, 10_000: 3.0, 100_000: 3.5, 1_000_000: 4.5, 10_000_000: 5.5},
    ),
    Workload(
        "exp_sin_log1p",
        exp_sin_log1p,
        vectors(1),
        scaled=True,
        goals={100_000: 1.9, 1_000_000: 2.0, 10_000_000: 2.2},
    ),
    Workload("black_scholes", black_scholes, market, scaled=True),
    Workload("arc_distance", arc_distance, vectors(4), scaled=True),
    Workload("standardise", standardise, vectors(1), scaled=True),
    Workload("log_sum_exp", log_sum_exp, vectors(1), scaled=True),
    Workload("cosine_similarity", cosine_similarity, vectors(2), scaled=True),
    Workload("clipping", clipping, vectors(2), scaled=True),
    Workload("rosenbrock", rosenbrock, vectors(1), scaled=True),
    Workload("piecewise", piecewise, vectors(1), scaled=True),
    Workload("phase_shift", phase_shift, complex_signal, scaled=True),
    Workload("grey_levels", grey_levels, colours, scaled=True),
    Workload("momentum_step", momentum_step, vectors(3), scaled=True, mutates=True),
    Workload("mean_absolute_error", mean_absolute_error, vectors(2), scaled=True),
)
