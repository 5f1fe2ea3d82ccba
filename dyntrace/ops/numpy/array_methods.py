"""ndarray's methods and attributes: one row each, with the names of the parameters.

A row says what the method writes, and whether it may return a view or the array itself. Invariant:
every public name of `numpy.ndarray` is here, captured or with the reason why not. Methods whose
result depends on the number of arguments have their own inference. `ops.numpy.reductions` enters
`mean`, `std` and `var`. Read `ops.numpy.functions` next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.graph.kinds import (
    NUMPY_KINDS,
    ArrayKind,
    Kind,
    NumpyScalarKind,
    ObjectKind,
    PythonScalarKind,
    SequenceKind,
)
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Operand, Refused
from dyntrace.ops.probe import Parameters, probing
from dyntrace.ops.registry import (
    Infer,
    Record,
    Treatment,
    add_attribute,
    add_method,
    add_scalar_method,
    method,
)
from dyntrace.record import record


@record(frozen=True)
class Method:
    """A method's row: its parameters after self, and the facts of its operation.

    parameters  positional parameter names, separated by spaces
    around      wraps the default inference
    infer       replaces it
    """

    parameters: str = ""
    exact: bool = True
    aliases: bool = False
    writes: tuple[int | str, ...] = ()
    heavy: bool = False
    blas: bool = False
    infer: Infer | None = None
    around: Callable[[Infer], Infer] | None = None

    def names(self) -> Parameters:
        """The parameters, self included."""
        return Parameters(("self", *self.parameters.split()))

    def for_scalars(self) -> bool:
        """Whether the row holds for NumPy scalars, too: it writes nothing, or only `out`."""
        return not self.writes or "out" in self.writes


def dimensions(call: NumpyCall) -> int:
    """The number of dimensions of a shape that is given as integers or as one tuple."""
    shape = call.args[1:]
    if len(shape) == 1 and isinstance(shape[0].kind, SequenceKind):
        shape = tuple(shape[0].items)
    if not all(is_integer(operand.kind) for operand in shape):
        raise Refused(breaks.DATA_DIMENSIONS)
    return len(shape)


def is_integer(kind: Kind) -> bool:
    """Whether NumPy takes this for a length: a Python int or bool, or an integer scalar."""
    if isinstance(kind, PythonScalarKind):
        return kind.type in (int, bool)
    return isinstance(kind, NumpyScalarKind) and kind.dtype.kind in "iu"


def reshaped(call: NumpyCall) -> Kind:
    """`a.reshape(2, n)`, `a.reshape((2, n), order=...)`: as many dimensions as lengths."""
    array = call.args[0].kind
    for name in call.kwargs:
        if name not in ("order", "copy"):
            raise Refused(breaks.UNFORESEEN, name)
        call.kwargs[name].read()
    if not isinstance(array, NUMPY_KINDS):
        raise Refused(breaks.OBJECT_OPERAND)
    return ArrayKind(array.dtype, dimensions(call))


def squeezed(call: NumpyCall) -> Kind:
    """`a.squeeze(axis)`: refused without an axis, since then the shape decides the dimensions."""
    array, axis = first_kind(call), argument(call, 1, "axis")
    if isinstance(array, NumpyScalarKind) or not isinstance(array, ArrayKind):
        raise Refused(breaks.OBJECT_OPERAND)
    if axis is None or axis.read() is None:
        if array.ndim == 0:
            return array
        raise Refused(breaks.DATA_DIMENSIONS)
    value = axis.read()
    return array.with_(ndim=array.ndim - (len(value) if isinstance(value, tuple) else 1))


def listed(call: NumpyCall) -> Kind:
    """`a.tolist()`: a list of unknown length, or the number in a 0-d array."""
    array = call.args[0].kind
    if isinstance(array, ArrayKind) and array.ndim > 0:
        return ObjectKind(list)
    if not isinstance(array, NUMPY_KINDS):
        raise Refused(breaks.OBJECT_OPERAND)
    return PythonScalarKind(type(array.dtype.type(1).item()))


def item_of(call: NumpyCall) -> Kind:
    """`a.item()`, `a.item(i)`, `a.item(i, j)`: a Python number, for longdouble a NumPy scalar."""
    array = call.args[0].kind
    if not isinstance(array, NUMPY_KINDS) or call.kwargs:
        raise Refused(breaks.OBJECT_OPERAND)
    if not all(is_integer(operand.kind) for operand in call.args[1:]):
        raise Refused(breaks.OBJECT_OPERAND)
    value = array.dtype.type(1).item()
    if type(value) in (bool, int, float, complex):
        return PythonScalarKind(type(value))
    return NumpyScalarKind(array.dtype)


def bytes_of(call: NumpyCall) -> Kind:
    """`a.tobytes()` and `a.dumps()`: bytes; all arguments are read."""
    for operand in (*call.args[1:], *call.kwargs.values()):
        operand.read()
    return ObjectKind(bytes)


def nonzero_of(call: NumpyCall) -> Kind:
    """`a.nonzero()`: one index array for each dimension."""
    array = call.args[0].kind
    if not isinstance(array, ArrayKind) or array.ndim == 0:
        raise Refused(breaks.OBJECT_OPERAND)
    return SequenceKind(tuple, (ArrayKind(np.dtype(np.intp), 1),) * array.ndim)


def unless_switched(position: int, name: str, plain: bool) -> Callable[[Infer], Infer]:
    """A wrapper that refuses a value other than `plain` for a switch: the call would write."""

    def around(infer: Infer) -> Infer:
        def checked(call: NumpyCall) -> Kind:
            switch = argument(call, position, name)
            if switch is not None and switch.read() is not plain:
                raise Refused(breaks.CHANGE_IN_PLACE, name)
            return infer(call)

        return checked

    return around


def first_kind(call: NumpyCall) -> Kind | None:
    """The kind of the first argument; None for a call without arguments."""
    return call.args[0].kind if call.args else None


def argument(call: NumpyCall, position: int, name: str) -> Operand | None:
    """The argument given at `position` or by `name`; None if it is not given."""
    return call.args[position] if position < len(call.args) else call.kwargs.get(name)


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        # reductions
        "all": Method("axis out keepdims where", writes=(2, "out")),
        "any": Method("axis out keepdims where", writes=(2, "out")),
        "argmax": Method("axis out keepdims", writes=(2, "out")),
        "argmin": Method("axis out keepdims", writes=(2, "out")),
        "cumprod": Method("axis dtype out", writes=(3, "out")),
        "cumsum": Method("axis dtype out", writes=(3, "out")),
        "max": Method("axis out keepdims initial where", writes=(2, "out")),
        "min": Method("axis out keepdims initial where", writes=(2, "out")),
        "prod": Method("axis dtype out keepdims initial where", writes=(3, "out")),
        "sum": Method("axis dtype out keepdims initial where", writes=(3, "out")),
        "trace": Method("offset axis1 axis2 dtype out", writes=(5, "out")),
        # conversions and copies
        "tobytes": Method("order", infer=bytes_of),
        "dumps": Method(infer=bytes_of),
        "astype": Method("dtype order casting subok copy", aliases=True),
        "byteswap": Method("inplace", around=unless_switched(1, "inplace", False)),
        "conj": Method("out", aliases=True, writes=(1, "out")),
        "conjugate": Method("out", aliases=True, writes=(1, "out")),
        "copy": Method("order"),
        "item": Method("*", infer=item_of),
        "round": Method("decimals out", aliases=True, writes=(2, "out")),
        "tolist": Method(infer=listed),
        "clip": Method("min max out", aliases=True, writes=(3, "out")),
        # shape
        "diagonal": Method("offset axis1 axis2", aliases=True),
        "flatten": Method("order"),
        "ravel": Method("order", aliases=True),
        "reshape": Method("*", aliases=True, infer=reshaped),
        "squeeze": Method("axis", aliases=True, infer=squeezed),
        "swapaxes": Method("axis1 axis2", aliases=True),
        "transpose": Method("*axes", aliases=True),
        "view": Method("dtype type", exact=False, aliases=True),
        "getfield": Method("dtype offset", exact=False, aliases=True),
        "repeat": Method("repeats axis", exact=False),
        "to_device": Method("device", aliases=True),
        "__array__": Method("dtype", exact=False, aliases=True),
        "__copy__": Method(),
        "__deepcopy__": Method("memo"),
        # selection, sorting, searching
        "argpartition": Method("kth axis kind order", exact=False, heavy=True),
        "argsort": Method("axis kind order", heavy=True),
        "choose": Method("choices out mode", exact=False, writes=(2, "out")),
        "compress": Method("condition axis out", exact=False, writes=(3, "out")),
        "nonzero": Method(infer=nonzero_of),
        "partition": Method("kth axis kind order", writes=(0,), heavy=True),
        "searchsorted": Method("v side sorter", heavy=True),
        "sort": Method("axis kind order", writes=(0,), heavy=True),
        "take": Method("indices axis out mode", exact=False, writes=(3, "out")),
        # writes
        "fill": Method("value", writes=(0,)),
        "put": Method("indices values mode", writes=(0,)),
        "setfield": Method("val dtype offset", writes=(0,)),
        # products
        "dot": Method("b out", exact=False, writes=(2, "out"), blas=True),
    }
)

REFUSED_METHODS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "dump": ("native", breaks.MAKES_TEXT.code),
        "itemset": ("break", breaks.DEPRECATED.code),
        "newbyteorder": ("break", breaks.DEPRECATED.code),
        "ptp": ("break", breaks.DEPRECATED.code),
        "tostring": ("break", breaks.DEPRECATED.code),
        "tofile": ("native", breaks.MAKES_TEXT.code),
        "resize": ("break", breaks.CHANGE_IN_PLACE.code),
        "setflags": ("break", breaks.CHANGE_IN_PLACE.code),
        "__reduce__": ("native", breaks.MAKES_TEXT.code),
        "__reduce_ex__": ("native", breaks.MAKES_TEXT.code),
        "__setstate__": ("break", breaks.CHANGE_IN_PLACE.code),
        "__array_finalize__": ("native", breaks.CONFIGURATION.code),
        "__array_function__": ("break", breaks.CALLBACK.code),
        "__array_ufunc__": ("break", breaks.CALLBACK.code),
        "__array_wrap__": ("native", breaks.CONFIGURATION.code),
        "__array_namespace__": ("native", breaks.CONFIGURATION.code),
        "__class_getitem__": ("native", breaks.CONFIGURATION.code),
        "__dlpack__": ("break", breaks.EXPOSES_MEMORY.code),
        "__dlpack_device__": ("native", breaks.CONFIGURATION.code),
        "__format__": ("native", breaks.MAKES_TEXT.code),
        "__repr__": ("native", breaks.MAKES_TEXT.code),
        "__str__": ("native", breaks.MAKES_TEXT.code),
        "__buffer__": ("break", breaks.EXPOSES_MEMORY.code),
        "__iter__": ("break", breaks.NOT_A_PLAIN_ARRAY.code),
    }
)

ATTRIBUTES: Mapping[str, bool] = MappingProxyType(
    {  # name: whether the value may share the array's memory
        "T": True,
        "mT": True,
        "flat": True,
        "real": True,
        "imag": True,
        "dtype": False,
        "itemsize": False,
        "nbytes": False,
        "ndim": False,
        "shape": False,
        "size": False,
        "strides": False,
        "device": False,
    }
)

REFUSED_ATTRIBUTES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "base": ("break", breaks.EXPOSES_MEMORY.code),
        "ctypes": ("break", breaks.EXPOSES_MEMORY.code),
        "data": ("break", breaks.EXPOSES_MEMORY.code),
        "flags": ("break", breaks.EXPOSES_MEMORY.code),
        "__array_interface__": ("break", breaks.EXPOSES_MEMORY.code),
        "__array_struct__": ("break", breaks.EXPOSES_MEMORY.code),
        "__array_priority__": ("native", breaks.CONFIGURATION.code),
        "__doc__": ("native", breaks.CONFIGURATION.code),
    }
)


def scalar_caller(name: str) -> Callable[..., Any]:
    """A function that looks up method `name` on the scalar's type, since scalars differ in type."""

    def call(scalar: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(scalar, name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    return call


def _reader(name: str) -> Callable[[Any], Any]:
    def read(array: Any, /) -> Any:
        return getattr(array, name)

    read.__name__ = read.__qualname__ = name
    return read


def of_kind(infer: Infer, *kinds: type[Kind]) -> Infer:
    """`infer`, which refuses an object of other kinds than `kinds`."""

    def checked(call: NumpyCall) -> Kind:
        if not call.args or not isinstance(call.args[0].kind, kinds):
            raise Refused(breaks.OBJECT_OPERAND)
        return infer(call)

    return checked


def _method_record(name: str, line: Method) -> Record:
    op = Op(
        f"ndarray.{name}",
        getattr(np.ndarray, name),
        "method",
        "method",
        exact=line.exact,
        aliases=line.aliases,
        writes=line.writes,
        heavy=line.heavy,
        blas=line.blas,
    )
    infer = line.infer or probing(op, line.names())
    infer = line.around(infer) if line.around else infer
    if line.for_scalars():
        return array_record(Record(op, infer), name)
    return Record(op, of_kind(infer, ArrayKind))


def array_record(record: Record, name: str) -> Record:
    """`record` for arrays; for NumPy scalars, the inference of their method of that name."""
    array = of_kind(record.infer, ArrayKind)
    scalar = partial(method, name, NumpyScalarKind(np.dtype(float)))

    def either(call: NumpyCall) -> Kind:
        on_scalar = bool(call.args) and isinstance(call.args[0].kind, NumpyScalarKind)
        found = scalar() if on_scalar else None
        return array(call) if found is None else found.infer(call)

    return Record(record.op, either)


def scalar_record(name: str, parameters: Parameters, infer: Infer | None) -> Record:
    """The record of method `name` of NumPy scalars."""
    op = Op(f"generic.{name}", scalar_caller(name), "method", "method")
    return Record(op, of_kind(infer or probing(op, parameters), NumpyScalarKind))


def _attribute_record(name: str, aliases: bool) -> Record:
    op = Op(f"ndarray.{name}", _reader(name), "attribute", "attribute", exact=True, aliases=aliases)
    return Record(op, of_kind(probing(op), *NUMPY_KINDS))


def _register() -> None:
    for name, line in METHODS.items():
        if hasattr(np.ndarray, name):
            add_method(name, partial(_method_record, name, line))
        if line.for_scalars() and hasattr(np.generic, name):
            add_scalar_method(name, partial(scalar_record, name, line.names(), line.infer))
    for name, (how, code) in REFUSED_METHODS.items():
        add_method(name, Treatment(how, code))
    for name, aliases in ATTRIBUTES.items():
        if hasattr(np.ndarray, name):
            add_attribute(name, partial(_attribute_record, name, aliases))
    for name, (how, code) in REFUSED_ATTRIBUTES.items():
        add_attribute(name, Treatment(how, code))


_register()
