"""Prints what was found, module by module and in all, and knows the exit code.

Invariant: a difference that is not listed, and a module that could not be compared, make it 1.
"""

from __future__ import annotations

import textwrap
import time

from tests.conformance.comparison import Comparison, Difference
from tests.conformance.discovery import Module
from tests.conformance.known import KnownDifference


class Report:
    """Adds up comparisons while it prints them."""

    def __init__(self, known: KnownDifference, details: bool) -> None:
        self._known = known
        self._details = details
        self._began = time.monotonic()
        self._same = self._different = self._listed = self._unstable = self._internal = 0
        self._troubles = 0

    def without_those_not_run(self, tasks: list[tuple[Module, str]]) -> list[tuple[Module, str]]:
        """`tasks` without those that the list says are not to be run, which are named."""
        running = []
        for module, through in tasks:
            entry = self._known.not_run(module, through)
            if entry is None:
                running.append((module, through))
            else:
                print(f"{module.name}: not run: {entry.reason}")
        return running

    def add(self, found: Comparison) -> None:
        """Print and count one module."""
        tests = [item.test for item in found.different]
        listed = self._known.look_at(found.module, found.through, tests)
        self._same += found.same
        self._different += len(found.different)
        self._listed += len(listed)
        self._unstable += len(found.unstable)
        self._internal += found.internal
        counts = f"{found.same} same, {len(found.different)} different"
        traced = f"through {found.through} {found.functions} functions, {found.graphs} graphs"
        print(f"{found.module.name}: {counts}; {traced}, {found.seconds:.0f} s", flush=True)
        for item in found.different:
            if item.test in listed:
                print(f"  known      {item.test}: {listed[item.test].reason}")
            else:
                self._show("different", item)
        for item in found.unstable:
            print(f"  unstable   {item}")
        if found.trouble:
            self._troubles += 1
            print(f"  trouble    {found.trouble}")

    def _show(self, word: str, item: Difference) -> None:
        print(f"  {word}  {item}")
        text = (item.traced.text or item.plain.text).strip()
        if text:
            shown = text if self._details else text.splitlines()[-1][:200]
            print(textwrap.indent(shown, "             "))

    def close(self) -> int:
        """Print the sums; the exit code."""
        for entry in self._known.gone():
            print(f"listed as different, but the same: {entry}")
        print(
            f"in all: {self._same} same, {self._different} different "
            f"(of which {self._listed} are listed), {self._unstable} unstable, "
            f"{self._internal} internal errors, {self._troubles} modules in trouble, "
            f"in {time.monotonic() - self._began:.0f} s",
            flush=True,
        )
        return 1 if self._different > self._listed or self._troubles else 0
