"""The machine's thread pool: checked in C; from Python at fork, at exit, in sub-interpreters."""

import importlib
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from dyntrace import config
from dyntrace.exec import machine_resources
from dyntrace.exec.jobs import threads
from tests.native import building

native = pytest.mark.skipif(not config.native, reason="the extension is not in use")


@pytest.fixture(autouse=True)
def threads_as_before():
    before = threads.get_num_threads()
    yield
    threads.set_num_threads(before)


def run(program, *arguments):
    """The output of a Python program of its own, which has to end well."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.skipif(building.COMPILER is None, reason="no C compiler here")
@pytest.mark.parametrize("name", building.names("pool"))
def test_pool_in_c(name, tmp_path_factory):
    building.assert_passes("pool", name, tmp_path_factory.getbasetemp())


def test_one_setting_holds_for_both_pools():
    for number in (3, 1, 2):
        threads.set_num_threads(number)
        assert threads.get_num_threads() == number
        assert machine_resources.get_threads() == (number if config.native else 1)


def test_any_number_that_python_takes_is_taken():
    threads.set_num_threads(10**30)
    assert machine_resources.get_threads() == (1024 if config.native else 1)


@native
def test_wrong_numbers_leave_the_setting():
    threads.set_num_threads(2)
    for wrong in (0, -1, 1.5, None):
        with pytest.raises((TypeError, ValueError)):
            threads.set_num_threads(wrong)
    assert machine_resources.get_threads() == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_threads_are_at_first_the_cpus_this_process_may_use():
    program = """
        import os
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
        import dyntrace
        from dyntrace.exec import machine_resources
        print(dyntrace.get_num_threads(), machine_resources.get_threads())
    """
    assert run(program) == ["1 1"]


def test_setting_survives_a_fork():
    program = """
        import os, dyntrace
        from dyntrace.exec import machine_resources
        dyntrace.set_num_threads(3)
        child = os.fork()
        if not child:
            dyntrace.set_num_threads(dyntrace.get_num_threads() + 1)
            print(dyntrace.get_num_threads(), machine_resources.get_threads(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(dyntrace.get_num_threads(), machine_resources.get_threads())
    """
    assert run(program) == (["4 4", "3 3"] if config.native else ["4 1", "3 1"])


# sub-interpreters ---------------------------------------------------------------------------------

IN_ANOTHER = """
    import importlib, sys
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            interpreters = importlib.import_module(name)
            break
        except ImportError:
            continue
    kind, first, program = sys.argv[1:]
    exec(first)
    if hasattr(interpreters, "new_config"):
        other = interpreters.create(kind)
    else:
        other = interpreters.create(isolated=kind == "isolated")
    interpreters.run_string(other, "import sys; sys.path[:] = " + repr(sys.path))
    failure = interpreters.run_string(other, program)
    assert failure is None, failure
"""
IMPORTING = """
try:
    import {0}
    print("imported", dyntrace.config.native)
except ImportError as error:
    print(error)
print("end", flush=True)
"""
NO_NUMPY = "dyntrace cannot be used in this sub-interpreter, since NumPy cannot be imported in it"


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="its own failure there is another"
)
def test_native_module_is_refused_in_a_sub_interpreter():
    printed = run(IN_ANOTHER, "legacy", "", IMPORTING.format("dyntrace._native"))
    if config.native:
        wanted = "dyntrace._native works in the main interpreter only, not in a sub-interpreter"
        assert printed == [wanted, "end"]


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="its own failure there is another"
)
def test_twins_work_where_a_sub_interpreter_has_numpy():
    program = """
import dyntrace, numpy as np
from dyntrace.runtime import handles
f = dyntrace.optimize(lambda x: (x + 1) * 2)
print(handles.NATIVE, [f(np.arange(3.0)).tolist() for _ in range(4)][-1])
print(dyntrace.stats(f).graphs)
dyntrace.reset()
dyntrace.set_num_threads(2)
"""
    assert run(IN_ANOTHER, "legacy", "", program) == ["False [2.0, 4.0, 6.0]", "1"]


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="its own failure there is another"
)
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_import_says_what_a_sub_interpreter_lacks(kind):
    printed = run(IN_ANOTHER, kind, "import numpy, dyntrace", IMPORTING.format("dyntrace"))
    assert printed == [NO_NUMPY, "end"]


@native
def test_native_module_made_twice_is_the_same_machine():
    name = "dyntrace._native"
    first = sys.modules.pop(name)
    try:
        second = importlib.import_module(name)
    finally:
        sys.modules[name] = first
    assert second.Region is first.Region
    threads.set_num_threads(7)
    assert second.get_threads() == 7
