"""Modules: the NumPy work that a file does outside its functions, which is never captured (DT604).

`module_level_work` reads the source and runs nothing. A statement is array work if it calls,
computes or subscripts with a name that an import binds to NumPy or SciPy, or with a name assigned
from such an expression. Invariant: bodies of functions, classes and lambdas are not read.
`report.whole` uses it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from dyntrace.breaks import MODULE_LEVEL
from dyntrace.report.records import BreakReport

__all__ = ["module_level_work"]

_PACKAGES = frozenset({"numpy", "scipy"})
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WORK = (ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript, ast.AugAssign)


def module_level_work(source: str, filename: str) -> list[BreakReport]:
    """A report for each outermost loop with array work, and one for all other statements."""
    work = _Module()
    work.read(ast.parse(source).body)
    found = [
        BreakReport.of(MODULE_LEVEL.code, filename, line, f"a loop with {_count(lines)}")
        for line, lines in work.loops
    ]
    if work.plain:
        detail = f"{_count(work.plain)} at {_lines(work.plain)}"
        found.append(BreakReport.of(MODULE_LEVEL.code, filename, work.plain[0], detail))
    return found


class _Module:
    """The result of the statements read so far: lines with array work, and names of arrays."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.plain: list[int] = []
        self.loops: list[tuple[int, list[int]]] = []

    def read(self, body: Iterable[ast.stmt], into: list[int] | None = None) -> None:
        """Read statements in order; `into` collects the lines of the loop they stand in."""
        lines = self.plain if into is None else into
        for statement in body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.names.update(_imported(statement))
            elif not isinstance(statement, _INNER):
                self._read_one(statement, lines, into is None)

    def _read_one(self, statement: ast.stmt, lines: list[int], outermost: bool) -> None:
        mine: list[int] = [] if outermost and isinstance(statement, _LOOPS) else lines
        heads = list(_heads(statement))
        if any(self._works(node) for head in heads for node in _expressions(head)):
            mine.append(statement.lineno)
        if any(self._mentions(head) for head in heads):
            self.names.update(_targets(statement))
        inner = None if mine is self.plain else mine
        for block in _blocks(statement):
            self.read(block, inner)
        if mine is not lines and mine:
            self.loops.append((statement.lineno, mine))

    def _works(self, node: ast.AST) -> bool:
        return isinstance(node, _WORK) and self._mentions(node)

    def _mentions(self, node: ast.AST) -> bool:
        return any(isinstance(one, ast.Name) and one.id in self.names for one in _expressions(node))


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The names that an import binds to NumPy, SciPy or something from them."""
    if isinstance(statement, ast.ImportFrom):
        if not statement.level and (statement.module or "").partition(".")[0] in _PACKAGES:
            yield from (alias.asname or alias.name for alias in statement.names)
        return
    for alias in statement.names:
        if alias.name.partition(".")[0] in _PACKAGES:
            yield alias.asname or alias.name.partition(".")[0]


def _heads(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement, without the statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield child
    if isinstance(statement, ast.AugAssign):
        yield statement


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and all nodes below it, except bodies of functions, classes and lambdas."""
    if isinstance(node, _INNER):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _expressions(child)


def _targets(statement: ast.stmt) -> Iterator[str]:
    for head in _heads(statement):
        for node in _expressions(head):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of a compound statement, in order."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if isinstance(block, list):
            yield block
    for name in ("handlers", "cases"):
        yield from (part.body for part in getattr(statement, name, ()))


def _count(lines: list[int]) -> str:
    number = len(set(lines))
    return f"{number} statement{'' if number == 1 else 's'}"


def _lines(lines: list[int]) -> str:
    """`lines 3-5, 9`."""
    spans: list[list[int]] = []
    for line in sorted(set(lines)):
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    texts = [str(low) if low == high else f"{low}-{high}" for low, high in spans]
    return f"line{'' if texts == [str(lines[0])] else 's'} {', '.join(texts)}"
