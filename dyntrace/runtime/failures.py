"""Whether an exception from a region or callback is the program's, NumPy's or dyntrace's own.

After an exception of NumPy's, a region returns None and the original instructions raise it again.
An exception thrown *into* the region (Ctrl-C, a signal handler, `PyThreadState_SetAsyncExc`) would
be lost that way, so it propagates. Invariant: an exception is taken for the region's own only if
its class is from Python, NumPy, SciPy or dyntrace, and each frame it passed is in their files or
runs the region's callable. One that NumPy cannot have raised is a mistake of dyntrace's: it goes to
`incidents`, which raises InternalError in strict mode. Read `runtime.region` next.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.machinery import PathFinder
from types import CodeType, TracebackType
from typing import Any

from dyntrace import config, incidents
from dyntrace.errors import GraphBreakError, InternalError

HOME_PACKAGES = frozenset({"builtins", "numpy", "scipy", "dyntrace"})
GENERATED = ("<dyntrace", "<frozen ", "<__array_function__")
STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
INSTALLED = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


@cache
def home_folders() -> tuple[str, ...]:
    """The folders of NumPy, SciPy and dyntrace, found at the first error without an import.

    Only `PathFinder` is asked: the program's own finders could be traced, fail, and lead here.
    """
    found = [sys.modules.get(name) for name in ("numpy", "scipy")]
    specs = [module.__spec__ for module in found if module is not None]
    if found[1] is None:
        specs.append(PathFinder.find_spec("scipy"))
    origins = [spec.origin for spec in specs if spec is not None and spec.origin is not None]
    return (*(os.path.dirname(origin) + os.sep for origin in origins), OWN_FOLDER)


MISTAKES: tuple[type[Exception], ...] = (InternalError, AssertionError, AttributeError)
MISTAKES += (ImportError, NameError, SyntaxError, SystemError)
SHORTAGES = (RecursionError, MemoryError, GraphBreakError)  # no mistakes of dyntrace's


def is_home_file(filename: str) -> bool:
    """Whether a file is NumPy's, SciPy's, dyntrace's or the standard library's, or generated."""
    if filename.startswith(home_folders()) or filename.startswith(GENERATED):
        return True
    if not filename.startswith(STANDARD_LIBRARY):
        return False
    return not any(folder in filename for folder in INSTALLED)


def _passed_foreign_frame(traceback: TracebackType | None, own: CodeType | None) -> bool:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code is not own and not is_home_file(code.co_filename):
            return True
        traceback = traceback.tb_next
    return False


def is_asynchronous(error: BaseException, run: Callable[..., Any] | None = None) -> bool:
    """Whether `error` was thrown into a region from outside while it called `run`."""
    if not isinstance(error, Exception) or (config.strict and isinstance(error, InternalError)):
        return True
    module = type(error).__module__
    if module.partition(".")[0] not in HOME_PACKAGES:
        return True
    return _passed_foreign_frame(error.__traceback__, getattr(run, "__code__", None))


def is_broken(error: BaseException) -> bool:
    """Whether `error` is a mistake in dyntrace: one of `MISTAKES`, raised by its own code."""
    if not isinstance(error, MISTAKES):
        return False
    traceback, filename = error.__traceback__, OWN_FOLDER
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        traceback = traceback.tb_next
    return filename.startswith((OWN_FOLDER, GENERATED[0]))


def run_failed(error: BaseException, run: Callable[..., Any], region: Any) -> bool:
    """Whether `error`, which `run` of `region` raised, propagates to the program.

    A mistake of dyntrace's goes to `incidents`.
    """
    if not isinstance(error, InternalError) and is_asynchronous(error, run):
        return True
    if is_broken(error):
        assert isinstance(error, Exception)
        incidents.note(error, "in a region", "the original instructions run", region)
    return False


def callback_failed(error: BaseException, callback: Callable[..., Any], owner: Any) -> bool:
    """Whether `error`, which `callback` of `owner` raised, propagates to the program.

    If not, it is a mistake of dyntrace's, unless it is a shortage, and goes to `incidents`.
    """
    if is_asynchronous(error, callback):
        return True
    if not isinstance(error, SHORTAGES):
        assert isinstance(error, Exception)
        incidents.note(error, "in a callback", "the original instructions run", owner)
    return False
