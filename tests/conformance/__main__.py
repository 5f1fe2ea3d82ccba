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
    options.add_argument("--selection", help="a selection of selections.toml")
    options.add_argument("--through", choices=WAYS, default="optimize")
    options.add_argument("--jobs", type=int, default=1, help="modules run at the same time")
    options.add_argument("--time-limit", type=float, default=120, help="seconds for one test")
    options.add_argument("--list", action="store_true", help="list the modules, run nothing")
    options.add_argument("--details", action="store_true", help="print tracebacks of differences")
    options.add_argument("--all", action="store_true", help="also modules listed as not to be run")
    return options


def selected(options: argparse.Namespace) -> Iterator[Module]:
    """The modules that the command line asks for, each once."""
    wanted = {"python": options.python_modules, "numpy": options.numpy, "scipy": options.scipy}
    if options.selection:
        with SELECTIONS.open("rb") as file:
            selection = tomllib.load(file)[options.selection]
        wanted = {suite: (wanted[suite] or []) + selection.get(suite, []) for suite in wanted}
        wanted = {suite: patterns or None for suite, patterns in wanted.items()}
    for suite, patterns in wanted.items():
        if patterns is not None:
            yield from discovery.chosen(suite, patterns or EVERYTHING)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        modules = list(selected(options))
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    if options.list:
        print(*(f"{module.suite:7}{module.name}" for module in modules), sep="\n")
        return 0
    if not modules:
        print("nothing to run: name modules, or a selection", file=sys.stderr)
        return 2
    if options.through != "optimize" and not config.native:
        print("frames are traced by the native module, which is not in use", file=sys.stderr)
        return 2
    return conform(modules, options, known.read())


def conform(modules: list[Module], options: argparse.Namespace, entries: list[known.Entry]) -> int:
    """Run and compare `modules`, print what was found; the exit code."""
    version = "{}.{}".format(*sys.version_info)
    report = Report(known.Known(entries, version, options.through), options.details)
    running = modules if options.all else report.without_those_not_run(modules)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        copies = Copies(Path(folder))
        work = pool.map(
            lambda module: run_both(copies.of(module), options.through, options.time_limit), running
        )
        for found in work:
            report.add(found)
    return report.close()


def run_both(module: Module, through: str, limit: float) -> Comparison:
    """One module, plain and traced, and plain again where the two differ."""
    began = time.monotonic()
    plain = process.run(module, "plain", limit)
    traced = process.run(module, through, limit * TRACED_LIMIT)
    found = compare(module, plain, traced, lambda: process.run(module, "plain", limit))
    found.seconds = time.monotonic() - began
    return found


if __name__ == "__main__":
    sys.exit(main())
