"""Isolation: dyntrace's modules see built-ins and other modules as they were at import.

A program may patch built-ins (`mock.patch("builtins.len")`) or attributes of modules (`np.add`,
`time.perf_counter`) at any time; dyntrace must not call the patched ones. So every module of
dyntrace, however late it is imported, gets a private `__builtins__`, whose `__import__` returns
copies of the modules in COPIED. Invariant: `sys`, `os` and `warnings` are not copied, since
programs exchange what they hold on purpose (`sys.stderr`, `warnings.filters`). The program's
`sys.meta_path` never loads a module of dyntrace. While a built-in is patched nothing is traced:
NumPy and the standard library, which tracing calls, would use the patched one.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from types import ModuleType
from typing import Any

__all__ = ["COPIED", "has_patched_builtins", "isolated_imports"]

COPIED = frozenset(
    """cmath contextvars dataclasses functools gc inspect itertools math numpy operator platform re
    struct threading time traceback types weakref""".split()
)
# Built-ins that programs replace for good; tracing depends on none of them.
_IGNORED = frozenset(
    """open print input help exit quit copyright credits license breakpoint vars dir __import__
    __build_class__ __debug__ __doc__ __loader__ __name__ __package__ __spec__ _""".split()
)
_LIVE = builtins.__dict__
_OWN = dict(_LIVE)
_WATCHED = tuple((name, value) for name, value in _OWN.items() if name not in _IGNORED)
_copies: dict[str, ModuleType] = {}
_finders: dict[str, FileFinder] = {}
_import = builtins.__import__
_bootstrap: Any = importlib._bootstrap
_PACKAGE = __name__.partition(".")[0]


def has_patched_builtins() -> bool:
    """Whether a built-in is patched that NumPy or the standard library may use."""
    for name, value in _WATCHED:
        if _LIVE.get(name) is not value:
            return True
    return False


def _own_import(
    name: str,
    globals: Any = None,
    locals: Any = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """The `__import__` of dyntrace's modules: returns copies of the modules in COPIED."""
    if name.startswith(_PACKAGE):
        known = sys.modules.get(name) or _load(name)
        if fromlist and hasattr(known, "__path__"):
            for item in (item for item in fromlist if item not in known.__dict__):
                _load(f"{name}.{item}")
    module = _import(name, globals, locals, fromlist or (), level)
    found = module.__name__
    if found not in COPIED or type(module) is not ModuleType:
        return module
    return _copies.get(found) or _copied(module)


def _load(name: str) -> ModuleType | None:
    """Import a module of dyntrace without asking `sys.meta_path`.

    A finder of the program's, such as pytest's assertion rewriter, may itself be traced, and then
    tracing it needs the module that it is about to find. Returns None if `name` is not in one of
    dyntrace's folders; the ordinary import then reports it.
    """
    parent, _, child = name.rpartition(".")
    package = sys.modules.get(parent) or (_load(parent) if parent else None)
    finder = _finders.get(next(iter(getattr(package, "__path__", ())), ""))
    spec = None if finder is None else finder.find_spec(name)
    if spec is None:
        return sys.modules.get(name)
    with _bootstrap._ModuleLockManager(name):
        if name not in sys.modules:
            setattr(package, child, _bootstrap._load_unlocked(spec))
    return sys.modules[name]


def _copied(module: ModuleType) -> ModuleType:
    """A module with the names that `module` holds now; later calls get the same copy."""
    copy = ModuleType(module.__name__)
    copy.__dict__.update(module.__dict__)
    return _copies.setdefault(module.__name__, copy)


_OWN["__import__"] = _own_import


class _Loader(SourceFileLoader):
    """Loads a module with the private `__builtins__`."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _OWN
        _adopt(getattr(module, "__path__", ()))
        super().exec_module(module)


_LOADERS: tuple[tuple[Any, list[str]], ...] = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (_Loader, SOURCE_SUFFIXES),
)


def _adopt(folders: Iterable[str]) -> None:
    """Make `_Loader` load every module of `folders` from now on.

    PathFinder looks a folder's finder up in `sys.path_importer_cache`
    (Lib/importlib/_bootstrap_external.py); only the entries of `folders` change.
    """
    for folder in folders:
        if folder not in _finders:
            _finders[folder] = FileFinder(folder, *_LOADERS)
    sys.path_importer_cache.update(_finders)


@contextmanager
def isolated_imports() -> Iterator[None]:
    """Import modules of dyntrace inside this block.

    It installs their finders again, in case the program has cleared `sys.path_importer_cache`.
    """
    package = sys.modules[__name__.partition(".")[0]]
    if type(getattr(package, "__loader__", None)) is SourceFileLoader:  # no archive of modules
        _adopt(package.__path__)
    yield


for _module in map(sys.modules.get, COPIED):
    if type(_module) is ModuleType:
        _copied(_module)
