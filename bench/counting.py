"""Counts the NumPy calls a program makes under plain Python, by source position.

`Instrument` rewrites the program's syntax tree, so that every call, operator and subscript reports
to a `Recorder`. The docstring of `bench.shares` defines what a NumPy call is; the methods of
`Recorder` apply the definition here, and `bench.shares.is_numpy_node` applies it to graphs.
"""

from __future__ import annotations

import ast
import contextlib
import io
import types
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

MODES = {"errstate", "set_printoptions", "printoptions", "seterr"}


@dataclass
class Recorder:
    """Receives each call, operator and subscript; counts those of NumPy by source position."""

    calls: Counter[tuple[int, ...]] = field(default_factory=Counter)
    draws: Counter[tuple[int, ...]] = field(default_factory=Counter)

    def callee(self, function: Any, *at: int) -> Any:
        """Count a function that is about to be called."""
        if is_numpy_callable(function):
            drawn = module_of(function).startswith("numpy.random")
            (self.draws if drawn else self.calls)[at] += 1
        return function

    def result(self, value: Any, *at: int) -> Any:
        """Count the result of an operator."""
        self.calls[at] += isinstance(value, np.ndarray | np.generic)
        return value

    def base(self, value: Any, weight: int, *at: int) -> Any:
        """Count a subscripted object; `weight` is 3 for `a[i] += v`: a read, an add, a write."""
        self.calls[at] += weight * isinstance(value, np.ndarray)
        return value


def module_of(function: Any) -> str:
    """The module of a function, or of the type whose method it is."""
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, types.ModuleType):
        return type(owner).__module__
    return getattr(function, "__module__", None) or ""


def is_numpy_callable(function: Any) -> bool:
    module = "numpy" if isinstance(function, np.ufunc) else module_of(function)
    return module.split(".")[0] == "numpy" and getattr(function, "__name__", "") not in MODES


class Instrument(ast.NodeTransformer):
    """Wraps each candidate expression in a call of the recorder, which is named `__recorder__`."""

    def report(
        self, method: str, at: ast.expr | ast.stmt, node: ast.expr, *weight: int
    ) -> ast.expr:
        recorder = ast.Attribute(ast.Name("__recorder__", ast.Load()), method, ast.Load())
        position = (at.lineno, at.col_offset, at.end_col_offset)
        numbers = [ast.Constant(value) for value in (*weight, *position)]
        return ast.copy_location(ast.Call(recorder, [node, *numbers], []), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        node.func = self.report("callee", node, node.func)
        return node

    def visit_operator(self, node: ast.expr) -> ast.expr:
        self.generic_visit(node)
        return self.report("result", node, node)

    visit_BinOp = visit_Compare = visit_operator

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.Not):
            return self.generic_visit(node)
        return self.visit_operator(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        node.value = self.report("base", node, node.value, 1)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        node.value = self.visit(node.value)
        if isinstance(node.target, ast.Subscript):
            node.target.slice = self.visit(node.target.slice)
            node.target.value = self.report("base", node, self.visit(node.target.value), 3)
            return node
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        after = ast.Expr(self.report("result", node, ast.copy_location(target, node)))
        return [node, ast.copy_location(after, node)]


def run_program(path: Path, times: int = 1, recorder: Recorder | None = None) -> None:
    """Run a program's top level once and its `main` `times` times, its output thrown away."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    if recorder is not None:
        tree = ast.fix_missing_locations(Instrument().visit(tree))
    namespace = {"__name__": path.stem, "__file__": str(path), "__recorder__": recorder}
    code = compile(tree, str(path), "exec")
    with contextlib.redirect_stdout(io.StringIO()), np.printoptions():
        exec(code, namespace)
        for _ in range(times):
            namespace["main"]()
