"""Random loop programs about numbers: every kind of Python's and NumPy's, at the edges of its range.

Each pass reads numbers from arrays of some dtype and layout, computes, and now and then logs what
the pass before it computed, so that results of machine code are seen. Modes of errstate, filters,
handlers, cells and generators surround the loop. Every choice is drawn from an object with the
interface of `random.Random`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.fuzz.loop_generator import PRELUDE

INTEGERS = (0, 1, 2, 3, -1, -7, 10, 63, 64, 2**31 - 1, 2**31, -(2**31), 2**53, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 2**63, 2**64)  # fmt: skip
REALS = (0.0, -0.0, 1.0, 0.5, -2.5, 1.5, 3.0, 1e-310, 5e-324, 1e308, -1e16, 2.0**53, 2.0**63, float("nan"), float("inf"), float("-inf"))  # fmt: skip
COMPLEX = (0j, 1j, 1 + 2j, -0.0 - 0j, complex("nan"), complex("inf"), 1e200 + 1e200j, -3 + 0j)
DTYPES = {
    "i": ("int8", "int16", "int32", "int64", "int64", "int64", "uint8", "uint16", "uint32", "uint64", "bool"),
    "f": ("float64", "float64", "float64", "float32"),
    "c": ("complex128", "complex64"),
}  # fmt: skip
LAYOUTS = ("C", "C", "C", "C", "reversed", "strided", "read-only", "swapped", "misaligned", "empty")
INT_OPERATORS = ("+", "-", "*", "//", "%", "&", "|", "^", "+", "-", "*")
REAL_OPERATORS = ("+", "-", "*", "/", "//", "%", "+", "-", "*", "/")
INT_FORMS = (
    "-{0}", "~{0}", "abs({0})", "+{0}", "int({0})", "divmod({0}, {1})[0]", "divmod({0}, {1})[1]", "round({0})", "bool({0})",
    "min({0}, {1})", "max({0}, {1})", "({0} if {2} else {1})", "({0} and {1})", "({0} or {1})", "({0} << ({1} & 7))",
    "({0} >> ({1} & 15))", "({0} << ({1} & 70))", "({0} ** 2)", "({0} ** ({1} & 3))", "int({2})", "({0} << 3)", "picked({0}, {1})",
)  # fmt: skip
REAL_FORMS = (
    "-{0}", "abs({0})", "float({0})", "int({0})", "min({0}, {1})", "max({0}, {1})", "round({0})", "round({0}, 1)", "bool({0})",
    "({0} if {2} else {1})", "({0} or {1})", "({0} ** 2)", "({0} ** float({1}))", "({0} ** 0.5)", "divmod({0}, {1})[1]", "math.{3}({0})",
    "np.{4}({0})", "math.{3}({0})", "math.{5}({0}, {1})", "picked({0}, {1})", "({0} ** -1)", "np.{6}({0}, {1})", "divmod({0}, {1})[0]",
)  # fmt: skip
COMPLEX_FORMS = ("-{0}", "abs({0})", "{0}.real", "{0}.imag", "{0}.conjugate()", "({0} ** 2)", "complex({0})", "bool({0})", "({0} if {2} else {1})", "({0} * {0})")  # fmt: skip
ONE = ("sqrt", "sin", "cos", "tan", "exp", "log", "floor", "ceil", "trunc", "fabs", "isnan", "isfinite", "isinf", "atan", "tanh", "log1p", "expm1", "log2", "log10", "degrees", "acos", "cbrt", "exp2", "erf", "gamma")  # fmt: skip
UFUNCS = ("sqrt", "abs", "exp", "sin", "floor", "sign", "square", "float32", "float64", "negative", "isnan", "log")  # fmt: skip
TWO = ("pow", "atan2", "hypot", "fmod", "copysign")
PAIRED = ("maximum", "minimum", "add", "hypot", "copysign", "multiply")
MODES = ("", "", "", "np.errstate(all='ignore')", "np.errstate(all='raise')", "np.errstate(over='raise', invalid='ignore')", "Failing()")  # fmt: skip
FAILING = """\
import warnings

class Failing(warnings.catch_warnings):
    def __enter__(self):
        found = super().__enter__()
        warnings.simplefilter("error")
        return found

def seen(*numbers):
    # Types, texts and bits: two names of one number may have two equal objects.
    return [(type(v).__name__, repr(v), type(v) is int or np.asarray(v).tobytes()) for v in numbers]

def picked(v, w):
    if v < w:
        return w
    for step in range(4):
        if v <= w:
            break
        v = v - 1 if step % 2 else v - w
    return v

"""


@dataclass
class NumberWriter:
    """Writes one program. `families`: "i", "f" or "c" for each name that holds a number."""

    chance: object
    families: dict
    lines: list = field(default_factory=list)
    unset: list = field(default_factory=lambda: ["e", "f", "g"])

    def pick(self, options):
        return options[self.chance.randint(0, len(options) - 1)]

    def one_in(self, number):
        return self.chance.randint(1, number) == 1

    def put(self, indent, text):
        self.lines.append("    " * indent + text)

    # expressions --------------------------------------------------------------------------------

    def atom(self, wanted):
        names = [name for name, found in self.families.items() if found <= wanted or found == "i"]
        constants = [str(self.pick(INTEGERS)), "1", "2"]
        if wanted != "i":
            constants += ["0.5", "-1.5", "1e3", "2.0"]
        return self.pick([*names, *names, *constants, "i"])

    def expression(self, wanted, depth=2):
        """Text of a number of a family: integers, reals ("f") or complex numbers."""
        if depth == 0 or self.one_in(6):
            return self.atom(wanted)
        one, other = self.expression(wanted, depth - 1), self.expression(wanted, depth - 1)
        operators = INT_OPERATORS if wanted == "i" else REAL_OPERATORS
        if self.chance.randint(0, 1):
            operator = self.pick("+-*/" if wanted == "c" else operators)
            return f"({one} {operator} {other})"
        forms = {"i": INT_FORMS, "f": REAL_FORMS, "c": COMPLEX_FORMS}[wanted]
        return self.pick(forms).format(
            f"({one})", f"({other})", self.condition(),
            self.pick(ONE), self.pick(UFUNCS), self.pick(TWO), self.pick(PAIRED),
        )  # fmt: skip

    def condition(self):
        reals = [name for name, found in self.families.items() if found != "c"] or ["i"]
        one, other, third = self.pick(reals), self.pick([*reals, "0", "1.5"]), self.pick(reals)
        compared = self.pick(("<", "<=", ">", ">=", "==", "!="))
        return self.pick(
            (
                f"{one} {compared} {other}", f"{one} < {other} {compared} {third}", f"not {one}",
                f"{one} {compared} {other} and {third}", f"{one} or {third} > i", "i % 3 == 1",
            )
        )  # fmt: skip

    def element(self):
        index = self.pick(("i", "i", "i", "i % 5", "-1", "-(i % 4) - 1", "i - 2", "j"))
        return f"{self.pick('abc')}[{index}]"

    # statements ---------------------------------------------------------------------------------

    def statement(self, indent, depth=1):
        draw = self.chance.randint(0, 9 if depth else 6)
        if draw <= 4 and self.unset and (depth or self.one_in(3)):
            name = self.unset.pop()  # once, so that most of them keep their kind
            wanted = self.pick("iffc" if "c" in self.families.values() else "iff")
            self.put(indent, f"{name} = {self.expression(wanted)}")
        elif draw <= 5:
            operator = self.pick(("=", "=", "+=", "-=", "*=", "//=", "^="))
            self.put(indent, f"{self.element()} {operator} {self.expression(self.pick('if'), 1)}")
        elif draw == 6:
            self.put(
                indent, self.pick(("p, q = q, p", "s += p", "s = s * q", "j = i - j", "s = -s"))
            )
        elif draw == 7:
            self.put(indent, f"if {self.condition()}:")
            self.statement(indent + 1, depth - 1)
            self.put(indent, "else:")
            self.statement(indent + 1, depth - 1)
        elif draw == 8:
            self.put(indent, "try:")
            self.statement(indent + 1, depth - 1)
            self.put(
                indent,
                f"except {self.pick(('ArithmeticError', 'Exception', 'IndexError'))} as error:",
            )
            self.put(indent + 1, self.pick(("log.append(str(error))", "pass", "e = 0")))
        else:
            self.put(indent, f"for j in range({self.pick(('3', 'i % 4', '2, -3, -1'))}):")
            self.statement(indent + 1, depth - 1)
            if self.one_in(2):
                self.put(indent + 1, f"if {self.condition()}:")
                self.put(indent + 2, self.pick(("break", "continue")))

    def loop(self, indent, yielding):
        self.put(
            indent,
            self.pick(
                ("for i in range(n):",) * 3
                + ("for i, p in enumerate(a):", "for i in range(n, -2, -1):")
            ),
        )
        seen = self.pick(
            ("yield seen(e, f)", "log.append(seen(e, f))")
            if yielding
            else ("log.append(seen(e, f, g))", "print(e, f, s)")
        )
        self.put(indent + 1, f"if i % {self.pick(('7', '16', '30'))} == 1:")
        self.put(indent + 2, seen)
        self.put(indent + 1, f"p = {self.element()}")
        self.put(indent + 1, f"q = {self.element()}")
        for _ in range(self.chance.randint(1, 4)):
            self.statement(indent + 1)
        if self.one_in(5):
            self.put(indent + 1, f"if i == 33 and {self.condition()}:")
            self.put(indent + 2, self.pick(("break", "return e", "raise ValueError(i)")))


def write_number_program(chance, families):
    """The source of `program(a, b, c, v, w, n, log, table, box)`; `families` of a, b, c, v and w."""
    a, b, c, v, w = families
    named = {"v": v, "w": w, "p": max(a, b, c, key="ifc".index), "q": max(a, b, c, key="ifc".index)}
    named |= {"s": max(v, *named.values(), key="ifc".index)}
    writer, yielding = NumberWriter(chance, named), chance.randint(0, 9) == 0
    writer.put(0, "def program(a, b, c, v, w, n, log, table, box):")
    for text in ("e = f = g = s = v", "i = j = 0", "p, q = v, w"):
        writer.put(1, text)
    if writer.one_in(6):
        writer.put(1, "peek = lambda: (s, e)")
    indent, mode = 1, writer.pick(MODES)
    if mode:
        writer.put(indent, f"with {mode}:")
        indent += 1
    handled = writer.one_in(3)
    if handled:
        writer.put(indent, "try:")
    writer.loop(indent + handled, yielding)
    if handled:
        writer.put(indent, "except (ArithmeticError, ValueError) as error:")
        writer.put(indent + 1, "log.append(repr(error))")
    writer.put(1, "return seen(e, f, g, s, i, j, p, q)")
    return PRELUDE + FAILING + "\n".join(writer.lines) + "\n"


def number_arguments(chance):
    """The families of five arguments, and a callable that builds them anew."""
    pick = lambda options: options[chance.randint(0, len(options) - 1)]  # noqa: E731
    families = [pick("iiifffc") for _ in range(5)]
    dtypes = [pick(DTYPES[family]) for family in families]
    layouts = [pick(LAYOUTS) for _ in range(3)]
    values = {"i": INTEGERS, "f": REALS, "c": COMPLEX}
    choices = [values[family] for family in families]
    extreme, shared, seed = chance.randint(0, 2) == 0, chance.randint(0, 5), chance.randint(0, 99)
    scalars = []
    for family, dtype in zip(families[3:], dtypes[3:], strict=True):
        number = pick(values[family])
        small = pick((1, 2, 3, -1, 0.5, 1.5, 2.0))
        number = number if extreme else type(number)(small)
        scalars.append(_scalar(number, dtype, pick((0, 0, 0, 1))))
    passes = pick((0, 1, 3, 20, 60, 60))

    def build():
        draw = np.random.default_rng(seed)
        arrays = [
            _laid_out(_filled(draw, dtype, choice, extreme), layout)
            for choice, dtype, layout in zip(choices, dtypes, layouts, strict=False)
        ]
        if shared == 0 and len(arrays[0]) > 4:
            arrays[1] = arrays[0][::-1]
        if shared == 1 and len(arrays[0]) > 4:
            arrays[1], arrays[2] = arrays[0][1:], arrays[0][:-1]
        return (*arrays, *scalars, passes)

    if shared in (0, 1):
        families[1] = families[0]
        families[2] = families[0] if shared == 1 else families[2]
    return families, build


def _scalar(number, dtype, numpys):
    return _filled(None, dtype, [number], True)[0] if numpys else number


def _filled(draw, dtype, values, extreme):
    """Some numbers: small ones, with a few at the edges of the dtype."""
    if draw is None:
        small = values
    else:
        small = draw.integers(-9, 9, 64).tolist()
        for place in draw.integers(0, 64, 5 if extreme else 0):
            small[place] = values[draw.integers(0, len(values))]
    with np.errstate(all="ignore"):
        if np.dtype(dtype).kind in "iub":
            return np.array([int(one) % 2**64 for one in small], np.uint64).astype(dtype)
        return (
            np.array(small, complex if np.dtype(dtype).kind == "c" else float)
            * (1 if extreme else 0.75)
        ).astype(dtype)


def _laid_out(array, layout):
    if layout == "reversed":
        return array[::-1]
    if layout == "strided":
        return np.repeat(array, 2)[::2]
    if layout == "swapped":
        return array.astype(array.dtype.newbyteorder(">"))
    if layout == "misaligned":
        block = np.zeros(array.nbytes + 1, np.uint8)
        moved = block[1:].view(array.dtype)
        moved[:] = array
        return moved
    if layout == "empty":
        return array[:0]
    array.flags.writeable = layout != "read-only"
    return array
