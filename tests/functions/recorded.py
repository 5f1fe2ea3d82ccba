"""Programs that contain every instruction a recorder can stand behind, each a module of its own.

`with_recorders` puts a recorder behind every instruction that pushes values, in the module's code
and in all code objects within it, and tells which instructions were shown.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from types import CodeType

from dyntrace.asm.assemble import assemble
from dyntrace.asm.emit import Emit
from dyntrace.trace.analysis import recorder_of
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.weaving.stubs import recorder_stub

PROGRAMS = {
    "globals that did not exist at first": """
def late():
    global sqrt
    from math import sqrt
    return sqrt(4.0)
result = late()
""",
    "calls in every shape": """
def f(*args, **named):
    return args, sorted(named.items())
def program(a, b, rest, named, obj):
    return [f(), f(a), f(a, b), f(a, k=b), f(*rest), f(a, *rest, k=b), f(**named), f(a, *rest, **named),
            f(k=a, **named), (f if a else max)(a, b), obj.real.conjugate(), (lambda: f)()(a, b),
            f([f(c) for c in rest], {**named, "x": 1}, {*rest})]
result = program(1, 2, [3, 4], {"n": 5}, 2.5)
""",
    "operators": """
def program(a, b, s):
    c = a + b; d = c; c += 1
    return (c, d, -a, +a, ~a, not a, not (a < b), a < b < 9, a in s, a not in s, a is b, a is not b, a and b, a or b,
            s[0], s[0:2], s[a:], s[::b], [*s, a], {a, b}, {a: b}, {"x": a, "y": b}, {**{"x": a}, "y": b},
            f"{a}{b!r:>{b}}{a:.1f}{b!s}", (1 if a else 2), (*s, b), (*s,))
result = program(1, 2, [1, 2, 3])
""",
    "locals two by two": """
def program(a, b):
    c = a; d = c
    return a, b, c, d, a + b, divmod(a, b)
result = program(7, 2)
""",
    "unpacking": """
def program(t):
    a, b, c = t
    d, *e = t
    *f, g = t
    (h, i), j = t[:2], t
    return a, b, c, d, e, f, g, h, i, j
result = program((1, 2, 3)), program("abc")
""",
    "loops and comprehensions with saved locals": """
def program(n):
    total = []
    for i in range(n):
        total.append(i)
    total += [i for i in range(n) if i] + [i * j for i in range(n) for j in range(i)]
    x = {k: [v for v in range(k)] for k in range(n)}
    try:
        [k for k in [1 // (n - 3)]]
    except ZeroDivisionError:
        total.append("zero")
    return total, x, {q for q in x}, list(q for q in x), max([k for k in range(n)], default=0)
result = program(3), program(4)
""",
    "unbound and deleted locals": """
def program(flag, argument):
    del argument
    if flag:
        local = 1
    try:
        return local, argument
    except UnboundLocalError as error:
        return str(error)
def cells(flag, argument):
    def inner():
        return local, argument
    if flag:
        local = 1
    else:
        del argument
    try:
        return inner(), local
    except NameError as error:
        return str(error)
result = program(True, 1), program(False, 1), cells(True, 2), cells(False, 2)
""",
    "with and exceptions": """
import contextlib
@contextlib.contextmanager
def manager(log):
    log.append("in")
    try:
        yield log
    finally:
        log.append("out")
def program(n):
    log = []
    with manager(log) as a, manager(log):
        a.append(n)
    with contextlib.suppress(ZeroDivisionError):
        1 // n
    try:
        assert n, log
        try:
            raise ValueError(n) from KeyError(n)
        finally:
            log.append("finally")
    except (ValueError, TypeError) as error:
        log.append((type(error), error.args, type(error.__cause__)))
    except AssertionError as error:
        log.append(str(error))
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
    except* ValueError as group:
        log.append(len(group.exceptions))
    except* TypeError:
        pass
    return log
result = program(0), program(1)
""",
    "classes, cells and super": """
def program(a):
    cell = a
    class Base:
        name = cell
        values = [a for _ in range(2)]
        other = cell + 1
        def method(self, b):
            return self.name, b, __class__
        @property
        def double(self):
            return 2 * a
    class Derived(Base):
        def method(self, b):
            return super().method(b)[:2], super().double, super(Derived, self).name
        def __init__(self):
            super().__init__()
            nonlocal a
            a += 1
    return Derived().method(3), Base.other, Base.values, a, Derived().double
result = program(2)
""",
    "imports": """
import os.path as path
from math import pi, tau
from string import *
def program():
    import os, os.path as p
    from math import inf as infinite
    return p is path, infinite
result = program(), pi, tau, digits
""",
    "generators": """
def count(n):
    got = yield n
    rest = yield from range(n)
    return got, rest
def program(n):
    made = count(n)
    found = [next(made), made.send("sent"), *made]
    def outer():
        answer = yield from count(n)
        yield answer
    return found, list(outer()), list(x for x in count(n)), sum((yield_ for yield_ in range(n)))
def closed():
    seen = []
    def thrown():
        try:
            yield from count(3)
        except KeyError as error:
            seen.append(error.args)
            yield "caught"
    made = thrown()
    next(made)
    seen.append(made.throw(KeyError(1)))
    made.close()
    return seen
result = program(3), closed()
""",
    "coroutines": """
import asyncio
class Manager:
    async def __aenter__(self):
        return 5
    async def __aexit__(self, *found):
        return True
async def numbers(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i
async def program(n):
    found = [i async for i in numbers(n)]
    async for i in numbers(n):
        found.append(i)
    async with Manager() as five:
        found.append(five)
        raise KeyError
    found.append(await asyncio.sleep(0, "slept"))
    found.append([await asyncio.sleep(0, k) for k in range(n)])
    return found, [i async for i in (j async for j in numbers(2))]
result = asyncio.run(program(3))
""",
    "patterns": """
class Point:
    __match_args__ = ("x", "y")
    def __init__(self, x, y):
        self.x, self.y = x, y
def program(value):
    match value:
        case Point(0, y):
            return "axis", y
        case Point(x=x):
            return "point", x
        case {"a": a, "b": [b, *rest], **others}:
            return a, b, rest, others
        case [a, b] | (a, b, _):
            return a, b
        case str() as text:
            return text
        case _:
            return None
result = [program(v) for v in (Point(0, 1), Point(1, 2), {"a": 1, "b": [2, 3], "c": 4}, [1, 2], (1, 2, 3), "x", 4)]
""",
    "names of a namespace": """
a: int = 1
b = a
del b
class C:
    x: int = a
    y = [x, a]
    del x
try:
    b
except NameError as error:
    text = str(error)
result = C.y, text, a, __annotations__
""",
    "stores": """
def program(d, v):
    d["k"] = v
    d.setdefault("l", [1, 2, 3])[0:2] = [v]
    del d["k"]
    global made
    made = v
    return d, made
result = program({}, 4)
""",
}
if sys.version_info >= (3, 12):
    PROGRAMS["type parameters"] = """
type Pair[T] = tuple[T, T]
class Box[T: int]:
    kind = T
    def get[S](self, value: S) -> T:
        return value
def program[T: (int, str)](value: T) -> T:
    return value
class Outer:
    inner = int
    type Alias = list[inner]
    def method[U](self, v: inner) -> U: return v
result = (program(1), Box().get(2), str(Pair.__type_params__), str(Pair.__value__), str(Outer.Alias.__value__),
          str(Box.__type_params__[0].__bound__), Outer().method(3))
"""

Shown = Callable[[CodeType, str, tuple[object, ...]], None]


def with_recorders(code: CodeType, shown: Shown) -> CodeType:
    """`code` with recorders that tell `shown` of an instruction and the values that it pushed."""
    constants = [with_recorders(c, shown) if isinstance(c, CodeType) else c for c in code.co_consts]
    facts = CodeFacts.of(code.replace(co_consts=tuple(constants)))
    names = {found.offset: found.opname for found in dis.get_instructions(code)}
    stubs: dict[int, list[Emit]] = {}
    for unit in facts.body.units:
        found = recorder_of(facts, unit)
        if found is None or facts.depths[unit.index] is None:
            continue
        end = unit.offset + unit.size
        inside = [name for offset, name in names.items() if unit.offset <= offset < end]

        def record(*values: object, inside: list[str] = inside) -> None:
            for name in inside:
                shown(code, name, values)

        stub = recorder_stub(lambda: True, record, found.values)
        stubs.setdefault(found.at, []).extend(stub)
    return assemble(facts.body, stubs).code
