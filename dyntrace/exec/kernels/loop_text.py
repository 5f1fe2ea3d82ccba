"""`emit(loop)`: the text of the function that runs a loop's iterations, and what its caller needs.

The function gets the addresses of the inputs' words, of the outputs' words and of a context
(`_native/ahead/loop_program.c` has their layout). Each block of the loop is one or more blocks of
the text; parameters are phi instructions. At the head the state of the iterations so far is
complete: that is what the outputs are, whether the loop ends or an iteration is left. Invariant:
between two iterations nothing is pending: the log is empty, and no flag is set. Read `emission` for
the rules' view, `llvm` for what becomes of the text.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dyntrace.breaks import LOOP_OPERATION
from dyntrace.exec.kernels import arithmetic, comparison, elements, indexes, list_rules, mathematics
from dyntrace.exec.kernels.emission import RULES, Emission, Held, literal
from dyntrace.exec.kernels.held import (
    ArrayParts,
    NoRule,
    input_code,
    kind_of,
    scalar_types,
)
from dyntrace.exec.kernels.iterators import iterator_parts
from dyntrace.exec.kernels.nesting import has_inner_loops
from dyntrace.exec.kernels.numpy_loops import RULES_OF_SCALARS
from dyntrace.exec.kernels.outcome import LoopText, cause_of, obstacle_among
from dyntrace.exec.kernels.output_codes import has_words, output_codes
from dyntrace.exec.kernels.phis import names_of, phi_lines, phi_names, types_of
from dyntrace.exec.kernels.row_rules import ROW_RULES
from dyntrace.exec.kernels.writer import FUNCTIONS, Writer, module_of
from dyntrace.graph.kinds import ArrayKind, Kind
from dyntrace.graph.loop_graph import Again, Branch, Finish, Goto, LoopBlock, LoopGraph, Stop
from dyntrace.graph.node import INPUT, Node
from dyntrace.record import replace

__all__ = ["LoopText", "emit"]

# Importing them has registered the rules.
RULE_MODULES = (arithmetic, comparison, elements, indexes, list_rules, mathematics)
RULES.freeze()
NAME = "loop"
_ALIAS = f"@{NAME} = alias i64 (ptr, ptr, ptr), ptr @{NAME}.gaps\n"
UNDERFLOW = 16  # the flag in MXCSR
_STORES = frozenset({"operator.setitem", "list.store"})
_QUIET = frozenset({"operator.getitem", "operator.setitem", "input", "parameter"})


def emit(loop: LoopGraph, iterator_code: str) -> LoopText:
    """The text of `loop`; NoRule if no iteration could be completed.

    `iterator_code` says how the iterator is given, if there is one.
    """
    gaps = _Function(loop, iterator_code, "gaps", dense=False)
    found = gaps.text()
    if not gaps.last_strides:
        return found
    dense = _Function(loop, iterator_code, "dense", dense=True)
    dense.text()
    assert dense.emission.functions == gaps.emission.functions
    writers = (dense.writer, gaps.writer)
    return replace(found, text=module_of(writers, _chooser(gaps.last_strides)))


def _chooser(last_strides: list[tuple[int, int]]) -> str:
    """The function that is called: it asks whether the last axes of all arrays are dense."""
    lines, found = [], "true"
    for number, (word, size) in enumerate(last_strides):
        lines += [
            f"%place{number} = getelementptr i64, ptr %in, i64 {word}",
            f"%stride{number} = load i64, ptr %place{number}, align 8",
            f"%alike{number} = icmp eq i64 %stride{number}, {size}",
            f"%all{number} = and i1 {found}, %alike{number}",
        ]
        found = f"%all{number}"
    calls = [
        f"{name}:\n  %{name}.site = call i64 @{NAME}.{name}(ptr %in, ptr %out, ptr %context)\n"
        f"  ret i64 %{name}.site"
        for name in ("dense", "gaps")
    ]
    body = "\n".join(f"  {line}" for line in lines)
    head = f"define i64 @{NAME}(ptr %in, ptr %out, ptr %context) {{\nentry:\n{body}"
    return "\n".join([head, f"  br i1 {found}, label %dense, label %gaps", *calls, "}", ""])


def _sets_flags(loop: LoopGraph) -> bool:
    """Whether an operation of NumPy's on floats may set a flag that NumPy looks at."""
    for block in loop.blocks:
        for node in block.nodes:
            dtype = getattr(node.kind, "dtype", None)
            if dtype is not None and dtype.kind in "fc" and node.op.name not in _QUIET:
                return True
            if node.op.name == "operator.setitem":
                stored = kind_of(node.args[0])
                value = node.args[2]
                found = getattr(getattr(value, "kind", None), "dtype", None)
                if getattr(stored, "dtype", None) != found:
                    return True
    return False


class _Function:
    """One function for a loop.

    dense         whether the last axis of each array has no gaps, so that its stride is a constant
    last_strides  of each array, the word with the stride of its last axis, and its element's size
    """

    def __init__(self, loop: LoopGraph, iterator_code: str, name: str, *, dense: bool) -> None:
        self.loop = loop
        self.name, self.dense = f"{NAME}.{name}", dense
        self.last_strides: list[tuple[int, int]] = []
        self.iterator_code = iterator_code
        self.writer = Writer(self.name, _sets_flags(loop))
        self.emission = Emission(self.writer)
        self.emission.has_inner_loops = has_inner_loops(loop)
        self.edges: dict[LoopBlock, list[tuple[str, list[str]]]] = {}
        self.agains: list[Again] = []  # the ends of iterations
        self.heads: list[list[str]] = []  # the names of the carried slots' phis
        self.completes = False
        self._state: list[str] = []  # what the iterator hands to the head

    def text(self) -> LoopText:
        loop, writer, emission = self.loop, self.writer, self.emission
        writer.start("entry")
        codes = self._inputs()
        self._first_state()
        writer.start("head")
        self._parameters(loop.head)
        self._new_iteration()
        emitted: set[LoopBlock] = set()
        waiting = [loop.head]
        self._waiting = waiting
        while waiting:
            block = waiting.pop()
            if block in emitted:
                continue
            emitted.add(block)
            if block is not loop.head:
                writer.start(f"block{block.number}")
                self._parameters(block)
            self._block(block)
        if not self.completes:
            raise obstacle_among(emission.sites)
        self._ends()
        self._phis(emitted)
        return LoopText(
            module_of((writer,), _ALIAS),
            tuple(codes),
            output_codes(loop, self.agains),
            tuple(emission.sites),
            tuple(emission.functions),
        )

    # the function's start -----------------------------------------------------------------------

    def _inputs(self) -> list[str]:
        writer, loop = self.writer, self.loop
        writer.do("%logged = alloca i64, align 8")
        writer.do("%mxcsr = alloca i32, align 4")
        writer.do("%suspect = alloca i1, align 1")
        writer.do("%pair = alloca [2 x i64], align 8")
        writer.do("%operands = alloca [4 x ptr], align 8")
        writer.do("%strides = alloca [4 x i64], align 8")
        writer.do("%count = alloca i64, align 8")
        names = ("undo", "capacity", "", "breaker", "mask", "functions", "scratch")
        for word, name in enumerate(names):
            if name:
                place = writer.op(f"getelementptr i64, ptr %context, i64 {word}")
                held = "i64" if name in ("capacity", "mask") else "ptr"
                writer.do(f"%{name} = load {held}, ptr {place}, align 8")
        assert names[FUNCTIONS] == "functions"
        writer.do("%flags = trunc i64 %mask to i32")
        writer.do(f"%tiny = and i64 %mask, {UNDERFLOW}")
        writer.do("%underflow = icmp ne i64 %tiny, 0")
        self.word = 0
        codes = []
        for number, node in enumerate(loop.inputs):
            if node is loop.iterator:
                codes.append(self.iterator_code)
                self.emission.held[node] = self._iterator()
            else:
                codes.append(input_code(node.kind))
                self.emission.held[node] = self._input(node.kind, number)
        return codes

    def _load_word(self, held: str) -> str:
        place = self.writer.op(f"getelementptr i64, ptr %in, i64 {self.word}")
        self.word += 1
        if held == "i1":
            byte = self.writer.op(f"load i8, ptr {place}, align 8")
            return self.writer.op(f"icmp ne i8 {byte}, 0")
        return self.writer.op(f"load {held}, ptr {place}, align 8")

    def _iterator(self) -> tuple[Any, ...]:
        """The parts of the iterator; remember those that change with each iteration."""
        letters = iter(self.iterator_code)
        parts, self._state = iterator_parts(letters, self._load_word, self._array)
        return tuple(parts)

    def _array(self, ndim: int, dtype: np.dtype[Any], number: int = -1) -> ArrayParts:
        pointer, writeable = self._load_word("ptr"), self._load_word("i1")
        dims = tuple(self._load_word("i64") for _ in range(ndim))
        strides = [self._load_word("i64") for _ in range(ndim)]
        if ndim:
            self.last_strides.append((self.word - 1, dtype.itemsize))
            strides[-1] = str(dtype.itemsize) if self.dense else strides[-1]
        return ArrayParts(pointer, writeable, dims, tuple(strides), str(number))

    def _input(self, kind: Kind, number: int) -> Held:
        if isinstance(kind, ArrayKind):
            return self._array(kind.ndim, kind.dtype, number)
        types = scalar_types(kind)
        if types == ("float", "float"):
            first = self.writer.op(f"getelementptr i64, ptr %in, i64 {self.word}")
            second = self.writer.op(f"getelementptr i8, ptr {first}, i64 4")
            self.word += 1
            return tuple(
                self.writer.op(f"load float, ptr {place}, align 4") for place in (first, second)
            )
        return tuple(self._load_word(held) for held in types)

    def _first_state(self) -> None:
        """The values with which the head is entered."""
        loop = self.loop
        values: list[str] = []
        for node in loop.head.parameters:
            carried = next((c for c in loop.carried if c.parameter is node), None)
            if carried is not None:
                assert carried.initial is not None
                values += names_of(self.emission.held[carried.initial])
        self._first = [*values, *self._state]
        self.writer.do("br label %head")

    # blocks -------------------------------------------------------------------------------------

    def _parameters(self, block: LoopBlock) -> None:
        """Name the parameters of a block; their phi instructions come last."""
        for node in block.parameters:
            self.emission.held[node] = phi_names(node.kind, self.writer)

    def _new_iteration(self) -> None:
        """At the head: an empty log, and a look whether somebody waits."""
        writer = self.writer
        writer.do("store i64 0, ptr %logged, align 8")
        writer.do("store i1 false, ptr %suspect, align 1")
        self._poll("finish")
        self.emission.flagged = False

    def _poll(self, target: str) -> None:
        writer = self.writer
        byte = writer.op("load volatile i8, ptr %breaker, align 1")
        pending = writer.op(f"icmp ne i8 {byte}, 0")
        go_on = writer.fresh("go")
        writer.do(f"br i1 {pending}, label %{target}, label %{go_on}, !prof !0")
        writer.start(go_on)

    def _block(self, block: LoopBlock) -> None:
        emission = self.emission
        emission.begin_block(flagged=block is not self.loop.head)
        ends = isinstance(block.end, Again) and not self._checked_arrays(block.end)
        for number, node in enumerate(block.nodes):
            last = ends and number == len(block.nodes) - 1  # nothing can fail after it
            emission.unlogged = last and node.op.name in _STORES
            try:
                emission.held[node] = self._apply(node)
            except NoRule as found:
                emission.leave(cause_of(node, found), node.origin.lineno)
                return
        emission.unlogged = False
        self._end(block, block.end)

    def _apply(self, node: Node) -> Held:
        rule = None
        if _takes_row(node):
            rule = ROW_RULES.get(node.op.name) or ROW_RULES.get(node.op.target)
        rule = rule or RULES.get(node.op.name) or RULES.get(node.op.target)
        rule = rule or RULES_OF_SCALARS.get(node.op.target)
        if rule is None:
            raise NoRule(node.op.name)
        return rule(self.emission, node)

    # what follows a block -----------------------------------------------------------------------

    def _end(self, block: LoopBlock, end: Any) -> None:
        writer = self.writer
        if isinstance(end, Branch):
            if isinstance(end.condition, bool):
                return self._end(block, end.then if end.condition else end.otherwise)
            self.emission.look_later()
            labels = writer.fresh("then"), writer.fresh("else")
            condition = self.emission.truth(end.condition)
            writer.do(f"br i1 {condition}, label %{labels[0]}, label %{labels[1]}")
            flagged = self.emission.flagged
            for label, part in zip(labels, (end.then, end.otherwise), strict=True):
                writer.start(label)
                self.emission.flagged = flagged
                self._end(block, part)
        elif isinstance(end, Goto):
            self._jump(block, end)
        elif isinstance(end, Again):
            self._again(end)
        elif isinstance(end, Finish):
            writer.do("br label %finish")
        else:
            assert isinstance(end, Stop)
            cause = f"{end.reason.code} {end.detail}".strip()
            self.emission.leave(cause, end.lineno)
        return None

    def _jump(self, block: LoopBlock, jump: Goto) -> None:
        writer = self.writer
        if jump.target.number <= block.number and not jump.target.short:
            byte = writer.op("load volatile i8, ptr %breaker, align 1")
            pending = writer.op(f"icmp ne i8 {byte}, 0")
            self.emission.check(pending, "interrupted", self._line_of(block))
        try:
            names = [name for value in jump.values for name in self._flat(value)]
        except NoRule as found:
            return self.emission.leave(
                f"{LOOP_OPERATION.code} {found.detail}", self._line_of(block)
            )
        self.emission.look_later()
        self.edges.setdefault(jump.target, []).append((writer.label, names))
        self._waiting.append(jump.target)
        writer.do(f"br label %block{jump.target.number}")
        return None

    def _line_of(self, block: LoopBlock) -> int:
        return block.nodes[-1].origin.lineno if block.nodes else 0

    def _again(self, again: Again) -> None:
        """The iteration is complete: flags are looked at, then the head gets the new state."""
        line = max((stop.lineno for stop in self.loop.stops), default=0)
        self.emission.check_flags(line)
        self._check_arrays(again, line)
        if list_rules.changes_lists(self.loop):
            self.writer.do(f"call void {self.emission.call_table('items_keep')}()")
        values = [self._flat(value) for value in again.values]
        state = [name for value in again.state for name in self._flat(value)]
        self.agains.append(again)
        self.heads.append([self.writer.label, *[n for names in values for n in names]])
        passed = [
            name
            for carried, names in zip(self.loop.carried, values, strict=True)
            if carried.parameter is not None
            for name in names
        ]
        self.edges.setdefault(self.loop.head, []).append((self.writer.label, [*passed, *state]))
        self.completes = True
        self.writer.do("br label %head")

    def _checked_arrays(self, again: Again) -> list[Node]:
        """The arrays that an iteration hands on and that may be none of the inputs."""
        return [
            value
            for value in again.values
            if isinstance(value, Node) and isinstance(value.kind, ArrayKind)
            if value.op != INPUT and value not in self.loop.head.parameters
        ]

    def _check_arrays(self, again: Again, lineno: int) -> None:
        """Leave the iteration if it hands on an array that is no input: it has no object."""
        for value in self._checked_arrays(again):
            made = self.writer.op(f"icmp slt i64 {self._flat(value)[-1]}, 0")
            self.emission.check(made, "an array of the iteration's own", lineno)

    def _flat(self, value: Any) -> list[str]:
        held = self.emission.of(value) if isinstance(value, Node) else literal(value)
        return names_of(held)

    # phi instructions and ends --------------------------------------------------------------------

    def _ends(self) -> None:
        """The two ways out: `finish` at the head, `stop` from within an iteration."""
        writer, leavings = self.writer, self.emission.leavings
        writer.start("finish")
        self._store_outputs()
        writer.do("ret i64 0")
        writer.start("stop")
        if not leavings:
            writer.do("unreachable")
            return
        pairs = ", ".join(f"[{number}, %{label}]" for label, number in leavings)
        site = writer.op(f"phi i64 {pairs}")
        count = writer.op("load i64, ptr %logged, align 8")
        place = writer.op("getelementptr i64, ptr %context, i64 2")
        writer.do(f"store i64 {count}, ptr {place}, align 8")
        self._store_outputs()
        writer.do(f"ret i64 {site}")

    def _carried_names(self) -> list[tuple[Kind, list[str]]]:
        """Of each carried slot its kind and the names that it has at the head."""
        found = []
        for number, carried in enumerate(self.loop.carried):
            if carried.parameter is not None:
                names = names_of(self.emission.held[carried.parameter])
            else:
                names = [f"%set{number}.{k}" for k in range(len(types_of(carried.kind)))]
            found.append((carried.kind, names))
        return found

    def _store_outputs(self) -> None:
        writer = self.writer
        writer.do("store i64 %done, ptr %out, align 8")
        word = 1
        codes = output_codes(self.loop, self.agains)
        for code, (kind, names) in zip(codes, self._carried_names(), strict=True):
            if not has_words(code):
                continue
            if isinstance(kind, ArrayKind):
                pairs = [("i64", names[-1])]
            else:
                pairs = list(zip(scalar_types(kind), names, strict=True))
            narrow = [held for held, _ in pairs] == ["float", "float"]
            for number, (held, name) in enumerate(pairs):
                place = writer.op(f"getelementptr i64, ptr %out, i64 {word}")
                if narrow and number:
                    place = writer.op(f"getelementptr i8, ptr {place}, i64 4")
                if held == "i1":
                    name, held = writer.op(f"zext i1 {name} to i64"), "i64"
                writer.do(f"store {held} {name}, ptr {place}, align 4")
                word += not (narrow and number == 0)

    def _phis(self, emitted: set[LoopBlock]) -> None:
        for block in emitted - {self.loop.head}:
            names = [n for node in block.parameters for n in names_of(self.emission.held[node])]
            types = [t for node in block.parameters for t in types_of(node.kind)]
            edges = self.edges.get(block, [])
            self.writer.put_first(f"block{block.number}", phi_lines(names, types, edges))
        self._head_phis()

    def _head_phis(self) -> None:
        head = self.loop.head
        names = [n for node in head.parameters for n in names_of(self.emission.held[node])]
        types = [t for node in head.parameters for t in types_of(node.kind)]
        edges = [("entry", self._first), *self.edges[head]]
        lines = [*phi_lines(names, types, edges)]
        latches = [label for label, _ in self.edges[head]]
        done = ", ".join(f"[%done.{number}, %{label}]" for number, label in enumerate(latches))
        lines.append(f"%done = phi i64 [0, %entry], {done}")
        for number, label in enumerate(latches):
            self._count_before_branch(label, number)
        self.writer.put_first("head", [*lines, *self._set_phis()])

    def _count_before_branch(self, label: str, number: int) -> None:
        self.writer.insert_before_last(label, f"%done.{number} = add i64 %done, 1")

    def _set_phis(self) -> list[str]:
        """The phi instructions of slots that each iteration stores before it reads them."""
        lines, offset = [], 1
        for number, carried in enumerate(self.loop.carried):
            types = types_of(carried.kind)
            if carried.parameter is None:
                for k, held in enumerate(types):
                    pairs = [f"[{one[offset + k]}, %{one[0]}]" for one in self.heads]
                    listed = ", ".join(["[undef, %entry]", *pairs])
                    lines.append(f"%set{number}.{k} = phi {held} {listed}")
            offset += len(types)
        return lines


def _takes_row(node: Node) -> bool:
    """Whether an operation works on rows: on an array, or on a slice that it stores into."""
    if node.op.name != "operator.setitem":
        return any(isinstance(kind_of_argument(arg), ArrayKind) for arg in node.args)
    index = node.args[1]
    items = index if isinstance(index, tuple) else (index,)
    axes = getattr(kind_of(node.args[0]), "ndim", 0)
    return len(items) < axes or any(isinstance(item, slice) for item in items)


def kind_of_argument(argument: object) -> Kind | None:
    return argument.kind if isinstance(argument, Node) else None
