"""Tables of modules and classes are frozen after import; what may change is listed with its reason."""

import collections
import importlib
import pkgutil

import pytest

import dyntrace
from dyntrace.registries import Registry

MUTABLE = (dict, list, set, bytearray, collections.deque)
CHANGES = {
    "api._hooked": "the frame hooks that are installed, one for each backend",
    "exec.backends.names._registered": "`register_backend` is for users; one item is set at a time",
    "graph.describe._LASTING_KINDS": "a cache of equal values, limited by MAX_LASTING",
    "isolation._LIVE": "the namespace of `builtins` itself",
    "isolation._OWN": "the built-ins as they were: the `__builtins__` of code, which has to be a dict",
    "isolation._copies": "private copies of modules; `setdefault` decides between threads",
    "isolation._finders": "a cache of the import system's finders",
    "ops.quiet._MEMO": "clones of NumPy's functions; updated as a whole, with equal values",
    "ops.registry._NOT_IMPORTED": "modules that are not imported yet, each removed when it is filled",
    "runtime.trial._clock": "the clock, which tests exchange",
}
FOREIGN = {"dyntrace.isolation.EXTENSION_SUFFIXES", "dyntrace.isolation.SOURCE_SUFFIXES"}
FOREIGN |= {"dyntrace.users.opmap"}  # of the standard library


def modules():
    for found in pkgutil.walk_packages(dyntrace.__path__, "dyntrace."):
        if not found.name.endswith(("__main__", "_native", "_sampler")):
            yield importlib.import_module(found.name)


def is_open(value):
    return isinstance(value, MUTABLE) and not (isinstance(value, Registry) and value.frozen)


def open_tables():
    for module in [*modules()]:  # tables are frozen by modules that are imported later
        for name, value in vars(module).items():
            path = f"{module.__name__}.{name}"
            if not name.startswith("__") and is_open(value) and path not in FOREIGN:
                yield path.removeprefix("dyntrace.")
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield from _of_class(path, value)


def _of_class(path, cls):
    for name, value in vars(cls).items():
        foreign = name == "_field_defaults" or (name[0] == name[-1] == "_")  # named tuples, enums
        if not foreign and is_open(value):
            yield f"{path}.{name}".removeprefix("dyntrace.")


def test_every_table_is_frozen_or_listed_with_a_reason():
    assert set(open_tables()) == set(CHANGES)


@pytest.fixture
def registry():
    found = Registry()
    found["a"] = 1
    found.freeze()
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda registry: registry.__setitem__("b", 2),
        lambda registry: registry.__delitem__("a"),
        lambda registry: registry.update(b=2),
        lambda registry: registry.pop("a"),
        lambda registry: registry.popitem(),
        lambda registry: registry.setdefault("b", 2),
        lambda registry: registry.clear(),
        lambda registry: registry.__ior__({"b": 2}),
    ],
)
def test_a_frozen_registry_refuses_every_change(registry, change):
    with pytest.raises(TypeError, match="frozen"):
        change(registry)
    assert registry == {"a": 1}


def test_what_decorators_and_add_functions_fill_is_frozen():
    from dyntrace.ops.registry import add_attribute
    from dyntrace.trace.semantics import builtin_calls, container_methods
    from dyntrace.trace.stepping import opcode

    for register in (
        opcode("MINE"),
        builtin_calls.rule(test_what_decorators_and_add_functions_fill_is_frozen),
        container_methods.method(dict, "mine"),
        lambda record: add_attribute("mine", record),
    ):
        with pytest.raises(TypeError, match="frozen"):
            register(lambda: None)


def test_functions_of_a_module_that_is_imported_late_are_entered_all_the_same():
    import numpy.fft

    from dyntrace.ops.registry import Record, record_of

    assert isinstance(record_of(numpy.fft.fft), Record)
