"""Stages are told to stderr with the user's line, and only those that are asked for."""

import os
import re
import subprocess
import sys

import pytest

from dyntrace import config

SCRIPT = """
import numpy as np
import dyntrace

@dyntrace.optimize
def step(x, n):
    y = x * 2.0 + 1.0
    if y.sum() > n:
        y = np.sqrt(y)
    return y - 0.5

for _ in range(3):
    step(np.ones(8), 3)
"""
HEADS = {
    "trace": "dyntrace trace: script.py:5: step, analysis 1",
    "weave": "dyntrace weave: script.py:5: step, version 1: ",
    "program": "dyntrace program: script.py:7: program",
    "plan": "dyntrace plan: script.py:7: plans",
}


def told(tmp_path, stages, script=SCRIPT):
    (tmp_path / "script.py").write_text(script)
    environment = {**os.environ, "DYNTRACE_DEBUG": stages, "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "script.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr


def test_nothing_is_told_that_is_not_asked_for(tmp_path):
    assert told(tmp_path, "") == ""


@pytest.mark.parametrize("stage", HEADS)
def test_each_stage_is_told_alone_with_the_users_line(tmp_path, stage):
    text = told(tmp_path, stage)
    if stage in ("program", "plan") and not config.native:
        assert text == ""  # there is no machine
        return
    assert HEADS[stage] in text
    assert set(re.findall(r"^dyntrace (\w+):", text, re.MULTILINE)) == {stage}


def test_traces_name_graphs_and_breaks(tmp_path):
    text = told(tmp_path, "trace")
    assert re.search(r"lines 7 to 8: a graph of \d nodes", text)
    assert re.search(r"line 8: DT\d\d\d ", text)


@pytest.mark.skipif(not config.native, reason="there is no machine")
def test_regions_that_are_given_up_are_told(tmp_path):
    script = """
import numpy as np
import dyntrace

@dyntrace.optimize
def step(x):
    return np.add(x * 2.0, x, dtype=x.dtype) / x

with np.errstate(divide="raise"):
    for _ in range(20):
        try:
            step(np.zeros(3) + 1.0)
            step(np.array([1.0, 0.0, 1.0]))
        except FloatingPointError:
            pass
"""
    text = told(tmp_path, "retire", script)
    assert re.search(
        r"dyntrace retire: script\.py:7: step: region is given up, DT\d\d\d .* after", text
    )


def test_an_unknown_stage_is_named_with_those_there_are(tmp_path):
    text = told(tmp_path, "plan,plans", "import dyntrace")
    assert "DYNTRACE_DEBUG names no stage of dyntrace's: plans. There are: trace, weave, " in text
