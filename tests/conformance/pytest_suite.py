"""Runs one module of a pytest suite and records how each test ended.

Invariant: one pytest session in this process, with no configuration but the suite's own conftest
files, warned as NumPy's own runner has it, and without the tests marked slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.records import Outcome, Writer
from tests.conformance.through import InternalErrors

IGNORED_WARNINGS = (
    "ignore:Not importing directory",
    "ignore:numpy.dtype size changed",
    "ignore:numpy.ufunc size changed",
    "ignore:the matrix subclass is not",
    "ignore:Importing from numpy.matlib is",
)


def run(
    target: str,
    wrap: Callable[[Any], Any],
    writer: Writer,
    errors: InternalErrors,
    left_out: frozenset[str],
) -> None:
    """Run the tests of the file `target` whose names are not in `left_out`."""
    root = _root(Path(target))
    configuration = root / "conformance.ini"
    configuration.write_text("[pytest]\n", encoding="utf-8")
    arguments = [target, "-q", "-c", str(configuration), "--rootdir", str(root)]
    arguments += ["-p", "no:cacheprovider", "--import-mode=prepend", "-m", "not slow"]
    for warning in IGNORED_WARNINGS:
        arguments += ["-W", warning]
    pytest.main(arguments, plugins=[Plugin(wrap, writer, errors, left_out)])


def _root(path: Path) -> Path:
    """The folder that the topmost package of a test module lies in."""
    folder = path.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


class Plugin:
    """Leaves out, traces and records the tests of a session."""

    def __init__(
        self,
        wrap: Callable[[Any], Any],
        writer: Writer,
        errors: InternalErrors,
        left_out: frozenset[str],
    ) -> None:
        self._wrap = wrap
        self._writer = writer
        self._internal = errors
        self._left_out = left_out
        self._outcome = Outcome("pass")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if item.nodeid not in self._left_out]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        original = item.obj
        item.obj = self._wrap(original)
        try:
            return (yield)
        finally:
            item.obj = original

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._outcome = Outcome("pass")
        self._internal.taken()
        self._writer.started(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if self._outcome.kind == "pass":
            self._outcome = outcome_of(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        kind, error, text, _ = vars(self._outcome).values()
        self._writer.ended(nodeid, Outcome(kind, error, text, self._internal.taken()))

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            name = f"collecting {report.nodeid}"
            self._writer.ended(name, Outcome("error", text=report.longreprtext))


def outcome_of(report: Any) -> Outcome:
    """The outcome that the report of one phase of a test stands for."""
    if hasattr(report, "wasxfail"):
        return Outcome("xfail" if report.skipped else "xpass")
    if report.skipped:
        return Outcome("skip")
    if report.passed:
        return Outcome("pass")
    crash = getattr(report.longrepr, "reprcrash", None)
    error = crash.message.partition("\n")[0].partition(":")[0] if crash else ""
    kind = "fail" if report.when == "call" else "error"
    return Outcome(kind, error if error.isidentifier() else "", report.longreprtext)
