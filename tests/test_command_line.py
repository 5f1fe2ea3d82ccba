"""`python -m dyntrace`: but for what is reported, a script runs as under `python script.py`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dyntrace
from dyntrace import config
from dyntrace.__main__ import NO_HOOK

SOURCE = str(Path(dyntrace.__file__).parent.parent)

WORK = """
import numpy as np
def work(x):
    return np.sin(x) * 2 + x
total = np.zeros(3)
for i in range(20):
    total = total + work(np.arange(3.0))
print(total)
"""

ABOUT_ITSELF = """
import os, pickle, sys
class Thing:
    pass
print(__name__, os.path.basename(__file__), os.path.isabs(__file__), __spec__, __package__)
print(sys.argv[1:], os.path.basename(sys.argv[0]))
print(os.path.samefile(sys.path[0], os.path.dirname(__file__)))
print(sys.modules["__main__"].Thing is Thing, type(pickle.loads(pickle.dumps(Thing()))) is Thing)
print(sorted(name for name in globals() if name.startswith("__")))
import neighbour
"""


def python(*arguments, cwd, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": SOURCE},
        **options,
    )


@pytest.fixture
def script(tmp_path):
    def write(text, name="script.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def both(path, *arguments):
    """The run under plain Python and the run under dyntrace, without dyntrace's own remark."""
    plain = python(path, *arguments, cwd=path.parent)
    ours = python("-m", "dyntrace", "run", path, *arguments, cwd=path.parent)
    if not dyntrace.config.native:
        assert ours.stderr.startswith(NO_HOOK)
        ours.stderr = ours.stderr.removeprefix(f"{NO_HOOK}\n")
    return plain, ours


def test_script_sees_the_module_argv_and_path_it_would_see(script):
    script("print('imported', __name__)", "neighbour.py")
    plain, ours = both(script(ABOUT_ITSELF), "-x", "--report", "run", "a b")
    assert plain.returncode == 0
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, 0)


@pytest.mark.parametrize("code", ["0", "3", "'words'", "None"])
def test_exit_codes_pass_through(script, code):
    plain, ours = both(script(f"import sys\nsys.exit({code})"))
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return 1 / x\n\nf(0)\n",
        "import numpy as np\ndef f(x):\n    return x @ np.ones(3)\nf(np.ones(2))\n",
        "x = (1,\n",
        "raise SystemError('own')\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e\n",
    ],
)
def test_an_uncaught_exception_prints_the_traceback_of_the_script(script, text):
    plain, ours = both(script(text))
    assert plain.returncode == ours.returncode == 1
    assert ours.stderr == plain.stderr


def test_input_and_output_are_the_scripts_own(script):
    path = script("print(input().upper())")
    ours = python("-m", "dyntrace", "run", path, cwd=path.parent, input="text\n")
    assert ours.stdout == "TEXT\n"


def test_a_missing_script_is_told(tmp_path):
    ours = python("-m", "dyntrace", "run", "nowhere.py", cwd=tmp_path)
    assert ours.returncode == 2
    assert "can't open file" in ours.stderr and "nowhere.py" in ours.stderr


LOOP = """
def total(n):
    found = 0
    for i in range(n):
        found += i
    return found

total(100)
"""


@pytest.mark.parametrize("jit", ["1", "0"])
@pytest.mark.skipif(not config.jit, reason="loops are not compiled here")
def test_explain_compiles_the_loops_of_a_script_or_says_once_what_is_missing(
    tmp_path, monkeypatch, jit
):
    monkeypatch.setenv("DYNTRACE_JIT", jit)
    path = tmp_path / "script.py"
    path.write_text(f"import numpy as np\n{LOOP}")
    done = python("-m", "dyntrace", "explain", path, cwd=tmp_path)
    assert ("loop 1: script.py:5, compiled in " in done.stdout) is (jit == "1")
    assert done.stdout.count("note: DT607: ") == (jit == "0")


def test_explain_prints_what_was_captured_after_the_output(script):
    path = script(WORK)
    plain = python(path, cwd=path.parent)
    ours = python("-m", "dyntrace", "explain", path, cwd=path.parent)
    assert ours.returncode == 0
    assert ours.stdout.startswith(plain.stdout)
    explained = ours.stdout.removeprefix(plain.stdout)
    if dyntrace.config.native:
        assert "script.py" in explained and "np.sin(" in explained
    assert "DT604 at script.py:6: NumPy work at module level" in explained


NOISY = """
from collections import namedtuple
from dataclasses import dataclass
import numpy as np
Pair = namedtuple("Pair", "a b")
@dataclass
class Point:
    x: int
    def twice(self):
        return self.x * 2
def words(n):
    return "a" * n
def main():
    Pair(1, 2), Point(3).twice(), words(3)
    return np.sum(np.ones(3) * 2)
print(np.ones(3) * 2)
for _ in range(3):
    main()
"""


def test_a_report_lists_only_what_has_array_work(script):
    path = script(NOISY)
    ours = python("-m", "dyntrace", "explain", path, cwd=path.parent)
    assert ours.returncode == 0
    heads = [line.partition(":")[0] for line in ours.stdout.splitlines() if " graph" in line]
    heads = [head for head in heads if not head.startswith(("graph", "note")) and "%" not in head]
    assert heads == ["script.py, module level"] + ["main"] * dyntrace.config.native


def test_report_is_written_as_html(script):
    path = script(WORK)
    ours = python("-m", "dyntrace", "run", "--report", "out.html", path, cwd=path.parent)
    assert ours.returncode == 0
    page = (path.parent / "out.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "np.sin(" in page or not dyntrace.config.native


def test_ops_lists_public_callables_and_totals(tmp_path):
    ours = python("-m", "dyntrace", "ops", cwd=tmp_path)
    assert ours.returncode == 0
    for name in ("sin", "einsum", "solve", "rfft", "standard_normal", "cumsum", "captured"):
        assert name in ours.stdout


def test_a_command_is_required(tmp_path):
    ours = python("-m", "dyntrace", cwd=tmp_path)
    assert ours.returncode == 2 and "usage: dyntrace" in ours.stderr
