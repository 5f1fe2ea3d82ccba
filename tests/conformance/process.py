"""Runs one module in child processes, and again without the test that a child died of.

Invariant: a child leads a process group of its own, and the group is ended with it. A child whose
tests have begun and in which none ends for `limit` seconds hangs; what it printed is kept for the
test that was running.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance.discovery import Module
from tests.conformance.records import Outcome, Told, read

CHILD = Path(__file__).with_name("child.py")
MOST_DEATHS = 20
MOST_TO_BEGIN = 300
LOOK_EVERY = 0.1
SHOWN = 4000


@dataclass
class Run:
    """The outcomes of one module's tests; `trouble` says why there are fewer than there should be."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    trouble: str = ""
    functions: int = 0
    graphs: int = 0


def run(module: Module, through: str, limit: float) -> Run:
    """Run all tests of `module`, in one process or in as many as it takes."""
    result = Run()
    for _ in range(MOST_DEATHS):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            told, death = _in_one_process(
                module, through, limit, Path(folder), list(result.outcomes)
            )
        result.outcomes.update(told.outcomes)
        result.functions += told.functions
        result.graphs += told.graphs
        if told.finished:
            break
        if told.running is None:
            result.trouble = f"{death}: {_last_lines(death.text)}"
            break
        result.outcomes[told.running] = death
    else:
        result.trouble = f"given up after {MOST_DEATHS} processes that died"
    return result


def _in_one_process(
    module: Module, through: str, limit: float, folder: Path, left_out: list[str]
) -> tuple[Told, Outcome]:
    """What one child told, and how it came to its end if that was not the end of the tests."""
    results, output, work = folder / "results", folder / "output", folder / "work"
    work.mkdir()
    request = {
        "suite": module.suite,
        "target": module.target,
        "through": through,
        "results": str(results),
        "left_out": left_out,
    }
    with output.open("wb") as printed:
        child = subprocess.Popen(
            [*command(through), json.dumps(request)],
            cwd=work,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            hung = not _ends(child, results, limit)
        finally:
            _end_group(child)
    text = shortened(output.read_text(encoding="utf-8", errors="replace"))
    return read(results), _death(child.returncode, hung, text)


def command(through: str) -> list[str]:
    """How a child is started."""
    traced = ["-m", "dyntrace", "run"] if through == "run" else []
    return [sys.executable, *traced, str(CHILD)]


def environment() -> dict[str, str]:
    """The child's environment: strict, without chance and clocks, with the dyntrace that is here."""
    import dyntrace

    here = str(Path(dyntrace.__file__).parent.parent)
    paths = [here] if here not in sys.path[1:] or here in _asked_for() else []
    paths += [path for path in _asked_for() if path != here]
    return os.environ | {
        "DYNTRACE_STRICT": "1",
        "DYNTRACE_MEASURE": "0",
        "DYNTRACE_WARM": "0",  # nothing escapes because it is cold
        "NPY_AVAILABLE_MEM": "2 GB",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def _asked_for() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _ends(child: subprocess.Popen[bytes], results: Path, limit: float) -> bool:
    """Wait for the child as long as its tests go on ending; whether it has ended by itself."""
    size, since = -1, time.monotonic()
    while child.poll() is None:
        now = results.stat().st_size if results.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > (limit if size > 0 else MOST_TO_BEGIN):
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(LOOK_EVERY)
    return True


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """End what the child left running, and the child if it runs still."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _death(code: int, hung: bool, text: str) -> Outcome:
    if hung:
        return Outcome("hang", text=text)
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return Outcome("crash", name, text)


def _last_lines(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-3:])


def shortened(text: str) -> str:
    """Both ends of a long text: a fatal error names itself first, and lists what it met last."""
    fatal = text.rfind("Fatal Python error")
    head = text[fatal : fatal + 200] + "\n…\n" if 0 <= fatal < len(text) - SHOWN else ""
    return head + text[-SHOWN:]
