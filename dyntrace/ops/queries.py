"""Questions about dtypes, numbers and memory, and text made of numbers; then what is left native.

The questions are pure: their answers are bools, dtypes, classes or text. Configuration, files and
printing are not array work and stay instructions of their own.
"""

from __future__ import annotations

import numpy as np

from dyntrace.ops.functions import Line, Refusal, captured, refused, register

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
    refused("datetime_as_string", "break", "DT212"),
    refused("info show_config show_runtime", "native", "DT205"),
    refused("save savez savez_compressed savetxt", "native", "DT205"),
    refused("set_printoptions printoptions test", "native", "DT213"),
    refused("geterr seterr geterrcall seterrcall setbufsize", "native", "DT213"),
    refused("errstate", "native", "DT213"),
    refused("nditer nested_iters flatiter ufunc", "break", "DT214"),
    refused("generic number integer signedinteger unsignedinteger inexact", "native", "DT213"),
    refused("floating complexfloating flexible character", "native", "DT213"),
)


register(np, "numpy", "query", LINES)
register(np.linalg, "numpy.linalg", "query", (refused("test", "native", "DT213"),))
