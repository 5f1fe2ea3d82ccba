"""Programs that exchange built-ins or attributes of modules: no stand-in is called by dyntrace."""

import builtins
import subprocess
import sys

import numpy as np
import pytest

import dyntrace
from dyntrace import isolation

A = np.arange(5.0)
NOT_CALLABLE = {"__debug__", "__doc__", "__name__", "__package__", "__spec__", "__loader__"}
# Those that the interpreter, the compiler or the test itself needs while one is exchanged.
NEEDED = {"__build_class__", "__import__", "exec", "BaseException", "Exception"}
NAMES = sorted(
    name
    for name, value in vars(builtins).items()
    if callable(value) and name not in NOT_CALLABLE | NEEDED and not name.startswith("_")
)
OF_MODULES = """time.perf_counter time.perf_counter_ns warnings.warn threading.Lock threading.RLock
functools.partial functools.wraps numpy.add numpy.dtype numpy.ndarray numpy.errstate numpy.ufunc
numpy.can_cast numpy.generic traceback.format_exception inspect.getattr_static inspect.CO_NESTED
weakref.ref weakref.WeakMethod operator.add operator.attrgetter gc.get_threshold gc.set_threshold
types.CodeType types.FunctionType dataclasses.replace itertools.count math.sqrt re.compile
contextvars.ContextVar""".split()


class StandIn:
    """Counts its calls and fails."""

    def __init__(self):
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        raise ZeroDivisionError("the stand-in was called")


def program(a, other):
    b = a * 2 + 1
    c = other(b)
    return (b - c) / (a + 1)


def third(b):
    return b[:3].copy().sum() * 0 + 1.0


def exercise(fast, stand_in_calls):
    """Trace, run, miss, and explain; the results are compared after the exchange."""
    found = []
    for a in (A, A, A, A32, A, A32, AI, A):
        found.append(fast(a, third))
        if stand_in_calls.calls:
            break
    return found


A32, AI = A.astype("f4"), A.astype("i8")
WANTED = [program(a, third) for a in (A, A, A, A32, A, A32, AI, A)]


def exchanged(owner, name, call):
    """The results of `call` while `owner.name` is a stand-in, and how often that was called."""
    namespace, stand_in = vars(owner), StandIn()
    before = namespace[name]
    namespace[name] = stand_in
    try:
        found = call(stand_in)
    finally:
        namespace[name] = before
    return found, stand_in.calls


def check(found, calls):
    assert calls == 0
    for one, wanted in zip(found, WANTED, strict=True):
        assert one.dtype == wanted.dtype and one.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_that_is_exchanged_is_not_called_by_dyntrace(name):
    fresh, warm = dyntrace.optimize(program), dyntrace.optimize(program)
    for _ in range(3):
        warm(A, third)
    for fast in (fresh, warm):
        check(*exchanged(builtins, name, lambda stand_in: exercise(fast, stand_in)))
        check(*exchanged(builtins, name, lambda stand_in: exercise(fast, stand_in)))
        for _ in range(3):
            check(exercise(fast, StandIn()), 0)
        assert dyntrace.stats(fast).graph_calls > 0
        assert dyntrace.stats(fast).internal_errors == 0


@pytest.mark.parametrize("path", OF_MODULES)
def test_an_attribute_of_a_module_that_is_exchanged_is_not_called_by_dyntrace(path):
    module, _, name = path.partition(".")
    __import__(module)
    fresh, warm = dyntrace.optimize(program), dyntrace.optimize(program)
    for _ in range(3):
        warm(A, third)
    for fast in (fresh, warm):
        check(*exchanged(sys.modules[module], name, lambda stand_in: exercise(fast, stand_in)))
        assert dyntrace.stats(fast).internal_errors == 0


def test_nothing_is_traced_while_a_built_in_is_exchanged():
    fast = dyntrace.optimize(program)
    assert not isolation.has_patched_builtins()

    def call(stand_in):
        assert isolation.has_patched_builtins()
        return exercise(fast, stand_in)

    check(*exchanged(builtins, "len", call))
    assert dyntrace.stats(fast).graphs == 0


def test_imports_leave_no_finder_behind():
    assert not any(
        getattr(finder, "__module__", "") == "dyntrace.isolation" for finder in sys.meta_path
    )
    assert dyntrace.api.__builtins__ is not vars(builtins)


LATE = """
import builtins, sys, time
import numpy as np
import dyntrace
from dyntrace import api, isolation

fast = dyntrace.optimize(lambda x: x * 2 + 1)
for _ in range(3):
    fast(np.ones(5))
late = ("report.records", "report.collect", "exec.backends.generation", "runtime.trial")
assert not any(f"dyntrace.{name}" in sys.modules for name in late)
BEFORE
called = []
true_len, clock = len, time.perf_counter
builtins.len = lambda value: called.append(value) or true_len(value)
time.perf_counter = lambda: called.append("clock") or clock()
own = []
for name in late:
    module = __import__(f"dyntrace.{name}", fromlist=["x"])
    own.append(module.__builtins__ is isolation._OWN)
from dyntrace.runtime.trial import time as clocks
own.append(clocks.perf_counter is clock)
builtins.len, time.perf_counter = true_len, clock
print(own, dyntrace.stats(fast).graphs, dyntrace.stats(fast).internal_errors)
"""
CLEARED = "sys.path_importer_cache.clear()\nwith isolation.isolated_imports(): pass"


@pytest.mark.parametrize("before", ["", CLEARED])
def test_modules_that_are_imported_late_have_names_of_their_own_too(before):
    text = LATE.replace("BEFORE", before)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == "[True, True, True, True, True] 1 0".split()


def test_names_of_modules_are_those_of_the_time_when_dyntrace_was_imported():
    text = """
import operator
from unittest import mock
import numpy, dyntrace
with mock.patch("operator.add"), mock.patch("time.perf_counter"):
    fast = dyntrace.optimize(lambda x: x + 1)
print(fast(numpy.ones(1)), fast(numpy.ones(1)), dyntrace.stats(fast).graphs)
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["[2.]", "[2.]", "1"]
