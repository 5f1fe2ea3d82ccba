"""The description of a program: lowering builds it, dumps read it and `_native` parses it.

A description is a tree of records. Each class here belongs to a row of the instruction table. The
row has the order of the fields; the class says what they hold. A record is a tuple, so C reads it
without attribute look-ups and nothing changes it while a program borrows from it.
Invariant: a class and its row name the same fields in the same order, or this module fails to
import. Read `exec.lower.lowering` next, which builds descriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias, dataclass_transform

import numpy as np

from dyntrace.exec.lower.instruction_table import CODES, FIELDS, INSTRUCTIONS

Registers: TypeAlias = tuple[int, ...]
DType: TypeAlias = np.dtype[Any]

_CODES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        **CODES,
        "INSTRUCTION": {name: row.code for name, row in INSTRUCTIONS.items()},
        "RECORD": dict.fromkeys(FIELDS["RECORD"]),
    }
)
_ITEMS = tuple([property(itemgetter(index)) for index in range(16)])
_new = tuple.__new__


@dataclass_transform(frozen_default=True)
class _Rows(type):
    """The metaclass of records: makes the fields of the class's row its properties."""

    def __new__(
        metaclass, name: str, bases: tuple[Any, ...], body: dict[str, Any], row: str = ""
    ) -> Any:
        body["__slots__"] = ()
        if row:
            base: Any = bases[0]
            code = _CODES[base.group][row]
            head = () if code is None else (code,)
            fields = base.common + FIELDS[base.group][row]
            if base.common + tuple(body.get("__annotations__", ())) != fields:
                raise TypeError(f"{name} has other fields than its row: {', '.join(fields)}")
            body.update(zip(fields, _ITEMS[len(head) :], strict=False))
            body.update(code=code, row=row, __record_fields__=fields, __new__=_maker(head, fields))
        return super().__new__(metaclass, name, bases, body)


class Described(tuple[Any, ...], metaclass=_Rows):
    """A record of a description. A subclass names its row of the table: `row="SEGMENT"`."""

    group: ClassVar[str] = "RECORD"
    common: ClassVar[tuple[str, ...]] = ()  # fields that each row of the group has
    code: ClassVar[int | None] = None  # the record's first item, where the group has codes
    row: ClassVar[str]
    __record_fields__: ClassVar[tuple[str, ...]]

    def __repr__(self) -> str:
        fields = (f"{name}={getattr(self, name)!r}" for name in self.__record_fields__)
        return f"{type(self).__name__}({', '.join(fields)})"


def _maker(head: tuple[int, ...], fields: tuple[str, ...]) -> Callable[..., Any]:
    """The `__new__` of a class: takes fields by position, then fields by name."""
    count = len(fields)

    def __new__(cls: type[Described], *values: Any, **named: Any) -> Any:
        if named:
            values += tuple([named.pop(field) for field in fields[len(values) :] if field in named])
        if named or len(values) != count:
            raise TypeError(f"{cls.__name__} has the fields {', '.join(fields)}")
        return _new(cls, head + values)

    return __new__


# Templates ----------------------------------------------------------------------------------------
class Template(Described):
    """How an argument or an output is built."""

    group = "TEMPLATE"


class RegisterTemplate(Template, row="REGISTER"):
    """The value of a register."""

    reg: int


class ConstantTemplate(Template, row="CONSTANT"):
    """The object itself."""

    value: Any


class TupleTemplate(Template, row="TUPLE"):
    """A tuple. `number` identifies a container among the outputs; in arguments it is None."""

    items: tuple[Template, ...]
    number: int | None


class ListTemplate(Template, row="LIST"):
    """A new list."""

    items: tuple[Template, ...]
    number: int | None


class DictTemplate(Template, row="DICT"):
    """A new dict; the items are its values."""

    items: tuple[Template, ...]
    number: int | None
    keys: tuple[Any, ...]


class SliceTemplate(Template, row="SLICE"):
    """A slice; the items are start, stop and step."""

    items: tuple[Template, ...]
    number: int | None


# Subscripts ---------------------------------------------------------------------------------------
Bound: TypeAlias = int | RegisterTemplate | None


class SubscriptItem(Described):
    """A part of a subscript; also an axis of a transposition, or a length of a shape."""

    group = "ITEM"


class IntItem(SubscriptItem, row="INT"):
    """An int: an index, an axis or a length."""

    value: Bound


class SliceItem(SubscriptItem, row="SLICE"):
    """`start:stop:step`; None for a part that is left out."""

    start: Bound
    stop: Bound
    step: Bound


class NewaxisItem(SubscriptItem, row="NEWAXIS"):
    """`None`: an axis of length one."""


class EllipsisItem(SubscriptItem, row="ELLIPSIS"):
    """`...`: all axes that no other item takes."""


# Instructions -------------------------------------------------------------------------------------
class Loop(Described, row="LOOP"):
    """An inner loop that the machine runs."""

    source: Any  # the capsule of NumPy's loop, or the name of one of the machine's own
    dtypes: tuple[DType, ...]  # of the operands, the results last
    input_count: int
    exactness: int  # what the bits of an element depend on; a code of EXACTNESS
    clears: bool  # it may clear floating-point flags that were set before
    cost: float  # estimated nanoseconds for an element


class MachineInstruction(Described):
    """An instruction: the registers it reads and writes; subclasses add fields."""

    group = "INSTRUCTION"
    common = ("inputs", "outputs")
    inputs: Registers
    outputs: Registers


class ElementwiseInstruction(MachineInstruction, row="ELEMENTWISE"):
    """One loop over broadcast operands."""

    loop: Loop
    reuses: tuple[bool, bool]  # for each operand: eager computes into it if it is a large temporary
    outside: tuple[bool, bool]  # for each operand: it comes from outside the region
    inplace: bool  # the result has the layout of the first operand and takes its place
    copies: bool  # it copies its operand, as `astype` and `np.copy` do


class ViewInstruction(MachineInstruction, row="VIEW"):
    """A view by a subscript."""

    items: tuple[SubscriptItem, ...]


class PermuteInstruction(MachineInstruction, row="PERMUTE"):
    """A view with its axes in the order of the items; without items, reversed."""

    items: tuple[IntItem, ...]


class ReshapeInstruction(MachineInstruction, row="RESHAPE"):
    """A view of another shape. If NumPy would copy, the second output is the copy it views."""

    items: tuple[IntItem, ...]


class CountInstruction(MachineInstruction, row="COUNT"):
    """The number of elements along some axes, minus `less`, or zero if that is negative."""

    axes: int  # a bit for each
    less: int


class ReduceInstruction(MachineInstruction, row="REDUCE"):
    """A reduction along some axes."""

    loop: Loop | None  # None for argmax and argmin
    kind: int  # a code of REDUCTION
    split: int  # a code of SPLIT
    axes: int  # a bit for each
    keepdims: bool
    identity: bytes | None  # the start value; None: the first element


class AssignInstruction(MachineInstruction, row="ASSIGN"):
    """Write the second input into the first, a view of the segment's target."""

    strict: bool  # the value must have the target's shape, as the result of a ufunc must


# Steps --------------------------------------------------------------------------------------------
class PythonCall(Described, row="CALL"):
    """A Python call, and the test of its result."""

    reg: int  # of the result
    target: Callable[..., Any]
    arguments: tuple[Template, ...]
    keywords: tuple[str, ...] | None  # names of the last arguments
    kind: Any  # None, a type, or a tuple of a graph's kind that `exec.checks` tests


class LoweredNode(Described, row="NODE"):
    """A node of the graph: its instructions, and the call to make if they cannot be planned."""

    call: PythonCall
    instructions: tuple[MachineInstruction, ...]


class ProgramStep(Described):
    """A step of a program."""

    group = "STEP"


class SegmentStep(ProgramStep, row="SEGMENT"):
    """Nodes that are planned and run together."""

    inputs: Registers  # made before the segment
    exports: Registers  # needed as objects after it
    keys: Registers  # ints that decide shapes
    overflows: bool  # a cast in it may raise a floating-point flag
    target: int | None  # the array that the region's trailing effect writes
    nodes: tuple[LoweredNode, ...]


class CallStep(ProgramStep, row="CALL"):
    """A node without instructions."""

    call: PythonCall


class SubmitStep(ProgramStep, row="SUBMIT"):
    """A call that another thread makes if `array` is large; a `JoinStep` waits for its result."""

    call: PythonCall
    array: int
    least_bytes: int


class JoinStep(ProgramStep, row="JOIN"):
    """Wait for the call that was submitted for this register."""

    reg: int
    kind: Any  # as in `PythonCall`


class CommitStep(ProgramStep, row="COMMIT"):
    """Prepare a write of one register's value into another's array; the result is the commit."""

    reg: int
    target: int
    source: int
    strict: bool  # as in `AssignInstruction`


# Programs -----------------------------------------------------------------------------------------
class Register(Described, row="REGISTER"):
    """The type of a register: an array, a NumPy scalar (`ndim` -1), or any object (no dtype)."""

    dtype: DType | None
    ndim: int


class LoweredProgram(Described, row="PROGRAM"):
    """A program. Its registers are the inputs, then the constants, then one for each value."""

    input_count: int
    registers: tuple[Register, ...]
    constants: tuple[Any, ...]
    steps: tuple[ProgramStep, ...]
    drops: tuple[Registers, ...]  # for each step: registers that no later step reads
    outputs: RegisterTemplate | TupleTemplate | None  # None: only an effect
