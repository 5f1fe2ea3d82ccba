"""The polynomial functions of the main namespace, on coefficient arrays.

`poly1d` objects are opaque and refused as operands. `polyfit` may warn: its quiet clone runs. Its
stand-ins are long enough for the usual degrees, because LAPACK prints when it is given NaN.
"""

from __future__ import annotations

import numpy as np

from dyntrace.ops.numpy.functions import Line, Refusal, captured, register
from dyntrace.ops.numpy.linalg import finite_only

LINES: tuple[Line | Refusal, ...] = (
    captured("poly polyadd polysub polymul polydiv polyval roots", aliases=True),
    captured("polyder polyint", static="m", aliases=True),
    captured("polyfit", wrapper=finite_only, blas=True, sides=(8, 16)),
)

register(np, "numpy", "polynomial", LINES)
