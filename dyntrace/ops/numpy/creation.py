"""Creation of arrays: from shapes, numbers and other arrays; conversions and index arrays.

The contents of `np.empty` are undefined in eager NumPy and here. Lists and tuples are converted if
every leaf is an array or a number; text and objects are refused. Read `ops.numpy.functions` for the
fields of a line.
"""

from __future__ import annotations

import numpy as np

from dyntrace import breaks
from dyntrace.graph.kinds import ArrayKind, Kind
from dyntrace.ops.call import NumpyCall, Refused
from dyntrace.ops.numpy.functions import VERSION, Line, Refusal, captured, refused, register
from dyntrace.ops.registry import Infer

_ARRAY = "object dtype"
_SCALAR_TYPES = """bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 intp uintp int_ uint
    byte ubyte short ushort intc uintc long ulong longlong ulonglong half single longdouble
    float16 float32 float96 float128 csingle cdouble clongdouble complex64 complex128
    complex192 complex256"""


def shape_first(infer: Infer) -> Infer:
    """Refuse an array as the shape: its length, and so the dimensions, would not be known."""

    def checked(call: NumpyCall) -> Kind:
        shape = call.args[0] if call.args else call.kwargs.get("shape")
        if shape is not None and isinstance(shape.kind, ArrayKind) and shape.kind.ndim:
            raise Refused(breaks.DATA_DIMENSIONS)
        return infer(call)

    return checked


def number_of_one_element(infer: Infer) -> Infer:
    """Refuse arrays with axes before NumPy 2.4: `np.float64` of one element returns a number."""
    if VERSION >= (2, 4):
        return infer

    def checked(call: NumpyCall) -> Kind:
        if any(isinstance(value.kind, ArrayKind) and value.kind.ndim for value in call.args):
            raise Refused(breaks.DATA_DIMENSIONS)
        return infer(call)

    return checked


LINES: tuple[Line | Refusal, ...] = (
    captured("empty zeros", "shape dtype order", exact=True, writes="", around=shape_first),
    captured("ones", exact=True, writes="", around=shape_first),
    captured("full", writes="", around=shape_first),
    captured("empty_like", "prototype dtype order subok shape", writes=""),
    captured("zeros_like ones_like full_like", writes=""),
    captured("arange", "start stop step dtype", writes=""),
    captured("linspace logspace geomspace", writes="", number=2),
    captured("eye identity tri", writes=""),
    captured("bartlett blackman hamming hanning kaiser", writes=""),
    captured("array asarray asanyarray", _ARRAY, aliases=True, writes=""),
    captured("ascontiguousarray asfortranarray", "a dtype", aliases=True, writes=""),
    captured("asarray_chkfinite require", aliases=True, writes=""),
    captured("copy", writes=""),
    captured("diag", aliases=True, writes=""),
    captured("diagflat tril triu vander meshgrid indices", aliases=True, writes=""),
    captured("tril_indices triu_indices tril_indices_from triu_indices_from", writes=""),
    captured("diag_indices diag_indices_from ix_", aliases=True, writes=""),
    captured("mask_indices fromfunction", writes=""),
    captured("ravel_multi_index", "multi_index dims mode order", writes=""),
    captured("unravel_index", "indices shape order", writes="", number=2),
    captured("frombuffer", "buffer dtype count offset", aliases=True, writes=""),
    captured("from_dlpack", "x", aliases=True, writes=""),
    captured("fromiter", "iter dtype count", writes=""),
    captured("fromstring", "string dtype count", static="count", writes=""),
    captured(_SCALAR_TYPES, "value", aliases=True, writes=""),
    captured("double float64", "value", aliases=True, writes="", around=number_of_one_element),
    captured("ndarray", "shape dtype buffer offset strides order", aliases=True, writes=""),
    refused("fromfile fromregex genfromtxt loadtxt load memmap", "native", breaks.MAKES_TEXT.code),
    refused("matrix asmatrix bmat record", "break", breaks.NOT_A_PLAIN_ARRAY.code),
)

register(np, "numpy", "creation", LINES)
