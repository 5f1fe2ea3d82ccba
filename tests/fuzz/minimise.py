"""Shrink a failing program: drop statements and replace expressions while the difference stays.

Each candidate runs in a child process of its own, so that endless loops and crashes end with it.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import os
import signal


def minimised(case):
    """The smallest case found by greedy steps that still differs in the same kind of fact."""
    wanted = kind_of(case.differences())
    if wanted is None:  # it differs once in a process only
        return case
    tree, position = ast.parse(case.source), 0
    while (candidate := next(_smaller(tree, position), None)) is not None:
        size = len(ast.unparse(tree))
        smaller = dataclasses.replace(case, source=ast.unparse(candidate))
        if len(smaller.source) < size and _still_fails(smaller, wanted):
            tree = candidate
        else:
            position += 1
    return dataclasses.replace(case, source=ast.unparse(tree))


def kind_of(found):
    """What differs: result, argument, warning, …, or an internal error and its last line."""
    internal = [line for line in found if line.startswith("internal error")]
    if internal:
        return internal[0]
    return found[1].split("[")[0].split(" ")[0] if found else None


def _still_fails(case, wanted, seconds=4):
    child = os.fork()
    if child == 0:
        signal.alarm(seconds)
        code = 1
        try:
            code = 0 if kind_of(case.differences()) == wanted else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _smaller(tree, start):
    """The candidates from number `start` on; their order is stable while `tree` only shrinks."""
    for number, make in enumerate(_steps(tree)):
        if number >= start:
            yield make()


def _steps(tree):
    """One callable per candidate: a statement gone, a block unwrapped, an expression replaced."""
    for index, node in enumerate(ast.walk(tree)):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                for position in range(len(value)):
                    yield lambda i=index, n=name, p=position: _without(tree, i, n, p)
                    if isinstance(value[position], (ast.If, ast.For, ast.While, ast.With, ast.Try)):
                        yield lambda i=index, n=name, p=position: _unwrapped(tree, i, n, p)
            for at, child in _operands(value):
                yield lambda i=index, n=name, c=child, p=at: _replaced(tree, i, n, c, p)


def _operands(value):
    """The expressions that an expression in this field consists of, with its place in a list."""
    for position, item in enumerate(value if isinstance(value, list) else [value]):
        at = position if isinstance(value, list) else None
        for child in ast.iter_child_nodes(item) if isinstance(item, ast.expr) else ():
            if isinstance(child, ast.expr):
                yield at, child


def _nth(tree, index):
    return next(node for i, node in enumerate(ast.walk(tree)) if i == index)


def _without(tree, index, name, position):
    clone = copy.deepcopy(tree)
    body = getattr(_nth(clone, index), name)
    del body[position]
    if not body and name not in ("orelse", "finalbody", "handlers"):
        body.append(ast.Pass())
    return clone


def _unwrapped(tree, index, name, position):
    clone = copy.deepcopy(tree)
    body = getattr(_nth(clone, index), name)
    body[position : position + 1] = body[position].body
    return clone


def _replaced(tree, index, name, child, position):
    clone = copy.deepcopy(tree)
    node = _nth(clone, index)
    if position is None:
        setattr(node, name, copy.deepcopy(child))
    else:
        getattr(node, name)[position] = copy.deepcopy(child)
    return clone
