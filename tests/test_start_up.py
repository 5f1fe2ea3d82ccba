"""What importing costs, in things that can be counted: modules, lines executed, classes compiled.

Times differ from machine to machine; a module more, or a loop over a table, shows here at once.
"""

import json
import subprocess
import sys

import pytest

from dyntrace import config

# What the first call needs of the standard library beyond what NumPy has imported.
NEEDED = frozenset("__future__ _bisect atexit bisect cmath copy gc threading".split())
NEEDED |= {"_xxsubinterpreters"}  # 3.11 has no other way to ask for the main interpreter
FIRST_CALL = """
import dyntrace

def norm(x):
    y = x * 2 + 1
    return np.sqrt(y).sum()

fast = dyntrace.optimize(norm)
assert fast(np.ones(100)) == norm(np.ones(100))
"""
COUNTING = """
import sys
lines = {}
def count(frame, event, argument):
    if event == "line":
        lines[frame.f_code.co_filename] = lines.get(frame.f_code.co_filename, 0) + 1
    return count
sys.settrace(count)
"""


def in_a_fresh_process(text):
    """What the last line of the program prints, read as JSON."""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def imported_by(text):
    """The modules that `text` imports in a process that has imported NumPy."""
    return set(
        in_a_fresh_process(
            "import sys, json, numpy as np\nbefore = set(sys.modules)\n"
            f"{text}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
        )
    )


def lines_of(text):
    """How many lines `text` executes outside the import system, by file."""
    lines = in_a_fresh_process(
        f"import json, numpy\n{COUNTING}\n{text}\nsys.settrace(None)\nprint(json.dumps(lines))"
    )
    return {name: count for name, count in lines.items() if not name.startswith("<frozen")}


def test_importing_the_package_imports_next_to_nothing():
    own = {f"dyntrace.{name}" for name in ("config", "errors", "isolation")}
    found = imported_by("import dyntrace")
    assert {name for name in found if name.startswith("dyntrace")} == {"dyntrace", *own}
    assert found - {"dyntrace", *own} <= NEEDED


def test_the_first_call_imports_little_beside_numpy():
    found = {name for name in imported_by(FIRST_CALL) if not name.startswith("dyntrace")}
    assert found <= NEEDED, sorted(found - NEEDED)


def test_the_first_call_imports_what_it_runs_and_no_more():
    found = {name for name in imported_by(FIRST_CALL) if name.startswith("dyntrace.")}
    python_only = ("backends.generation", "lower.lower_effects", "backends.reference")
    for name in ("report", "programs", *(f"exec.{module}" for module in python_only)):
        __import__(f"dyntrace.{name}")
        assert not any(module.startswith(f"dyntrace.{name}") for module in found)
    assert len(found) <= (166 if config.native else 176), sorted(found)


def test_later_calls_import_nothing():
    again = "fast(np.ones(100))\nbefore = set(sys.modules)\nfor _ in range(5): fast(np.ones(100))"
    assert imported_by(FIRST_CALL + again) == set()


@pytest.mark.parametrize(
    ("text", "most"), [("import dyntrace", 670), ("import dyntrace.api", 54_950)]
)
def test_importing_executes_few_lines(text, most):
    lines = lines_of(text)
    assert sum(lines.values()) <= most, sorted(lines.items(), key=lambda item: -item[1])[:20]
