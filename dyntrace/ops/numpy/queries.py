"""Queries about dtypes, numbers and memory, and text of numbers; then functions left native.

The queries are pure: their results are bools, dtypes, classes or text. Configuration, files and
printing are not array work, and run natively. Read `ops.numpy.functions` for the fields of a line.
"""

from __future__ import annotations

import numpy as np

from dyntrace import breaks
from dyntrace.ops.numpy.functions import Line, Refusal, captured, refused, register

LINES: tuple[Line | Refusal, ...] = (
    captured("can_cast promote_types result_type common_type", static="from_ to"),
    captured("min_scalar_type", "a", static="a"),
    captured("issubdtype isdtype isscalar iscomplexobj isrealobj iterable"),
    captured("isfortran may_share_memory shares_memory", writes=""),
    captured("dtype", "dtype align copy"),
    captured("mintypecode"),
    captured("typename", until=(2, 5)),
    captured("base_repr binary_repr", static="number num base padding width"),
    captured("format_float_positional format_float_scientific"),
    captured("busday_count is_busday", writes=""),
    captured("datetime_data", "dtype"),
    refused("datetime_as_string", "break", breaks.NOT_NUMERIC.code),
    refused("info show_config show_runtime", "native", breaks.MAKES_TEXT.code),
    refused("save savez savez_compressed savetxt", "native", breaks.MAKES_TEXT.code),
    refused("set_printoptions printoptions test", "native", breaks.CONFIGURATION.code),
    refused("geterr seterr geterrcall seterrcall setbufsize", "native", breaks.CONFIGURATION.code),
    refused("errstate", "native", breaks.CONFIGURATION.code),
    refused("nditer nested_iters flatiter ufunc", "break", breaks.NOT_A_PLAIN_ARRAY.code),
    refused(
        "generic number integer signedinteger unsignedinteger inexact",
        "native",
        breaks.CONFIGURATION.code,
    ),
    refused("floating complexfloating flexible character", "native", breaks.CONFIGURATION.code),
)


register(np, "numpy", "query", LINES)
register(
    np.linalg, "numpy.linalg", "query", (refused("test", "native", breaks.CONFIGURATION.code),)
)
