"""Rows: array expressions of one axis, held as expressions until something stores or reduces them.

`a[i, :k] * x + y[:k]` makes no array in machine code: its operations are applied element by element
where the row is stored, by a function of its own in which LLVM may use vectors. Invariants: an
expression is used before memory changes, so it gives what eager's arrays would hold; operations are
those whose bits do not depend on how they are grouped. Read `elements` for views, `row_rules` for
the rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.exec.kernels.arithmetic import cast
from dyntrace.exec.kernels.emission import SIZES, Emission
from dyntrace.exec.kernels.held import ArrayParts, NoRule, element_types, kind_of
from dyntrace.exec.kernels.writer import Writer
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind
from dyntrace.graph.node import Node
from dyntrace.record import record

__all__ = [
    "ANY_VERSION",
    "LoopRow",
    "as_row",
    "combined",
    "copy_row",
    "in_scratch",
    "scratch_row",
    "store_row",
]

SCRATCH_ROWS, SCRATCH_ROW = 16, 64 * 1024  # rows in the context's memory, and bytes of each
LONG_ROW = 8192  # elements
ANY_VERSION = -1  # of a row in memory that nothing else writes


@record(frozen=True, eq=False)
class LoopRow:
    """An expression of one axis.

    op       an instruction of LLVM's, "load" of a view, or "number"
    parts    rows, for an instruction
    array    the view, for a load
    number   the name of the number
    length   how many elements it has
    version  the state of memory that it belongs to
    """

    op: str
    dtype: np.dtype[Any]
    length: str
    version: int
    parts: tuple[LoopRow, ...] = ()
    array: ArrayParts | None = None
    number: str = ""


def as_row(emission: Emission, argument: Any, dtype: np.dtype[Any], node: Node) -> LoopRow:
    """An operand as a row of elements of `dtype`: an expression, a view or a number."""
    kind = kind_of(argument)
    if not isinstance(kind, ArrayKind):
        (name,) = cast(emission, argument, NumpyScalarKind(dtype), node)
        return LoopRow("number", dtype, "", emission.version, number=name)
    if kind.dtype != dtype:
        raise NoRule(f"a row of {kind.dtype} and {dtype}")
    held = emission.of(argument)
    if isinstance(held, LoopRow):
        if held.version not in (ANY_VERSION, emission.version):
            raise NoRule("a row that is used after memory has changed")
        return held
    if not isinstance(held, ArrayParts) or len(held.dims) != 1:
        raise NoRule("an array of several axes")
    return LoopRow("load", dtype, held.dims[0], emission.version, array=held)


def combined(emission: Emission, op: str, parts: list[LoopRow], lineno: int) -> LoopRow:
    """An operation on rows of equal lengths; a row of one element leaves the iteration."""
    length = ""
    for part in parts:
        if part.length and length and part.length != length:
            bad = emission.writer.op(f"icmp ne i64 {part.length}, {length}")
            emission.check(bad, "rows of different lengths", lineno)
        length = length or part.length
    return LoopRow(op, parts[0].dtype, length, emission.version, tuple(parts))


def leaves(row: LoopRow) -> list[LoopRow]:
    """The loads and numbers of an expression, in order, those of one array once."""
    if not row.parts:
        return [row]
    return [leaf for part in row.parts for leaf in leaves(part)]


def store_row(emission: Emission, target: ArrayParts, row: LoopRow, lineno: int) -> None:
    """Store an expression into a view; overlap that matters leaves the iteration."""
    writer = emission.writer
    length = target.dims[0]
    if row.length and row.length != length:
        bad = writer.op(f"icmp ne i64 {row.length}, {length}")
        emission.check(bad, "rows of different lengths", lineno)
    emission.check(writer.op(f"xor i1 {target.writeable}, true"), "a read-only array", lineno)
    long = writer.op(f"icmp ugt i64 {length}, {LONG_ROW}")
    emission.check(long, "a long row, which a region does on several threads", lineno)
    _log(emission, target, row.dtype, lineno)
    loads = [leaf.array for leaf in leaves(row) if leaf.array is not None]
    others = [array for array in loads if not _is_same(array, target)]
    tests = [_overlaps(emission, array, target, row.dtype) for array in others]
    if tests:
        _store_by_a_copy(emission, target, row, tests, lineno)
    else:
        copy_row(emission, target, row)
    emission.version += 1


def _store_by_a_copy(
    emission: Emission, target: ArrayParts, row: LoopRow, tests: list[str], lineno: int
) -> None:
    """Store a row; if it reads what it writes, it is computed as a whole before."""
    writer = emission.writer
    overlap = tests[0]
    for test in tests[1:]:
        overlap = writer.op(f"or i1 {overlap}, {test}")
    aside, direct, done = (writer.fresh(name) for name in ("aside", "direct", "stored"))
    writer.do(f"br i1 {overlap}, label %{aside}, label %{direct}")
    writer.start(aside)
    copy = in_scratch(emission, row, target.dims[0], lineno)
    copy_row(emission, target, LoopRow("load", row.dtype, copy.dims[0], ANY_VERSION, array=copy))
    writer.do(f"br label %{done}")
    writer.start(direct)
    copy_row(emission, target, row)
    writer.do(f"br label %{done}")
    writer.start(done)


def in_scratch(emission: Emission, row: LoopRow, length: str, lineno: int) -> ArrayParts:
    """A row computed into memory of its own; one that is too long leaves the iteration."""
    size = row.dtype.itemsize
    place = scratch_row(emission, length, size, lineno)
    copy = ArrayParts(place, "true", (length,), (str(size),), "-1")
    copy_row(emission, copy, row)
    return copy


def scratch_row(emission: Emission, length: str, size: int, lineno: int) -> str:
    """The address of memory for a row, which belongs to one place of the text."""
    if emission.scratch_rows == SCRATCH_ROWS:
        raise NoRule("too many rows that need memory")
    offset = emission.scratch_rows * SCRATCH_ROW
    emission.scratch_rows += 1
    long = emission.writer.op(f"icmp ugt i64 {length}, {SCRATCH_ROW // size}")
    emission.check(long, "a row that is too long", lineno)
    return emission.writer.op(f"getelementptr i8, ptr %scratch, i64 {offset}")


def copy_row(emission: Emission, target: ArrayParts, row: LoopRow) -> None:
    """Compute an expression into memory, of which the log needs to know nothing."""
    writer = emission.writer
    length, stride = target.dims[0], target.strides[0]
    function = _Kernel(emission, target, row).name
    operands = [f"ptr {target.pointer}", f"i64 {stride}", f"i64 {length}"]
    seen: list[LoopRow] = []
    for leaf in leaves(row):
        if any(_is_twin(leaf, other) for other in seen):
            continue
        seen.append(leaf)
        if leaf.array is None:
            operands.append(f"{element_types(row.dtype)[0]} {leaf.number}")
        elif not _is_same(leaf.array, target):
            operands += [f"ptr {leaf.array.pointer}", f"i64 {leaf.array.strides[0]}"]
    attribute = " strictfp" if writer.strict else ""
    writer.do(f"call void @{function}({', '.join(operands)}){attribute}")
    if row.parts:
        emission.opaque_flags()


def _is_same(array: ArrayParts, target: ArrayParts) -> bool:
    """Whether two views are one, as far as their names tell."""
    return array is target or (array.pointer == target.pointer and array.strides == target.strides)


def _is_twin(leaf: LoopRow, other: LoopRow) -> bool:
    if leaf.array is None or other.array is None:
        return leaf.array is other.array and leaf.number == other.number
    return _is_same(leaf.array, other.array)


def _overlaps(
    emission: Emission, array: ArrayParts, target: ArrayParts, dtype: np.dtype[Any]
) -> str:
    """Whether a view overlaps the target, and is not the target itself."""
    writer, ends = emission.writer, []
    for view in (array, target):
        first = writer.op(f"ptrtoint ptr {view.pointer} to i64")
        before = writer.op(f"sub i64 {view.dims[0]}, 1")
        span = writer.op(f"mul i64 {before}, {view.strides[0]}")
        back = writer.op(f"icmp slt i64 {span}, 0")
        last = writer.op(f"add i64 {first}, {span}")
        low = writer.op(f"select i1 {back}, i64 {last}, i64 {first}")
        high = writer.op(f"select i1 {back}, i64 {first}, i64 {last}")
        ends.append((first, low, writer.op(f"add i64 {high}, {dtype.itemsize}")))
    (first, low, high), (own, own_low, own_high) = ends
    before = writer.op(f"icmp ule i64 {high}, {own_low}")
    behind = writer.op(f"icmp ule i64 {own_high}, {low}")
    apart = writer.op(f"or i1 {before}, {behind}")
    here = writer.op(f"icmp eq i64 {first}, {own}")
    alike = writer.op(f"icmp eq i64 {array.strides[0]}, {target.strides[0]}")
    fine = writer.op(f"or i1 {apart}, {writer.op(f'and i1 {here}, {alike}')}")
    return writer.op(f"xor i1 {fine}, true")


def _log(emission: Emission, target: ArrayParts, dtype: np.dtype[Any], lineno: int) -> None:
    writer = emission.writer
    function = emission.call_table("log_row")
    count = writer.op("load i64, ptr %logged, align 8")
    size = SIZES[element_types(dtype)[0]]
    following = writer.op(
        f"call i64 {function}(ptr %undo, i64 {count}, i64 %capacity, ptr {target.pointer}, "
        f"i64 {target.strides[0]}, i64 {target.dims[0]}, i64 {size})"
    )
    full = writer.op(f"icmp slt i64 {following}, 0")
    emission.check(full, "too many stores in an iteration", lineno)
    writer.do(f"store i64 {following}, ptr %logged, align 8")


class _Kernel:
    """The function that computes a row: a loop for items without gaps, and one for all others."""

    def __init__(self, emission: Emission, target: ArrayParts, row: LoopRow) -> None:
        self.name = f"{emission.writer.name}.row{len(emission.writer.functions)}"
        self.writer = Writer(self.name, False)
        (self.held,) = element_types(row.dtype)
        self.size = row.dtype.itemsize
        self.target = target
        self.loads: list[tuple[LoopRow, str, str]] = []  # a leaf, its address and its stride
        self.numbers: list[tuple[LoopRow, str]] = []
        parameters = ["ptr %to", "i64 %gap", "i64 %length"]
        for leaf in leaves(row):
            parameters += self._parameter(leaf)
        self._body(row)
        header = f"define internal void @{self.name}({', '.join(parameters)}) noinline {{"
        emission.writer.add_function(header, self.writer)

    def _parameter(self, leaf: LoopRow) -> list[str]:
        known = [*(found for found, _, _ in self.loads), *(found for found, _ in self.numbers)]
        if any(_is_twin(leaf, other) for other in known):
            return []
        if leaf.array is None:
            self.numbers.append((leaf, f"%n{len(self.numbers)}"))
            return [f"{self.held} {self.numbers[-1][1]}"]
        if _is_same(leaf.array, self.target):
            self.loads.append((leaf, "%to", "%gap"))
            return []
        number = len(self.loads)
        self.loads.append((leaf, f"%a{number}", f"%s{number}"))
        return [f"ptr %a{number}", f"i64 %s{number}"]

    def _body(self, row: LoopRow) -> None:
        writer = self.writer
        writer.start("entry")
        some = writer.op("icmp sgt i64 %length, 0")
        dense = "true"
        for stride in ("%gap", *(stride for _, _, stride in self.loads if stride != "%gap")):
            alike = writer.op(f"icmp eq i64 {stride}, {self.size}")
            dense = alike if dense == "true" else writer.op(f"and i1 {dense}, {alike}")
        writer.do(f"br i1 {some}, label %choose, label %done")
        writer.start("choose")
        writer.do(f"br i1 {dense}, label %dense, label %sparse")
        for label in ("dense", "sparse"):
            writer.start(label)
            self._loop(row, label)
        writer.start("done")
        writer.do("ret void")

    def _loop(self, row: LoopRow, label: str) -> None:
        writer = self.writer
        before = "choose"
        index, following = f"%{label}.i", f"%{label}.next"
        writer.do(f"{index} = phi i64 [0, %{before}], [{following}, %{label}]")
        value = self._value(row, label, index)
        place = self._place("%to", "%gap", label, index)
        writer.do(f"store {self.held} {value}, ptr {place}, align 1")
        writer.do(f"{following} = add nuw nsw i64 {index}, 1")
        last = writer.op(f"icmp eq i64 {following}, %length")
        writer.do(f"br i1 {last}, label %done, label %{label}")

    def _place(self, pointer: str, stride: str, label: str, index: str) -> str:
        writer = self.writer
        if label == "dense":
            return writer.op(f"getelementptr {self.held}, ptr {pointer}, i64 {index}")
        offset = writer.op(f"mul i64 {index}, {stride}")
        return writer.op(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def _value(self, row: LoopRow, label: str, index: str) -> str:
        for leaf, name in self.numbers:
            if row.op == "number" and _is_twin(row, leaf):
                return name
        for leaf, pointer, stride in self.loads:
            if row.op == "load" and _is_twin(row, leaf):
                place = self._place(pointer, stride, label, index)
                return self.writer.op(f"load {self.held}, ptr {place}, align 1")
        values = [self._value(part, label, index) for part in row.parts]
        return self._applied(row.op, values)

    def _applied(self, op: str, values: list[str]) -> str:
        writer, held = self.writer, self.held
        suffix = {"double": "f64", "float": "f32"}.get(held, "")
        if op in ("fabs", "sqrt"):
            return writer.intrinsic(f"llvm.{op}.{suffix}", held, held, f"{held} {values[0]}")
        return writer.op(f"{op} {held} {', '.join(values)}")
