"""Whose is an exception out of a region or a callback: the program's, NumPy's or dyntrace's own?

A region that fails answers None and the original instructions run. An exception that was thrown
*into* it (Ctrl-C, a signal handler, `PyThreadState_SetAsyncExc`) would be lost that way, so it
propagates. Invariant: an exception is the region's own only if its class comes from Python, NumPy,
SciPy or dyntrace and every frame it passed belongs to them (or is the region's callable itself).
Those that NumPy cannot have raised are dyntrace's own, and go to `incidents`; in strict mode they
propagate as InternalError. Read `runtime.region` next.
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
    """Where NumPy, SciPy and dyntrace live; looked up, without importing them, at a first error.

    Finders of the program's are not asked: what they do may be traced, and lead here again.
    """
    found = [sys.modules.get(name) for name in ("numpy", "scipy")]
    specs = [module.__spec__ for module in found if module is not None]
    if found[1] is None:
        specs.append(PathFinder.find_spec("scipy"))
    origins = [spec.origin for spec in specs if spec is not None and spec.origin is not None]
    return (*(os.path.dirname(origin) + os.sep for origin in origins), OWN_FOLDER)


MISTAKES: tuple[type[Exception], ...] = (InternalError, AssertionError, AttributeError)
MISTAKES += (ImportError, NameError, SyntaxError, SystemError)
SHORTAGES = (RecursionError, MemoryError, GraphBreakError)  # these say nothing about dyntrace


def is_home_file(filename: str) -> bool:
    """Is this a file of NumPy, SciPy, dyntrace or the standard library, or generated code?"""
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
    """Was `error` thrown into a region from outside? `run` is the callable that was running."""
    if not isinstance(error, Exception) or (config.strict and isinstance(error, InternalError)):
        return True
    module = type(error).__module__
    if module.partition(".")[0] not in HOME_PACKAGES:
        return True
    return _passed_foreign_frame(error.__traceback__, getattr(run, "__code__", None))


def is_broken(error: BaseException) -> bool:
    """Is this a mistake in dyntrace? NumPy's functions raise no such error in our own frames."""
    if not isinstance(error, MISTAKES):
        return False
    traceback, filename = error.__traceback__, OWN_FOLDER
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        traceback = traceback.tb_next
    return filename.startswith((OWN_FOLDER, GENERATED[0]))


def run_failed(error: BaseException, run: Callable[..., Any], region: Any) -> bool:
    """A run of `region` raised: whether that goes on to the program. What is ours is noted."""
    if not isinstance(error, InternalError) and is_asynchronous(error, run):
        return True
    if is_broken(error):
        assert isinstance(error, Exception)
        incidents.note(error, "in a region", "the original instructions run", region)
    return False


def callback_failed(error: BaseException, callback: Callable[..., Any], owner: Any) -> bool:
    """A callback raised, which none of ours should: whether that goes on to the program."""
    if is_asynchronous(error, callback):
        return True
    if not isinstance(error, SHORTAGES):
        assert isinstance(error, Exception)
        incidents.note(error, "in a callback", "the original instructions run", owner)
    return False
