"""Nothing that meets the tracer is kept alive: objects die when they do in eager."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import os
import subprocess
import sys
import types
import weakref

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.functions.family import live_compiled
from dyntrace.graph.describe import describe
from dyntrace.graph.identity import GONE
from dyntrace.graph.kinds import KnownKind
from dyntrace.runtime.handles import Region


class Thing:
    def __init__(self):
        self.a = np.ones(3)

    def method(self, a):
        return (a + self.a).sum()


class Slotted:
    __slots__ = ("__weakref__", "a")

    def __init__(self):
        self.a = np.ones(3)


class Pages(io.StringIO):
    """A file-like object whose methods are built in."""


def made_function():
    namespace = {"__name__": "made", "np": np}
    exec("def made(a, *rest): return np.sin(a) * 2 + 1", namespace)
    return namespace.pop("made")


def made_module():
    module = types.ModuleType("made")
    exec("import numpy as np\ndef method(a): return np.sin(a) * 2\n", module.__dict__)
    return module


def made_closure():
    scale, thing = np.ones(3), Thing()

    def closure(a, *rest):
        return a * scale + thing.a

    return closure


def made_generator_function():
    def numbers(a, *rest):
        yield a * 2

    return numbers


MAKERS = {
    "file": lambda: open(os.devnull, "w", encoding="utf-8"),
    "built-in file-like": Pages,
    "class": lambda: type("Made", (Thing,), {"__module__": __name__}),
    "instance": Thing,
    "instance with slots": Slotted,
    "module": made_module,
    "partial": lambda: functools.partial(made_function()),
    "lru_cache": lambda: functools.lru_cache(made_function()),
    "function": made_function,
    "closure": made_closure,
    "generator function": made_generator_function,
    "array": lambda: np.arange(3.0),
    "code": lambda: made_function().__code__,
    "set": set,
}


@dyntrace.disable
def opaque(*values):
    return None


def argument(a, thing):
    t = a * 2
    opaque(thing)
    return t + 1


def attribute(a, thing):
    holder = types.SimpleNamespace(thing=thing)
    t = a * 2
    found = holder.thing
    opaque(found, t)
    return t + 1


def called(a, thing):
    t = a * 2
    with contextlib.suppress(Exception):
        thing(a)
    opaque(t)
    return t + 1


def bound_built_in(a, thing):
    t = a * 2
    write = getattr(thing, "write", None)
    if write is not None:
        write(f"{t.sum()}")
    return t + 1


def method_called(a, thing):
    t = a * 2
    with contextlib.suppress(Exception):
        t = t + thing.method(t)
    return t


def in_containers(a, thing):
    t = a * 2
    items, named = [thing, t], {"thing": thing}
    opaque(items, named)
    return t + items[1]


def in_an_exception(a, thing):
    t = a * 2
    try:
        raise ValueError(thing)
    except ValueError as error:
        opaque(error)
    return t + 1


def returned(a, thing):
    t = a * 2
    opaque(t)
    return thing


def default(a, thing):
    t = a * 2

    def inner(x, held=thing):
        return x + 1

    return inner(t).sum()


def cell(a, thing):
    t = a * 2

    def inner(x):
        return x + 1, thing

    return inner(t)[0].sum()


def its_type(a, thing):
    t = a * 2
    if isinstance(thing, int) or type(thing) is int:
        return t
    opaque(type(thing))
    return t + 1


def global_name(a, thing):
    global held_globally
    held_globally = thing
    return reads_a_global(a)


def reads_a_global(a):
    t = a * 2
    opaque(held_globally)
    return t + 1


WAYS = [
    argument,
    attribute,
    called,
    bound_built_in,
    method_called,
    in_containers,
    in_an_exception,
    returned,
    default,
    cell,
    its_type,
    global_name,
]


def ends(program, make):
    """Whether an object dies with its last name, and whether it does once garbage is collected."""
    global held_globally
    thing = make()
    alive = weakref.ref(thing)
    for _ in range(4):
        program(np.arange(3.0), thing)
    held_globally = thing = None
    at_once = alive() is None
    gc.collect()
    return at_once, alive() is None


@pytest.fixture
def uncollected():
    """No collection comes by chance."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_object_dies_when_it_does_in_eager(way, kind, uncollected):
    expected = ends(way, MAKERS[kind])
    assert ends(dyntrace.optimize(way), MAKERS[kind]) == expected
    with dyntrace.optimize() if config.native else contextlib.nullcontext():
        assert ends(way, MAKERS[kind]) == expected


def test_a_ufunc_made_from_python_code_lets_its_function_go(uncollected):
    @dyntrace.optimize
    def program(a, ufunc):
        t = a * 2
        return ufunc(t), np.add.reduce(t)

    function = made_function()
    alive = weakref.ref(function)
    ufunc = np.frompyfunc(function, 1, 1)
    for _ in range(4):
        program(np.arange(3.0), ufunc)
    del function, ufunc
    assert alive() is None


def test_the_metadata_of_a_dtype_dies_with_it(uncollected):
    @dyntrace.optimize
    def program(a, dtype):
        t = a * 2
        return t.astype(dtype).sum(), opaque(dtype)

    thing = Thing()
    alive = weakref.ref(thing)
    dtype = np.dtype("f8", metadata={"thing": thing})
    for _ in range(4):
        program(np.arange(3.0), dtype)
    del thing, dtype
    assert alive() is None


def test_a_kind_does_not_keep_its_object_and_forgets_it():
    function = made_function()
    kind = describe(function)
    assert isinstance(kind, KnownKind) and kind.value is function and kind == describe(function)
    del function
    assert kind.value is GONE and kind != describe(made_function())


def counting_class(start):
    class Counting:
        def __init__(self):
            self.n = start

        def value(self, step):
            return self.n + step

    return Counting


@pytest.mark.parametrize("hooked", [False, True], ids=["optimised", "hooked"])
def test_a_function_that_met_instances_of_dead_classes_is_traced_with_the_next(hooked):
    def program(cls):
        counting = cls()
        return [counting.value(step) for step in range(3)], issubclass(type(counting), cls)

    fast = program if hooked else dyntrace.optimize(program)
    with dyntrace.optimize() if hooked and config.native else contextlib.nullcontext():
        for start in range(6):
            cls = counting_class(start)
            assert fast(cls) == ([start, start + 1, start + 2], True)
            del cls
            gc.collect()


@pytest.mark.parametrize("guard", ["is", "exact", "plain"])
def test_a_guard_on_what_has_died_misses_whatever_stands_at_its_address(guard):
    make = {"is": lambda: (made := made_function(), made)}.get(guard)
    if make is None:

        def make():
            cls = type("Made", (), {"__module__": __name__})
            return cls, cls()

    known, value = make()
    step = ("argument", 0, None, guard, weakref.ref(known), None)
    region = Region([((step,), (0,), lambda value: 1, False)])
    assert region.handle(value) == 1
    del known, value
    gc.collect()
    for _ in range(50):
        assert region.handle(make()[1]) is None
    assert region.handle(None) is None


def test_functions_made_and_dropped_leave_no_unit_behind():
    def made_and_dropped(count):
        alive = []
        for number in range(count):
            f = eval(f"lambda x: x * {number} + 1")
            namespace = {"__name__": "made", "np": np}
            exec(f"def g(x): return np.sin(x) * {number}", namespace)
            for _ in range(3):
                f(np.arange(3.0))
                namespace["g"](np.arange(3.0))
            alive += [weakref.ref(f.__code__), weakref.ref(namespace["g"])]
        del f, namespace
        gc.collect()
        return [reference for reference in alive if reference() is not None]

    with dyntrace.optimize() if config.native else contextlib.nullcontext():
        made_and_dropped(2)
        before = len(live_compiled())
        assert (
            len(made_and_dropped(500)) <= 2
        )  # the last ones, while the call that made them is compiled
        assert len(live_compiled()) <= before


def test_callees_that_cannot_be_inlined_die_with_their_namespace():
    def program(functions, a):
        total = 0.0
        for function in functions:
            total = function(a).sum()
        return total

    fast = dyntrace.optimize(program)
    alive = []
    for number in range(40):
        namespace = {"__name__": "made"}
        exec(f"def h(x): return x - 1 if x.sum() > 1e9 else x + {number}", namespace)
        assert fast([namespace["h"]] * 3, np.arange(3.0)) == 3 + 3 * number
        alive.append(weakref.ref(namespace["h"]))
    del namespace
    gc.collect()
    assert not [reference for reference in alive if reference() is not None]


NOTES = """
import os, sys
import numpy as np

def note(path, a):
    handle = open(path, "w")
    write = handle.write
    write(f"total {(a * 2).sum()}")

def main(path):
    for _ in range(5):
        note(path, np.arange(4.0))
        with open(path) as handle:
            print(handle.read())

main(sys.argv[1])
"""


def test_a_file_whose_write_was_bound_is_closed_in_time(tmp_path):
    script = tmp_path / "notes.py"
    script.write_text(NOTES, encoding="utf-8")
    command = [sys.executable, "-m", "dyntrace", "run", str(script), str(tmp_path / "notes.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split("\n")[:5] == ["total 12.0"] * 5
