"""Odd arguments for random programs: dtypes, layouts, empty, 0-d, overlapping, shared, read-only."""

from __future__ import annotations

import numpy as np

from tests.differential import DTYPES, LAYOUTS, laid_out, numbers

SHAPES = (
    (5,),
    (5,),
    (3, 3),
    (3, 3),
    (4, 4),
    (1,),
    (2, 3),
    (0,),
    (),
    (3, 0),
    (2, 2, 2),
    (70,),
    (1, 4),
)
COMMON = ("float64", "float64", "float64", "int64", "float32", "complex128", "bool")
NUMBERS = (0, 1, 2, 3, -1, 2.5, True, np.float32(1.5), np.int8(3), 0.0, 1j, np.float64(-0.0))


def odd_arguments(random):
    """A callable that builds the arguments anew, with the same layout and sharing each time."""
    pick = lambda options: options[random.randint(0, len(options) - 1)]  # noqa: E731
    shape = pick(SHAPES)
    dtypes = [pick(COMMON) if random.randint(0, 9) < 7 else pick(DTYPES) for _ in range(3)]
    layouts = [pick(LAYOUTS) if random.randint(0, 9) < 5 else "C" for _ in range(3)]
    shapes = [
        shape,
        pick((shape, shape, shape, shape[-1:], (), shape)),
        pick((shape, shape, (1,) * len(shape))),
    ]
    sharing, extreme = random.randint(0, 9), random.randint(0, 9) < 3
    s, n = pick(NUMBERS), random.randint(0, 4)

    def build():
        arrays = [
            laid_out(numbers(sh, dt, extreme=extreme), la)
            for sh, dt, la in zip(shapes, dtypes, layouts, strict=True)
        ]
        return (*_shared(arrays, sharing), s, n)

    return build


def _shared(arrays, sharing):
    """Sometimes the same array twice, views of one another, or overlapping slices of one block."""
    a, b, c = arrays
    if sharing == 0:
        return a, a, c
    if sharing == 1 and a.ndim:
        return a, a[::-1], c
    if sharing == 2 and a.ndim and len(a) > 1:
        base = np.resize(a, (len(a) + 2, *a.shape[1:]))
        return base[1:-1], base[:-2], base[2:]
    return a, b, c
