"""Heavy operations that do not depend on each other."""

import numpy as np

from bench.workload import Workload


def random(*shape, seed=51):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def fft_filter(image, kernel):
    """Circular convolution by the convolution theorem."""
    spectrum = np.fft.fft2(image)
    response = np.fft.fft2(kernel)
    return np.real(np.fft.ifft2(spectrum * response))


def two_sorts(x, y):
    return np.sort(x) - np.sort(y)


def two_argsorts(x, y):
    return np.argsort(x), np.argsort(y)


def two_svd(a, b):
    return np.linalg.svd(a, compute_uv=False) + np.linalg.svd(b, compute_uv=False)


def two_matmul(a, b, c):
    return a @ b, a @ c


def arrays(count, dimensions):
    return lambda size: tuple(
        random(*(size,) * dimensions, seed=51 + index) for index in range(count)
    )


WORKLOADS = (
    Workload("fft_filter", fft_filter, arrays(2, 2), (1024,), small=16, goals={1024: 1.8}),
    Workload("two_sorts", two_sorts, arrays(2, 1), (2_000_000,), small=500, goals={2_000_000: 1.7}),
    Workload(
        "two_argsorts", two_argsorts, arrays(2, 1), (2_000_000,), small=500, goals={2_000_000: 1.6}
    ),
    Workload("two_svd", two_svd, arrays(2, 2), (300,), small=12, goals={300: 1.0}),
    Workload("two_matmul", two_matmul, arrays(3, 2), (1200,), small=24, goals={1200: 1.0}),
)
