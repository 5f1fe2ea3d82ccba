"""Writer: the text of one function in LLVM's intermediate representation, block by block.

Values are names such as `%v7` or literals; a block is a label and its lines. Invariant: each label
is started once, and a block that has been left by a branch gets no more lines. Floating-point
operations are the constrained ones if the function is strict: LLVM then neither moves, drops nor
adds any, so that the processor's exception flags are those of the program. Read `loop_text` next.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType

__all__ = ["FUNCTIONS", "Writer", "float_literal", "module_of"]

FUNCTIONS = 5  # the word of the context with the table of functions
_METADATA = 'metadata !"round.dynamic", metadata !"fpexcept.strict"'
_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"double": "f64", "float": "f32", "i64": "i64", "i32": "i32", "i16": "i16", "i8": "i8"}
)


def float_literal(value: float) -> str:
    """A float64 or float32 as LLVM writes it, by its bits as a float64."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Writer:
    """See the module's text.

    name     of the function
    strict   whether floating-point operations are the constrained ones
    label    the block that lines are added to
    functions  the texts of other functions of the module
    """

    def __init__(self, name: str, strict: bool) -> None:
        self.name = name
        self.strict = strict
        self.label = ""
        self._count = 0
        self._blocks: dict[str, list[str]] = {}
        self.declared: dict[str, str] = {}
        self.functions: list[str] = []
        self._lines: list[str] = []

    # lines --------------------------------------------------------------------------------------

    def start(self, label: str) -> None:
        """Add lines to a new block from now on."""
        self.label = label
        self._lines = self._blocks.setdefault(label, [])

    def fresh(self, what: str = "v") -> str:
        """A name that is new, without its sigil."""
        self._count += 1
        return f"{what}{self._count}"

    def do(self, text: str) -> None:
        self._lines.append(f"  {text}")

    def op(self, text: str) -> str:
        """Add an instruction with a result; the result's name."""
        name = f"%{self.fresh()}"
        self._lines.append(f"  {name} = {text}")
        return name

    def put_first(self, label: str, lines: Iterable[str]) -> None:
        """Put lines at the start of a block: its phi instructions."""
        self._blocks[label][:0] = [f"  {line}" for line in lines]

    def insert_before_last(self, label: str, line: str) -> None:
        """Put a line before the branch that ends a block."""
        self._blocks[label].insert(-1, f"  {line}")

    def declare(self, name: str, text: str) -> None:
        """Declare an external function or intrinsic, once."""
        self.declared[name] = text

    def add_function(self, header: str, body: Writer) -> None:
        """Add another function to the module, whose blocks are those of `body`."""
        self.declared |= body.declared
        lines = [line for label, found in body._blocks.items() for line in (f"{label}:", *found)]
        self.functions.append("\n".join([header, *lines, "}", ""]))

    def text(self) -> str:
        """The function, without what it declares."""
        attributes = " strictfp" if self.strict else ""
        head = f"define internal i64 @{self.name}(ptr %in, ptr %out, ptr %context){attributes} {{"
        blocks = [line for label, lines in self._blocks.items() for line in (f"{label}:", *lines)]
        return "\n".join([head, *blocks, "}", "", *self.functions])

    # operations ---------------------------------------------------------------------------------

    def intrinsic(self, name: str, result: str, arguments: str, values: str) -> str:
        """Call an intrinsic; `arguments` are the types, `values` the typed values."""
        self.declare(name, f"declare {result} @{name}({arguments})")
        return self.op(f"call {result} @{name}({values})")

    def floating(self, name: str, kind: str, *values: str) -> str:
        """A floating-point operation, such as fadd, on values of one type."""
        typed = ", ".join(f"{kind} {value}" for value in values)
        if not self.strict:
            if name == "sqrt":
                suffix = _SUFFIXES[kind]
                return self.intrinsic(f"llvm.sqrt.{suffix}", kind, kind, typed)
            return self.op(f"{name} {kind} {', '.join(values)}")
        full = f"llvm.experimental.constrained.{name}.{_SUFFIXES[kind]}"
        types = ", ".join([kind] * len(values) + ["metadata"] * 2)
        self.declare(full, f"declare {kind} @{full}({types})")
        return self.op(f"call {kind} @{full}({typed}, {_METADATA}) strictfp")

    def compare(self, predicate: str, kind: str, left: str, right: str) -> str:
        """An ordered or unordered comparison that raises no flag for a quiet NaN."""
        if not self.strict:
            return self.op(f"fcmp {predicate} {kind} {left}, {right}")
        full = f"llvm.experimental.constrained.fcmp.{_SUFFIXES[kind]}"
        self.declare(full, f"declare i1 @{full}({kind}, {kind}, metadata, metadata)")
        return self.op(
            f"call i1 @{full}({kind} {left}, {kind} {right}, "
            f'metadata !"{predicate}", metadata !"fpexcept.strict") strictfp'
        )

    def convert(self, name: str, source: str, target: str, value: str) -> str:
        """A conversion to or from a floating-point type: sitofp, fptosi, fpext, fptrunc, …."""
        if not self.strict:
            return self.op(f"{name} {source} {value} to {target}")
        full = f"llvm.experimental.constrained.{name}.{_SUFFIXES[target]}.{_SUFFIXES[source]}"
        rounds = name in ("sitofp", "uitofp", "fptrunc")
        types = "metadata, metadata" if rounds else "metadata"
        self.declare(full, f"declare {target} @{full}({source}, {types})")
        metadata = _METADATA if rounds else 'metadata !"fpexcept.strict"'
        return self.op(f"call {target} @{full}({source} {value}, {metadata}) strictfp")

    def function(self, number: int) -> str:
        """The address of a function of the context's table."""
        table = self.op(f"getelementptr i64, ptr %functions, i64 {number}")
        return self.op(f"load ptr, ptr {table}, align 8")

    def overflowing(self, name: str, kind: str, left: str, right: str) -> tuple[str, str]:
        """An integer operation such as sadd: its result, and whether it overflowed."""
        full = f"llvm.{name}.with.overflow.{kind}"
        both = self.intrinsic(
            full, f"{{{kind}, i1}}", f"{kind}, {kind}", f"{kind} {left}, {kind} {right}"
        )
        value = self.op(f"extractvalue {{{kind}, i1}} {both}, 0")
        return value, self.op(f"extractvalue {{{kind}, i1}} {both}, 1")


def module_of(writers: Iterable[Writer], rest: str) -> str:
    """A module with the functions of `writers`, what they declare, and `rest`."""
    declared: dict[str, str] = {}
    for writer in writers:
        declared |= writer.declared
    functions = [writer.text() for writer in writers]
    weights = '!0 = !{!"branch_weights", i32 1, i32 1000000}\n'
    return "\n".join([*declared.values(), "", *functions, rest, weights])
