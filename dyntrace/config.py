"""How this copy of dyntrace was set up: what was found at import, and what the environment asked.

Invariant: decided once, when dyntrace is imported. `DYNTRACE_NATIVE=0` in the environment turns
the compiled parts off; everything but speed, on-stack replacement and the frame hook works then.
`DYNTRACE_MEASURE=0` keeps regions that are slower than the original instructions.
`runtime.handles` acts on it.
"""

from __future__ import annotations

import importlib.util
import os


def _extension_built() -> bool:
    found = importlib.util.find_spec("dyntrace._native")
    return found is not None and found.origin is not None  # the bare source folder has no origin


native: bool = os.environ.get("DYNTRACE_NATIVE", "1") != "0" and _extension_built()

measure: bool = os.environ.get("DYNTRACE_MEASURE", "1") != "0"
"""Compare each region with the original instructions during its first calls."""

strict: bool = os.environ.get("DYNTRACE_STRICT", "0") == "1"
"""Raise internal errors instead of containing them: for dyntrace's own tests."""
