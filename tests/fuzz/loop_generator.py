"""Random loop programs: source text of a function whose loops go over elements, rows and numbers.

Loops nest and branch, names change their kinds, indices and divisors may be bad, and some passes
print, append, break, return or raise. Every loop ends: `for` goes over something finite, `while`
counts. Integers grow by additions only, unless a mask or a remainder follows; products of numbers
that may be integers have a factor that makes them floats. Numbers are returned as text: which of
two equal NumPy scalars a name holds is not compared. Every choice is drawn from an object with the
interface of `random.Random`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

FLOATS = ("s", "t", "u")
INTS = ("p", "q", "r")
INDICES = (
    "i",
    "i - 1",
    "-1",
    "0",
    "i % 5",
    "p % 7",
    "-(i % 4) - 1",
    "q & 3",
    "i % len(x)",
    "j",
    "k[i % 5] % 6",
)
FLOAT_FUNCTIONS = (
    "abs({0})", "min({0}, {1})", "max({0}, {1})", "math.sqrt(abs({0}))", "float({0})", "np.sqrt({0})",
    "math.sin({0})", "({0} if {c} else {1})", "halved({0})", "chosen({0}, {1})", "np.abs({0})", "math.exp(-abs({0}))",
    "np.exp({0})", "np.maximum({0}, {1})", "summed({0}, {i} & 3)", "-{0}", "np.float32({0})", "round({0}, 2)",
)  # fmt: skip
INT_FUNCTIONS = (
    "abs({0})", "min({0}, {1})", "max({0}, {1})", "({0} if {c} else {1})", "digits({0} & 255)", "int({f})",
    "len(x)", "bool({0})", "int({c})", "divmod({0}, 7)[1]", "round({f})", "-{0}", "~{0}", "({0}).bit_length()",
    "np.int64({0} & 255)", "np.int8({0} & 63)",
)  # fmt: skip
REDUCTIONS = (
    "{a}.sum()", "{a} @ {b}", "np.dot({a}, {b})", "{a}.max()", "{a}.min()", "{a}.mean()", "np.sum({a})", "{a}.argmax()",
    "len({a})", "sum({a})", "({a} * {b}).sum()", "np.abs({a}).max()",
)  # fmt: skip
PAIRS = (
    ("x[:4]", "y[1:5]"),
    ("m[i % 4]", "m[:, 1][:5]"),
    ("x[i % 3 :][:6]", "y[::-1][:6]"),
    ("m[0, :3]", "x[2:5]"),
)
PASSES = ("== 5", "% 50 == 7", "== n - 2", "> n // 2", "% 2 == 0", "== 0")
MASKS = ("% 10007", "& 0xFFFF", "% 7", "& 0xFFFFFFFF", "% -13", "// 3 % 1009")
ERRORS = ("ZeroDivisionError", "IndexError", "(ValueError, OverflowError)", "ArithmeticError")

PRELUDE = """\
import math

def halved(v):
    return v * 0.5

def chosen(v, w):
    if v > w:
        return v - w
    elif v < -w:
        return v + 1
    return w

def summed(v, count):
    total = 0.0
    for step in range(count):
        if step == 2:
            continue
        total += v
    return total

def digits(v):
    count = 0
    while v > 0:
        v //= 10
        count += 1
    return count

class Box:
    rate = 2

    def __init__(self, value):
        self.value = value

"""


@dataclass
class LoopWriter:
    """Writes one program, statement by statement."""

    chance: object
    left: int
    lines: list = field(default_factory=list)
    counters: int = 0

    def pick(self, options):
        return options[self.chance.randint(0, len(options) - 1)]

    def one_in(self, number):
        return self.chance.randint(1, number) == 1

    # expressions --------------------------------------------------------------------------------

    def number(self, depth=2):
        """A float, or what counts as one."""
        draw = self.chance.randint(0, 9 if depth else 3)
        if draw <= 1:
            return self.pick(FLOATS)
        if draw == 2:
            return self.pick(("0.5", "1.25", "-2.0", "0", "1", "3", "1e-3", "item"))
        if draw == 3:
            return self.element()
        if draw <= 6:
            one, other = self.number(depth - 1), self.number(depth - 1)
            return f"({one} {self.pick(('+', '-', '/', '* 0.75 *'))} {other})"
        if draw == 7:
            return self.integer(depth - 1)
        if draw == 8:
            return self.pick(REDUCTIONS).format(**dict(zip("ab", self.pick(PAIRS))))
        return self.filled(FLOAT_FUNCTIONS, self.number, depth)

    def integer(self, depth=2):
        draw = self.chance.randint(0, 9 if depth else 3)
        if draw <= 1:
            return self.pick((*INTS, "i", "j"))
        if draw == 2:
            return self.pick(("0", "1", "2", "-3", "7", "100", "2**31", "n", "items[i % 5]"))
        if draw == 3:
            return f"k[{self.index()}]" if self.one_in(2) else f"int(k[{self.index()}])"
        if draw <= 6:
            return f"({self.integer(depth - 1)} {self.pick(('+', '-', '&', '|', '^'))} {self.integer(depth - 1)})"
        if draw <= 8:
            return self.masked(depth)
        return self.filled(INT_FUNCTIONS, self.integer, depth)

    def masked(self, depth):
        """An integer that an operation may make large, made small again."""
        one, other = self.integer(depth - 1), self.integer(depth - 1)
        operator = self.pick(("*", "*", "//", "%", "<<", ">>", "**"))
        if operator in ("<<", ">>"):
            other = f"({other} & {self.pick((7, 31, 63, 127))})"
        elif operator == "**":
            one, other = f"({one} % 1009)", self.pick(("2", "3", f"({other} & 3)"))
        return f"(({one} {operator} {other}) {self.pick(MASKS)})"

    def filled(self, forms, own, depth):
        return self.pick(forms).format(
            own(depth - 1),
            own(depth - 1),
            c=self.condition(depth - 1),
            f=self.number(0),
            i=self.integer(0),
        )

    def condition(self, depth=1):
        draw = self.chance.randint(0, 7 if depth > 0 else 2)
        if draw <= 1:
            return f"{self.number(0)} {self.pick(('<', '>', '<=', '==', '!='))} {self.number(0)}"
        if draw == 2:
            return f"{self.integer(0)} {self.pick(('% 2', '& 1', '% 3 == 1', '> 5', '< 0'))}"
        if draw == 3:
            return f"0.1 < {self.number(0)} <= {self.number(0)}"
        if draw == 4:
            return f"not ({self.condition(0)})"
        if draw == 5:
            return f"({self.condition(0)} {self.pick(('and', 'or'))} {self.condition(0)})"
        return f"i {self.pick(PASSES)}"

    def index(self):
        return self.pick(INDICES)

    def element(self):
        if self.one_in(3):
            return f"m[{self.pick(('i % 4', '0', '-1', 'j % 4', 'p % 4', 'i'))}, {self.pick(('i % 5', '1', '-2', 'j', 'q % 5'))}]"
        return f"{self.pick('xy')}[{self.index()}]"

    # statements ---------------------------------------------------------------------------------

    def block(self, indent, depth, looping=True):
        for _ in range(self.chance.randint(1, 4)):
            self.statement(indent, depth, looping)

    def put(self, indent, text):
        self.lines.append("    " * indent + text)

    def statement(self, indent, depth, looping):
        self.left -= 1
        draw = self.chance.randint(0, 15)
        if draw >= 11 and depth > 0 and self.left > 0:
            return self.compound(indent, depth, looping)
        self.put(indent, self.simple(draw))
        return None

    def simple(self, draw):
        if draw <= 1:
            return f"{self.pick(FLOATS)} {self.pick(('=', '+=', '-=', '*= 0.5 *', '='))} {self.number()}"
        if draw <= 3:
            return f"{self.pick(INTS)} {self.pick(('=', '+=', '-=', '^='))} {self.integer()}"
        if draw <= 6:
            return (
                f"{self.element()} {self.pick(('=', '+=', '-=', '*= 0.5 *', '/='))} {self.number()}"
            )
        if draw == 7:
            return f"k[{self.index()}] {self.pick(('=', '+=', '-=', '^=', '//='))} {self.integer()}"
        if draw == 8:
            one, other = self.pick((FLOATS, INTS)), self.pick((FLOATS, INTS))
            one, other = self.pick(one), self.pick(other)
            return self.pick(
                (f"{one}, {other} = {other}, {one}", f"p, q = q, (p + q) {self.pick(MASKS)}")
            )
        if draw == 9:
            part, other = self.pick(PAIRS)
            return self.pick(
                (f"{part} = {self.number(1)}", f"{part} += {other}", f"{part} *= {self.number(0)}")
            ).replace("[:6]", "[:4]")
        return self.pick(
            ("s = abs(s) % 100.0", "t = t / 2", "u = complex(s, t).real", "u = 0", "j = j")
        )

    def compound(self, indent, depth, looping):
        draw = self.chance.randint(0, 9)
        if draw <= 3:
            self.branch(indent, depth, looping)
        elif draw <= 5:
            self.inner_loop(indent, depth)
        elif draw == 6:
            self.put(indent, "try:")
            self.block(indent + 1, depth - 1, looping)
            self.put(indent, f"except {self.pick(ERRORS)}:")
            self.put(indent + 1, self.pick(("log.append(i)", "s = 0.0", "p = 0", "pass")))
        elif draw == 7 and looping:
            self.put(indent, f"if {self.condition()}:")
            self.put(
                indent + 1, self.pick(("continue", "break", "continue", "return repr(s), p, i"))
            )
        else:
            self.put(indent, f"if i {self.pick(PASSES[:3])}:")
            self.put(
                indent + 1,
                self.pick(
                    (
                        "print(i, s)",
                        "log.append(repr(s))",
                        "p = p * 2**60",
                        "s = np.nan",
                        "log.append(x.copy())",
                        "u = 'text'",
                        "y = y[::-1]",
                        "raise ValueError(i)",
                    )
                ),
            )

    def branch(self, indent, depth, looping):
        self.put(indent, f"if {self.condition()}:")
        self.block(indent + 1, depth - 1, looping)
        if self.one_in(3):
            self.put(indent, f"elif {self.condition()}:")
            self.block(indent + 1, depth - 1, looping)
        if self.one_in(2):
            self.put(indent, "else:")
            self.block(indent + 1, depth - 1, looping)

    def inner_loop(self, indent, depth):
        draw = self.chance.randint(0, 5)
        if draw == 0:
            self.counters += 1
            name = f"w{self.counters}"
            self.put(indent, f"{name} = 0")
            self.put(
                indent, f"while {name} < {self.pick(('3', 'i % 5', '6'))} and {self.condition()}:"
            )
            self.put(indent + 1, f"{name} += 1")
        else:
            over = (
                "range(4)",
                "range(i % 5)",
                "range(3, -1, -1)",
                "range(p % 4)",
                "range(1, i % 6, 2)",
            )
            self.put(indent, f"for j in {self.pick(over)}:")
        self.block(indent + 1, depth - 1)
        if self.one_in(6):
            self.put(indent, "else:")
            self.put(indent + 1, "s += 1")

    def outer_loop(self):
        draw = self.chance.randint(0, 13)
        forms = (
            *("for i in range(n):",) * 4, "for i in range(1, n - 1):", "for i in range(n - 1, -1, -1):",
            "for i, item in enumerate(x):", "for i, (item, t) in enumerate(zip(x, y)):", "for i, row in enumerate(m):",
            "for i in items:", "for i in range(0, n, 3):",
        )  # fmt: skip
        if draw >= len(forms):
            self.put(1, "i = -1")
            self.put(1, f"while i < n and {self.condition()}:" if draw == 12 else "while i < n:")
            self.put(2, "i += 1")
        else:
            self.put(1, forms[draw])
        self.block(2, 3)
        if self.one_in(6):
            self.put(1, "else:")
            self.put(2, "s = -s")


def write_loop_program(chance, statements=14):
    """The source of a module with a function `program(x, y, k, m, items, n, log, table, box)`."""
    writer = LoopWriter(chance, statements)
    writer.put(0, "def program(x, y, k, m, items, n, log, table, box):")
    for text in ("s, t, u = 0.0, 1.0, 0", "p, q, r = 0, 1, n", "i = j = 0", "item = 1.5"):
        writer.put(1, text)
    for _ in range(writer.pick((1, 1, 1, 2))):
        writer.outer_loop()
    writer.put(1, "return list(map(repr, (s, t, u, p, q, r, i, j, item)))")
    return PRELUDE + "\n".join(writer.lines) + "\n"


def loop_arguments(chance):
    """A builder of arguments: arrays of some dtype, apart or sharing memory, and passes."""
    dtype = (*("float64",) * 6, "float32", "float32", "int64", "complex128")[chance.randint(0, 9)]
    integers = ("int64", "int64", "int32", "uint8")[chance.randint(0, 3)]
    passes = (0, 1, 2, 40, 200, 300)[chance.randint(0, 5)]
    sharing, seed = chance.randint(0, 6), chance.randint(0, 99)

    def build():
        draw = np.random.default_rng(seed)
        block = (draw.random(320) * 4 - 1).astype(dtype)
        if sharing == 0:
            x, y = block[4:304], block[3:303]
        elif sharing == 1:
            x = y = block[:300]
        elif sharing == 2:
            x, y = block[:300], block[:300][::-1]
        else:
            x, y = block[:300], (draw.random(300) + 0.5).astype(dtype)
        if sharing == 3:
            y.flags.writeable = False
        elif sharing == 4:
            y = y.tolist()
        m = (draw.random((4, 5)) * 3).astype(dtype)
        k = draw.integers(0, 9, 300).astype(integers)
        return x, y, k, m, [3, 1, 4, 1, 5, 9], passes

    return build
