"""Realistic programs, and the reasons their authors are given: code, line and detail."""

import asyncio
import contextlib
import enum
import functools
import io
import linecache
import logging
import re
import threading
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import dyntrace
from dyntrace.breaks import CATALOGUE

A = np.arange(1.0, 7.0)
LOG = logging.getLogger("quiet")
LOG.disabled = True
RNG = np.random.default_rng(0)
COUNT = 0
RECORDS = np.zeros(3, [("x", "f8"), ("n", "i4")])
DATES = np.array(["2020-01-01", "2020-01-03", "2021-01-01"], "M8[D]")
WORDS = np.array(["b", "a"])
OBJECTS = np.array([1, 2.5], dtype=object)
MASKED = np.ma.array([1.0, 2.0], mask=[0, 1])


class Frame:
    """Like a data frame of columns."""

    def __init__(self):
        self.columns = {"x": A.copy()}

    def __getitem__(self, name):
        return self.columns[name]

    def __setitem__(self, name, column):
        self.columns[name] = column


class Particle:
    def __init__(self):
        self.x, self.steps = A.copy(), 0

    @property
    def energy(self):
        return np.sum(self.x**2)

    @functools.cached_property
    def norm(self):
        return np.sqrt(np.sum(self.x**2))


class Colour(enum.Enum):
    RED = 1


class Pair(NamedTuple):
    first: object
    second: object


@dataclass
class Settings:
    scale: float = 2.0


@contextlib.contextmanager
def timed():
    yield


def record_field(r):
    return r["x"] * 2


def record_store(r):
    r["x"] = 3.0
    return r["n"]


def date_differences(d):
    return d[1:] - d[0]


def date_shift(d):
    return d + np.timedelta64(1, "D")


def equal_words(w):
    return w == "a"


def object_sum(o):
    return o + 1


def object_method(o):
    return o.sum()


def swapped_bytes(b):
    return b * 2


def masked_mean(m):
    return (m + 1).mean()


def matrix_product(m):
    return m * m


def data_frame(f):
    f["y"] = f["x"] * 2
    return f["y"] + 1


def printed(a):
    b = a * 2
    print(b.sum(), file=io.StringIO())
    return b + 1


def logged(a):
    b = a * 2
    LOG.info("sum %s", 1)
    return b + 1


def formatted(a):
    b = a * 2
    text = f"{b.sum():.3f}"
    return text, b + 1


def percent_format(a):
    return "%.2f" % a.sum()


def array_text(a):
    return str(a * 2)


def legacy_draw(n):
    x = np.random.rand(n)
    return x * 2


def legacy_seed(n):
    np.random.seed(0)
    return np.random.normal(size=n) + 1


def state_draw(state):
    return state.normal(size=3) * 2


def generator_draw(n):
    return RNG.normal(size=n) * 2


def saved(a):
    file = io.BytesIO()
    np.save(file, a * 2)
    return a + 1


def vectorized(a):
    return np.vectorize(lambda v: v + 1)(a) * 2


def along_axis(a):
    return np.apply_along_axis(lambda row: row.sum(), 0, a) * 2


def property_read(p):
    return p.x * p.energy


def cached_read(p):
    return p.x / p.norm


def counted_steps(p):
    p.x = p.x * 2
    p.steps += 1
    return p.x


def global_counter(a):
    global COUNT
    COUNT += 1
    return a * COUNT


def appended(a, into):
    into.append(a * 2)
    return a + 1


def updated(a, into):
    into["a"] = a * 2
    return a + 1


def sorted_rows(a):
    rows = [a, a * 2, a * 0.5]
    return sorted(rows, key=lambda row: row.sum())


def early_return(a):
    if a.sum() > 100:
        return a
    return a * 2


def recursive(a, n):
    return a if n == 0 else recursive(a * 0.5, n - 1)


def checked_kinds(a):
    if isinstance(a, np.ma.MaskedArray):
        return a.filled(0)
    return a * 2


def over_items(a):
    total = 0.0
    for value in a:
        total += value * 2
    return total


def while_large(a):
    while np.max(a) > 1:
        a = a * 0.5
    return a


def two_effects(a):
    a[0] = 1.0
    a[1] = 2.0
    return a


def in_a_context(a):
    b = a * 2
    with timed():
        return b + 1


def caught(a):
    b = a * 2
    try:
        return b[100]
    except IndexError:
        return b + 1


def raised(a):
    b = a * 2
    if b.shape[0] < 0:
        raise ValueError
    return b + 1


def yielded(a):
    for k in range(2):
        yield a * k


async def awaited(a):
    b = a * 2
    await asyncio.sleep(0)
    return b + 1


def in_a_thread(a):
    found = []
    thread = threading.Thread(target=lambda: found.append(a * 2))
    thread.start()
    thread.join()
    return found[0] + 1


def reduced(a):
    return functools.reduce(np.add, [a, a * 2, a * 3])


def with_settings(a, settings):
    return a * settings.scale


def with_pair(a):
    pair = Pair(a * 2, a + 1)
    return pair.first + pair.second


def with_enum(a, colour):
    return a * 2 if colour is Colour.RED else a


def enum_value(a, colour):
    return a * colour.value


def local_import(a):
    import math

    return a * math.pi


def reshaped_in_place(a):
    b = a * 2
    b.shape = (2, 3)
    return b + 1


def resized(a):
    b = a * 2
    b.resize(12)
    return b


def squeezed(a):
    return np.squeeze(a.reshape(1, 6)) + 1


def computed_axis(a):
    axis = int(a.sum() * 0)
    return np.sum(a * 2, axis=axis)


def converted_list(a):
    return np.array([[1, 2], [3, "x"]], dtype=object), a * 2


def error_state(a):
    with np.errstate(divide="ignore"):
        return a / 0.0


def set_options(a):
    np.set_printoptions(precision=3)
    return a * 2


def interpolated(a):
    from_ = np.interp(2.5, a, a * 2)
    return from_ + 1


def deleted_item(a, kept):
    kept["x"] = 1
    del kept["x"]
    return a * 2


def set_of_numbers(a):
    return {float(a[0]), float(a[1])}, a * 2


def unpickled(a):
    import pickle

    return pickle.loads(pickle.dumps(a * 2)) + 1


def iterated(a):
    return sum(float(v) for v in np.nditer(a * 2))


def memory_shared(a):
    b = a * 2
    return np.shares_memory(a, b), b.base is None


def partial_call(a):
    return functools.partial(np.add, 1)(a) * 2


# program: how to make its arguments, and each reason with its line and what it names
REASONS = {
    record_field: (
        lambda: (RECORDS,),
        [
            ("DT212", 'return r["x"] * 2', "ndarray"),
        ],
    ),
    record_store: (
        lambda: (RECORDS,),
        [
            ("DT212", 'r["x"] = 3.0', "ndarray"),
            ("DT212", 'return r["n"]', "ndarray"),
        ],
    ),
    date_differences: (
        lambda: (DATES,),
        [
            ("DT212", "return d[1:] - d[0]", "ndarray"),
            ("DT212", "return d[1:] - d[0]", "ndarray, datetime64"),
        ],
    ),
    date_shift: (
        lambda: (DATES,),
        [
            ("DT212", 'return d + np.timedelta64(1, "D")', "ndarray, timedelta64"),
        ],
    ),
    equal_words: (
        lambda: (WORDS,),
        [
            ("DT212", 'return w == "a"', "ndarray, str"),
        ],
    ),
    object_sum: (
        lambda: (OBJECTS,),
        [
            ("DT212", "return o + 1", "ndarray, int"),
        ],
    ),
    object_method: (
        lambda: (OBJECTS,),
        [
            ("DT212", "return o.sum()", "ndarray"),
        ],
    ),
    swapped_bytes: (
        lambda: (A.astype(">f8"),),
        [
            ("DT212", "return b * 2", "ndarray, int"),
        ],
    ),
    masked_mean: (
        lambda: (MASKED,),
        [
            ("DT216", "return (m + 1).mean()", "MaskedArray, int"),
            ("DT216", "return (m + 1).mean()", "MaskedArray"),
        ],
    ),
    matrix_product: (
        lambda: (np.matrix([[1.0]]),),
        [
            ("DT216", "return m * m", "matrix, matrix"),
        ],
    ),
    data_frame: (
        lambda: (Frame(),),
        [
            ("DT502", 'f["y"] = f["x"] * 2', "Frame"),
            ("DT502", 'return f["y"] + 1', "Frame"),
        ],
    ),
    printed: (
        lambda: (A,),
        [
            ("DT101", "print(b.sum(), file=io.StringIO())", "StringIO"),
            ("DT101", "print(b.sum(), file=io.StringIO())", "print"),
        ],
    ),
    logged: (
        lambda: (A,),
        [
            (
                "DT103",
                'LOG.info("sum %s", 1)',
                "Logger.info, __init__.py: call of a Python function that cannot be inlined",
            ),
        ],
    ),
    formatted: (
        lambda: (A,),
        [
            ("DT205", 'text = f"{b.sum():.3f}"', "text with values in it"),
        ],
    ),
    percent_format: (
        lambda: (A,),
        [
            ("DT205", 'return "%.2f" % a.sum()', "text with values in it"),
        ],
    ),
    array_text: (
        lambda: (A,),
        [
            ("DT101", "return str(a * 2)", "str"),
        ],
    ),
    legacy_draw: (
        lambda: (3,),
        [
            ("DT204", "x = np.random.rand(n)", "rand"),
        ],
    ),
    legacy_seed: (
        lambda: (3,),
        [
            ("DT204", "np.random.seed(0)", "seed"),
            ("DT204", "return np.random.normal(size=n) + 1", "normal"),
        ],
    ),
    state_draw: (
        lambda: (np.random.RandomState(0),),
        [
            ("DT204", "return state.normal(size=3) * 2", "normal"),
        ],
    ),
    generator_draw: (
        lambda: (3,),
        [
            ("DT204", "return RNG.normal(size=n) * 2", "normal"),
        ],
    ),
    saved: (
        lambda: (A,),
        [
            ("DT101", "file = io.BytesIO()", "BytesIO"),
            ("DT205", "np.save(file, a * 2)", "save"),
        ],
    ),
    vectorized: (
        lambda: (A,),
        [
            ("DT203", "return np.vectorize(lambda v: v + 1)(a) * 2", "vectorize"),
            ("DT102", "return np.vectorize(lambda v: v + 1)(a) * 2", "vectorize"),
        ],
    ),
    along_axis: (
        lambda: (A,),
        [
            ("DT203", "return np.apply_along_axis(lambda row: row.sum(), 0, a) * 2", "function"),
        ],
    ),
    property_read: (lambda: (Particle(),), []),
    cached_read: (
        lambda: (Particle(),),
        [
            ("DT506", "return p.x / p.norm", "norm"),
        ],
    ),
    counted_steps: (
        lambda: (Particle(),),
        [
            ("DT507", "p.x = p.x * 2", "x"),
            ("DT507", "p.steps += 1", "steps"),
        ],
    ),
    global_counter: (
        lambda: (A,),
        [
            ("DT507", "COUNT += 1", "COUNT"),
        ],
    ),
    appended: (
        lambda: (
            A,
            [],
        ),
        [
            ("DT507", "into.append(a * 2)", "list.append"),
        ],
    ),
    updated: (
        lambda: (
            A,
            {},
        ),
        [
            ("DT507", 'into["a"] = a * 2', "dict"),
        ],
    ),
    sorted_rows: (
        lambda: (A,),
        [
            ("DT101", "return sorted(rows, key=lambda row: row.sum())", "sorted"),
        ],
    ),
    early_return: (
        lambda: (A,),
        [
            ("DT401", "if a.sum() > 100:", ""),
        ],
    ),
    recursive: (
        lambda: (
            A,
            20,
        ),
        [
            ("DT104", "return a if n == 0 else recursive(a * 0.5, n - 1)", "recursive"),
        ],
    ),
    checked_kinds: (lambda: (A,), []),
    over_items: (lambda: (A,), []),
    while_large: (
        lambda: (A,),
        [
            ("DT401", "while np.max(a) > 1:", ""),
        ],
    ),
    two_effects: (lambda: (A,), []),
    in_a_context: (
        lambda: (A,),
        [
            (
                "DT103",
                "with timed():",
                "timed, contextlib.py: call of a function that cannot be traced",
            ),
            ("DT302", "with timed():", ""),
        ],
    ),
    caught: (
        lambda: (A,),
        [
            ("DT503", "return b + 1", ""),
        ],
    ),
    raised: (
        lambda: (A,),
        [
            ("DT401", "if b.shape[0] < 0:", ""),
            ("DT303", "raise ValueError", ""),
        ],
    ),
    yielded: (
        lambda: (A,),
        [
            ("DT301", "yield a * k", ""),
        ],
    ),
    awaited: (
        lambda: (A,),
        [
            ("DT103", "await asyncio.sleep(0)", "sleep"),
            ("DT301", "await asyncio.sleep(0)", ""),
        ],
    ),
    in_a_thread: (
        lambda: (A,),
        [
            ("DT101", "thread = threading.Thread(target=lambda: found.append(a * 2))", "Thread"),
            (
                "DT103",
                "thread.start()",
                "Thread.start, threading.py: entering or leaving a with block",
            ),
            (
                "DT103",
                "thread.join()",
                "Thread.join, threading.py: call of a Python function that cannot be inlined",
            ),
            ("DT502", "return found[0] + 1", "list, int"),
        ],
    ),
    reduced: (
        lambda: (A,),
        [
            ("DT101", "return functools.reduce(np.add, [a, a * 2, a * 3])", "reduce"),
        ],
    ),
    with_settings: (
        lambda: (
            A,
            Settings(),
        ),
        [],
    ),
    with_pair: (
        lambda: (A,),
        [
            ("DT101", "pair = Pair(a * 2, a + 1)", "Pair"),
            ("DT502", "return pair.first + pair.second", "Pair"),
        ],
    ),
    with_enum: (
        lambda: (
            A,
            Colour.RED,
        ),
        [
            ("DT506", "return a * 2 if colour is Colour.RED else a", "RED"),
            ("DT502", "return a * 2 if colour is Colour.RED else a", "Colour, Colour"),
        ],
    ),
    enum_value: (
        lambda: (
            A,
            Colour.RED,
        ),
        [
            ("DT502", "return a * colour.value", "Colour"),
        ],
    ),
    local_import: (
        lambda: (A,),
        [
            ("DT305", "import math", ""),
        ],
    ),
    reshaped_in_place: (
        lambda: (A,),
        [
            ("DT208", "b.shape = (2, 3)", "shape"),
        ],
    ),
    resized: (
        lambda: (A,),
        [
            ("DT208", "b.resize(12)", "resize"),
        ],
    ),
    squeezed: (
        lambda: (A,),
        [
            ("DT207", "return np.squeeze(a.reshape(1, 6)) + 1", "numpy.squeeze"),
        ],
    ),
    computed_axis: (
        lambda: (A,),
        [
            ("DT211", "return np.sum(a * 2, axis=axis)", "numpy.sum"),
        ],
    ),
    converted_list: (
        lambda: (A,),
        [
            ("DT201", 'return np.array([[1, 2], [3, "x"]], dtype=object), a * 2', "a class"),
        ],
    ),
    error_state: (
        lambda: (A,),
        [
            ("DT213", 'with np.errstate(divide="ignore"):', "errstate"),
            ("DT302", 'with np.errstate(divide="ignore"):', ""),
        ],
    ),
    set_options: (
        lambda: (A,),
        [
            ("DT213", "np.set_printoptions(precision=3)", "set_printoptions"),
        ],
    ),
    interpolated: (lambda: (A,), []),
    deleted_item: (
        lambda: (
            A,
            {},
        ),
        [
            ("DT507", 'kept["x"] = 1', "dict"),
            ("DT309", 'del kept["x"]', ""),
        ],
    ),
    set_of_numbers: (
        lambda: (A,),
        [
            ("DT502", "return {float(a[0]), float(a[1])}, a * 2", "set"),
        ],
    ),
    unpickled: (
        lambda: (A,),
        [
            ("DT305", "import pickle", ""),
            ("DT101", "return pickle.loads(pickle.dumps(a * 2)) + 1", "dumps"),
            ("DT101", "return pickle.loads(pickle.dumps(a * 2)) + 1", "loads"),
        ],
    ),
    iterated: (
        lambda: (A,),
        [
            ("DT214", "return sum(float(v) for v in np.nditer(a * 2))", "nditer"),
            (
                "DT103",
                "return sum(float(v) for v in np.nditer(a * 2))",
                "iterated.<locals>.<genexpr>",
            ),
            ("DT502", "return sum(float(v) for v in np.nditer(a * 2))", "generator"),
            ("DT301", "return sum(float(v) for v in np.nditer(a * 2))", ""),
        ],
    ),
    memory_shared: (
        lambda: (A,),
        [
            ("DT210", "return np.shares_memory(a, b), b.base is None", "base"),
        ],
    ),
    partial_call: (
        lambda: (A,),
        [
            ("DT101", "return functools.partial(np.add, 1)(a) * 2", "functools.partial"),
        ],
    ),
}


def fresh(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def told(found):
    """Code, line and detail of each break; lines of other files without their numbers."""
    for item in found.breaks:
        assert item.filename == __file__ and item.why and item.hint
        detail = item.reason.removeprefix(CATALOGUE[item.code].text).removeprefix(": ")
        line = linecache.getline(item.filename, item.lineno).strip()
        yield item.code, line, re.sub(r"(\w+\.py):\d+", r"\1", detail)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", REASONS, ids=lambda program: program.__name__)
def test_authors_are_told_the_true_reason_at_their_own_line(program):
    make, expected = REASONS[program]
    args = make()
    fast = dyntrace.optimize(program)
    for _ in range(3):
        found = dyntrace.explain(fast)(*map(fresh, args))
    assert list(dict.fromkeys(told(found))) == expected


@pytest.mark.filterwarnings("ignore")
def test_work_that_always_fails_is_given_up_and_said_to_fail():
    fast = dyntrace.optimize(caught)
    for _ in range(3):
        found = dyntrace.explain(fast)(A)
    assert [item.code for item in found.retired] == ["DT703"]


@pytest.mark.filterwarnings("ignore")
def test_the_error_class_of_an_assert_is_no_reason_of_its_own():
    space = {}
    exec("def asserted(a):\n    b = a * 2\n    assert b.sum() > 0\n    return b + 1\n", space)
    fast = dyntrace.optimize(space["asserted"])
    for _ in range(3):
        found = dyntrace.explain(fast)(A)
    assert {item.code for item in found.breaks} == {"DT401", "DT303"}
