"""When records are made, and which objects the tables take for NumPy's."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np

from dyntrace.graph.node import Op
from dyntrace.ops import registry
from dyntrace.ops.numpy.functions import captured, register
from dyntrace.ops.registry import Record, Treatment


def in_a_fresh_process(program):
    """What `program` prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_record_is_made_once_for_all_that_ask():
    made = []

    def make():
        made.append(Record(Op("mine", len, "test"), lambda call: None))
        return made[-1]

    table = registry._Table()
    table["a"] = partial(make)
    assert table.find("a") is table.find("a") is made[0] and len(made) == 1
    assert table.find("b") is None


def test_a_function_has_one_record_however_it_is_reached():
    assert registry.record_of(np.sum) is registry.record_of(np.sum)
    assert registry.method("sum") is registry.record_of(np.ndarray.sum)
    assert registry.operator_record("add") is registry.operator_record("add")


def test_most_records_are_not_made_before_they_are_asked_for():
    printed = in_a_fresh_process(
        "from dyntrace.ops import registry\n"
        "from functools import partial\n"
        "found = list(registry._CALLABLES.values())\n"
        "print(sum(type(entry) is partial for entry in found), len(found))"
    )
    late, entries = map(int, printed)
    assert entries > 400 and late > 300


def test_transforms_are_known_once_the_program_has_imported_them():
    printed = in_a_fresh_process(
        "import sys, numpy as np, dyntrace.ops\n"
        "from dyntrace.ops import registry\n"
        "print('numpy.fft' in sys.modules, registry.record_of(np.sum).op.name)\n"
        "print(registry.record_of(np.fft.fft).op.name, registry.record_of(np.fft.test).code)"
    )
    assert printed == ["False", "numpy.sum", "numpy.fft.fft", "DT213"]


def test_what_the_program_has_put_in_the_place_of_a_function_is_not_numpys():
    class namespace:
        mean = staticmethod(lambda a: a)
        sum = np.sum

    register(namespace, "numpy", "test", (captured("mean sum"),))
    assert registry.record_of(namespace.mean) is None
    assert registry.record_of(namespace.sum).op.name == "numpy.sum"
    assert isinstance(registry.record_of(np.random.default_rng(0).normal), Treatment)
