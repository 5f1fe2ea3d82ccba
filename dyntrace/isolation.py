"""Names of dyntrace's own: its modules see built-ins and other modules as they were at import.

A program may exchange built-ins (`mock.patch("builtins.len")`) or attributes of modules (`np.add`,
`time.perf_counter`) at any time; dyntrace must neither call the stand-ins nor fail by them. So its
modules are loaded with a `__builtins__` of their own, whose `__import__` hands out copies of the
modules in COPIED. Invariant: `sys`, `os` and `warnings` are not copied: what they hold is meant to
be exchanged (`sys.stderr`, `warnings.filters`). While built-ins are exchanged nothing is traced,
since libraries that tracing calls would see the stand-ins. Read `dyntrace.__init__` next.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
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
_import = builtins.__import__


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
    module = _import(name, globals, locals, fromlist or (), level)
    found = module.__name__
    if found not in COPIED or type(module) is not ModuleType:
        return module
    if found not in _copies:
        copy = _copies[found] = ModuleType(found)
        copy.__dict__.update(module.__dict__)
    return _copies[found]


_OWN["__import__"] = _own_import


class _Loader(SourceFileLoader):
    """Loads a module that resolves built-ins in a dict of dyntrace's own."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _OWN
        super().exec_module(module)


class _Finder:
    """Finds the modules of this package as ever, and has `_Loader` load them."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not name.startswith("dyntrace."):
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is not None and type(found.loader) is SourceFileLoader:
            found.loader = _Loader(found.loader.name, found.loader.path)
        return found


@contextmanager
def own_names() -> Iterator[None]:
    """Modules of dyntrace that are imported inside the block get names of their own."""
    sys.meta_path.insert(0, _Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(_Finder)
