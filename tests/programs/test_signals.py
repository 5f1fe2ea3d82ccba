"""Handlers of a program's signals run in its own frames, and what they raise is never lost."""

import os
import subprocess
import sys

import pytest

from dyntrace import config

pytestmark = pytest.mark.skipif(
    not config.sampler or not hasattr(os, "fork"), reason="the sampler is native, alarms are Unix's"
)

# Alarms come every millisecond, so most of them fall into looks, analyses and compilations.
ALARMS = """
import signal, sys, time
import numpy as np

class Late(Exception):
    pass

raised = seen = 0
armed = False

def handler(number, frame):
    global raised, armed
    if armed:
        armed = False
        raised += 1
        raise KIND

signal.signal(signal.SIGALRM, handler)
text = "def step(u):\\n    v = u * K + 1.0\\n    return np.sqrt(v * v).sum()"
u = np.arange(100.0)
end = time.perf_counter() + 3.0
signal.setitimer(signal.ITIMER_REAL, 0.0007, 0.0011)
for k in range(10**6):
    if k % 20 == 0:
        namespace = {"np": np, "K": float(k)}
        exec(compile(text, __file__, "exec"), namespace)
        step = namespace["step"]
    try:
        armed = True
        for _ in range(20):
            step(u)
        armed = False
    except KIND:
        seen += 1
    if time.perf_counter() > end:
        break
signal.setitimer(signal.ITIMER_REAL, 0)
print(raised - seen, raised > 50)
"""


@pytest.mark.parametrize("kind", ["Late", "TimeoutError", "KeyboardInterrupt", "AssertionError"])
def test_what_a_handler_raises_reaches_the_program_once(tmp_path, kind):
    path = tmp_path / "script.py"
    path.write_text(ALARMS.replace("KIND", kind))
    environment = {**os.environ, "DYNTRACE_WARM": "", "DYNTRACE_STRICT": "1"}
    command = [sys.executable, "-m", "tests.programs.stressed", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 True\n", "")
