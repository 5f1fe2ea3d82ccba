"""Reachable: saves the content of every mutable object a function can reach, and restores it.

The walk visits arguments, `__self__`, closure cells, defaults, attributes of instances, classes and
functions, the globals that functions name, and the names they read from modules of the program. It
does not enter foreign modules (the standard library, installed packages). `contents` saves and
restores each type, `replay` substitutes iterators.
"""

from __future__ import annotations

import functools
import random
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace.verification.contents import INSTANCE, Content, Names, content_of
from dyntrace.verification.replay import Tape, is_copied, is_taped, stand_in
from dyntrace.verification.snapshot import global_names

__all__ = ["Reachable"]

_SCALARS = (int, float, complex, str, bytes, type(None), type(...), np.generic, np.dtype, range)
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
_SHARED_RANDOM: tuple[tuple[str, Any], ...] = tuple(
    ("global generator", getattr(method, "__self__", None))
    for method in (random.getstate, np.random.get_state)
)
_IMMUTABLE_TYPE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE


@dataclass(frozen=True, slots=True)
class _Kept:
    """One object, the entry of `contents` for it, and its saved content."""

    path: str
    owner: Any
    content: Content
    saved: Any

    def changed(self, original: Callable[[Any], Any] | None = None) -> bool:
        """Whether the content differs from the saved one, or cannot be read any more.

        `original` maps substituted iterators to the original ones.
        """
        try:
            now = self.content.read(self.owner)
            if original is not None and self.content.holds_objects:
                now = _mapped(now, original)
            return not self.content.same(now, self.saved)
        except Exception:  # reading a closed or released object raises whatever its type chooses
            return True


class Reachable:
    """The saved contents of the `roots` (path and object) and of everything they reach.

    replay  replace iterators by a substitute for each run; else all runs draw from the original
    lost    paths of objects that could not be restored
    """

    def __init__(self, roots: Iterable[tuple[str, Any]], home: str, *, replay: bool = True) -> None:
        self.lost: dict[str, None] = {}
        self._home = home.partition(".")[0]
        self._replay = replay
        self._kept: list[_Kept] = []
        self._seen: dict[int, Any] = {}
        self._tapes: dict[int, Tape] = {}
        self._originals: dict[int, tuple[Any, Any]] = {}
        for path, root in (*roots, *_SHARED_RANDOM):
            self._keep(path, root)

    # keeping

    def _keep(self, path: str, root: Any) -> None:
        waiting = [(path, root)]
        while waiting:
            path, value = waiting.pop()
            if id(value) in self._seen or isinstance(value, _SCALARS) or self._is_foreign(value):
                continue
            self._seen[id(value)] = value
            waiting += self._parts(path, value)
            found = content_of(value)
            for content in (found, INSTANCE) if _has_attributes(value) else (found,):
                waiting += self._save(path, value, content) if content else ()

    def _save(self, path: str, value: Any, content: Content) -> list[tuple[str, Any]]:
        try:
            saved = content.read(value)
        except Exception:  # a closed file or a released view has no content to save
            return []
        if content.holds_objects and not saved and content is INSTANCE and not _can_grow(value):
            return []
        self._kept.append(_Kept(path, value, content, saved))
        if not content.holds_objects:
            return []
        items = saved.items() if isinstance(saved, dict) else enumerate(saved)
        return [(_inside(path, value, content, key), item) for key, item in items]

    def _is_foreign(self, value: Any) -> bool:
        if isinstance(value, types.ModuleType):
            return True
        if isinstance(value, type):
            return bool(value.__flags__ & _IMMUTABLE_TYPE) or self._is_foreign_module(
                value.__module__
            )
        if isinstance(value, types.FunctionType):
            return self._is_foreign_module(value.__globals__.get("__name__"))
        top = type(value).__module__.partition(".")[0]
        return top in ("dyntrace", "threading", "_thread") and not isinstance(value, Names)

    def _is_foreign_module(self, name: Any) -> bool:
        """Whether a module belongs to the standard library or an installed package.

        The package that the verified function belongs to is never foreign; dyntrace always is.
        """
        top = str(name).partition(".")[0]
        if top == "dyntrace" or (top in sys.stdlib_module_names and top != self._home):
            return True
        file = getattr(sys.modules.get(str(name)), "__file__", None)
        return file is not None and top != self._home and file.startswith(_INSTALLED)

    def _parts(self, path: str, value: Any) -> Iterator[tuple[str, Any]]:
        """The objects that `value` refers to besides its saved content."""
        if isinstance(value, types.FunctionType):
            yield from self._reached(path, value)
        for name in _PARTS.get(type(value), ()):
            part = getattr(value, name, None)
            yield f"{path}.{name}", part
        if isinstance(value, (tuple, frozenset)):
            yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))
        elif isinstance(value, np.ndarray):
            yield f"{path}.base", value.base
            if value.dtype.kind == "O":
                flat = np.ndarray.view(value, np.ndarray).ravel().tolist()
                yield from ((f"{path}.flat[{index}]", item) for index, item in enumerate(flat))
        elif not isinstance(value, type):
            yield f"type of {path}", type(value)

    def _reached(self, path: str, fn: types.FunctionType) -> Iterator[tuple[str, Any]]:
        """The attributes, cells and globals of `fn`, and names it reads from the user's modules."""
        yield f"{path}.__dict__", vars(fn)
        cells = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False)
        yield from ((f"{path} cell {name}", cell) for name, cell in cells)
        names = global_names(fn.__code__)
        space = Names(fn.__globals__, frozenset(names))
        yield "global", space
        for name in sorted(names & space.space.keys()):
            module = space.space[name]
            if isinstance(module, types.ModuleType) and not self._is_foreign_module(
                module.__name__
            ):
                yield name, Names(vars(module), frozenset(_attribute_names(fn.__code__)))

    # putting back

    def restore(self, *, last: bool = False) -> None:
        """Restore all contents, with substitutes for iterators.

        In the last run, iterators that can be copied are the originals, which then advance.
        """
        self._originals.clear()
        for kept in self._kept:
            saved = self._for_one_run(kept, last) if kept.content.holds_objects else kept.saved
            if saved is kept.saved and not kept.changed():
                continue
            self._write(kept, saved)

    def materialise(self) -> None:
        """Replace the substitutes that are still in place by the original iterators."""
        for kept in self._kept:
            if kept.content.holds_objects and self._originals:
                now = kept.content.read(kept.owner)
                back = _mapped(now, self._original)
                if back is not now:
                    self._write(kept, back)

    def _write(self, kept: _Kept, saved: Any) -> None:
        try:
            kept.content.write(kept.owner, saved)
        except Exception:  # the StateWarning names what could not be restored
            self.lost[kept.path] = None

    def _for_one_run(self, kept: _Kept, last: bool) -> Any:
        if not self._replay:
            return kept.saved
        return _mapped(kept.saved, functools.partial(self._stand_in, last))

    def _stand_in(self, last: bool, value: Any) -> Any:
        if not is_taped(value) and (last or not is_copied(value)):
            return value
        for substitute, original in self._originals.values():
            if original is value:
                return substitute
        substitute = stand_in(value, self._tape)
        self._originals[id(substitute)] = substitute, value
        return substitute

    def _original(self, value: Any) -> Any:
        return self._originals.get(id(value), (value, value))[1]

    def _tape(self, source: Any) -> Tape:
        drawn = functools.partial(self._keep, f"item of {type(source).__name__}")
        return self._tapes.setdefault(id(source), Tape(source, drawn))

    # telling

    def now(self) -> Iterator[tuple[str, Any]]:
        """The objects whose content has changed since it was saved, by path."""
        for kept in list(self._kept):
            if kept.changed(self._original):
                try:
                    yield f"state of {kept.path}", kept.content.describe(kept.owner, kept.saved)
                except Exception:  # a closed or released object: see `_Kept.changed`
                    yield f"state of {kept.path}", "<cannot be read>"


_PARTS: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        types.MethodType: ("__self__", "__func__"),
        types.BuiltinFunctionType: ("__self__",),
        functools.partial: ("func", "args", "keywords"),
        staticmethod: ("__func__",),
        classmethod: ("__func__",),
        property: ("fget", "fset", "fdel"),
        memoryview: ("obj",),
        np.random.Generator: ("bit_generator",),
        type(functools.cache(len)): ("__wrapped__",),
    }
)


def _has_attributes(value: Any) -> bool:
    return not isinstance(value, (type, types.FunctionType, Names, types.CellType))


def _can_grow(value: Any) -> bool:
    """Whether an object that has no attributes now may get some: it has a dict or slots."""
    return type(value).__dictoffset__ != 0 or any(
        isinstance(member, types.MemberDescriptorType)
        for base in type(value).__mro__
        if base.__module__ != "builtins"
        for member in vars(base).values()
    )


def _inside(path: str, value: Any, content: Content, key: Any) -> str:
    if isinstance(value, Names):
        return f"{path} {key}"
    if isinstance(value, types.CellType):
        return path
    if content is INSTANCE or isinstance(value, (type, types.FunctionType)):
        return f"{path}.{key}"
    return f"{path}[{key!r}]" if isinstance(key, (int, str)) else f"{path}[…]"


def _mapped(saved: Any, change: Any) -> Any:
    """`saved` with `change` applied to each item; `saved` itself if no item changes."""
    if isinstance(saved, dict):
        changed = {key: change(item) for key, item in saved.items()}
        return changed if any(changed[key] is not saved[key] for key in changed) else saved
    items = [change(item) for item in saved]
    return items if any(a is not b for a, b in zip(items, saved, strict=True)) else saved


def _attribute_names(code: types.CodeType) -> Iterator[str]:
    """All names in `code` and code nested in it, attributes among them."""
    yield from code.co_names
    for nested in code.co_consts:
        if isinstance(nested, types.CodeType):
            yield from _attribute_names(nested)
