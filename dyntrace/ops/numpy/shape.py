"""Shape manipulation, joining, splitting, and rearranging along axes.

A function that may return a view of an argument, or the argument itself, is marked `aliases`. The
trace reads the sections of a split, so it knows how many arrays the split returns. Read
`ops.numpy.functions` for the fields of a line.
"""

from __future__ import annotations

import numpy as np

from dyntrace import breaks
from dyntrace.graph.describe import MAX_ITEMS
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind, ObjectKind, SequenceKind
from dyntrace.ops.call import NumpyCall, Refused
from dyntrace.ops.numpy.array_methods import argument, dimensions, first_kind, is_integer, squeezed
from dyntrace.ops.numpy.functions import Line, Refusal, captured, register
from dyntrace.ops.registry import Infer


def reshaped(call: NumpyCall) -> Kind:
    """`np.reshape(a, shape)`: as many dimensions as the shape has lengths."""
    array = first_kind(call)
    shape = call.args[1] if len(call.args) > 1 else call.kwargs.get("shape")
    if not isinstance(array, (ArrayKind, NumpyScalarKind)) or shape is None:
        raise Refused(breaks.UNFORESEEN)
    for operand in (*call.args[2:], *(v for k, v in call.kwargs.items() if k != "shape")):
        operand.read()
    return ArrayKind(array.dtype, dimensions(NumpyCall((call.args[0], shape))))


def split_up(call: NumpyCall) -> Kind:
    """`np.split`: as many parts as sections, or one more than there are split indices."""
    array, axis = first_kind(call), argument(call, 2, "axis")
    sections = argument(call, 1, "indices_or_sections")
    if not isinstance(array, ArrayKind) or array.ndim == 0 or sections is None:
        raise Refused(breaks.OBJECT_OPERAND)
    if axis is not None:
        axis.read()
    if isinstance(sections.kind, SequenceKind):
        return SequenceKind(list, (array,) * (len(sections.items) + 1))
    if not is_integer(sections.kind):
        raise Refused(breaks.DATA_DIMENSIONS)
    count = sections.read()
    if not 0 < count <= MAX_ITEMS[0]:
        return ObjectKind(list)
    return SequenceKind(list, (array,) * int(count))


def unstacked(call: NumpyCall) -> Kind:
    """`np.unstack`: a tuple of unknown length, that of the axis."""
    array = first_kind(call)
    if not isinstance(array, ArrayKind) or array.ndim == 0:
        raise Refused(breaks.OBJECT_OPERAND)
    return ObjectKind(tuple)


def shape_of_known_length(infer: Infer) -> Infer:
    """Refuse an array as a shape, since its length is not known."""

    def checked(call: NumpyCall) -> Kind:
        for name, operand in (*enumerate(call.args), *call.kwargs.items()):
            kind = operand.kind
            if name in (1, "shape", "reps", "new_shape") and isinstance(kind, ArrayKind):
                if kind.ndim:
                    raise Refused(breaks.DATA_DIMENSIONS)
            if isinstance(kind, SequenceKind) and kind.type not in (tuple, list):
                raise Refused(breaks.OBJECT_OPERAND)
        return infer(call)

    return checked


LINES: tuple[Line | Refusal, ...] = (
    captured("reshape", aliases=True, infer=reshaped),
    captured("squeeze", aliases=True, infer=squeezed),
    captured("ravel transpose permute_dims matrix_transpose swapaxes", aliases=True),
    captured("moveaxis expand_dims", aliases=True),
    captured("rollaxis", static="start", aliases=True),
    captured("atleast_1d atleast_2d atleast_3d", aliases=True),
    captured("broadcast_to resize", aliases=True, around=shape_of_known_length),
    captured("broadcast_arrays", aliases=True),
    captured("broadcast_shapes"),
    captured("tile", aliases=True, around=shape_of_known_length),
    captured("concatenate concat", "arrays axis out dtype casting"),
    captured("row_stack", until=(2, 0)),
    captured("stack vstack hstack dstack column_stack block append"),
    captured("split array_split hsplit vsplit dsplit", aliases=True, infer=split_up),
    captured("unstack", aliases=True, infer=unstacked),
    captured("repeat delete insert roll rot90 flip fliplr flipud", aliases=True),
    captured("pad", writes=""),
    captured("trim_zeros", static="axis", aliases=True),
    captured("diagonal", static="offset", aliases=True),
    captured("ndim shape size"),
)

register(np, "numpy", "shape", LINES)
