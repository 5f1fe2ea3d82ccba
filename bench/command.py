"""The command line of `python -m bench`: options, what is run, and the exit status.

The status is 0, 1 if bits differ or, with `--compare`, a case regressed, and 2 for a command that
makes no sense. Invariant: everything that can be wrong with a command is found before the first
measurement.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import dyntrace
from bench import allocator, dispatch, memory
from bench.catalogue import FIXED, Size, Unknown, choose
from bench.compare import changes, comparison, mismatches
from bench.measure import Plan, measure, measure_again
from bench.peers.known import present
from bench.result import Result
from bench.store import Saved, StoreError, Value, load, save, system_metadata
from bench.table import duration, heading, row, summary
from bench.timing import QUICK, Effort
from bench.workload import NO_HARM, Case
from dyntrace import config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark as the command line says; returns the exit status."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except (Unknown, StoreError, dyntrace.errors.BackendError, NotNow) as error:
        parser.error(str(error))


class NotNow(Exception):
    """Options that do not go together."""


@dataclass(frozen=True)
class Session:
    """What one command measures, and what it is compared with."""

    cases: list[Case]
    plan: Plan
    saved: dict[str, Saved] | None
    metadata: dict[str, Value]


def run(options: argparse.Namespace) -> int:
    cases = choose(options.family, options.filter, options.sizes, options.goals)
    if options.list:
        print(listing(cases))
        return 0
    session = prepared(options, cases)
    results = measured(session)
    print()
    print(summary(results))
    if options.goals:
        print(dispatch_text())
    status = int(any(result.differences for result in results))
    if session.saved is not None:
        status |= compared(session, results, options.fail_over)
    if options.save is not None:
        save(results, options.save, session.metadata)
        print(f"saved in {options.save}")
    return status


def prepared(options: argparse.Namespace, cases: list[Case]) -> Session:
    """Everything that may be refused, and the lines above the table."""
    saved = None if options.compare is None else load(options.compare)
    check_writable(options.save)
    if options.fail_over is not None and saved is None:
        raise NotNow("--fail-over needs --compare FILE")
    if options.threads is not None:
        dyntrace.set_num_threads(options.threads)
    optimise = functools.partial(dyntrace.optimize, backend=options.backend)
    optimise(len)  # refuses an unknown backend
    peers, versions = present() if options.peers else ([], [])
    plan = Plan(effort_of(options), options.memory and not options.quick, peers, optimise)
    metadata = about(options)
    print("\n".join(header(metadata, plan, versions)))
    for text in [] if saved is None else mismatches(saved, metadata):
        print(f"warning: the runs differ: {text}")
    return Session(cases, plan, saved, metadata)


def check_writable(path: Path | None) -> None:
    if path is not None and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise StoreError(f"cannot write {path}: {path.parent} is not a folder to write to")


def effort_of(options: argparse.Namespace) -> Effort:
    effort = QUICK if options.quick else Effort()
    return effort if options.time is None else replace(effort, seconds=options.time)


def measured(session: Session) -> list[Result]:
    """Each case measured and printed in turn."""
    print(heading())
    results = []
    for case in session.cases:
        results.append(measure(case, session.plan))
        print(row(results[-1]), flush=True)
    return results


def compared(session: Session, results: list[Result], allowed: float | None) -> int:
    """Print the changes since the saved run; 1 if a case regressed and `--fail-over` was given."""
    assert session.saved is not None
    cases = {case.name: case for case in session.cases}

    def again(result: Result) -> Result:
        print(f"measuring again: {result.case}", flush=True)
        return measure_again(cases[result.case], session.plan)

    limit = 0.1 if allowed is None else allowed
    found = changes(results, session.saved, limit, again)
    print()
    print(comparison(found, session.saved, limit))
    return int(allowed is not None and any(change.regressed for change in found))


def about(options: argparse.Namespace) -> dict[str, Value]:
    """What was measured and where, as it is saved."""
    return {
        **system_metadata(),
        "dyntrace_version": dyntrace.__version__,
        "dyntrace_native": "in use" if config.native else "not in use",
        "dyntrace_backend": options.backend,
        "dyntrace_threads": dyntrace.get_num_threads(),
        "dyntrace_numpy": np.__version__,
        "dyntrace_allocator": allocator.state(options.allocator),
    }


def header(metadata: dict[str, Value], plan: Plan, peers: list[str]) -> list[str]:
    """What a reader must know about the run before believing its figures."""
    facts = {key.removeprefix("dyntrace_"): value for key, value in metadata.items()}
    lines = [
        f"dyntrace {facts['version']}, native module {facts['native']}, backend {facts['backend']}"
        f", {facts['threads']} threads; Python {facts.get('python_version')}, NumPy"
        f" {facts['numpy']}, {facts.get('cpu_model_name', 'processor unknown')}",
        f"allocator: {facts['allocator']}",
        f"peak memory: {memory.HOW if plan.memory else 'not measured'}",
    ]
    load = float(facts.get("load_avg_1min", 0.0))
    if load > 0.5:
        lines.append(f"warning: the load average is {load:.2f}; other jobs disturb the timings")
    if peers:
        lines.append("peers: " + "; ".join(peers))
    return lines


def dispatch_text() -> str:
    seconds = dispatch.guard_and_dispatch()
    verdict = "reached" if seconds <= dispatch.LIMIT else "not reached"
    return (
        f"guard and dispatch of a region with three arrays: {duration(seconds)}"
        f" (limit {duration(dispatch.LIMIT)}: {verdict})"
    )


def listing(cases: Sequence[Case]) -> str:
    """Names of the cases, by workload, with the goals."""
    lines = []
    for workload in dict.fromkeys(id(case.workload) for case in cases):
        mine = [case for case in cases if id(case.workload) == workload]
        first = mine[0].workload
        sizes = ", ".join(
            f"{case.size}" + (f" (goal {case.goal:g})" if case.has_goal else "") for case in mine
        )
        lines.append(f"{first.family:12} {first.name:24} {sizes}")
    return "\n".join(lines)


# options ------------------------------------------------------------------------------------------


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Times NumPy programs under plain CPython and optimised by dyntrace, in "
        "interleaved pairs, and compares their results bit for bit.",
        epilog=f"Every case is expected to reach {NO_HARM} times eager's speed, some more.",
    )
    add_choices(parser)
    add_measurement(parser)
    add_files(parser)
    return parser


def add_choices(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is run")
    group.add_argument(
        "--family", action="append", default=[], metavar="NAME", help="only this family; repeatable"
    )
    group.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="WORD",
        help="only workloads with WORD in their name; repeatable",
    )
    group.add_argument(
        "--sizes",
        type=size_list,
        metavar="10,1e3,...",
        help=f"scaled workloads at these numbers of elements, the others if {FIXED!r} is listed",
    )
    group.add_argument("--goals", action="store_true", help="only cases with a goal of their own")
    group.add_argument("--list", action="store_true", help="list the cases and stop")


def add_measurement(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is measured")
    group.add_argument("--quick", action="store_true", help="a tenth of the time, no peak memory")
    group.add_argument(
        "--time", type=positive(float), metavar="SECONDS", help="for the pairs of one case"
    )
    group.add_argument(
        "--allocator",
        choices=("pinned", "default"),
        default="pinned",
        help="whether the C allocator keeps its pages (default: pinned)",
    )
    group.add_argument("--threads", type=positive(int), metavar="N", help="dyntrace's threads")
    group.add_argument("--backend", default="numpy", metavar="NAME", help="default: numpy")
    group.add_argument(
        "--memory",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="peak memory, in two child processes per case",
    )
    group.add_argument(
        "--peers", action="store_true", help="also numba, numexpr, JAX, torch.compile if installed"
    )


def add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    group.add_argument(
        "--save", type=Path, metavar="FILE", help="write the results, as pyperf does"
    )
    group.add_argument("--compare", type=Path, metavar="FILE", help="compare with saved results")
    group.add_argument(
        "--fail-over",
        type=percentage,
        metavar="10%",
        help="with --compare: exit with 1 if a ratio fell by more",
    )


def size_list(text: str) -> list[Size]:
    return [FIXED if part.strip() == FIXED else size(part.strip()) for part in text.split(",")]


def size(text: str) -> int:
    """A number of elements; 1e3 is one."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value >= 2 and value.is_integer() and value <= 1e9):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a size; sizes are whole numbers from 2 to 1e9, such as 10,1e3"
        )
    return int(value)


def percentage(text: str) -> float:
    """A share of 1.0, written as a percentage so that 10% and 0.1 cannot be mistaken."""
    try:
        value = float(text.removesuffix("%")) / 100.0 if text.endswith("%") else math.nan
    except ValueError:
        value = math.nan
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage below 100, such as 10%")
    return value


def positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
        return value

    return convert


if __name__ == "__main__":
    sys.exit(main())
