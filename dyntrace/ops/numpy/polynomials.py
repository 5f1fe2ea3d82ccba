"""The polynomial functions of the main namespace, on coefficient arrays.

`poly1d` objects are opaque and refused as operands. `polyfit` may warn, so its quiet clone runs.
Its stand-ins are long enough for usual degrees, since LAPACK prints a message if it gets NaN. Read
`ops.numpy.functions` for the fields of a line.
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
