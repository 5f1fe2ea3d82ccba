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


LOOPS = """
import dyntrace

@dyntrace.optimize
def total(n):
    found = 0
    for i in range(n):
        found += i
    return found

@dyntrace.optimize
def texts(n):
    found = []
    for i in range(n):
        found.append(i)
    return found

def halves(n):
    for i in range(n):
        for j in range(2):
            n = n + j
        print(end="")

total(300)
texts(300)
dyntrace.explain(halves)(200)
"""


@pytest.mark.skipif(not config.jit, reason="loops are not compiled here")
def test_loops_are_told_when_they_are_hot_compiled_given_up_or_cannot_be(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNTRACE_LOOPS", "now")
    text = told(tmp_path, "loop", LOOPS)
    assert "dyntrace loop: script.py:7: total: the loop is hot, and is being compiled" in text
    assert re.search(r"script\.py:7: total: the loop is compiled, in \d+ ms", text)
    assert "script.py:7: total: the loop runs as machine code" in text
    assert re.search(r"script\.py:14: texts: the loop is not compiled: line 15: DT8\d\d ", text)
    assert "script.py:14: texts: the loop is given up" in text
    assert "script.py:20: halves: the loop is given up" in text
    assert set(re.findall(r"^dyntrace (\w+):", text, re.MULTILINE)) == {"loop"}


@pytest.mark.skipif(not config.jit, reason="loops are not compiled here")
def test_what_a_loop_is_compiled_from_is_told_on_demand(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNTRACE_LOOPS", "now")
    text = told(tmp_path, "llvm", LOOPS)
    assert "dyntrace llvm: script.py:7: loop" in text and "define internal i64 @loop." in text


def test_an_unknown_stage_is_named_with_those_there_are(tmp_path):
    text = told(tmp_path, "plan,plans", "import dyntrace")
    assert "DYNTRACE_DEBUG names no stage of dyntrace's: plans. There are: trace, weave, " in text
