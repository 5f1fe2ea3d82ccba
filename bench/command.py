"""`python -m bench`: runs, prints and saves what the options ask for, and returns the exit status.

The status is 1 if bits or outputs differ, if something lost and `--goals` was given, or if a case
regressed and `--fail-over` was given; 2 for a command that makes no sense; else 0. Invariant: every
error in a command is found before the first measurement.
"""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import dyntrace
from bench import allocator, dispatch, goals, memory
from bench.catalogue import Choice, UnknownChoice, choose
from bench.compare import changes, comparison, mismatches
from bench.measure import Scope, measure, measure_again
from bench.options import make_parser
from bench.peers.known import present
from bench.programs import table as program_table
from bench.programs.measure import ProgramResult
from bench.programs.measure import measure as measure_program
from bench.result import Result
from bench.store import Saved, StoreError, Value, load, save, system_metadata
from bench.table import duration, heading, row, summary
from bench.timing import QUICK, Effort
from dyntrace import config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark as the command line says; returns the exit status."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except (UnknownChoice, StoreError, dyntrace.errors.BackendError, ConflictingOptions) as error:
        parser.error(str(error))


class ConflictingOptions(Exception):
    """Options that exclude or need each other."""


@dataclass(frozen=True)
class Session:
    """What one command measures, and the saved run it is compared with."""

    chosen: Choice
    plan: Scope
    saved: dict[str, Saved] | None
    metadata: dict[str, Value]


def run(options: argparse.Namespace) -> int:
    chosen = choose(options.family, options.filter, options.sizes, options.goals)
    if options.list:
        print(listing(chosen))
        return 0
    session = prepared(options, chosen)
    results = measured(session)
    print()
    status = judged(session, results) if options.goals else 0
    print(summaries(results))
    if options.goals and chosen.cases:
        print(dispatch_text())
    status |= int(any(result.differences for result in results))
    if session.saved is not None:
        status |= compared(session, results, options.fail_over)
    if options.save is not None:
        save(results, options.save, session.metadata)
        print(f"saved in {options.save}")
    return status


def prepared(options: argparse.Namespace, chosen: Choice) -> Session:
    """Check all options and print the lines above the table."""
    saved = None if options.compare is None else load(options.compare)
    check_writable(options.save)
    if options.fail_over is not None and saved is None:
        raise ConflictingOptions("--fail-over needs --compare FILE")
    if options.threads is not None:
        dyntrace.set_num_threads(options.threads)
    optimise = functools.partial(dyntrace.optimize, backend=options.backend)
    optimise(len)  # refuses an unknown backend
    installed, versions = present() if options.peers or options.goals else ([], [])
    plan = Scope(
        effort_of(options),
        options.memory and not options.quick,
        installed if options.peers else [],
        options.peer_timeout,
        options.allocator,
        optimise,
        options.backend,
        installed if options.goals else [],
    )
    metadata = about(options)
    print("\n".join(header(metadata, plan, versions)))
    for text in [] if saved is None else mismatches(saved, metadata):
        print(f"warning: the runs differ: {text}")
    return Session(chosen, plan, saved, metadata)


def check_writable(path: Path | None) -> None:
    if path is not None and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise StoreError(f"cannot write {path}: {path.parent} is not a folder to write to")


def effort_of(options: argparse.Namespace) -> Effort:
    effort = QUICK if options.quick else Effort()
    return effort if options.time is None else replace(effort, seconds=options.time)


def measured(session: Session) -> list[Result]:
    """Measure and print each case, then each program, in a table for each."""
    results: list[Result] = []
    if session.chosen.cases:
        print(heading())
    for case in session.chosen.cases:
        results.append(measure(case, session.plan))
        print(row(results[-1]), flush=True)
    if session.chosen.programs:
        print(program_table.heading())
    for program in session.chosen.programs:
        found = measure_program(program, session.plan.effort)
        results.append(found)
        print(program_table.row(found), flush=True)
    return results


def summaries(results: Sequence[Result]) -> str:
    """The lines below the tables."""
    of_programs = [result for result in results if isinstance(result, ProgramResult)]
    others = [result for result in results if not isinstance(result, ProgramResult)]
    texts = [summary(others)] if others else []
    return "\n".join(texts + ([program_table.summary(of_programs)] if of_programs else []))


def remeasure(session: Session) -> Callable[[Result], Result]:
    """Measures the case of a result once more, with more pairs."""
    cases = {case.name: case for case in session.chosen.cases}
    programs = {program.name: program for program in session.chosen.programs}

    def again(result: Result) -> Result:
        print(f"measuring again: {result.case}", flush=True)
        if result.case in programs:
            return measure_program(programs[result.case], session.plan.effort.times(2.0))
        return measure_again(cases[result.case], session.plan)

    return again


def judged(session: Session, results: Sequence[Result]) -> int:
    """The exit status of `--goals`; prints a line for everything that lost."""
    goals.confirm(results, remeasure(session))
    lost = goals.failures(results)
    print("\n".join(f"short of its goal: {text}" for text in goals.shortfalls(results)))
    print("\n".join(f"LOST {text}" for text in lost) or "nothing lost")
    return int(bool(lost))


def compared(session: Session, results: list[Result], allowed: float | None) -> int:
    """Print the changes since the saved run; 1 if a case regressed and `--fail-over` was given."""
    assert session.saved is not None
    limit = 0.1 if allowed is None else allowed
    found = changes(results, session.saved, limit, remeasure(session))
    print()
    print(comparison(found, session.saved, limit))
    return int(allowed is not None and any(change.regressed for change in found))


def about(options: argparse.Namespace) -> dict[str, Value]:
    """The saved file's metadata: options, versions, machine."""
    return {
        **system_metadata(),
        "dyntrace_version": dyntrace.__version__,
        "dyntrace_native": "in use" if config.native else "not in use",
        "dyntrace_backend": options.backend,
        "dyntrace_threads": dyntrace.get_num_threads(),
        "dyntrace_numpy": np.__version__,
        "dyntrace_allocator": allocator.state(options.allocator),
    }


def header(metadata: dict[str, Value], plan: Scope, peers: list[str]) -> list[str]:
    """The lines above the table: machine, versions, allocator, threads, load."""
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


def listing(chosen: Choice) -> str:
    """Names of the cases, by workload, and of the programs, with the goals."""
    lines = []
    for workload in dict.fromkeys(id(case.workload) for case in chosen.cases):
        mine = [case for case in chosen.cases if id(case.workload) == workload]
        first = mine[0].workload
        sizes = ", ".join(
            f"{case.size}" + (f" (goal {case.goal:g})" if case.has_goal else "") for case in mine
        )
        lines.append(f"{first.family:12} {first.name:28} {sizes}")
    for program in chosen.programs:
        missing = program.missing()
        note = f"; not installed: {', '.join(missing)}" if missing else ""
        lines.append(
            f"{program.family:12} {program.name:28} {program.kind} (goal {program.goal:g}){note}"
        )
    return "\n".join(lines)
