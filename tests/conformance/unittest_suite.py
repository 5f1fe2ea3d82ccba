"""Runs one module of CPython's test suite and records how each test ended.

Invariant: tests that need what a test run does not have by default (the network, much memory or
time) are skipped, as CPython's own runner skips them.
"""

from __future__ import annotations

import importlib
import traceback
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.records import Outcome, Writer
from tests.conformance.through import InternalErrors

# Of two things told of one test, the one further right is how it ended.
SEVERITY = ("pass", "skip", "xfail", "xpass", "fail", "error")


def run(
    target: str,
    wrap: Callable[[Any], Any],
    writer: Writer,
    errors: InternalErrors,
    left_out: frozenset[str],
) -> None:
    """Run the tests of the module `target` whose names are not in `left_out`."""
    _switch_resources_off()
    module = importlib.import_module(target)
    suite = unittest.TestSuite()
    for test in flat(unittest.defaultTestLoader.loadTestsFromModule(module)):
        test.conformance_name = writer.unique(test.id())
        if test.conformance_name not in left_out:
            _trace(test, wrap)
            suite.addTest(test)
    suite.run(Recording(writer, errors))


def _switch_resources_off() -> None:
    support = importlib.import_module("test.support")
    support.use_resources = []


def flat(tests: Any) -> Iterator[Any]:
    """The tests in a suite of suites, in order."""
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def _trace(test: Any, wrap: Callable[[Any], Any]) -> None:
    """Have the instance call its test method traced; the class stays as it is."""
    name = getattr(test, "_testMethodName", None)
    method = getattr(test, name, None) if name else None
    if method is not None:
        traced = wrap(method)
        if traced is not method:
            setattr(test, name, traced)


class Recording(unittest.TestResult):
    """Writes down each test when it starts and when it has ended."""

    def __init__(self, writer: Writer, errors: InternalErrors) -> None:
        super().__init__()
        self._writer = writer
        self._internal = errors
        self._worst = Outcome("pass")

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._worst = Outcome("pass")
        self._internal.taken()
        self._writer.started(test.conformance_name)

    def stopTest(self, test: Any) -> None:
        super().stopTest(test)
        kind, error, text, _ = vars(self._worst).values()
        outcome = Outcome(kind, error, text, self._internal.taken())
        self._writer.ended(test.conformance_name, outcome)

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._tell(test, Outcome("skip", text=reason))

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._tell(test, outcome_of("fail", err))

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._tell(test, outcome_of("error", err))

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._tell(test, Outcome("xfail"))

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._tell(test, Outcome("xpass"))

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self._tell(test, outcome_of("fail" if failed else "error", err))

    def _tell(self, test: Any, outcome: Outcome) -> None:
        if not hasattr(test, "conformance_name") and not hasattr(test, "test_case"):
            name = self._writer.unique(test.id())  # setUpClass or setUpModule: no test is running
            self._writer.ended(name, outcome)
        elif SEVERITY.index(outcome.kind) > SEVERITY.index(self._worst.kind):
            self._worst = outcome


def outcome_of(kind: str, err: Any) -> Outcome:
    """The outcome that an exception stands for."""
    return Outcome(kind, err[0].__name__, "".join(traceback.format_exception(*err)))
