"""NumPy functions that compute or select item by item and are not ufuncs.

Ufuncs need no line: `ops.numpy.ufuncs` has one rule for all of them. A function that writes an
argument declares which. Read `ops.numpy.functions` for the fields of a line.
"""

from __future__ import annotations

import numpy as np

from dyntrace import breaks
from dyntrace.ops.numpy.array_methods import unless_switched
from dyntrace.ops.numpy.functions import Line, Refusal, captured, refused, register

LINES: tuple[Line | Refusal, ...] = (
    captured("angle i0 sinc isneginf isposinf iscomplex isreal"),
    captured("around round clip real imag real_if_close", aliases=True),
    captured("nan_to_num", aliases=True, writes="", around=unless_switched(1, "copy", True)),
    captured("fix", until=(2, 5)),
    captured("unwrap interp"),
    captured("isclose allclose", clone=True),
    captured("array_equal array_equiv"),
    captured("where", "condition x y"),
    captured("select piecewise"),
    captured("choose astype", aliases=True),
    captured("packbits", "a axis bitorder"),
    captured("unpackbits", "a axis count bitorder"),
    # writes into an argument
    captured("copyto", "dst src casting where", writes="dst"),
    captured("place put_along_axis", writes="arr"),
    captured("put fill_diagonal", writes="a"),
    captured("putmask", "a mask values", writes="a"),
    # callbacks: `ops.probe` refuses all but NumPy's functions
    captured("apply_along_axis apply_over_axes", aliases=True, writes=""),
    refused("vectorize frompyfunc", "break", breaks.CALLBACK.code),
    refused("isnat", "break", breaks.NOT_NUMERIC.code),
)

register(np, "numpy", "elementwise", LINES)
