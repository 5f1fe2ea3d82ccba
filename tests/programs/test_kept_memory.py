"""Memory that a program frees stays with its process under `run`, unless the user decides."""

import os
import platform
import subprocess
import sys

import pytest

from dyntrace import config

pytestmark = pytest.mark.skipif(
    not config.sampler or platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's"
)

SCRIPT = """
import resource
import numpy as np
u = np.ones(100_000)

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(5):
    v = (u + 1.0) * (u - 1.0) - (u * 2.0)
before = faults()
for _ in range(200):
    v = (u + 1.0) * (u - 1.0) - (u * 2.0)
print(faults() - before)
"""


def faults(tmp_path, *command, **environment):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, *command, str(script)],
        env={**plain, "DYNTRACE_WARM": "", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


RUN = ("-m", "dyntrace", "run")


def test_freed_memory_comes_again_without_page_faults(tmp_path):
    assert faults(tmp_path, *RUN) < faults(tmp_path) / 10


def test_memory_is_given_back_where_that_is_asked_for(tmp_path):
    assert faults(tmp_path, *RUN, DYNTRACE_KEEP_MEMORY="0") > faults(tmp_path) / 2


def test_thresholds_of_the_users_are_left(tmp_path):
    kept = faults(tmp_path, *RUN)
    assert faults(tmp_path, *RUN, MALLOC_TRIM_THRESHOLD_="131072") > 10 * kept
    tunables = "glibc.malloc.trim_threshold=131072"
    assert faults(tmp_path, *RUN, GLIBC_TUNABLES=tunables) > 10 * kept
