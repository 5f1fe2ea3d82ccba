"""The polynomial functions of the main namespace, on coefficient arrays.

`poly1d` objects are opaque and refused as operands. `polyfit` may warn, so it runs as a quiet twin.
"""

from __future__ import annotations

import numpy as np

from dyntrace.ops.functions import Line, Refusal, captured, register

LINES: tuple[Line | Refusal, ...] = (
    captured("poly polyadd polysub polymul polydiv polyval roots", aliases=True),
    captured("polyder polyint", static="m", aliases=True),
    captured("polyfit", twin=True, blas=True),
)

register(np, "numpy", "polynomial", LINES)
