"""Measures a peer in a child process, so that it may take too long, crash, or leave threads.

The child times the peer and eager in pairs, then the peer and the optimised function, with the
run's state of the allocator, and prints a `PeerResult` as JSON on its last line: `python -m
bench.peers.child PEER CASE ALLOCATOR BACKEND THREADS SECONDS SAMPLE FEWEST MOST`. Invariant: when
`measure_in_child` returns, the child and its own children have ended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import signal
import subprocess
import sys

import dyntrace
from bench import allocator
from bench.catalogue import case_called
from bench.peers.known import KNOWN
from bench.peers.run import measure_peer
from bench.result import PeerResult
from bench.timing import Effort
from bench.workload import Case, search_path

PATIENCE = 120.0  # seconds for one peer on one case, compilation included


def measure_in_child(
    peer: str,
    case: Case,
    effort: Effort,
    pages: str,
    patience: float = PATIENCE,
    *,
    backend: str = "numpy",
) -> PeerResult:
    """The result of the peer; an error or a timeout becomes its `failure`."""
    settings = [pages, backend, str(dyntrace.get_num_threads())]
    figures = [str(value) for value in dataclasses.astuple(effort)]
    command = [peer, case.name, *settings, *figures]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "bench.peers.child", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": search_path()},
        start_new_session=True,
    ) as child:
        try:
            printed, complaints = child.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return PeerResult(peer, failure=f"not done after {patience:g} s")
        finally:
            end(child)
    if child.returncode != 0:
        last = (complaints.strip().splitlines() or ["it printed nothing"])[-1]
        return PeerResult(peer, failure=f"the process ended with {child.returncode}: {last}")
    return PeerResult(**json.loads(printed.splitlines()[-1]))


def end(child: subprocess.Popen[str]) -> None:
    """End the child and the compilers it started, which are in its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def main(peer: str, case: str, pages: str, backend: str, threads: str, *figures: str) -> None:
    allocator.state(pages)
    dyntrace.set_num_threads(int(threads))
    optimise = functools.partial(dyntrace.optimize, backend=backend)
    seconds, sample, fewest, most = figures
    effort = Effort(float(seconds), float(sample), int(fewest), int(most))
    known = {each.name: each for each in KNOWN}
    found = measure_peer(known[peer], case_called(case), effort, optimise)
    print(json.dumps(dataclasses.asdict(found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
