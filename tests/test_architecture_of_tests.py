"""The shape of the tests: sizes of modules, names of tests, parameters of helpers, depth of loops."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
LOOPS = ast.For | ast.AsyncFor
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path):
    return str(path.relative_to(ROOT))


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def helpers(path):
    """Functions of the module and methods of its classes; functions inside them are programs."""
    for node in tree(path).body:
        if isinstance(node, FUNCTIONS):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (item for item in node.body if isinstance(item, FUNCTIONS))


def by_position(function):
    """The parameters that a call may give without their names, `self` left out."""
    given = function.args
    names = [item.arg for item in (*given.posonlyargs, *given.args)]
    return [name for name in names if name not in ("self", "cls")]


def deepest_loop(node):
    """How many `for` statements stand inside each other, at most."""
    inside = max((deepest_loop(child) for child in ast.iter_child_nodes(node)), default=0)
    return inside + isinstance(node, LOOPS)


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


@each_module
def test_test_modules_stay_within_700_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 700


@each_module
def test_names_of_tests_are_sentences(path):
    names = [node.name for node in helpers(path) if node.name.startswith("test_")]
    assert [name for name in names if len(name.split("_")) < 4] == [], "of at least three words"
    assert [name for name in names if re.search(r"\d$", name)] == [], "not numbered"


@each_module
def test_helpers_take_at_most_six_parameters(path):
    assert [node.name for node in helpers(path) if len(by_position(node)) > 6] == []


@each_module
def test_loops_are_at_most_three_deep(path):
    assert [node.name for node in helpers(path) if deepest_loop(node) > 3] == []


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if name_of(path).startswith(("machine/", "exec/"))],
    ids=name_of,
)
def test_lines_of_proofs_stay_within_100_columns(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > 100] == []
