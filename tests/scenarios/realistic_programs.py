"""Realistic programs that no region holds whole; `test_reasons` says what their authors are told."""

import asyncio
import contextlib
import enum
import functools
import io
import logging
import threading
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

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
