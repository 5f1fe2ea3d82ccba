"""The cost of entering and leaving a region: guards on three arrays, and the call.

Its backend makes graphs that compute nothing. The time of a Python function that calls such a graph
itself is subtracted, so dyntrace's own work remains.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from pyperf import perf_counter

import dyntrace
from bench.timing import middle

LIMIT = 150e-9  # seconds
CALLS, VALUES = 20_000, 21
NAME = "bench-nothing"


def work(x, y, z):
    return x * y + z


def nothing(x, y, z):
    return x


nothing.quiet = True  # like the numpy backend's graphs: it handles the floating-point modes itself


def plain(x, y, z):
    return nothing(x, y, z)


def compute_nothing(graph: Any) -> Callable[..., Any]:
    """A graph's callable that returns its first input, which has the kind of the result here."""
    return nothing


def guard_and_dispatch() -> float:
    """Seconds per call, the median of interleaved differences."""
    dyntrace.register_backend(NAME, compute_nothing)
    optimised = dyntrace.optimize(work, backend=NAME)
    arrays = tuple(np.ones(3) for _ in range(3))
    for _ in range(50):
        optimised(*arrays)
    return middle(
        [(all_calls(optimised, arrays) - all_calls(plain, arrays)) / CALLS for _ in range(VALUES)]
    )


def all_calls(function: Callable[..., Any], arrays: tuple[Any, ...]) -> float:
    """Seconds for `CALLS` calls."""
    x, y, z = arrays
    start = perf_counter()
    for _ in itertools.repeat(None, CALLS):
        function(x, y, z)
    return perf_counter() - start
