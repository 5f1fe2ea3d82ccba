"""The report on a script: module-level work, then functions by work done, libraries folded."""

import sys

import pytest

from dyntrace.report.data import BreakReport, Explanation, GraphReport
from dyntrace.report.html import page
from dyntrace.report.text import all_findings_text
from dyntrace.report.whole import whole_report
from tests.report.test_records import sine_of_sum

INSTALLED = "/usr/lib/python3/site-packages/stencils/core.py"
SCRIPT = "import numpy as np\nfor i in range(3):\n    np.sin(i)\n"


def with_graph(name, filename, calls):
    graph = GraphReport(sine_of_sum(filename), filename, 7, 8, calls=calls)
    return Explanation([graph], name=name, filename=filename)


def with_break(name, filename, code):
    return Explanation([], [BreakReport.of(code, filename, 3)], name=name, filename=filename)


@pytest.fixture
def script(tmp_path, monkeypatch):
    path = tmp_path / "model.py"
    path.write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setattr(sys, "modules", {})
    return str(path)


@pytest.fixture
def whole(script):
    found = [
        with_break("Body", script, "DT308"),
        with_graph("rare", script, 2),
        with_graph("often", script, 900),
        with_break("__new__", "<string>", "DT101"),
        with_break("draws", script, "DT204"),
        with_break("plain", script, "DT101"),
        with_graph("step", INSTALLED, 5),
        with_graph("field", INSTALLED, 6),
    ]
    return whole_report(found, script)


def test_module_level_comes_first_then_the_busiest_functions(whole):
    names = [one.name for one in whole.own]
    assert names == ["model.py, module level", "often", "rare", "draws"]
    assert [item.code for item in whole.own[0].breaks] == ["DT604"]


def test_each_library_is_one_line(whole):
    line = "stencils: 2 functions with array work, 2 graphs, 22 operations run"
    assert whole.libraries == [line]
    assert all_findings_text(whole.own, whole.libraries).endswith(f"library {line}")
    assert line in page(whole.own, "model.py", whole.libraries)


def test_a_script_without_array_work_is_said_to_have_none(tmp_path, monkeypatch):
    path = tmp_path / "plain.py"
    path.write_text("print(1)\n", encoding="utf-8")
    monkeypatch.setattr(sys, "modules", {})
    whole = whole_report([], str(path))
    assert all_findings_text(whole.own, whole.libraries) == "No array work was met."


def test_modules_of_the_users_own_are_read_too(script, tmp_path, monkeypatch):
    other = tmp_path / "tables.py"
    other.write_text("import numpy as np\nT = np.ones(3)\n", encoding="utf-8")
    monkeypatch.setattr(sys, "modules", {"tables": type("M", (), {"__file__": str(other)})})
    names = [one.name for one in whole_report([], script).own]
    assert names == ["model.py, module level", "tables.py, module level"]
