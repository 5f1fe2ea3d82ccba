"""CPython's algorithms on symbolic values: operators, comparisons, truth, subscripts, unpacking.

Each takes values and returns one. It folds constants, adds nodes through `Frame.compute`, and
breaks if the class of a value could run the user's code. Invariant: a function relies on the kind
of an outside value only after `Frame.assume` or a guard. Read `trace.semantics.attributes` for
attributes, `trace.semantics.calling` for calls.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.breaks import MAKES_TEXT
from dyntrace.graph import kinds
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Op
from dyntrace.ops.python.operators import SYMBOLS
from dyntrace.ops.registry import Record, Refused, operator_record, subscript_record
from dyntrace.record import replace
from dyntrace.trace.frame import Break, Frame, refusal_of, refusal_of_store
from dyntrace.trace.semantics.changes import new_list, new_tuple, replace_items, set_pair, stored
from dyntrace.trace.semantics.items import single_item
from dyntrace.trace.semantics.operands import read_value
from dyntrace.trace.semantics.renewal import folded
from dyntrace.trace.values.base import Computed, Constant, Outside, Value
from dyntrace.trace.values.containers import DictValue, IteratorValue, ListValue, TupleValue

__all__ = [
    "binary",
    "compare",
    "constant",
    "contains",
    "get_item",
    "identical",
    "is_numeric",
    "iterate",
    "set_item",
    "truth",
    "truth_value",
    "unary",
    "unpack",
]

FOLDABLE = (int, float, complex, bool, str, bytes, tuple, type(None))
MAX_FOLDED = 4096
UNFOLDED = object()

_FOLDS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **{name: getattr(operator, name) for name in "add sub mul truediv floordiv mod".split()},
        **{name: getattr(operator, name) for name in "lt le eq ne gt ge".split()},
        **{name: getattr(operator, name + "_") for name in "and or".split()},
        "xor": operator.xor,
        "negative": operator.neg,
        "positive": operator.pos,
        "invert": operator.invert,
        "not": operator.not_,
    }
)


def is_numeric(kind: Kind) -> bool:
    return isinstance(kind, kinds.NUMERIC_KINDS)


def unsupported(*values: Value) -> Break:
    """The break for an operation on these values."""
    return refusal_of(*(value.kind for value in values))


def constant(frame: Frame, value: Value) -> Any:
    """The object that `value` is, guarded by identity if from outside; `UNFOLDED` if not known."""
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Outside) and isinstance(value.expected, kinds.KnownKind):
        frame.assume(value)
        return value.expected.value
    return UNFOLDED


# operators ----------------------------------------------------------------------------------------


def _fold(name: str, *values: Value) -> Constant | None:
    """The result of a pure operation on constants; None if there is none, or it could be large."""
    operands = [value.value for value in values if isinstance(value, Constant)]
    if len(operands) < len(values) or name not in _FOLDS:
        return None
    if not all(type(item) in FOLDABLE for item in operands):
        return None
    if any(isinstance(item, (str, bytes, tuple)) and len(item) > MAX_FOLDED for item in operands):
        return None
    if name == "mul" and not all(isinstance(item, (int, float, complex)) for item in operands):
        return None
    try:
        return folded(_FOLDS[name](*operands), operands)
    except (ArithmeticError, TypeError, ValueError):
        return None


def binary(frame: Frame, name: str, inplace: bool, left: Value, right: Value) -> Value:
    """`left <op> right`, or `left <op>= right`, which changes only arrays in place.

    `+=` on a list, which CPython changes in place too, breaks.
    """
    known = _fold(name, left, right)
    if known is not None:
        return known
    left_kind, right_kind = frame.assume(left), frame.assume(right)
    if is_numeric(left_kind) and is_numeric(right_kind):
        record = operator_record(name, inplace and isinstance(left_kind, ArrayKind))
        return frame.compute(record, [left, right])
    if name == "mod" and isinstance(left_kind, kinds.StringKind):
        raise Break(MAKES_TEXT, "text with values in it")
    if isinstance(left_kind, ArrayKind) or isinstance(right_kind, ArrayKind):
        return _with_array_like(frame, name, inplace, left, right)
    return _concatenated(frame, name, inplace, left, right)


def _with_array_like(frame: Frame, name: str, inplace: bool, left: Value, right: Value) -> Value:
    """An operation on arrays, or on an array and a tuple or list of numbers that NumPy converts."""
    for value in (left, right):
        if not all(
            is_numeric(leaf) or _is_plain_sequence(leaf) for leaf in kinds.leaves(value.kind)
        ):
            raise unsupported(left, right)
    record = operator_record(name, inplace and isinstance(left.kind, ArrayKind))
    return frame.compute(record, [left, right])


def _is_plain_sequence(kind: Kind) -> bool:
    return isinstance(kind, kinds.SequenceKind) and kind.type in (tuple, list)


def _concatenated(frame: Frame, name: str, inplace: bool, left: Value, right: Value) -> Value:
    """Concatenation and repetition of tuples and lists."""
    own_list = inplace and not isinstance(left, (TupleValue, Constant))
    one, other = frame.items_of(left), frame.items_of(right)
    same = _same_tuple(name, left, right, one, other)
    if same is not None:
        return same
    if name == "add" and one is not None and other is not None and not own_list:
        if left.kind.type is right.kind.type is tuple:  # type: ignore[attr-defined]
            return new_tuple((*one, *other))
        if left.kind.type is right.kind.type is list:  # type: ignore[attr-defined]
            return new_list((*one, *other))
    if name == "mul" and one is not None and isinstance(right, Constant) and not own_list:
        repeated = getattr(left.kind, "type", None) in (tuple, list)
        if repeated and type(right.value) is int and len(one) * right.value <= 64:
            items = one * right.value
            return new_list(items) if left.kind.type is list else new_tuple(items)  # type: ignore[attr-defined]
    raise unsupported(left, right)


def _same_tuple(
    name: str, left: Value, right: Value, one: list[Value] | None, other: list[Value] | None
) -> Value | None:
    """The operand if CPython returns it: `t` for `t + ()`, `() + t` and `t * 1`; else None."""
    if one is None or getattr(left.kind, "type", None) is not tuple:
        return None
    if name == "mul" and isinstance(right, Constant) and type(right.value) is int:
        return left if not one or right.value == 1 else None
    if name != "add" or other is None or getattr(right.kind, "type", None) is not tuple:
        return None
    return left if not other else right if not one else None


def unary(frame: Frame, name: str, value: Value) -> Value:
    """`-x`, `+x`, `~x`, `not x`."""
    if name == "not":
        return _negated(frame, value)
    if name == "invert" and getattr(frame.assume(value), "type", None) is bool:
        raise unsupported(value)  # Python 3.12 and later warn
    known = _fold(name, value)
    if known is not None:
        return known
    if is_numeric(frame.assume(value)):
        return frame.compute(operator_record(name), [value])
    raise unsupported(value)


def _negated(frame: Frame, value: Value) -> Value:
    known = truth(frame, value)
    if known is not None:
        return Constant(not known)
    if is_numeric(frame.assume(value)):
        return frame.compute(operator_record("not"), [value])
    raise unsupported(value)


def compare(frame: Frame, symbol: str, left: Value, right: Value) -> Value:
    """A rich comparison."""
    name = SYMBOLS[symbol]
    known = _fold(name, left, right)
    if known is not None:
        return known
    left_kind, right_kind = frame.assume(left), frame.assume(right)
    if is_numeric(left_kind) and is_numeric(right_kind):
        return frame.compute(operator_record(name), [left, right])
    if _is_string(left) and _is_string(right) and name in ("eq", "ne"):
        return _compared_by_value(frame, name, left, right)
    one, other = constant(frame, left), constant(frame, right)
    if {type(one), type(other)} <= _COMPARED_BY_IDENTITY:
        return Constant((one == other) is (name == "eq")) if name in ("eq", "ne") else _refuse(left)
    return _with_array_like(frame, name, False, left, right)


def _refuse(*values: Value) -> Value:
    raise unsupported(*values)


def _is_string(value: Value) -> bool:
    return isinstance(value.kind, kinds.StringKind)


def _compared_by_value(frame: Frame, name: str, left: Value, right: Value) -> Value:
    return Constant(_FOLDS[name](read_value(frame, left), read_value(frame, right)))


_COMPARED_BY_IDENTITY = frozenset({type(None), type(Ellipsis), type(describe), Op})


def identical(frame: Frame, left: Value, right: Value, invert: bool) -> Value:
    """`left is right`, if kinds or constants decide it."""
    one, other = constant(frame, left), constant(frame, right)
    if one is not UNFOLDED and other is not UNFOLDED:
        return Constant((one is other) is not invert)
    for known, value in ((one, right), (other, left)):
        if known is not UNFOLDED and (known is None or known is Ellipsis):
            if type(frame.assume(value)) is Kind:
                raise unsupported(value)
            return Constant(invert)
    raise unsupported(left, right)


def contains(frame: Frame, item: Value, container: Value, invert: bool) -> Value:
    """`item in container`, for a dict with known keys or constants."""
    pairs = frame.pairs_of(container)
    if pairs is not None and _is_string(item):
        key = read_value(frame, item)
        if isinstance(container, Outside) and key not in pairs:
            raise unsupported(item, container)
        return Constant((key in pairs) is not invert)
    if isinstance(item, Constant) and isinstance(container, Constant):
        if type(item.value) in FOLDABLE and type(container.value) in (str, tuple):
            return Constant((item.value in container.value) is not invert)
    raise unsupported(item, container)


# truth --------------------------------------------------------------------------------------------


def truth(frame: Frame, value: Value) -> bool | None:
    """The truth value of `value` if kinds or constants decide it, else None."""
    if isinstance(value, Constant):
        return bool(value.value) if type(value.value) in FOLDABLE else None
    known = constant(frame, value)
    if known is None or known is Ellipsis:
        return known is not None
    items = frame.items_of(value)
    if items is not None:
        return bool(items)
    if known is not UNFOLDED and type(known) in _ALWAYS_TRUE:
        return True
    return None


_ALWAYS_TRUE = (type(describe), type(operator), type(len))


def truth_value(frame: Frame, value: Value) -> Value:
    """`bool(value)`."""
    known = truth(frame, value)
    if known is not None:
        return Constant(known)
    kind = frame.assume(value)
    if isinstance(kind, PythonScalarKind) and kind.type is bool:
        return value
    if is_numeric(kind):
        return frame.compute(_TRUTH, [value])
    raise unsupported(value)


_TRUTH = Record(
    Op("operator.truth", operator.truth, "python", exact=True),
    lambda call: PythonScalarKind(bool),
)


# subscripts ---------------------------------------------------------------------------------------


def get_item(frame: Frame, container: Value, index: Value) -> Value:
    """`container[index]`."""
    if (single := single_item(frame, container, index)) is not None:
        return single
    kind = frame.assume(container)
    if isinstance(kind, ArrayKind):
        return frame.compute(_SUBSCRIPTS[_gives_copy(index.kind)], [container, index])
    if isinstance(container, Computed) and isinstance(kind, kinds.SequenceKind):
        return _node_item(frame, container, kind, index)
    record = subscript_record(constant(frame, container))
    if record is not None:
        return frame.compute(record, [container, index])
    pairs = frame.pairs_of(container)
    if pairs is not None:
        return _pair(frame, pairs, container, index)
    items = frame.items_of(container)
    if items is not None:
        return _sequence_item(frame, items, container, index)
    raise unsupported(container)


_GET_ITEM = operator_record("getitem")
VIEW = replace(_GET_ITEM.op, aliases=True)
_SUBSCRIPTS: Mapping[bool | None, Record] = MappingProxyType(
    {
        None: _GET_ITEM,
        False: Record(VIEW, _GET_ITEM.infer),
        True: Record(replace(_GET_ITEM.op, aliases=False), _GET_ITEM.infer),
    }
)
_BASIC = (kinds.SliceKind, kinds.KnownKind, NumpyScalarKind)


def _gives_copy(index: Kind) -> bool | None:
    """Whether `array[index]` is a copy (advanced indexing); None if the kind does not tell."""
    if isinstance(index, kinds.SequenceKind) and index.type is tuple:
        parts = [_gives_copy(part) for part in index.items]
        return True if True in parts else None if None in parts else False
    if isinstance(index, PythonScalarKind):
        return index.type is bool
    if isinstance(index, NumpyScalarKind) and index.dtype.kind == "b":
        return True
    if isinstance(index, _BASIC):
        return False
    return True if (isinstance(index, ArrayKind) and index.ndim) or _is_list(index) else None


def _is_list(kind: Kind) -> bool:
    return isinstance(kind, kinds.SequenceKind) and kind.type is list


def _constant_index(frame: Frame, index: Value) -> Any:
    """The Python object of an index, guarded by value if it comes from outside; else a break."""
    try:
        return read_value(frame, index)
    except Refused as refusal:
        raise Break(refusal.reason) from None


def _sequence_item(frame: Frame, items: list[Value], container: Value, index: Value) -> Value:
    position = _constant_index(frame, index)
    if type(position) is int and -len(items) <= position < len(items):
        return items[position]
    if type(position) is slice:
        try:
            part = items[position]
        except (TypeError, ValueError):
            raise unsupported(container, index) from None
        cls = getattr(container.kind, "type", None)
        if cls is tuple and range(*position.indices(len(items))) == range(len(items)):
            return container
        if cls in (tuple, list):
            return ListValue(part) if cls is list else TupleValue(tuple(part))
    raise unsupported(container, index)


def _pair(frame: Frame, pairs: dict[Any, Value], container: Value, index: Value) -> Value:
    key = _constant_index(frame, index)
    if type(key) in (str, int) and key in pairs:
        return pairs[key]
    raise unsupported(container, index)


def _node_item(frame: Frame, container: Computed, kind: kinds.SequenceKind, index: Value) -> Value:
    position = _constant_index(frame, index)
    if type(position) is not int or not -len(kind.items) <= position < len(kind.items):
        raise unsupported(container, index)
    record = Record(_ITEM, lambda call: kind.items[position])
    return frame.compute(record, [container, Constant(position)])


_ITEM = Op("operator.getitem", operator.getitem, "item", "item", aliases=True)


def node_items(frame: Frame, container: Computed, kind: kinds.SequenceKind) -> list[Value]:
    """The items of a sequence that a node of this region returns."""
    return [_node_item(frame, container, kind, Constant(i)) for i in range(len(kind.items))]


def set_item(frame: Frame, container: Value, index: Value, value: Value) -> None:
    """`container[index] = value`, for arrays and for containers that the region builds."""
    if isinstance(container, ListValue):
        return _set_list_item(frame, container, index, value)
    if isinstance(container, DictValue):
        return set_pair(frame, container, _constant_index(frame, index), value)
    if not isinstance(frame.assume(container), ArrayKind):
        raise refusal_of_store(container)
    frame.compute(operator_record("setitem"), [container, index, value])
    return None


def _set_list_item(frame: Frame, container: ListValue, index: Value, value: Value) -> None:
    position = _constant_index(frame, index)
    if type(position) is not int or not -len(container.items) <= position < len(container.items):
        raise unsupported(container, index)
    items = [*container.items]
    items[position] = stored(value)
    replace_items(frame, container, items)


# unpacking ----------------------------------------------------------------------------------------


def iterate(frame: Frame, value: Value) -> Iterator[Value]:
    """The items of `value`; those of a list are read one by one, since the loop may change it."""
    if isinstance(value, IteratorValue):
        return value.items
    return _live_items(value) if isinstance(value, ListValue) else iter(unpack(frame, value))


def _live_items(value: ListValue) -> Iterator[Value]:
    position = 0
    while position < len(value.items):
        yield value.items[position]
        position += 1


def unpack(frame: Frame, value: Value, count: int | None = None) -> list[Value]:
    """The items of an iterable.

    Its length must be known or, for an array, be given as `count`; then the executor checks it.
    """
    items = [*value.items] if isinstance(value, IteratorValue) else frame.items_of(value)
    if items is None and isinstance(value, Computed):
        items = _unpack_node(frame, value, count)
    elif items is None and isinstance(frame.assume(value), ArrayKind):
        items = _unpack_array(frame, value, count)
    if items is None or (count is not None and len(items) != count):
        raise unsupported(value)
    return items


def _unpack_node(frame: Frame, value: Computed, count: int | None) -> list[Value] | None:
    if isinstance(value.kind, kinds.SequenceKind):
        return node_items(frame, value, value.kind)
    return _unpack_array(frame, value, count) if isinstance(value.kind, ArrayKind) else None


def _unpack_array(frame: Frame, value: Value, count: int | None) -> list[Value] | None:
    """The items `array[0]`, `array[1]`, …; the executor checks that there are `count`."""
    kind = value.kind
    if count is None or not isinstance(kind, ArrayKind) or kind.ndim == 0:
        return None
    row: Kind = kind.with_(ndim=kind.ndim - 1) if kind.ndim > 1 else NumpyScalarKind(kind.dtype)
    whole = kinds.SequenceKind(tuple, (row,) * count)
    rows = frame.compute(Record(_ROWS, lambda call: whole), [value])
    assert isinstance(rows, Computed)
    return node_items(frame, rows, whole)


_ROWS = Op("builtins.tuple", tuple, "item", aliases=True)
