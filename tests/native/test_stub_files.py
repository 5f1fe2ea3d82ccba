"""The stub files of the native modules name what the modules have, and nothing else."""

import ast
import importlib
import sys
from pathlib import Path

import pytest

import dyntrace
from dyntrace import config

FOLDER = Path(dyntrace.__file__).parent
ONLY_BEFORE_312 = {"reach", "reach_configure", "reach_now"}
ONLY_FROM_312 = {"on_jump", "on_start"}


@pytest.mark.skipif(not (config.native and config.sampler), reason="the modules are not in use")
@pytest.mark.parametrize("name", ["_native", "_sampler"])
def test_a_stub_file_names_what_its_module_has(name):
    module = importlib.import_module(f"dyntrace.{name}")
    tree = ast.parse((FOLDER / f"{name}.pyi").read_text(encoding="utf-8"))
    named = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    other = ONLY_FROM_312 if sys.version_info < (3, 12) else ONLY_BEFORE_312
    assert named - other == {one for one in vars(module) if not one.startswith("__")}
