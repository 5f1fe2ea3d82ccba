"""Whole scripts under `run`: what they print is theirs, and what is cold imports nothing."""

import os
import subprocess
import sys

import pytest

from dyntrace import config

pytestmark = pytest.mark.skipif(not config.sampler, reason="the sampler is native")

HEAD = """
import sys, time
import numpy as np

def compiled():
    # how many graphs have run, whether or not they were kept
    found = sys.modules.get("dyntrace.functions.family")
    units = getattr(found, "live_compiled", list)()
    return sum(sum(known.region.runs) for unit in units for known in unit.regions.all())

def until(ready, work, seconds=60.0):
    end = time.perf_counter() + seconds
    while not ready() and time.perf_counter() < end:
        work()
"""


def run(path, text, *options, **variables):
    """Run a script, plain (`[]`) or under dyntrace: exit code, stdout, stderr."""
    path.write_text(text)
    environment = {**os.environ, "DYNTRACE_WARM": "", **variables}
    command = [sys.executable, *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    return done.returncode, done.stdout, done.stderr


UNDER = ("-m", "dyntrace", "run")


def test_script_without_numpy_imports_neither_numpy_nor_the_tracer(tmp_path):
    text = """
import sys, time
def work():
    return sum(k * k for k in range(1000))
end = time.perf_counter() + 0.3
while time.perf_counter() < end:
    work()
print(sorted(n for n in sys.modules if n.partition(".")[0] in ("numpy", "dyntrace", "asyncio")))
"""
    code, out, err = run(tmp_path / "script.py", text, *UNDER)
    assert (code, err) == (0, "")
    loaded = set(eval(out))
    assert loaded <= {
        "dyntrace",
        "dyntrace.__main__",
        "dyntrace._sampler",
        "dyntrace.budget",
        "dyntrace.config",
        "dyntrace.errors",
        "dyntrace.isolation",
        "dyntrace.programs",
        "dyntrace.programs.glance",
        "dyntrace.programs.sampling",
        "dyntrace.users",
    }


def test_warm_function_is_compiled_while_the_script_runs(tmp_path):
    text = HEAD + (
        """
def step(u):
    v = u * 0.5 + 1.0
    return np.sqrt(v * v + u)

def work():
    for _ in range(200):
        step(np.arange(4000.0))

until(lambda: compiled() > 0, work)
print(compiled() > 0, "dyntrace.api" in sys.modules, step(np.arange(3.0)).tolist())
"""
    )
    code, out, err = run(tmp_path / "script.py", text, *UNDER)
    assert (code, err) == (0, "")
    assert out.startswith("True")


def test_cold_function_with_arrays_is_left_alone(tmp_path):
    text = HEAD + (
        """
def once(u):
    return (u * 2.0 + 1.0).sum()

print(once(np.ones(5)), compiled(), "dyntrace.functions.family" in sys.modules)
"""
    )
    assert run(tmp_path / "script.py", text, *UNDER) == (0, "15.0 0 False\n", "")


def test_functions_that_threads_run_become_warm(tmp_path):
    text = HEAD + (
        """
import threading

def step(u):
    v = u * 0.5 + 1.0
    return np.sqrt(v * v + u)

def some():
    for _ in range(200):
        step(np.arange(4000.0))

def work():
    until(lambda: compiled() > 0, some)

threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads: t.start()
print(len(threading.enumerate()), threading.active_count())
for t in threads: t.join()
print(compiled() > 0)
"""
    )
    code, out, err = run(tmp_path / "script.py", text, *UNDER)
    assert (code, err) == (0, "") and out.split() == ["3", "3", "True"]


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nprint(sys.argv[0][-9:], __name__)\nsys.exit(3)\n",
        "def f():\n    raise KeyError('gone')\nf()\n",
        "import threading\nprint([t.name for t in threading.enumerate()], threading.active_count())\n",
        "import sys\nprint(len(sys._current_frames()))\n",
        "import atexit\natexit.register(lambda: print('bye'))\nprint('ran')\n",
        "import time\nt = time.time()\ntime.sleep(0.2)\nprint(time.time() - t >= 0.2)\n",
        "import signal, time\nsignal.setitimer(signal.ITIMER_REAL, 0.05)\n"
        "signal.signal(signal.SIGALRM, lambda *a: print('alarm'))\ntime.sleep(0.2)\n",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\nprint('blocked')\n",
        "import os, sys\nsys.stdout.flush()\npid = os.fork()\n"
        "print('child' if pid == 0 else os.waitpid(pid, 0)[1])\n",
        "import os\nprint('now', flush=True)\nos._exit(4)\n",
        "import sys\nsys.setrecursionlimit(400)\ndef f(n):\n    return f(n + 1)\n"
        "try:\n    f(0)\nexcept RecursionError:\n    print('deep')\n",
        "import sys\nsys.setrecursionlimit(300)\ndepths = []\n"
        "def f(n):\n    depths.append(n)\n    f(n + 1)\n"
        "try:\n    f(0)\nexcept RecursionError:\n    print(max(depths))\n",
        "import inspect, sys, traceback\nprint(len(inspect.stack()), sys._getframe().f_back)\n"
        "traceback.print_stack()\nsys._getframe(1)\n",
        "import warnings\nwarnings.warn('who', stacklevel=2)\nwarnings.warn('what', stacklevel=9)\n",
    ],
)
def test_script_that_does_odd_things_does_them_as_ever(tmp_path, text):
    path = tmp_path / "script.py"
    assert run(path, text, *UNDER) == run(path, text)


def test_fork_in_a_program_of_one_thread_does_not_warn(tmp_path):
    text = """
import os, time, warnings
warnings.simplefilter("error")
end = time.perf_counter() + 0.05
while time.perf_counter() < end: pass
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print("forked")
"""
    assert run(tmp_path / "script.py", text, *UNDER) == (0, "forked\n", "")


def test_children_of_a_pool_are_looked_at_too(tmp_path):
    text = HEAD + (
        """
import multiprocessing

def step(u):
    v = u * 0.5 + 1.0
    return np.sqrt(v * v + u)

def some():
    for _ in range(200):
        step(np.arange(4000.0))

def work(seed):
    until(lambda: compiled() > 0, some)
    return compiled() > 0

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(work, range(2)))
"""
    )
    code, out, _ = run(tmp_path / "script.py", text, *UNDER, OPENBLAS_NUM_THREADS="1")
    assert (code, out) == (0, "[True, True]\n")
