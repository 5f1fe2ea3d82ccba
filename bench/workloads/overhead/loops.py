"""Loops over single elements and numbers, as written before anybody thinks of slices."""

import numpy as np

from bench.workload import Workload, no_harm


def random(*shape, seed=61):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def axpy_elements(a, x, y):
    for i in range(len(x)):
        y[i] = a * x[i] + y[i]
    return y


def smoothing_elements(x):
    out = np.zeros_like(x)
    for i in range(1, len(x) - 1):
        out[i] = (x[i - 1] + 2.0 * x[i] + x[i + 1]) / 4.0
    return out


def largest_element(x):
    best, where = x[0], 0
    for i in range(1, len(x)):
        if x[i] > best:
            best, where = x[i], i
    return best, where


def interval_programme(starts, ends, weights):
    """Weighted interval scheduling: the best sum of intervals that do not overlap."""
    order = np.argsort(ends, kind="stable")
    starts, ends, weights = starts[order], ends[order], weights[order]
    best = np.zeros(len(starts) + 1)
    for i in range(len(starts)):
        before = np.searchsorted(ends, starts[i], side="right")
        best[i + 1] = max(best[i], best[min(before, i)] + weights[i])
    return best[-1]


def intervals(size):
    draw = np.random.default_rng(61)
    starts = draw.random(size) * 100.0
    return starts, starts + draw.random(size) * 5.0, draw.random(size)


def one(size):
    return (random(size),)


WORKLOADS = (
    no_harm(
        Workload(
            "axpy_elements",
            axpy_elements,
            lambda size: (0.5, random(size), random(size, seed=62)),
            (10_000,),
            small=30,
            mutates=True,
        )
    ),
    no_harm(Workload("smoothing_elements", smoothing_elements, one, (100_000,), small=30)),
    no_harm(Workload("largest_element", largest_element, one, (10_000,), small=30)),
    no_harm(Workload("interval_programme", interval_programme, intervals, (2_000,), small=20)),
)
