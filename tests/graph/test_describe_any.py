"""`describe` answers for any object, runs none of its code, and bears other threads' changes."""

import functools
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import Kind


def forbidden(*args, **kwargs):
    raise AssertionError("describe ran code of the object's")


class Touchy:
    """Raises where it is looked at."""

    __hash__ = __eq__ = __bool__ = __len__ = __iter__ = __getattr__ = __get__ = forbidden


class Meta(type):
    """A metaclass whose classes raise where they are compared or asked."""

    __eq__ = __hash__ = forbidden
    __mro__ = __flags__ = __module__ = property(forbidden)


class Text(str):
    __eq__ = forbidden
    __hash__ = forbidden


class Names(dict):
    __len__ = __iter__ = items = copy = keys = __bool__ = forbidden


class Pair(tuple):
    __len__ = __iter__ = __getitem__ = forbidden
    _fields = ()
    __module__ = "numpy.pairs"


class Slotted:
    __slots__ = ("a", "b")


BODIES = {
    "__dict__": [property(forbidden), {"a": 1}, Touchy(), None],
    "__class__": [property(forbidden), int, Touchy()],
    "__getattribute__": [forbidden],
    "__getattr__": [forbidden],
    "__eq__": [forbidden],
    "__module__": [5, None, Touchy(), "numpy", "typing"],
    "__doc__": [Touchy()],
}
SLOTS = [
    ("a",),
    ("a", "b"),
    "a",
    ["a"],
    {"a": "text"},
    ("__dict__",),
    ("__weakref__",),
    ("__a",),
    (),
]
AFTER = {
    "__slots__": [5, None, ([],), (Touchy(),), "gone", ("gone",), Touchy(), Names(a=1)],
    "__module__": [5, Touchy()],
    "a": [Slotted.a, Touchy(), property(forbidden), 1],
}
CHANGES = [
    lambda value: setattr(value, "a", Touchy()),
    lambda value: setattr(value, "b", [value]),
    lambda value: object.__getattribute__(value, "__dict__").update({5: 1}),
    lambda value: object.__getattribute__(value, "__dict__").update({"x": np.ones(2)}),
    lambda value: object.__setattr__(value, "__dict__", Names(a=1)),
    lambda value: object.__setattr__(value, "__class__", Slotted),
]
VALUES = [
    *(Touchy(), Pair((1, 2)), Names(a=1), Text("x"), np.ones(2), None, 1.5, {5: 1}),
    *([Touchy()], (Pair(()),), slice(Touchy(), None)),
]


def pick(draw, options):
    """One of them, found without looking at any."""
    return options[draw(st.integers(0, len(options) - 1))]


@st.composite
def weird(draw):
    """Gives an instance of a class in which some attributes lie or raise; Hypothesis sees only that."""
    body = {
        name: pick(draw, BODIES[name])
        for name in draw(st.lists(st.sampled_from(sorted(BODIES)), max_size=3, unique=True))
    }
    if draw(st.booleans()):
        body["__slots__"] = pick(draw, SLOTS)
    metaclass = pick(draw, [type, type, Meta])
    bases = pick(draw, [(), (Slotted,), (ValueError,), (dict,), (np.ndarray,), (tuple,)])
    try:
        kind = metaclass("Weird", bases, body)
        for name in draw(st.lists(st.sampled_from(sorted(AFTER)), max_size=2, unique=True)):
            type.__setattr__(kind, name, pick(draw, AFTER[name]))
        base = next(base for base in (*bases, object) if base is not Slotted)
        value = base.__new__(kind, (2,)) if base is np.ndarray else base.__new__(kind)
    except (AssertionError, AttributeError, TypeError, ValueError):
        found = pick(draw, VALUES)
        return lambda: found
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
        try:
            change(value)
        except (AssertionError, AttributeError, TypeError):
            continue
    return lambda: value


@given(weird())
def test_any_object_has_a_kind_and_none_of_its_code_runs(value):
    found = value()
    assert isinstance(describe(found), Kind)
    assert isinstance(describe([found, {"x": found}]), Kind)


@given(weird(), weird())
def test_a_function_with_any_defaults_has_a_kind(one, other):
    first, second = one(), other()

    def function(x=first, *, y=second):
        return first, second

    assert isinstance(describe(function), Kind)
    function.__kwdefaults__ = Names(y=1)
    function.__defaults__ = Pair((1,))
    assert isinstance(describe(function), Kind)
    function.__dict__ = Names(y=1)
    assert isinstance(describe(function), Kind)


@pytest.mark.parametrize("key", [Meta("Key", (), {})(), Touchy])
def test_keys_of_any_class_do_not_run_code_of_their_metaclass(key):
    assert isinstance(describe({functools.partial(int): 1}), Kind)
    mapping = {1: 1}
    try:
        mapping[key] = 2
    except AssertionError:  # it cannot be hashed
        mapping = {}
    assert isinstance(describe(mapping), Kind)


class Plain:
    pass


class Other:
    pass


def make_function():
    def function(x=1, *, k=2):
        return function

    return function


def change_attributes(value, i):
    value.__dict__[f"k{i % 40}"] = i
    value.__dict__.pop(f"k{i * 7 % 40}", None)


def change_dict(value, i):
    value[i % 50] = i
    value.pop(i * 7 % 50, None)


def change_class(value, i):
    value.__class__ = (Plain, Other)[i % 2]
    setattr(Plain, f"q{i % 5}", i)


def change_defaults(value, i):
    value.__kwdefaults__ = {f"k{i % 3}": 1}
    value.__kwdefaults__[f"z{i % 9}"] = 1
    value.__defaults__ = None if i % 2 else (1,)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (Plain, change_attributes),
        (Plain, lambda value, i: setattr(value, "__dict__", {f"a{i % 3}": i})),
        (Plain, change_class),
        (dict, change_dict),
        (list, lambda value, i: value.append(i) if i % 10 else value.clear()),
        (make_function, change_defaults),
    ],
)
def test_an_object_that_other_threads_change_has_a_kind(make, change):
    value, stop = make(), threading.Event()

    def run():
        i = 0
        while not stop.is_set():
            change(value, i)
            i += 1

    threads = [threading.Thread(target=run) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            assert isinstance(describe(value), Kind)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
