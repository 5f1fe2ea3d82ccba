"""Backends by name: functions that turn a graph into a callable.

Invariant: a name keeps its backend, and built-in names cannot be registered. Other backends come
from `register_backend` or from entry points of the group "dyntrace.backends". `exec.results` says
what a compiled graph returns. The built-in backends are `exec.backends.machine` ("numpy") and
`exec.backends.reference`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dyntrace.errors import BackendError
from dyntrace.exec.backends import machine
from dyntrace.graph.node import Graph

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

CompileGraph = Callable[[Graph], Callable[..., Any]]
GROUP = "dyntrace.backends"
BUILT_IN = ("numpy", "reference")
_registered: dict[str, CompileGraph] = {}
_lock = threading.Lock()


def register_backend(name: str, compile_graph: CompileGraph) -> None:
    """Make `optimize(fn, backend=name)` use `compile_graph(graph) -> callable`.

    The callable takes the values of `graph.inputs` and returns what `exec.results` says.
    Raises TypeError for a name that is not a string or a `compile_graph` that is not callable, and
    BackendError for a name that is taken.
    """
    if not isinstance(name, str):
        raise TypeError(f"a backend's name must be a str, not {type(name).__name__}")
    if not callable(compile_graph):
        raise TypeError(f"compile_graph must be callable, not {type(compile_graph).__name__}")
    with _lock:
        if name in BUILT_IN:
            raise BackendError(f"{name!r} is a built-in backend and cannot be replaced")
        if _registered.get(name, compile_graph) is not compile_graph:
            raise BackendError(f"a backend called {name!r} is already registered")
        _registered[name] = compile_graph


def get_backend(name: str) -> CompileGraph:
    """The `compile_graph` of a backend; raises BackendError if there is none of that name."""
    if not isinstance(name, str):
        raise TypeError(f"backend must be a str, not {type(name).__name__}")
    if name == "numpy":
        return machine.compile_graph
    if name == "reference":
        from dyntrace.exec.backends import reference

        return reference.compile_graph
    with _lock:
        given = _registered.get(name)
    return _checked(name, given if given is not None else _from_entry_point(name))


def known_backends() -> list[str]:
    """The names `get_backend` takes, sorted."""
    with _lock:
        names = {*BUILT_IN, *_registered}
    return sorted(names | {point.name for point in _entry_points()})


def _entry_points() -> list[EntryPoint]:
    from importlib.metadata import entry_points  # takes as long to import as NumPy's core

    return list(entry_points(group=GROUP))


def _from_entry_point(name: str) -> CompileGraph:
    for point in _entry_points():
        if point.name == name:
            return _loaded(point)
    raise BackendError(
        f"unknown backend {name!r}; known are {', '.join(known_backends())}. "
        "Add one with dyntrace.register_backend(name, compile_graph)"
    )


def _loaded(point: EntryPoint) -> CompileGraph:
    try:
        found = point.load()
    except Exception as error:  # an installed package may fail in any way
        raise BackendError(f"backend {point.name!r} ({point.value}) failed to load") from error
    if not callable(found):
        raise BackendError(f"backend {point.name!r} ({point.value}) is not callable")
    compile_graph: CompileGraph = found
    return compile_graph


def _checked(name: str, compile_graph: CompileGraph) -> CompileGraph:
    def compile_checked(graph: Graph) -> Callable[..., Any]:
        found = compile_graph(graph)
        if not callable(found):
            raise BackendError(
                f"backend {name!r} returned {type(found).__name__} for a graph; "
                "compile_graph(graph) must return a callable"
            )
        return found

    return compile_checked
