"""Regions in Python: the twin of `_native/region.c`, used where the extension is not built.

A `Region` holds entries; each entry is guard steps, the steps whose values are passed on, and a
callable that executes a graph. Calling a region's `Handle` gives the result, or None: "run the
original instructions". Invariants: guards read, they never run user code and never raise; a region
raises only what was thrown into it (`runtime.failures`); a handle never keeps its region alive,
since the code objects that hold handles are invisible to the garbage collector.
The two implementations are held against each other by tests. Read `runtime.steps` next.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from dyntrace.runtime.failures import is_asynchronous
from dyntrace.runtime.floating import STATE, raising_state
from dyntrace.runtime.interruption import tracing_active
from dyntrace.runtime.steps import CompiledStep, Miss, compile_step

MAX_STEPS = 256
Entry = tuple[tuple[tuple[Any, ...], ...], tuple[int, ...], Callable[..., Any], bool]


def _empty_handle() -> Any:
    """What a pickled or copied handle becomes: the handle of no region."""
    from dyntrace.runtime.handles import Handle

    return Handle()


class Handle:
    """A weak, callable reference to a region; what compiled code holds.

    Calling it gives the region's result, or None if the region declines or is gone.
    """

    __slots__ = ("__weakref__", "_region")

    def __init__(self) -> None:
        self._region: Callable[[], Region | None] = _no_region

    def __call__(self, *args: Any) -> Any:
        region = self._region()
        return None if region is None else region._call(args)

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return (_empty_handle, ())


def _no_region() -> None:
    return None


class _CompiledEntry:
    """An entry with its steps bound to the functions that do them."""

    __slots__ = ("fallible", "run", "steps", "uses")

    def __init__(self, entry: Entry) -> None:
        steps, uses, run, fallible = _checked(entry)
        self.steps: tuple[CompiledStep, ...] = tuple(
            compile_step(step, position) for position, step in enumerate(steps)
        )
        self.uses = uses
        self.run = run
        self.fallible = bool(fallible) and getattr(run, "quiet", False) is not True

    def values(self, args: tuple[Any, ...]) -> list[Any] | None:
        """The inputs of the graph, or None if a guard fails."""
        values: list[Any] = []
        for read, a, b, check, c, d in self.steps:
            try:
                value = read(args, values, a, b)
            except Miss:
                return None
            if not check(value, c, d):
                return None
            values.append(value)
        return [values[position] for position in self.uses]

    def execute(self, values: list[Any]) -> Any:
        state = raising_state() if self.fallible else None
        if state is None or state is STATE.get():
            return self.run(*values)
        token = STATE.set(state)
        try:
            return self.run(*values)
        finally:
            STATE.reset(token)


def _checked(entry: Entry) -> Entry:
    if type(entry) is not tuple or len(entry) != 4:
        raise TypeError("an entry is a tuple (steps, uses, run, fallible)")
    steps, uses, run, _ = entry
    if type(steps) is not tuple or type(uses) is not tuple:
        raise TypeError("the steps and the uses of an entry are tuples")
    if not callable(run):
        raise TypeError("the third item of an entry must be callable")
    if len(steps) > MAX_STEPS or len(uses) > MAX_STEPS:
        raise ValueError("an entry has too many steps")
    for position in uses:
        if type(position) is not int:
            raise TypeError("the uses of an entry are step indexes")
        if not 0 <= position < len(steps):
            raise ValueError("an entry uses a step that does not exist")
    return entry


class Region:
    """A polymorphic inline cache of entries, tried last hit first.

    `calls` counts calls that reached the guards, `misses` those no entry accepted, `deopts` runs
    that failed. With `deopt_limit` n > 0 the region retires itself once n runs have failed and at
    least every eighth call did. A retired region always answers None. With `commits` the region
    is there for an effect only: it does it, and answers True.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.handle = Handle()
        self.handle._region = weakref.ref(self)
        self.entries: tuple[Entry, ...] = ()
        self._compiled: tuple[_CompiledEntry, ...] = ()
        self._last = 0
        self.calls = 0
        self.deopts = 0
        self.misses = 0
        self.deopt_limit = 0
        self.commits = False
        self.retired = False
        self.on_miss: Callable[[Region, tuple[Any, ...]], Any] | None = None
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Accept calls that fit `entry` from now on; TypeError or ValueError if it is malformed."""
        compiled = _CompiledEntry(entry)
        self._compiled = (*self._compiled, compiled)
        self.entries = (*self.entries, entry)
        self._last = len(self._compiled) - 1

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle {type(self).__qualname__!r} object")

    def _find(self, args: tuple[Any, ...]) -> tuple[_CompiledEntry, list[Any]] | None:
        entries = self._compiled
        last = self._last
        order = [last, *(i for i in range(len(entries)) if i != last)] if entries else []
        for position in order:
            values = entries[position].values(args)
            if values is not None:
                self._last = position
                return entries[position], values
        return None

    def _call(self, args: tuple[Any, ...]) -> Any:
        if self.retired or tracing_active():
            return None
        self.calls += 1
        found = self._find(args)
        if found is None:
            self.misses += 1
            found = self._find(args) if self._missed(args) else None
        return None if found is None else self._run(*found)

    def _missed(self, args: tuple[Any, ...]) -> bool:
        if self.on_miss is None:
            return False
        try:
            return self.on_miss(self, args) is True
        except BaseException as error:
            if is_asynchronous(error, self.on_miss):
                raise
            return False

    def _run(self, entry: _CompiledEntry, values: list[Any]) -> Any:
        try:
            result = entry.execute(values)
        except BaseException as error:
            if is_asynchronous(error, entry.run):
                raise
            result = None
        if result is None:
            self.deopts += 1
            limit = self.deopt_limit
            if 0 < limit <= self.deopts and self.deopts * 8 >= self.calls:
                self.retired = True
            return None
        return _commit(result) if self.commits else result


def _commit(result: Any) -> bool:
    """Do the effect of a region without outputs; after its first byte there is no way back."""
    if result is not True:
        if type(result) is not tuple or len(result) != 1:
            raise TypeError("a graph with an effect only returns (commit,) or True")
        result[0]()
    return True
