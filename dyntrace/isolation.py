"""Names of dyntrace's own: its modules see built-ins and other modules as they were at import.

A program may exchange built-ins (`mock.patch("builtins.len")`) or attributes of modules (`np.add`,
`time.perf_counter`) at any time; dyntrace must neither call the stand-ins nor fail by them. So its
modules are loaded, whoever imports them and however late, with a `__builtins__` of their own, whose
`__import__` hands out copies of the modules in COPIED. Invariant: `sys`, `os` and `warnings` are
not copied: what they hold is meant to be exchanged (`sys.stderr`, `warnings.filters`). A module of
dyntrace's is never looked for by the program's own finders. While built-ins are exchanged nothing
is traced, since what tracing calls would see the stand-ins. Read `dyntrace.__init__` next.
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

__all__ = ["COPIED", "is_disturbed", "own_names"]

COPIED = frozenset(
    """cmath contextvars dataclasses functools gc inspect itertools math numpy operator platform re
    struct threading time traceback types weakref""".split()
)
# What programs exchange for good, and tracing does not depend on.
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


def is_disturbed() -> bool:
    """Whether the program has exchanged built-ins that NumPy or the standard library use."""
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
    """What an `import` in a module of dyntrace's gives."""
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
    """A module of dyntrace's, loaded past `sys.meta_path`.

    What finders of the program's do (pytest's rewrite modules) may be traced, and need the module.
    What cannot be found here is left to the ordinary import.
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
    """A module with the names that `module` holds now; it is kept for all that ask later."""
    copy = ModuleType(module.__name__)
    copy.__dict__.update(module.__dict__)
    return _copies.setdefault(module.__name__, copy)


_OWN["__import__"] = _own_import


class _Loader(SourceFileLoader):
    """Loads a module that resolves built-ins in a dict of dyntrace's own."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _OWN
        _adopt(getattr(module, "__path__", ()))
        super().exec_module(module)


_LOADERS: tuple[tuple[Any, list[str]], ...] = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (_Loader, SOURCE_SUFFIXES),
)


def _adopt(folders: Iterable[str]) -> None:
    """Have the interpreter load what it imports from `folders` by `_Loader`, from now on.

    It looks a folder's finder up in a cache; nothing that other imports go through is touched.
    """
    for folder in folders:
        if folder not in _finders:
            _finders[folder] = FileFinder(folder, *_LOADERS)
    sys.path_importer_cache.update(_finders)


@contextmanager
def own_names() -> Iterator[None]:
    """Modules of dyntrace that are imported inside the block get names of their own.

    They do so anyway unless the program has cleared the interpreter's cache of finders.
    """
    package = sys.modules[__name__.partition(".")[0]]
    if type(getattr(package, "__loader__", None)) is SourceFileLoader:  # no archive of modules
        _adopt(package.__path__)
    yield


for _module in map(sys.modules.get, COPIED):
    if type(_module) is ModuleType:
        _copied(_module)
