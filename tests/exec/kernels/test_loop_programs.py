"""From text to code: compiled once, then loaded by the programs that run after it."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dyntrace import config

pytestmark = pytest.mark.skipif(not config.jit, reason="loops are compiled by llvmlite")

# Prints what eager gives and what machine code gives, and how often LLVM has compiled.
PROGRAM = """
import numpy as np
from dyntrace import optimize
from dyntrace.exec.kernels import llvm

compiled, compile_text = [], llvm.compile_text
llvm.compile_text = lambda text: compiled.append(text) or compile_text(text)

def triangle(a, n):
    total = 0.0
    for i in range(n):
        for j in range(i):
            total += a[i, j] * j
    return total

a = np.arange(100.0).reshape(10, 10)
print(optimize(triangle)(a, 10) == triangle(a, 10), len(compiled))
"""


def run(folder, program=PROGRAM, **variables):
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DYNTRACE_CACHE": str(folder), "DYNTRACE_LOOPS": "now", **variables},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


def test_second_run_of_a_program_compiles_nothing(tmp_path):
    same, compiled = run(tmp_path / "kept")
    assert same == "True" and int(compiled) > 0
    assert len(os.listdir(tmp_path / "kept")) == int(compiled)
    assert run(tmp_path / "kept", PYTHONHASHSEED="7") == ["True", "0"]


def test_damaged_entries_are_compiled_anew(tmp_path):
    first = run(tmp_path / "kept")
    for file in (tmp_path / "kept").iterdir():
        file.write_bytes(file.read_bytes()[:-100])
    assert run(tmp_path / "kept") == first
    assert run(tmp_path / "kept") == ["True", "0"]


def test_programs_without_a_cache_compile_each_time(tmp_path):
    first = run("0", HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "caches"))
    assert first == run("0", HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "caches"))
    assert int(first[1]) > 0
    assert list(tmp_path.iterdir()) == []


def test_home_that_cannot_be_written_costs_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file" / "below")[0] == "True"


def test_a_refused_text_leaves_nothing_that_the_collector_could_close_in_a_wrong_order():
    from dyntrace.exec.kernels import llvm

    text = "define i64 @loop() {\n %b = add i64 %c, 1\n %c = add i64 %b, 1\n ret i64 %b\n}"
    for _ in range(20):
        with pytest.raises(RuntimeError, match="dominate") as found:
            llvm.compile_text(text)
        found.value.itself = found.value
        del found
        gc.collect()
