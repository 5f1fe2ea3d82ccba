"""The processor's rounding mode and flush-to-zero, set for the calling thread.

Invariant: `rounding(name)` and `flushing()` restore what was. Code inside should only compute:
Python's own conversions follow the mode too.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import sys

MODES = {"upward": 0x800, "downward": 0x400, "towards zero": 0xC00}
AVAILABLE = sys.platform.startswith("linux") and platform.machine() == "x86_64"
_LIBRARY = ctypes.CDLL("libm.so.6") if AVAILABLE else None
_MXCSR = 7  # which 32-bit word of fenv_t it is
_FLUSH = 1 << 15 | 1 << 6  # results and operands that are subnormal count as zero


@contextlib.contextmanager
def rounding(name):
    """One of MODES inside the block."""
    before = _LIBRARY.fegetround()
    _LIBRARY.fesetround(MODES[name])
    try:
        yield
    finally:
        _LIBRARY.fesetround(before)


@contextlib.contextmanager
def flushing():
    """Subnormal numbers are zero inside the block."""
    saved, changed = (ctypes.c_uint32 * 16)(), (ctypes.c_uint32 * 16)()
    _LIBRARY.fegetenv(saved)
    _LIBRARY.fegetenv(changed)
    changed[_MXCSR] |= _FLUSH
    _LIBRARY.fesetenv(changed)
    try:
        yield
    finally:
        _LIBRARY.fesetenv(saved)
