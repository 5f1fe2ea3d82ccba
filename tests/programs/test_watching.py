"""What a program sees of itself, with tracers, profilers and tools, is what it does: no look is."""

import collections
import os
import subprocess
import sys

import pytest

from dyntrace import config

pytestmark = pytest.mark.skipif(not config.sampler, reason="the sampler is native")

HEAD = """
import collections, os, sys
import numpy as np

def work(u):
    v = u * 2.0 + 1.0
    return np.sqrt(v * v)

def loop(n):
    u = np.arange(5.0)
    for i in range(n):
        u = work(u) * 0.01
    return u

events = collections.Counter()
"""
TAIL = """
for key in sorted(events):
    print(key, events[key])
"""

TRACES = """
def tracer(frame, event, arg):
    events[os.path.basename(frame.f_code.co_filename), frame.f_code.co_name, event] += 1
    return tracer
sys.settrace(tracer)
loop(3000)
sys.settrace(None)
loop(3000)
sys.settrace(tracer)
loop(300)
sys.settrace(None)
"""
PROFILES = """
def profiler(frame, event, arg):
    events[os.path.basename(frame.f_code.co_filename), frame.f_code.co_name, event] += 1
sys.setprofile(profiler)
loop(4000)
sys.setprofile(None)
loop(3000)
sys.setprofile(profiler)
loop(300)
sys.setprofile(None)
"""
MONITORS = """
monitoring = getattr(sys, "monitoring", None)
for tool in range(6 if monitoring else 0):
    if monitoring.get_tool(tool) is not None:
        continue
    monitoring.use_tool_id(tool, f"mine {tool}")
    kinds = [monitoring.events.PY_START, monitoring.events.LINE, monitoring.events.PY_RETURN]
    for kind in kinds:
        def tell(code, place, *rest, tool=tool, kind=kind):
            events[tool, kind, code.co_filename, code.co_name] += 1
        monitoring.register_callback(tool, kind, tell)
    monitoring.set_events(tool, sum(kinds))
    loop(1500)
    monitoring.restart_events()
    loop(10)
    monitoring.set_events(tool, 0)
    loop(2000)
    monitoring.free_tool_id(tool)
events = {key: count for key, count in events.items() if key[0] < 3}
"""
PROFILERS = """
import cProfile
profiler = cProfile.Profile()
profiler.runcall(loop, 3000)
profiler.create_stats()
events = {str(key): value[:2] for key, value in profiler.stats.items()}
"""
PROFILERS_OF_THREADS = """
import cProfile, threading
def wide(n):
    u = np.arange(5000.0)
    for i in range(n):
        u = work(u) * 0.01
    return u
profiler = cProfile.Profile()
thread = threading.Thread(target=profiler.runcall, args=(wide, 20000))
thread.start()
thread.join()  # the main thread waits, so that it is not the one that looks
profiler.create_stats()
events = {key: value[:2] for key, value in profiler.stats.items() if key[0] == __file__}
"""


@pytest.mark.parametrize("body", [TRACES, PROFILES, MONITORS, PROFILERS, PROFILERS_OF_THREADS])
def test_tools_of_a_program_are_told_of_no_look(tmp_path, body):
    path = tmp_path / "script.py"
    path.write_text(HEAD + body + TAIL)
    environment = {**os.environ, "DYNTRACE_WARM": ""}
    answers = collections.Counter()
    for launcher in ((), ("-m", "tests.programs.stressed")):
        command = [sys.executable, *launcher, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert (done.returncode, done.stderr) == (0, "")
        answers[done.stdout] += 1
    assert list(answers.values()) == [2], "\n\n".join(answers)
