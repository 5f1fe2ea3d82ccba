"""Odd values for the operation tests: every numeric dtype, odd shapes, extreme numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

DTYPES = "?bhilqBHILQefdgFDG"
SHAPES = [(), (0,), (1,), (2,), (3,), (2, 3), (3, 3), (0, 2), (1, 1), (2, 1, 3)]
NUMBERS = [0, 1, -1, 2, 3, 255, 2**31, 2**63, -(2**63), 2**64, 0.0, -0.0, 0.5, 2.0, 1e308]
NUMBERS += [float("nan"), float("inf"), True, False, 1j, complex("nan")]


def array(dtype, shape, seed):
    count = int(np.prod(shape))
    found = (np.arange(count) * 7 + seed) % 5
    return (found - 2 * (np.dtype(dtype).kind in "ifc")).reshape(shape).astype(dtype)


def scalar(dtype, seed):
    return np.dtype(dtype).type(seed % 4)


arrays = st.builds(array, st.sampled_from(DTYPES), st.sampled_from(SHAPES), st.integers(0, 9))
scalars = st.builds(scalar, st.sampled_from(DTYPES), st.integers(0, 9))
numbers = st.sampled_from(NUMBERS)
lists = st.lists(st.sampled_from([0.5, 2.0, 1j, True]), min_size=1, max_size=3)
operands = st.one_of(arrays, arrays, scalars, numbers, lists)
