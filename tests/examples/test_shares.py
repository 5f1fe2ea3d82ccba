"""Most of the example programs' NumPy work is understood, and executed inside graphs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dyntrace
from dyntrace import config

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(not config.native, reason="the frame hook reaches what the programs call")
def test_most_numpy_calls_of_the_examples_run_inside_graphs():
    source = str(Path(dyntrace.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench.shares"],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([source, str(ROOT)])},
    )
    assert done.returncode == 0, done.stderr
    name, _, understood, _, executed, *_ = done.stdout.splitlines()[-1].split()
    assert name == "all"
    assert float(understood) >= 95, done.stdout
    assert float(executed) >= 90, done.stdout
