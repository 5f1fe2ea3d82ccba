"""python -m tests.conformance --python-modules test_dict --numpy 'fft*': other suites, traced.

Prints `N same, M different` for each module and in all. The exit code is 0 if every difference is
listed in `known.toml`, 1 if one is not, and 2 if there was nothing to run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dyntrace import config
from tests.conformance import discovery, known, process
from tests.conformance.comparison import Comparison, compare
from tests.conformance.copies import Copies
from tests.conformance.discovery import Module
from tests.conformance.report import Report
from tests.conformance.through import WAYS

SELECTIONS = Path(__file__).with_name("selections.toml")
EVERYTHING = ["*"]
TRACED_LIMIT = 3  # a traced test may take this many times as long: it is traced and compiled first


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    options.add_argument("--python-modules", nargs="*", metavar="MODULE", help="of CPython's tests")
    for suite in ("numpy", "scipy"):
        options.add_argument(
            f"--{suite}", nargs="*", metavar="MODULE", help="names, prefixes or shell patterns"
        )
    options.add_argument("--selection", choices=selections(), help="what selections.toml lists")
    options.add_argument("--through", choices=WAYS, help="how to trace (default: optimize)")
    options.add_argument("--jobs", type=int, default=1, help="modules run at the same time")
    options.add_argument("--time-limit", type=float, default=120, help="seconds for one test")
    options.add_argument("--list", action="store_true", help="list the modules, run nothing")
    options.add_argument("--details", action="store_true", help="print tracebacks of differences")
    options.add_argument("--all", action="store_true", help="also modules listed as not to be run")
    return options


def selections() -> dict[str, list[dict[str, Any]]]:
    """The parts of each selection: a way, and patterns by suite."""
    with SELECTIONS.open("rb") as file:
        return tomllib.load(file)


def selected(options: argparse.Namespace) -> Iterator[tuple[Module, str]]:
    """The modules that the command line asks for, each with the way it is to be traced."""
    named = {"python": options.python_modules, "numpy": options.numpy, "scipy": options.scipy}
    parts = [named, *selections().get(options.selection, [])]
    for part in parts:
        through = options.through or part.get("through", "optimize")
        for suite in discovery.SUITES:
            patterns = part.get(suite)
            if patterns is not None:
                for module in discovery.chosen(suite, patterns or EVERYTHING):
                    yield module, through


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        tasks = list(selected(options))
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    if options.list:
        for module, through in tasks:
            print(f"{module.suite:7} {through:9} {module.name}")
        return 0
    if not tasks:
        print("nothing to run: name modules, or a selection", file=sys.stderr)
        return 2
    if any(through != "optimize" for _, through in tasks) and not config.native:
        print("frames are traced by the native module, which is not in use", file=sys.stderr)
        return 2
    return conform(tasks, options)


def conform(tasks: list[tuple[Module, str]], options: argparse.Namespace) -> int:
    """Run and compare each module, print what was found; the exit code."""
    version = "{}.{}".format(*sys.version_info)
    report = Report(known.KnownDifference(known.read(), version), options.details)
    if not options.all:
        tasks = report.without_those_not_run(tasks)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        copies = Copies(Path(folder))

        def work(task: tuple[Module, str]) -> Comparison:
            return run_both(copies.of(task[0]), task[1], options.time_limit)

        for found in pool.map(work, tasks):
            report.add(found)
    return report.close()


def run_both(module: Module, through: str, limit: float) -> Comparison:
    """One module, plain and traced, and plain again where the two differ."""
    began = time.monotonic()
    plain = process.run(module, "plain", limit)
    traced = process.run(module, through, limit * TRACED_LIMIT)
    found = compare(module, through, plain, traced, lambda: process.run(module, "plain", limit))
    found.seconds = time.monotonic() - began
    return found


if __name__ == "__main__":
    sys.exit(main())
