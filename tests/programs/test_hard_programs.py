"""Programs that break a naive sampler: under very frequent looks they do what plain Python does."""

import os
import subprocess
import sys

import pytest

from dyntrace import config

pytestmark = pytest.mark.skipif(not config.sampler, reason="the sampler is native")

HANDLER_THAT_COMPUTES = """
import signal, time
import numpy as np
count = 0
def helper():
    return 1
def handler(number, frame):
    global count
    count += 1
    end = time.perf_counter() + 0.006
    while time.perf_counter() < end:
        helper()
    signal.setitimer(signal.ITIMER_REAL, 0.003)
signal.signal(signal.SIGALRM, handler)
text = "def step(u, n):\\n    for i in range(n):\\n        v = u * K + 1.0\\n        w = np.sqrt(v * v).sum()\\n    return w"
u = np.arange(100.0)
signal.setitimer(signal.ITIMER_REAL, 0.003)
end, k = time.perf_counter() + 1.5, 0
while time.perf_counter() < end:
    k += 1
    names = {"np": np, "K": float(k)}
    exec(compile(text, __file__, "exec"), names)
    names["step"](u, 2000)
signal.setitimer(signal.ITIMER_REAL, 0)
print("end", count > 10)
"""
LOOKS_AT_ALL_FRAMES_AMONG_GARBAGE = """
import sys, time, threading
import numpy as np
collected = 0
class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        global collected
        collected += 1
        end = time.perf_counter() + 0.0002
        while time.perf_counter() < end:
            pass
def frames():
    return sys._current_frames()
done = threading.Event()
threads = [threading.Thread(target=done.wait) for _ in range(20)]
for thread in threads:
    thread.start()
end = time.perf_counter() + 1.5
while time.perf_counter() < end:
    Cycle()
    for i in range(7):
        found = frames()
    del found
done.set()
print("end", collected > 10)
"""
COUNTS_REFERENCES = """
import numpy as np
def work(n):
    fails = 0
    for i in range(n):
        a = np.arange(10.0) * 2.0 + 1.0
        try:
            a.resize(20)
        except ValueError:
            fails += 1
        b = np.sqrt(a * a + 1.0)
        c = b - a
    return fails
print(sum(work(300) for _ in range(60)), work(20000))
"""
IS_WARM_WHERE_FEW_FRAMES_ARE_LEFT = """
import sys
import numpy as np
failed = []
def make(k):
    names = {"np": np, "K": float(k), "__name__": "__main__"}
    text = "def step(u, n):\\n    for i in range(n):\\n        v = u * K + 1.0\\n        w = np.sqrt(v * v)\\n    return w"
    exec(compile(text, __file__, "exec"), names)
    return names["step"]
steps = [make(k) for k in range(60)]
def down(depth, step, u):
    return down(depth - 1, step, u) if depth else step(u, 400)
u = np.arange(20.0)
for left in range(6, 66):
    try:
        down(sys.getrecursionlimit() - left, steps[left - 6], u)
    except RecursionError:
        failed.append(left)
print(failed)
"""
CLOSES_WHAT_ITS_ARRAYS_HELD = """
import mmap, threading
import numpy as np
failed = []
def work(n):
    for i in range(n):
        memory = mmap.mmap(-1, 4096)
        a = np.frombuffer(memory, dtype=np.float64)
        b = np.sqrt(a * a + 1.0)
        c = (b + 2.0).sum()
        del a
        try:
            memory.close()
        except BufferError as error:
            failed.append(str(error))
threads = [threading.Thread(target=work, args=(4000,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed)
"""
PROGRAMS = {
    "handler that computes": HANDLER_THAT_COMPUTES,
    "all frames, among garbage": LOOKS_AT_ALL_FRAMES_AMONG_GARBAGE,
    "counts references": COUNTS_REFERENCES,
    "few frames left": IS_WARM_WHERE_FEW_FRAMES_ARE_LEFT,
    "closes what its arrays held": CLOSES_WHAT_ITS_ARRAYS_HELD,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_hard_program_does_what_it_does(tmp_path, program):
    path = tmp_path / "script.py"
    path.write_text(PROGRAMS[program])
    environment = {**os.environ, "DYNTRACE_WARM": ""}
    answers = []
    for launcher in ((), ("-m", "tests.programs.stressed")):
        command = [sys.executable, *launcher, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
        answers.append((done.returncode, done.stdout, done.stderr))
    assert answers[0] == answers[1] and answers[0][::2] == (0, "")


def test_a_slot_that_holds_a_plain_value_where_another_comprehension_has_a_cell(service):
    def warm_at(k, u):
        if k == 3:
            service.warm(sys._getframe(1).f_code, None, globals())
        return u

    def both(u, n):
        sums = [sum(float((u * k + j).sum()) for j in range(3)) for k in range(n)]
        return sums[-1], {k: (warm_at(k, u) + k)[0] for k in range(n)}[n - 1]

    import numpy as np

    u = np.arange(5.0)
    assert both(u, 40) == (sum(float((u * 39 + j).sum()) for j in range(3)), 39.0)
