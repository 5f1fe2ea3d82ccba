"""The thread that compiles: order, errors, forks, and the interpreter's exit while it works."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dyntrace import config, incidents
from dyntrace.exec.kernels import background

needs_llvm = pytest.mark.skipif(not config.jit, reason="loops are compiled by llvmlite")


@pytest.fixture(autouse=True)
def idle():
    yield
    background.wait_until_idle()


def test_jobs_run_in_order_on_another_thread_that_the_program_does_not_see():
    seen, threads = [], set()
    for number in range(20):

        def job(number=number):
            seen.append(number)
            threads.add(threading.get_ident())

        assert background.submit(job)
    background.wait_until_idle()
    assert seen == list(range(20))
    assert threading.get_ident() not in threads
    assert threads.isdisjoint(thread.ident for thread in threading.enumerate())


def test_jobs_of_eight_threads_all_run():
    seen = []

    def submit(number):
        for step in range(50):
            background.submit(lambda: seen.append((number, step)))

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    background.wait_until_idle()
    assert len(seen) == 400
    assert not background.pending()


def test_job_that_raises_is_noted_and_others_go_on(lenient, capfd):
    seen = []

    def fails():
        raise RuntimeError("no such instruction")

    background.submit(fails)
    background.submit(lambda: seen.append(1))
    background.wait_until_idle()
    assert (seen, incidents.count()) == ([1], 1)
    assert "no such instruction" in capfd.readouterr().err


def test_error_in_the_report_of_an_error_ends_the_thread_only(monkeypatch):
    def fails(*args):
        raise RuntimeError("broken pipe")

    raised, seen = [], []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: raised.append(str(found.exc_value)))
    monkeypatch.setattr(incidents, "note", fails)
    background.submit(fails)
    background.wait_until_idle()
    background.submit(lambda: seen.append(1))
    background.wait_until_idle()
    assert seen == [1]
    assert raised == ["broken pipe"]


def test_fork_waits_for_the_job_at_work_and_the_child_has_those_that_wait():
    started, go, seen = threading.Event(), threading.Event(), []

    def long():
        started.set()
        go.wait()
        seen.append("long")

    background.submit(long)
    started.wait()
    background.submit(lambda: (time.sleep(0.05), seen.append("waiting")))
    threading.Timer(0.05, go.set).start()
    child = os.fork()
    if child == 0:
        first = list(seen[:1])
        background.submit(lambda: seen.append("new"))
        background.wait_until_idle()
        os._exit(0 if first == ["long"] and seen[-2:] == ["waiting", "new"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert seen == ["long"]
    background.resume()
    background.wait_until_idle()
    assert seen == ["long", "waiting"]


LOOPS = """
import os, sys, threading, time
import numpy as np
import dyntrace
from dyntrace.exec.kernels import background

def source(k):
    return f'''
def sweep(a, n):
    total = {k}.0
    for i in range(n):
        for j in range(n):
            if a[i, j] > {k}:
                total += a[i, j] * {k} + j
            a[i, j] = total / (1.0 + total)
    return total
'''

def sweeps(count):
    for k in range(count):
        names = {}
        exec(source(k), names)
        yield names["sweep"], dyntrace.optimize(names["sweep"])

def answer(sweep):
    return sweep(np.arange(10000.0).reshape(100, 100), 100)
"""


def run(program, **variables):
    ran = subprocess.run(
        [sys.executable, "-c", LOOPS + program],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        timeout=100,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


@needs_llvm
def test_interpreter_exits_while_loops_are_compiled():
    begun = time.perf_counter()
    out = run("""
for sweep, fast in sweeps(8):
    answer(fast)
    pending = background.pending()
print(pending)
""")
    assert out == ["True"]
    assert time.perf_counter() - begun < 30


@needs_llvm
@pytest.mark.parametrize("wait", [0.0, 0.05, 0.5])
def test_interpreter_exits_with_machine_code_that_the_program_still_holds(wait):
    assert run(f"""
sweep, fast = next(sweeps(1))
print(answer(fast) == answer(sweep))
time.sleep({wait})
""") == ["True"]


@needs_llvm
def test_process_forks_while_loops_are_compiled():
    out = run("""
for sweep, fast in sweeps(6):
    answer(fast)
    child = os.fork()
    if child == 0:
        os._exit(0 if answer(fast) == answer(sweep) else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")
    assert out == ["0"] * 6


@needs_llvm
def test_eight_threads_in_one_loop_and_resets_meanwhile():
    out = run("""
found = []
for sweep, fast in sweeps(2):
    expected = answer(sweep)
    def work():
        for _ in range(6):
            found.append(answer(fast) == expected)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        time.sleep(0.02)
        dyntrace.reset()
    for thread in threads:
        thread.join()
print(len(found), all(found))
""")
    assert out == ["96", "True"]


@needs_llvm
def test_reset_while_machine_code_runs():
    out = run(
        """
for sweep, fast in sweeps(2):
    expected = sweep(np.ones((1000, 1000)), 1000)
    threading.Timer(0.01, dyntrace.reset).start()
    print(fast(np.ones((1000, 1000)), 1000) == expected)
""",
        DYNTRACE_LOOPS="now",
    )
    assert out == ["True", "True"]
