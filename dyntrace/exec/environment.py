"""The floating-point environment (rounding mode, flush-to-zero) of the calling thread.

Invariant: after `restore` of what `save` returned, another thread computes the same bits. C's
fegetenv covers MXCSR and the x87 control word. Where libm cannot be loaded, `is_available` is
False and nothing runs on another thread. Read `exec.jobs.threads` next.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

_SIZE = 64  # at least sizeof(fenv_t): 32 bytes on x86-64, 8 on AArch64


@cache
def _library() -> Any:
    """The C library libm, loaded when first needed; None if there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libm.so.6")
        return library if library.fegetenv and library.fesetenv else None
    except (OSError, AttributeError):
        return None


def is_available() -> bool:
    """Whether the environment can be saved and restored."""
    return _library() is not None


def save() -> Any:
    """The calling thread's environment."""
    environment = ctypes.create_string_buffer(_SIZE)
    if is_available():
        _library().fegetenv(environment)
    return environment


def restore(environment: Any) -> None:
    """Set the calling thread's environment to one that `save` returned."""
    if is_available():
        _library().fesetenv(environment)
