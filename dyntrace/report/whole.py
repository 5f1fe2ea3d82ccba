"""Whole: the report on a script, in the order that matters to its author.

NumPy work at module level comes first; then the functions of the user's files, by the time spent in
them where that was counted, else by the operations run in their graphs; then one line for each
library. Invariant: functions without array work are left out, and so is code that the standard
library generates.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dyntrace.breaks import NOT_NUMERIC
from dyntrace.programs.accounts import Accounts
from dyntrace.programs.screen import hot_functions
from dyntrace.report.data import Explanation
from dyntrace.report.modules import module_level_work
from dyntrace.runtime.failures import INSTALLED, is_home_file

__all__ = ["WholeReport", "whole_report"]


@dataclass(slots=True)
class WholeReport:
    """A report on a script.

    own        the findings on the user's files
    libraries  one line for each library
    hot        a line for each function that took most of the time, if time was counted
    """

    own: list[Explanation] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    hot: list[str] = field(default_factory=list)


def whole_report(
    found: Iterable[Explanation], script: str, accounts: Accounts | None = None
) -> WholeReport:
    """Arrange the findings of a run of `script`; `accounts` has the time spent, if counted."""
    worth_telling = [one for one in found if has_array_work(one)]
    own = [one for one in worth_telling if is_own(one.filename)]
    own.sort(key=executed, reverse=True)
    if accounts is not None and accounts.seconds:
        spent = {key[:2]: -seconds for key, (seconds, _) in accounts.functions().items()}
        own.sort(key=lambda one: spent.get((one.filename, one.name), 0.0))
    others = [one for one in worth_telling if one not in own]
    modules = [of_module(filename) for filename in own_modules(script)]
    hot = [] if accounts is None else hot_functions(accounts)
    return WholeReport([one for one in modules if one.breaks] + own, libraries_of(others), hot)


def has_array_work(one: Explanation) -> bool:
    """Whether there are graphs, compiled loops, notes, or breaks at NumPy's calls (DT2xx)."""
    if one.op_count or one.retired or one.notes or any(loop.compiled for loop in one.loops):
        return True
    return any(item.code.startswith(NOT_NUMERIC.code[:3]) for item in one.breaks)


def executed(one: Explanation) -> int:
    return sum(graph.executed for graph in one.graphs)


def is_own(filename: str) -> bool:
    """Whether a file is the user's: not generated, installed or of the standard library."""
    if filename.startswith("<") or is_home_file(filename):
        return False
    return not any(folder in filename for folder in INSTALLED)


def own_modules(script: str) -> list[str]:
    """The script, and the user's own modules it imported."""
    held = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    files = {name for name in held if isinstance(name, str) and name.endswith(".py")}
    return [script, *sorted(name for name in files - {script} if is_own(name))]


def of_module(filename: str) -> Explanation:
    """The findings on the module-level work of a file."""
    found = Explanation(name=f"{Path(filename).name}, module level", filename=filename)
    try:
        source = Path(filename).read_text(encoding="utf-8")
        found.breaks = module_level_work(source, filename)
    except (OSError, SyntaxError, ValueError) as error:
        found.notes = [f"the source could not be read: {error}"]
    return found


def libraries_of(found: list[Explanation]) -> list[str]:
    """`scipy: 3 functions, 5 graphs that ran 40 operations`, the busiest first."""
    groups: dict[str, list[Explanation]] = {}
    for one in found:
        name = library(one.filename)
        if name:
            groups.setdefault(name, []).append(one)
    busiest = sorted(groups.items(), key=lambda item: -sum(map(executed, item[1])))
    return [library_line(name, group) for name, group in busiest]


def library(filename: str) -> str:
    """The installed package a file belongs to; empty for generated and standard code."""
    for folder in INSTALLED:
        if folder in filename:
            return Path(filename.rpartition(folder)[2]).parts[0].removesuffix(".py")
    return ""


def library_line(name: str, group: list[Explanation]) -> str:
    graphs = sum(one.graph_count for one in group)
    operations = sum(map(executed, group))
    functions = f"{len(group)} function{'' if len(group) == 1 else 's'}"
    return f"{name}: {functions} with array work, {graphs} graphs, {operations} operations run"
