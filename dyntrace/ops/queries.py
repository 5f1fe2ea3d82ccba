"""Questions about dtypes, numbers and memory, and text made of numbers; then what is left native.

The questions are pure: their answers are bools, dtypes, classes or text. Configuration, files and
printing are not array work and stay instructions of their own.
"""

from __future__ import annotations

import numpy as np

from dyntrace.graph.kinds import Kind, ObjectKind
from dyntrace.ops.call import Call, Refused
from dyntrace.ops.functions import Line, Refusal, captured, refused, register
from dyntrace.ops.registry import Infer


def opaque(infer: Infer) -> Infer:
    """The result is one object of its class, whatever its attributes are."""

    def checked(call: Call) -> Kind:
        found = infer(call)
        kind = getattr(found, "type", None)
        if not isinstance(kind, type):
            raise Refused("DT202")
        return ObjectKind(kind)

    return checked


LINES: tuple[Line | Refusal, ...] = (
    captured("can_cast promote_types result_type common_type", static="from_ to", exact=True),
    captured("min_scalar_type", "a", static="a", exact=True),
    captured("issubdtype isdtype isscalar iscomplexobj isrealobj iterable", exact=True),
    captured("isfortran may_share_memory shares_memory", writes=""),
    captured("dtype", "dtype align copy"),
    captured("finfo iinfo", "dtype", around=opaque),
    captured("mintypecode typename"),
    captured("base_repr binary_repr", static="number num base padding width"),
    captured("format_float_positional format_float_scientific"),
    captured("busday_count is_busday", writes=""),
    captured("datetime_data", "dtype"),
    refused("busday_offset datetime_as_string busdaycalendar", "break", "DT212"),
    refused("array2string array_repr array_str info show_config show_runtime", "native", "DT205"),
    refused("save savez savez_compressed savetxt", "native", "DT205"),
    refused("get_printoptions set_printoptions printoptions get_include test", "native", "DT213"),
    refused("geterr seterr geterrcall seterrcall getbufsize setbufsize", "native", "DT213"),
    refused("errstate", "native", "DT213"),
    refused("nditer nested_iters ndindex ndenumerate flatiter ufunc", "break", "DT214"),
    refused("generic number integer signedinteger unsignedinteger inexact", "native", "DT213"),
    refused("floating complexfloating flexible character", "native", "DT213"),
)


register(np, "np", "query", LINES)
register(np.linalg, "np.linalg", "query", (refused("test", "native", "DT213"),))
register(np.fft, "np.fft", "query", (refused("test", "native", "DT213"),))
