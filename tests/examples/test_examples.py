"""Every example program prints the same under plain Python, the command line, and `optimize`."""

import contextlib
import importlib.util
import io
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import dyntrace
from dyntrace import config

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PROGRAMS = sorted(path.stem for path in EXAMPLES.glob("*.py"))

each_program = pytest.mark.parametrize("name", PROGRAMS)


def run_python(*arguments):
    """Run Python on `arguments`; where dyntrace was imported from here, it is there too."""
    source = str(Path(dyntrace.__file__).parent.parent)
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": source, "PYTHONWARNINGS": "error"},
    )


def load(name):
    """A fresh module object of an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def optimise_everything(module):
    """Replace the functions of `module`, and the methods of its classes, by optimised ones."""
    for name, value in list(vars(module).items()):
        if isinstance(value, types.FunctionType):
            setattr(module, name, dyntrace.optimize(value))
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for method, function in list(vars(value).items()):
                if isinstance(function, types.FunctionType):
                    setattr(value, method, dyntrace.optimize(function))


def printed_by_main(module):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), np.printoptions():
        module.main()
    return out.getvalue()


@each_program
def test_examples_do_not_know_dyntrace(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert "dyntrace" not in text
    assert "def main():" in text


@each_program
def test_command_line_prints_what_plain_python_prints(name):
    plain = run_python(EXAMPLES / f"{name}.py")
    assert (plain.returncode, plain.stderr) == (0, "")
    ours = run_python("-m", "dyntrace", "run", EXAMPLES / f"{name}.py")
    assert ours.stdout == plain.stdout
    assert ours.returncode == 0
    assert ours.stderr == "" or not config.native


@each_program
def test_optimised_functions_print_what_the_originals_print(name):
    expected = printed_by_main(load(name))
    module = load(name)
    optimise_everything(module)
    for _ in range(3):
        assert printed_by_main(module) == expected


def numbers(*shape):
    return np.random.default_rng(0).uniform(0.5, 1.5, shape)


def network():
    module = load("network")
    rng = np.random.default_rng(0)
    return module.Network(rng, 2, 8), *module.spirals(rng, 20)


def system():
    return load("nbody").random_system(np.random.default_rng(0), 5)


# What to call in each program, the operations captured at least, the breaks met at most.
CAPTURES = {
    "black_scholes": (lambda m: (m.black_scholes, *(numbers(9) for _ in range(5))), 60, 0),
    "jacobi": (lambda m: (m.sweep, numbers(6, 6)), 10, 0),
    "heat": (lambda m: (m.rod_step, numbers(9), 0.1), 8, 0),
    "kmeans": (lambda m: (m.assign, numbers(9, 2), numbers(3, 2)), 8, 0),
    "life": (lambda m: (m.step, np.eye(5, dtype=np.uint8)), 5, 0),
    "mandelbrot": (lambda m: (m.escape_times, m.grid(6, 4), 3), 15, 1),
    "nbody": (lambda m: (system().acceleration,), 8, 0),
    "network": (lambda m: ((run := network())[0].gradients, *run[1:]), 25, 0),
    "fizzbuzz": (lambda m: (m.fizzbuzz, 15), 10, 8),
    "tanh_iteration": (lambda m: (m.squash, np.array([0.5, 1.0])), 4, 3),
    "centred_model": (lambda m: (m.CentredModel(np.ones(3)), numbers(4, 3)), 4, 2),
    "doubling": (lambda m: (m.double, numbers(3)), 1, 0),
}


@each_program
def test_examples_are_captured(name):
    make, least, most = CAPTURES[name]
    function, *arguments = make(load(name))
    with contextlib.redirect_stdout(io.StringIO()):
        found = dyntrace.explain(function)(*arguments)
    assert found.op_count >= least, str(found)
    assert found.graph_break_count <= most, str(found)
