"""Random programs: source text of a function over arrays, with helpers, globals and breaks.

Most programs run through, some raise; both outcomes are compared. Every choice is drawn from an
object with the interface of `random.Random`, so that Hypothesis or a seed may stand behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ARRAYS = ("a", "b", "c")
UNARY = "sin cos exp sqrt abs negative square tanh floor sign conj isnan log1p arctan rint".split()
BINARY = (
    "add subtract multiply maximum minimum hypot fmod divide less equal logical_and power".split()
)
OPERATORS = tuple("+ - * + - * + - * + - * / / // % ** < >= == & | ^".split())
IN_PLACE = tuple("+= -= *= += -= *= += -= *= /= //= %= **= &= |=".split())
VIEWS = (
    "{x}[::-1]", "{x}[...]", "{x}.T", "{x}.reshape({x}.shape)", "{x}.copy()", "{x}[:]", "{x}.real",
    "{x}.ravel().reshape({x}.shape)", "{x}.view()", "{x}[...].T", "np.asarray({x})", "np.flip({x})",
    "np.atleast_1d({x})", "np.roll({x}, 1)", "{x}.astype(np.float32)", "{x}.astype(float, copy=False)",
    "np.sort({x}, axis=None).reshape({x}.shape)", "np.cumsum({x}).reshape({x}.shape)", "np.copy({x})",
    "np.where({x} > 0, {x}, -{x})", "np.clip({x}, 0, 3)", "np.zeros_like({x})", "np.ascontiguousarray({x})",
    "{x}.swapaxes(0, -1)", "np.concatenate([{x}, {x}])[: len({x})]", "np.broadcast_to({x}, {x}.shape)",
    "np.full_like({x}, 2)", "{x}.round(1)", "{x}.conj()", "np.asfortranarray({x})", "{x}.cumsum(axis=0)",
)  # fmt: skip
PARTS = (
    "[1:]",
    "[:-1]",
    "[::2]",
    "[::-1]",
    "[...]",
    "[0]",
    "[-1]",
    "[..., 0]",
    "[:1]",
    "[i0]",
    "[..., ::-1]",
)
SCALARS = (
    "{x}.sum()", "{x}.max()", "{x}.mean()", "len({x})", "{x}.size", "{x}.shape[0]", "np.sum({x})",
    "float({x}.sum().real)", "int({x}.size)", "{x}.ravel()[0]", "np.max({x})", "{x}.ndim", "{x}.any()",
    "{x}.flat[-1]", "np.count_nonzero({x})", "{x}.min()", "np.std({x})", "{x}.item(0)", "np.dot({x}.ravel(), {x}.ravel())",
)  # fmt: skip
NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "2.5",
    "True",
    "np.float32(2)",
    "np.int8(3)",
    "1e3",
    "300",
    "1j",
)
CONDITIONS = (
    "{x}.sum() > 0", "({x} > 0).any()", "n > 2", "s > 1", "{x}.max() < 3", "len({x}) > 3", "bool(n % 2)",
    "{x}.dtype == float", "{x} is {y}", "np.all({x} == {y})", "isinstance({x}, np.ndarray)", "not {x}.any()",
    "{x}.shape == {y}.shape and {x}.sum() < 9", "n in (1, 2) or s", "{x}.flags.c_contiguous", "log",
)  # fmt: skip
BREAKS = (
    "log.append({s})", "print({s})", "log.append({x})", "print({x})", "log.append(len(log))",
    "table['k'] = {x}", "log.extend([{s}, {x}])", "print(f'{{n}} {{{s}!r}}')", "table.update(q={s})",
    "noisy({x})", "log.append({x}.tolist())", "touch({x})", "note(log, {s})", "box.put({x})",
)  # fmt: skip
ERRORS = ("ValueError", "(ValueError, TypeError)", "Exception", "ArithmeticError", "IndexError")
MODES = ("ignore", "raise", "warn")

PRELUDE = """\
def helper(p, q=2, *, r=1):
    return p * q + r

def straight(p):
    t = np.sqrt(p * p + 1)
    return t - p

def branching(p, n):
    if n > 2:
        return p * 2
    for j in range(n):
        p = p + j
    return p

def noisy(p):
    t = p + 1
    print("noisy", t)
    return t * 2

def touch(p):
    p += 1
    return p

def note(log, value):
    log.append(value)
    return value

def rebind(value):
    global G
    G = value
    return value

class Box:
    rate = 2

    def __init__(self, value):
        self.value = value

    def put(self, value):
        self.value = value
        return self

    def scaled(self, p):
        return p * self.rate + 1

    @property
    def double(self):
        return self.value * 2

    def __enter__(self):
        self.rate = 3
        return self.value

    def __exit__(self, kind, error, traceback):
        self.rate = 2
        return kind is not None and issubclass(kind, ArithmeticError)


def variadic(*args, scale=1, **others):
    return args[0] * len(args) * scale + sum(others.values())


def counting(p):
    count = 0

    def step(q):
        nonlocal count
        count += 1
        return q * count

    return step(p) + step(p)


def descending(p, n):
    return p if n <= 0 else descending(p * 2 - n, n - 1)


def pieces(p, n):
    for i in range(n):
        p = p + i
        yield p * 2


table_of = {"two": 2, "half": 0.5}
"""


@dataclass
class Writer:
    """Writes one program; `depth` bounds nesting, `budget` the number of statements."""

    random: object
    budget: int
    lines: list = field(default_factory=list)
    arrays: list = field(default_factory=lambda: list(ARRAYS))
    loops: int = 0
    inside: int = 0
    fresh: int = 0

    def pick(self, options):
        return options[self.random.randint(0, len(options) - 1)]

    def chance(self, percent):
        return self.random.randint(0, 99) < percent

    def array(self):
        return self.pick(self.arrays)

    def scalar(self):
        roll = self.random.randint(0, 9)
        if roll < 3:
            return self.pick(NUMBERS)
        if roll < 5:
            return self.pick(("s", "n", "G", "box.rate", "i0"))
        return self.pick(SCALARS).format(x=self.array())

    def expression(self, depth=0):
        """An expression whose value is mostly an array that broadcasts with the arguments."""
        if depth > 2 or self.chance(15 + 15 * depth):
            return self.array()
        return self.pick(_FORMS)(self, depth + 1)

    def new_name(self):
        self.fresh += 1
        return f"v{self.fresh}"

    def target(self):
        """A name to assign: often one that exists already."""
        return self.array() if self.chance(40) else self.new_name()

    def emit(self, level, text):
        self.lines.append("    " * level + text)

    def block(self, level, count):
        """`count` statements, or as many as the budget allows; names made inside stay inside."""
        known = list(self.arrays)
        for _ in range(count):
            if self.budget <= 0 and self.lines and self.lines[-1].rstrip().endswith(":") is False:
                break
            self.budget -= 1
            self.statement(level)
        self.arrays = known

    def statement(self, level):
        simple = level > 3 or self.budget <= 0 or self.chance(68)
        self.pick(_SIMPLE if simple else _COMPOUND)(self, level)


def _operator(w, depth):
    left, right = w.expression(depth), w.expression(depth)
    if w.chance(35):
        right = w.scalar()
    if w.chance(10):
        left, right = right, left
    symbol = w.pick(OPERATORS)
    if symbol == "**":  # of arrays only: Python integers would grow without bound
        left, right = w.array(), w.pick(("2", "3", "0.5", "-1", "s"))
    return f"({left} {symbol} {right})"


def _unary(w, depth):
    return f"np.{w.pick(UNARY)}({w.expression(depth)})"


def _binary(w, depth):
    return f"np.{w.pick(BINARY)}({w.expression(depth)}, {w.expression(depth)})"


def _view(w, depth):
    return w.pick(VIEWS).format(x=w.array())


def _call(w, depth):
    x, s = w.expression(depth), w.scalar()
    forms = (
        "helper({x})", "helper({x}, {s})", "helper({x}, r={s})", "straight({x})", "branching({x}, n)",
        "box.scaled({x})", "(box.double + {x})", "noisy({x})", "(lambda v: v * {s} + {x})({x})", "touch({x} * 1)",
        "helper(*({x}, {s}))", "helper(**{{'p': {x}, 'q': {s}}})", "note(log, {x})", "(rebind({s}) + {x})",
        "variadic({x}, {s})", "variadic({x}, 1, scale={s}, k=2)", "variadic(*[{x}] * 2, **table_of)", "counting({x})",
        "descending({x}, n)", "sum(pieces({x}, 3))", "list(pieces({x}, n + 1))[-1]", "({x} * table_of['two'])",
        "functools.reduce(np.add, [{x}, {s}, {x}])", "half({x})", "operator.mul({x}, {s})", "max([{s}, 2.5]) * {x}",
        "abs({x})", "sum([{x}, {s}])", "[{x}, {s}][0]", "({x}, {s})[0]", "-{x}", "~({x} > {s})", "({x} if n else np.asarray({s}))",
    )  # fmt: skip
    return w.pick(forms).format(x=x, s=s)


def _numpy(w, depth):
    x, y = w.expression(depth), w.expression(depth)
    forms = (
        "np.where({x} > {y}, {x}, {y})", "np.sum({x}, axis=0)", "({x}).max(axis=-1)", "({x}).mean(axis=0, keepdims=True)",
        "np.add({x}, {y}, dtype=float)", "np.stack([{x}, {y}])[0]", "np.add.reduce({x})", "np.multiply.accumulate({x})",
        "({x})[{y} > 0]", "np.outer({x}, {y})[0]", "np.inner({x}, 2)", "({x} @ {y})", "np.take({x}, [0, 1])", "np.diff({x})",
        "({x})[{part}", "np.einsum('...->...', {x})", "np.array([{x}, {y}])[1]", "np.unique({x})",
    )  # fmt: skip
    return w.pick(forms).format(x=x, y=y, part=w.pick(PARTS)[1:])


def _assign(w, level):
    value = w.expression()
    name = w.target()
    w.emit(level, f"{name} = {value}")
    if name not in w.arrays:
        w.arrays.append(name)


def _alias(w, level):
    name = w.new_name()
    w.emit(level, f"{name} = {w.array()}{w.pick(PARTS) if w.chance(50) else ''}")
    w.arrays.append(name)


def _in_place(w, level):
    value = w.scalar() if w.chance(35) else w.expression(1)
    w.emit(level, f"{w.array()} {w.pick(IN_PLACE)} {value}")


def _part_in_place(w, level):
    value = w.scalar() if w.chance(50) else w.array() + w.pick(PARTS)
    w.emit(level, f"{w.array()}{w.pick(PARTS)} {w.pick(IN_PLACE)} {value}")


def _part_assign(w, level):
    x = w.array()
    index = w.pick((*PARTS, "[{x} > 0]", "[[0, -1]]", "[n % 3]", "[s > 1]", "[None, 0]")).format(
        x=x
    )
    value = w.scalar() if w.chance(50) else w.array() + w.pick(PARTS)
    w.emit(level, f"{x}{index} = {value}")


def _break(w, level):
    w.emit(level, w.pick(BREAKS).format(x=w.array(), s=w.scalar()))


def _scalar(w, level):
    w.emit(level, f"s = {w.scalar()}")


def _unpack(w, level):
    left, right = w.array(), w.array()
    w.emit(level, f"{left}, {right} = {w.expression(1)}, {w.expression(1)}")


def _out(w, level):
    w.emit(level, f"np.{w.pick(BINARY[:6])}({w.array()}, {w.array()}, out={w.array()})")


def _global(w, level):
    w.emit(level, w.pick(("G = {s}", "G = G + {x}", "box.value = {x}", "box.value = box.value + {x}", "rebind({x})", "Box.rate = n", "box.rate = {s}")).format(x=w.array(), s=w.scalar()))  # fmt: skip


def _comprehension(w, level):
    name = w.new_name()
    w.emit(
        level,
        f"{name} = [e {w.pick(OPERATORS[:3])} {w.scalar()} for e in ({w.array()}, {w.array()})][-1]",
    )
    w.arrays.append(name)


def _leave(w, level):
    if w.inside and w.chance(60):
        w.emit(level, w.pick(("break", "continue")))
    else:
        w.emit(
            level, f"return {w.array()}, {w.expression(1)}" if w.chance(30) else "n = min(n + 1, 5)"
        )


def _delete(w, level):
    name = w.new_name()
    w.emit(level, f"{name} = {w.expression(1)}")
    w.emit(level, f"{w.array()} = {name} * 2")
    w.emit(level, f"del {name}")


def _if(w, level):
    w.emit(level, f"if {w.pick(CONDITIONS).format(x=w.array(), y=w.array())}:")
    w.block(level + 1, w.random.randint(1, 3))
    if w.chance(50):
        w.emit(level, "else:")
        w.block(level + 1, w.random.randint(1, 3))


def _for(w, level):
    loop = f"i{min(w.inside, 2)}"
    over = w.pick(
        (
            "range(3)",
            "range(n)",
            "range(len(a))",
            "range(4, 0, -1)",
            "(1, 2.5, 3)",
            "enumerate((1, 2))",
        )
    )
    w.emit(level, f"for {loop + ', s' if 'enum' in over else loop} in {over}:")
    w.inside += 1
    w.block(level + 1, w.random.randint(1, 4))
    w.inside -= 1
    if w.chance(15):
        w.emit(level, "else:")
        w.block(level + 1, 1)


def _rows(w, level):
    x = w.array()
    w.emit(level, f"for row in {x}[:4]:")
    w.inside += 1
    w.arrays.append("row")
    w.block(level + 1, w.random.randint(1, 3))
    w.inside -= 1
    w.arrays.remove("row") if "row" in w.arrays else None


def _while(w, level):
    w.loops += 1
    count = f"k{w.loops}"
    w.emit(level, f"{count} = 0")
    extra = f" and ({w.pick(CONDITIONS).format(x=w.array(), y=w.array())})" if w.chance(40) else ""
    w.emit(level, f"while {count} < {w.pick(('3', 'n', '2'))}{extra}:")
    w.emit(level + 1, f"{count} += 1")
    w.inside += 1
    w.block(level + 1, w.random.randint(1, 3))
    w.inside -= 1


def _try(w, level):
    w.emit(level, "try:")
    w.block(level + 1, w.random.randint(1, 4))
    if w.chance(20):
        w.emit(level, "finally:")
        inside, w.inside = w.inside, 0
        w.block(level + 1, 1)
        w.inside = inside
        return
    w.emit(level, f"except {w.pick(ERRORS)} as error:")
    w.emit(
        level + 1,
        w.pick(("log.append(str(error))", "log.append(type(error))", "print(error)", "pass")),
    )
    w.block(level + 1, w.random.randint(0, 2))
    if w.chance(20):
        w.emit(level, "else:")
        w.block(level + 1, 1)
    if w.chance(20):
        w.emit(level, "finally:")
        inside, w.inside = w.inside, 0
        w.block(level + 1, 1)
        w.inside = inside


def _with(w, level):
    kind = w.pick(("all", "divide", "invalid", "over"))
    w.emit(level, f"with np.errstate({kind}={w.pick(MODES)!r}):")
    w.block(level + 1, w.random.randint(1, 3))


def _nested(w, level):
    name = w.new_name()
    held = w.array()
    w.emit(level, f"def {name}(p, q={w.scalar()}):")
    inner = list(w.arrays)
    w.arrays = ["p", held]
    w.emit(level + 1, f"t = {w.expression(1)}")
    w.emit(level + 1, f"return t {w.pick(OPERATORS[:6])} q")
    w.arrays = inner
    result = w.new_name()
    w.emit(level, f"{result} = {name}({w.array()}) + {name}({w.array()}, {w.scalar()})")
    w.arrays.append(result)


def _tuple(w, level):
    x, y, name = w.array(), w.array(), w.new_name()
    w.emit(level, f"{name}, (s, *rest) = {w.expression(1)}, ({w.scalar()}, {x}, {y})")
    w.emit(level, f"t = ({x}, n, rest[0])")
    w.emit(level, f"{y} = t[0] {w.pick(OPERATORS[:6])} t[-1]")
    w.arrays.append(name)


def _container(w, level):
    x, s, name = w.expression(1), w.scalar(), w.new_name()
    w.emit(level, w.pick((
        f"d = {{'x': {x}, 'n': {s}}}", f"d = dict(x={x}, n={s})", f"d = {{**{{'x': {x}}}, 'n': n}}",
    )))  # fmt: skip
    w.emit(
        level,
        w.pick(
            (
                "d['x'] = d['x'] + d['n']",
                "d['n'] = d['x']",
                "d['m'] = d.get('m', 1) * d['x']",
                "d['x'] *= 1",
            )
        ),
    )
    w.emit(level, f"{name} = d['x'] * d['n']")
    w.emit(
        level,
        w.pick(
            (
                "table['d'] = d",
                f"items = [{w.array()}, d['x']]; items[0] += 1",
                "log.append(sorted(d))",
                "pass",
            )
        ),
    )
    w.arrays.append(name)


def _slices(w, level):
    x, name = w.array(), w.new_name()
    w.emit(
        level,
        f"sl = {w.pick(('slice(0, n)', 'slice(None, None, -1)', 'slice(n, None, 2)', 'slice(-n, None)'))}",
    )
    w.emit(level, f"{name} = {x}[sl] {w.pick(OPERATORS[:6])} {w.scalar()}")
    w.emit(level, w.pick((f"{x}[sl] = {name}", f"{x}[sl] += {name}", f"{x}[..., sl] *= 2", "pass")))
    if w.chance(30):
        w.arrays.append(name)


def _numbers(w, level):
    w.emit(level, w.pick((
        "s = s * 2 + n", "s = s if n > 1 else n", "s, n = n, min(int(abs(s)), 4)", "s = -s", "s = s * s % 7", "s = n / 3 + s",
        "s = (s := n + 1) * 2", "s = 0 < n < 3", "s = min(n, 2) + max(1, n)", "s = divmod(n, 2)[0]", "s = round(n / 7, 2)",
        "s = not s", "s = n and 2.5", "s = int(n) << 2", "s = abs(s)", "s = len(log) + n", "s = f'{n}x'.find('x')", "s = True + n",
        "s = np.float64(n) * 2", "s = complex(n, 1).real", "s = float(n) // 2", "s = n % 3", "s = sum(range(n))", "s = (n, 2)[n % 2]",
    )))  # fmt: skip


def _zip(w, level):
    x, y, name = w.array(), w.array(), w.new_name()
    w.emit(level, w.pick((
        f"for p, q in zip({x}, {y}):", f"for i1, p in enumerate({x}):", f"for p in reversed([{x}, {y}]):",
        f"for p in ({x}, {y}, {x}):", f"for p, q in (({x}, 1), ({y}, n)):", f"for p in pieces({x}, 3):", "for p in range(n):",
    )))  # fmt: skip
    w.emit(level + 1, f"{name} = p * 2 + {w.scalar()}")
    w.inside += 1
    known = list(w.arrays)
    w.arrays.append(name)
    w.block(level + 1, w.random.randint(0, 2))
    w.arrays = known
    w.inside -= 1
    if w.chance(30):
        w.emit(level, "else:")
        w.emit(level + 1, f"log.append({w.scalar()})")


def _manager(w, level):
    w.emit(level, "with box as held:")
    w.block(level + 1, w.random.randint(1, 3))


def _match(w, level):
    x = w.array()
    w.emit(level, f"match {w.pick(('n', 'np.shape(' + x + ')', '(n, s)', 'table'))}:")
    for pattern in ("0 | 1", "(k,)", "(k, m) if n", "{'k': k}"):
        w.emit(level + 1, f"case {pattern}:")
        w.block(level + 2, 1)
        w.emit(level + 2, f"{x} = {x} + 1")
    w.emit(level + 1, "case _:")
    w.block(level + 2, 1)
    w.emit(level + 2, f"{x} = {x} * 2")


def _raise(w, level):
    x = w.array()
    w.emit(level, "try:")
    w.block(level + 1, w.random.randint(1, 2))
    w.emit(level + 1, f"if {w.pick(CONDITIONS).format(x=x, y=w.array())}:")
    w.emit(
        level + 2,
        w.pick(
            (
                "raise ValueError(n)",
                "raise KeyError from None",
                f"assert not n, {x}",
                "1 / 0",
                f"{x}[99]",
            )
        ),
    )
    w.emit(
        level,
        f"except (ValueError, AssertionError, {w.pick(('KeyError', 'ZeroDivisionError'))}) as error:",
    )
    w.emit(level + 1, f"{x} = {x} - 1")
    w.emit(level + 1, "log.append(repr(error))")
    w.emit(level, "except LookupError:")
    w.emit(level + 1, "log.append(sys.exc_info()[0].__name__)")


_FORMS = (
    _operator,
    _operator,
    _operator,
    _operator,
    _unary,
    _unary,
    _binary,
    _view,
    _view,
    _call,
    _call,
    _numpy,
)
_SIMPLE = (
    _assign, _assign, _assign, _assign, _alias, _in_place, _in_place, _part_in_place, _part_assign, _part_assign,
    _tuple, _container, _slices, _numbers, _numbers,
    _break, _break, _break, _scalar, _unpack, _out, _global, _comprehension, _leave, _delete,
)  # fmt: skip
_COMPOUND = (
    _if,
    _if,
    _for,
    _for,
    _for,
    _rows,
    _while,
    _try,
    _try,
    _with,
    _nested,
    _zip,
    _zip,
    _manager,
    _match,
    _raise,
)


def _yielding(random, line):
    """Some breaks become suspensions of a generator."""
    body = line.lstrip()
    if body.startswith(("log.append(", "print(")) and random.randint(0, 1):
        return line.replace(body, "yield " + body)
    return line


def write_program(random, statements=12, yielding=False):
    """Source of a module that defines `program(a, b, c, s, n, log, table, box)`."""
    writer = Writer(random, statements)
    writer.emit(0, "def program(a, b, c, s, n, log, table, box):")
    if writer.chance(25):
        writer.emit(1, "global G")
    writer.emit(1, "i0 = i1 = i2 = 0")
    while writer.budget > 0:
        writer.budget -= 1
        writer.statement(1)
    kept = ", ".join(dict.fromkeys(writer.arrays))
    writer.emit(1, f"return ({kept}, s, log, table, box.value)")
    if yielding:
        writer.lines = [_yielding(random, line) for line in writer.lines]
    return PRELUDE + "\n" + "\n".join(writer.lines) + "\n"
