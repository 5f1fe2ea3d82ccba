"""How this copy of dyntrace was set up: what was found at import, and what the environment asked.

Invariant: decided once, when dyntrace is imported. `DYNTRACE_NATIVE=0` in the environment turns
the compiled parts off; everything but speed, on-stack replacement and the frame hook works then.
`DYNTRACE_MEASURE=0` makes and keeps regions that are slower than the original instructions.
A sub-interpreter has to do without them too. `runtime.handles` and
`exec.machine_resources` act on it.
"""

from __future__ import annotations

import _thread
import os
import sys
import warnings
from importlib import import_module
from importlib.machinery import PathFinder


def _extension_built(name: str) -> bool:
    found = PathFinder.find_spec(f"dyntrace.{name}", sys.modules["dyntrace"].__path__)
    return found is not None and found.origin is not None  # the bare source folder has no origin


def _in_main_interpreter() -> bool:
    """Whether this is no sub-interpreter; who knows has no public name yet."""
    is_main = getattr(_thread, "_is_main_interpreter", None)
    if is_main is not None:
        return bool(is_main())
    interpreters = import_module("_xxsubinterpreters")
    return bool(interpreters.get_current() == interpreters.get_main())


def _require_numpy() -> None:
    """NumPy loads in one interpreter of a process, and its own message does not say that."""
    try:
        import_module("numpy")
    except ImportError as error:
        raise ImportError(
            "dyntrace cannot be used in this sub-interpreter, since NumPy cannot be imported in it"
        ) from error


version = "0.1.0"

_main = _in_main_interpreter()
if not _main:
    _require_numpy()

native: bool = os.environ.get("DYNTRACE_NATIVE", "1") != "0" and _main
native = native and _extension_built("_native")

sampler: bool = native and _extension_built("_sampler")
"""Whole programs are watched for warm code; without it the frame hook takes every frame."""

warm_at_once: bool = os.environ.get("DYNTRACE_WARM", "") == "0"
"""Everything is warm when it is first entered, and no budget is kept: for tests."""

keep_memory: bool = sampler and os.environ.get("DYNTRACE_KEEP_MEMORY", "1") != "0"
"""Under `run`, memory that the program frees stays with its process, up to 128 MiB."""

measure: bool = os.environ.get("DYNTRACE_MEASURE", "1") != "0"
"""Make no region that an estimate says must lose, and compare the others with the original
instructions while they run. Without it, all that can be captured is, and stays captured."""

STAGES = ("trace", "weave", "program", "plan", "retire")


def _stages(wanted: str) -> frozenset[str]:
    """The stages that `DYNTRACE_DEBUG` names; a warning says which it cannot name."""
    found = {name.strip() for name in wanted.split(",")} - {""}
    if unknown := found.difference(STAGES):
        named, known = ", ".join(sorted(unknown)), ", ".join(STAGES)
        text = f"DYNTRACE_DEBUG names no stage of dyntrace's: {named}. There are: {known}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    return frozenset(found.intersection(STAGES))


debug: frozenset[str] = _stages(os.environ.get("DYNTRACE_DEBUG", ""))
"""Stages that are told to stderr as they happen, see docs/debugging.md."""

strict: bool = os.environ.get("DYNTRACE_STRICT", "0") == "1"
"""Raise internal errors instead of containing them: for dyntrace's own tests."""
