"""One run of a program in a process of its own: seconds, processor seconds, output, exit status.

Each run gets the same environment and an empty working folder. Hash seeds are fixed, so that sets
iterate in the same order in every run, and bytecode files are written as usual. Start-up is part of
a run. Processor seconds are those of the process and of the children it waited for.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyperf import perf_counter

import dyntrace
from bench.programs.program import Program

WAYS: dict[str, tuple[str, ...]] = {"plain": (), "run": ("-m", "dyntrace", "run")}
PATIENCE = 300.0  # seconds after which a run is ended
NO_BYTE_CODE = "PYTHONDONTWRITEBYTECODE"  # removed: with it every run compiles what it imports
CHECKOUT = Path(dyntrace.__file__).parent.parent


@dataclass(frozen=True)
class Outcome:
    """The times, output and exit status of one run.

    wall, cpu  seconds by the clock, and of processors
    status     exit status; negative is the signal that ended it
    output     bytes on stdout, without what differs from run to run
    errors     text on stderr
    """

    wall: float
    cpu: float
    status: int
    output: bytes
    errors: str

    def differences(self, other: Outcome) -> list[str]:
        """One line for each way in which the other run behaves differently."""
        found = []
        if self.status != other.status:
            last = (other.errors.strip().splitlines() or ["nothing on stderr"])[-1]
            found.append(f"exit status {self.status} became {other.status}: {last}")
        if self.output != other.output:
            found.append(f"output: {first_difference(self.output, other.output)}")
        return found


def first_difference(expected: bytes, actual: bytes) -> str:
    """The first line that differs, in both."""
    ours, theirs = (text.decode(errors="replace").splitlines() for text in (expected, actual))
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if one != other:
            return f"line {number}, {one!r} became {other!r}"
    return f"{len(expected)} bytes became {len(actual)}"


def run(program: Program, way: str, small: bool = False, patience: float = PATIENCE) -> Outcome:
    """Run `program` to its end, `way` "plain" or by dyntrace. Raises TimeoutError."""
    arguments = program.small if small else program.arguments
    command = [sys.executable, *WAYS[way], str(program.path), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != NO_BYTE_CODE}
    environment |= {"PYTHONPATH": str(CHECKOUT), "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        outcome = waited(command, environment, Path(folder), patience)
    pattern = program.volatile.encode()
    return outcome if not pattern else stable(outcome, pattern)


def stable(outcome: Outcome, pattern: bytes) -> Outcome:
    output = re.sub(pattern, b"", outcome.output)
    return Outcome(outcome.wall, outcome.cpu, outcome.status, output, outcome.errors)


def waited(
    command: Sequence[str], environment: dict[str, str], folder: Path, patience: float
) -> Outcome:
    """Run a command in `folder`, wait for it, and return its resource usage (wait4(2)) with it."""
    work = folder / "work"
    work.mkdir()
    with open(folder / "out", "w+b") as out, open(folder / "err", "w+b") as err:
        start = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=work, env=environment)
        ended = threading.Timer(patience, process.kill)
        ended.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - start
        late = not ended.is_alive()
        ended.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if late:
            raise TimeoutError(f"{' '.join(command[1:])} took over {patience:g} s")
        out.seek(0)
        err.seek(0)
        text = err.read().decode(errors="replace")
        cpu = usage.ru_utime + usage.ru_stime
        return Outcome(wall, cpu, process.returncode, out.read(), text)
