"""Peak memory of one call, measured in a child process of its own.

The child first calls the function on small arguments, so that compiling and loading do not count.
Then it makes the real arguments and measures how far one call raises its resident memory: VmHWM of
/proc/self/status, reset before the call (proc(5)), or ru_maxrss where there is no such file. The
allocator stays in its default state. The command of the child is `python -m bench.memory CASE WAY`.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dyntrace
from bench.catalogue import case_called
from bench.workload import Case, memory_of, search_path

WAYS: dict[str, Callable[[Any], Any]] = {"eager": lambda fn: fn, "optimised": dyntrace.optimize}
LEAST = 1 << 20  # bytes of arguments; with fewer, a peak cannot be told from noise
HOW = "VmHWM above the state before the call, in a child process"
PAGE = resource.getpagesize()


class NoPeak(Exception):
    """A child process that did not give a figure; the message says why."""


def peaks(case: Case) -> tuple[int, int] | None:
    """Peak bytes of eager and optimised; None for cases whose arguments are below LEAST.

    Raises NoPeak.
    """
    if memory_of(case.arguments()) < LEAST:
        return None
    eager, optimised = (peak_in_child(case, way) for way in WAYS)
    return eager, optimised


def peak_in_child(case: Case, way: str, timeout: float = 300.0) -> int:
    """Bytes of one way's peak. Raises NoPeak."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bench.memory", case.name, way],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=os.environ | {"PYTHONPATH": search_path()},
        )
    except subprocess.TimeoutExpired as error:
        raise NoPeak(f"{way}: the child process took over {timeout:g} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise NoPeak(f"{way}: the child process ended with {done.returncode}: {last}")
    return int(done.stdout)


def peak(case: Case, way: str) -> int:
    """Bytes by which this process's memory rises during one call."""
    function = WAYS[way](case.workload.fresh())
    for _ in range(4):
        function(*case.workload.make(case.workload.small))
    arguments = case.arguments()
    before = forget_peak()
    result = function(*arguments)
    after = highest()
    del result
    return max(after - before, 0)


def forget_peak() -> int:
    """Bytes of resident memory now; resets the peak to it where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except OSError:
        return highest()


def highest() -> int:
    """The peak of this process's resident memory, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used if sys.platform == "darwin" else used << 10


if __name__ == "__main__":
    print(peak(case_called(sys.argv[1]), sys.argv[2]))
