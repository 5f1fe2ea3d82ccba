"""Configuration: which extensions were built, and what the `DYNTRACE_…` variables ask for.

Invariant: each value is decided once, when dyntrace is imported. `DYNTRACE_NATIVE=0` turns the
extensions off; everything but speed, on-stack replacement and the frame hook works without them.
In a sub-interpreter they are off as well. The four modules that import `_native` ask `native`
first: `runtime.handles`, `graph.instances`, `exec.machine_resources`, `exec.backends.machine`.
"""

from __future__ import annotations

import _thread
import os
import platform
import sys
import warnings
from importlib import import_module
from importlib.machinery import PathFinder


def _extension_built(name: str) -> bool:
    found = PathFinder.find_spec(f"dyntrace.{name}", sys.modules["dyntrace"].__path__)
    # A folder of C sources without the built extension is found as a namespace package: no origin.
    return found is not None and found.origin is not None


def _in_main_interpreter() -> bool:
    """Whether this is not a sub-interpreter; CPython has no public function that tells.

    `_thread._is_main_interpreter` is there from 3.12 on; 3.11 has `_xxsubinterpreters` only.
    """
    is_main = getattr(_thread, "_is_main_interpreter", None)
    if is_main is not None:
        return bool(is_main())
    interpreters = import_module("_xxsubinterpreters")
    return bool(interpreters.get_current() == interpreters.get_main())


def _require_numpy() -> None:
    """Raise an ImportError that names the reason if NumPy cannot be imported here.

    NumPy loads into one interpreter of a process; its own message is "cannot load module more than
    once per process", which does not help a user of dyntrace.
    """
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
"""`run` looks for warm code; without the sampler it optimises every frame by the frame hook."""

warm_at_once: bool = os.environ.get("DYNTRACE_WARM", "") == "0"
"""`run` compiles everything when it is first entered, and no budget limits it: for tests."""

keep_memory: bool = sampler and os.environ.get("DYNTRACE_KEEP_MEMORY", "1") != "0"
"""Under `run`, memory that the program frees stays with its process, up to 128 MiB."""

measure: bool = os.environ.get("DYNTRACE_MEASURE", "1") != "0"
"""Weave no region that `trace.regions.worth` expects to lose, and measure the others against the
original instructions while they run. If off, every region that can be captured is kept."""


def _what_jit_lacks() -> str:
    """Why loops cannot be compiled, and what to do about it; empty if they can."""
    if not native:
        return "the native module is not in use"
    if os.environ.get("DYNTRACE_JIT", "1") == "0":
        return "DYNTRACE_JIT=0 turns it off"
    if platform.machine() not in ("x86_64", "AMD64"):
        return f"it is not made for {platform.machine()}"
    if PathFinder.find_spec("llvmlite") is None:
        return "llvmlite is not installed; `pip install dyntrace[jit]` brings it"
    return ""


jit_lacks: str = _what_jit_lacks()
"""What prevents machine code of loops, in words."""

jit: bool = not jit_lacks
"""Loops run as machine code that llvmlite makes; it is imported when the first loop is hot."""

loops_at_once: bool = os.environ.get("DYNTRACE_LOOPS", "") == "now"
"""Loops are compiled when they are first met, and the program waits for it: for tests."""

_cache = os.environ.get("DYNTRACE_CACHE", "")

cache: bool = _cache != "0"
"""Machine code of loops is kept on disk, for the next run of a program."""

cache_folder: str = "" if _cache in ("0", "1") else _cache
"""The folder to keep it in; empty: `dyntrace` in the user's cache directory."""

STAGES = ("trace", "weave", "program", "plan", "retire", "loop", "llvm")


def _stages(wanted: str) -> frozenset[str]:
    """The stages that `DYNTRACE_DEBUG` names; warns of names that are no stage."""
    found = {name.strip() for name in wanted.split(",")} - {""}
    if unknown := found.difference(STAGES):
        named, known = ", ".join(sorted(unknown)), ", ".join(STAGES)
        text = f"DYNTRACE_DEBUG names no stage of dyntrace's: {named}. There are: {known}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    return frozenset(found.intersection(STAGES))


debug: frozenset[str] = _stages(os.environ.get("DYNTRACE_DEBUG", ""))
"""Stages that are logged to stderr as they happen; docs/debugging.md describes them."""

strict: bool = os.environ.get("DYNTRACE_STRICT", "0") == "1"
"""Raise internal errors instead of running the original code: for dyntrace's own tests."""
