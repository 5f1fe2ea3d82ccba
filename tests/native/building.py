"""Compiles the C checks of a part of the native module, without Python, and runs them.

Each check runs in a process of its own. `DYNTRACE_SANITIZE` (such as `thread` or
`address,undefined`) compiles them with sanitizers, `DYNTRACE_UNDER` (such as
`valgrind -q --tool=helgrind`) runs them under another program, and `ROUNDS` makes them longer.
"""

import ctypes
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parent.parent / "dyntrace" / "_native"
PARTS = {"pool": ["pool", "environment", "placing", "joining"], "arena": ["arena"]}
COMPILER = shutil.which(os.environ.get("CC", "cc"))
SANITIZE = os.environ.get("DYNTRACE_SANITIZE", "")
UNDER = os.environ.get("DYNTRACE_UNDER", "").split()
CANNOT = {"threads_refused", "too_much_is_refused"} if SANITIZE or UNDER else set()
if "address" in SANITIZE:  # its own locks do not survive a fork beside other threads
    CANNOT |= {"forked_while_others_run", "forked_while_others_take"}
if "thread" in SANITIZE:  # takes the child's threads for the parent's
    CANNOT |= {"forked_while_others_run"}
PATIENCE = 60 if not (SANITIZE or UNDER) else 1200


def names(part):
    """The checks of a part, as its source lists them."""
    return re.findall(r'^    \{"(\w+)",', (HERE / f"check_{part}.c").read_text(), re.MULTILINE)


@cache
def program(part, folder):
    """The compiled checks of `part`."""
    target = folder / f"check_{part}"
    sources = [HERE / f"check_{part}.c", *(SOURCES / "os" / f"{name}.c" for name in PARTS[part])]
    flags = ["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}", "-pthread"]
    flags += [f"-fsanitize={SANITIZE}", "-fno-sanitize-recover=all"] if SANITIZE else []
    subprocess.run([COMPILER, *flags, *sources, "-o", target, "-lm"], check=True)
    return target


@cache
def library(part, folder):
    """A part without Python, or a file of this folder, as a library to call through ctypes."""
    target = folder / f"lib{part}.so"
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{SOURCES}"]
    ours, part_of_it = HERE / f"{part}.c", SOURCES / "os" / f"{part}.c"
    source = ours if ours.exists() else part_of_it
    subprocess.run([COMPILER, *flags, source, "-o", target], check=True)
    return ctypes.CDLL(str(target))


def assert_passes(part, name, folder):
    """Run one check; its complaint, if any, is the failure."""
    if name in CANNOT:
        pytest.skip("not with these tools")
    environment = {"TSAN_OPTIONS": "die_after_fork=0:report_thread_leaks=0", **os.environ}
    done = subprocess.run(
        [*UNDER, program(part, folder), name],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr or done.returncode
