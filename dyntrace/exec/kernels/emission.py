"""Emission: the state while a loop becomes machine code, and what the rules of operations use.

A rule is called with the emission and a node; it adds lines and returns how the result is held.
`check` leaves the iteration where something would go wrong. Invariant: whatever leaves an
iteration can be taken back, so a rule checks before it stores, or stores through `store`. Read
`arithmetic` and `elements` for rules, `loop_text` for the whole function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.exec.kernels.held import ArrayParts, NoRule, dtype_of, kind_of, scalar_types
from dyntrace.exec.kernels.writer import Writer, float_literal
from dyntrace.graph.kinds import Kind, NumpyScalarKind, PythonScalarKind
from dyntrace.graph.node import Node
from dyntrace.record import record
from dyntrace.registries import Registry

__all__ = ["RULES", "Emission", "Rule", "Site", "rule"]

SIZES: Mapping[str, int] = MappingProxyType(
    {"i8": 0, "i16": 1, "i32": 2, "i64": 3, "float": 2, "double": 3}
)
Held = Any  # a tuple of names, an ArrayParts, or a tuple of such
Rule = Callable[["Emission", Node], Held]
RULES: Registry[Any, Rule] = Registry()


def rule(*names: Any) -> Callable[[Rule], Rule]:
    """Register the rule of the operations with these names, or with these targets."""

    def add(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return add


@record(frozen=True)
class Site:
    """A place where an iteration may be left: why, and the user's line."""

    cause: str
    lineno: int


@record(frozen=True)
class Modulus:
    """The absolute value of a complex number, which a comparison may not need exactly."""

    real: str
    imaginary: str
    lineno: int


class Emission:
    """See the module's text.

    writer     of the function
    sites      where iterations are left; exit number n is at index n - 1
    leavings   (block, number of the site) of each place that leaves
    functions  the names of the functions that are called by address, in the table's order
    version    counts the changes of memory so far
    scratch_rows  the rows of the context's memory that have a place of the text
    flagged    whether an operation since the last look may have set a flag
    opaque     whether one of them may have, without a result that is infinite or NaN
    has_inner_loops  whether looking at the flags is rare, since an iteration is long
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.held: dict[Node, Held] = {}
        self.sites: list[Site] = []
        self.leavings: list[tuple[str, int]] = []
        self.functions: list[Any] = []
        self.flagged = False
        self.opaque = False
        self.has_inner_loops = True
        self._unseen: dict[str, str] = {}
        self.unlogged = False
        self.version = 0
        self.scratch_rows = 0
        self._numbers: dict[Site, int] = {}

    # values -------------------------------------------------------------------------------------

    def of(self, argument: Any) -> Held:
        """How a node or constant is held."""
        if isinstance(argument, Node):
            held = self.held[argument]
            return (self.modulus(held),) if type(held) is Modulus else held
        if isinstance(argument, tuple):
            return tuple(map(self.of, argument))
        return literal(argument)

    def modulus(self, held: Modulus) -> str:
        """The absolute value of a complex number of Python's; leaves the iteration if it is NaN."""
        function = self.call_table("complex_abs")
        writer = self.writer
        result = writer.op(f"call double {function}(double {held.real}, double {held.imaginary})")
        bad = writer.compare("uno", "double", result, result)
        self.check(bad, "abs that overflows", held.lineno)
        return result

    def name(self, argument: Any) -> str:
        """The single name of a number that is not complex."""
        held = self.of(argument)
        if not isinstance(held, tuple) or len(held) != 1:
            raise NoRule("a complex number")
        return str(held[0])

    def array(self, argument: Any) -> ArrayParts:
        held = self.of(argument)
        if not isinstance(held, ArrayParts):
            raise NoRule("an array")
        return held

    def truth(self, argument: Any) -> str:
        """`argument`, a bool, as an i1."""
        return self.name(argument)

    # leaving ------------------------------------------------------------------------------------

    def number(self, site: Site) -> int:
        if site not in self._numbers:
            self.sites.append(site)
            self._numbers[site] = len(self.sites)
        return self._numbers[site]

    def leave(self, cause: str, lineno: int) -> None:
        """Leave the iteration here, always; the block ends."""
        self.leavings.append((self.writer.label, self.number(Site(cause, lineno))))
        self.writer.do("br label %stop")

    def check(self, bad: str, cause: str, lineno: int) -> None:
        """Leave the iteration if `bad`, an i1, is true."""
        if bad == "false":
            return
        good = self.writer.fresh("good")
        self.leavings.append((self.writer.label, self.number(Site(cause, lineno))))
        self.writer.do(f"br i1 {bad}, label %stop, label %{good}, !prof !0")
        self.writer.start(good)

    def result(self, name: str, held: str, *operands: str) -> str:
        """Note a result of NumPy's whose flags matter; it shows what happened to `operands`.

        An operation that overflows or is invalid gives an infinity or a NaN, and sums, products
        and quotients of such numbers are no finite ones.
        """
        for operand in operands:
            self._unseen.pop(operand, None)
        self._unseen[name] = held
        self.flagged = True
        return name

    def begin_block(self, flagged: bool) -> None:
        """Forget the results of another block, whose names this one may not use.

        flagged  whether what came before may have set a flag
        """
        self.flagged, self.opaque = flagged, False
        self._unseen.clear()

    def look_later(self) -> None:
        """At a block's end: keep in `%suspect` whether results so far are worth a look."""
        if self.has_inner_loops or not self.flagged or not self.writer.strict:
            return
        writer = self.writer
        if self.opaque:
            writer.do("store i1 true, ptr %suspect, align 1")
        elif self._unseen:
            before = writer.op("load i1, ptr %suspect, align 1")
            writer.do(f"store i1 {self._suspicious(before)}, ptr %suspect, align 1")
        self._unseen.clear()
        self.opaque = False

    def _suspicious(self, found: str) -> str:
        """Whether `found` is true or a result is infinite or NaN."""
        writer = self.writer
        for name, held in self._unseen.items():
            suffix = "f64" if held == "double" else "f32"
            size = writer.intrinsic(f"llvm.fabs.{suffix}", held, held, f"{held} {name}")
            strange = writer.compare("uge", held, size, float_literal(math.inf))
            found = strange if found == "false" else writer.op(f"or i1 {found}, {strange}")
        return found

    def check_flags(self, lineno: int) -> None:
        """Leave the iteration if a flag is set that the program would hear of.

        Reading the flags waits for the operations before, so results are looked at first.
        """
        if not self.flagged or not self.writer.strict:
            return
        writer = self.writer
        behind = ""
        if not self.has_inner_loops and not self.opaque:
            suspect = self._suspicious(writer.op("load i1, ptr %suspect, align 1"))
            suspect = writer.op(f"or i1 {suspect}, %underflow")
            look, behind = writer.fresh("look"), writer.fresh("seen")
            writer.do(f"br i1 {suspect}, label %{look}, label %{behind}, !prof !0")
            writer.start(look)
        self._unseen.clear()
        self.opaque = False
        writer.declare("stmxcsr", "declare void @llvm.x86.sse.stmxcsr(ptr)")
        writer.do("call void @llvm.x86.sse.stmxcsr(ptr %mxcsr)")
        word = writer.op("load i32, ptr %mxcsr, align 4")
        flags = writer.op(f"and i32 {word}, %flags")
        self.check(writer.op(f"icmp ne i32 {flags}, 0"), "floating-point flag", lineno)
        if behind:
            writer.do(f"br label %{behind}")
            writer.start(behind)
        self.flagged = False

    def check_raised(self, lineno: int) -> None:
        """After a call: leave the iteration if a flag is set in the register of the x87.

        C's feraiseexcept, with which NumPy's vectorised functions tell of trouble, sets it there.
        """
        if not self.writer.strict:
            return
        writer = self.writer
        status = writer.op('call i16 asm sideeffect "fnstsw $0", "={ax},~{dirflag},~{flags}"()')
        flags = writer.op(f"and i32 {writer.op(f'zext i16 {status} to i32')}, %flags")
        self.check(writer.op(f"icmp ne i32 {flags}, 0"), "floating-point flag", lineno)

    def opaque_flags(self) -> None:
        """Note an operation that may set a flag without showing it in a number."""
        self.flagged = self.opaque = True

    # memory -------------------------------------------------------------------------------------

    def store(self, kind: str, pointer: str, value: str, lineno: int) -> None:
        """Store a value, and log what it overwrites so that the iteration can be taken back."""
        writer = self.writer
        if not self.unlogged:
            self._log(kind, pointer, lineno)
        writer.do(f"store {kind} {value}, ptr {pointer}, align 1")
        self.version += 1

    def _log(self, kind: str, pointer: str, lineno: int) -> None:
        writer, size = self.writer, SIZES[kind]
        bits = f"i{8 << size}"
        count = writer.op("load i64, ptr %logged, align 8")
        full = writer.op(f"icmp uge i64 {count}, %capacity")
        self.check(full, "too many stores in an iteration", lineno)
        old = writer.op(f"load {bits}, ptr {pointer}, align 1")
        if bits != "i64":
            old = writer.op(f"zext {bits} {old} to i64")
        address = writer.op(f"ptrtoint ptr {pointer} to i64")
        where = writer.op(f"or i64 {address}, {size << 58}") if size else address
        entry = writer.op(f"getelementptr {{i64, i64}}, ptr %undo, i64 {count}")
        second = writer.op(f"getelementptr i8, ptr {entry}, i64 8")
        writer.do(f"store i64 {where}, ptr {entry}, align 8")
        writer.do(f"store i64 {old}, ptr {second}, align 8")
        following = writer.op(f"add i64 {count}, 1")
        writer.do(f"store i64 {following}, ptr %logged, align 8")

    def call_table(self, name: Any) -> str:
        """The address of the function `name` of the table."""
        if name not in self.functions:
            self.functions.append(name)
        return self.writer.function(self.functions.index(name))

    # conversions --------------------------------------------------------------------------------

    def index(self, argument: Any, lineno: int) -> str:
        """A number that serves as an index, as an i64."""
        kind = kind_of(argument)
        if isinstance(kind, PythonScalarKind) and kind.type is int:
            return self.name(argument)
        if not isinstance(kind, NumpyScalarKind) or kind.dtype.kind not in "iu":
            raise NoRule("an index that is no integer")
        return self.integer(argument, kind, lineno)

    def integer(self, argument: Any, kind: Kind, lineno: int) -> str:
        """An integer or bool as a signed i64; leaves the iteration if it does not fit."""
        name, dtype = self.name(argument), dtype_of(kind)
        (held,) = scalar_types(kind)
        if held != "i64":
            extend = "sext" if dtype.kind == "i" else "zext"
            return self.writer.op(f"{extend} {held} {name} to i64")
        if dtype.kind == "u":
            bad = self.writer.op(f"icmp slt i64 {name}, 0")
            self.check(bad, "an integer of more than 63 bits", lineno)
        return name

    def as_double(self, argument: Any, lineno: int) -> str:
        """A number that is not complex as a double, as CPython and NumPy convert it."""
        kind = kind_of(argument)
        name, dtype = self.name(argument), dtype_of(kind)
        (held,) = scalar_types(kind)
        if isinstance(argument, (int, float)) and not isinstance(argument, np.generic):
            return float_literal(float(argument))
        if held == "double":
            return name
        if held == "float":
            return self.writer.convert("fpext", "float", "double", name)
        if held != "i64":
            extend = "sext" if dtype.kind == "i" else "zext"
            name = self.writer.op(f"{extend} {held} {name} to i64")
        unsigned = dtype.kind == "u" and held == "i64"
        return self.writer.convert("uitofp" if unsigned else "sitofp", "i64", "double", name)


def literal(value: Any) -> tuple[str, ...]:
    """A constant number as LLVM writes it; NoRule if it is none, or does not fit."""
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is bool:
        return ("true" if value else "false",)
    if type(value) is int:
        if not -(2**63) <= value < 2**63:
            raise NoRule("an integer of more than 64 bits")
        return (str(value),)
    if type(value) is float:
        return (float_literal(value),)
    if type(value) is complex:
        return (float_literal(value.real), float_literal(value.imag))
    raise NoRule(type(value).__name__)
