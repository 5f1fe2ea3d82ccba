"""The standard library passes its own tests with a call before every unit of it and of the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WEAVING = Path(__file__).with_name("weaving.py")
QUICK = {
    "test.test_textwrap": "textwrap,test.test_textwrap",
    "test.test_generators": "test.test_generators",
    "test.test_listcomps": "test.test_listcomps",
    "test.test_patma": "test.test_patma",
    "test.test_exception_variations": "test.test_exception_variations",
    "test.test_contextlib": "contextlib,test.test_contextlib",
    "test.test_with": "test.test_with",
    "test.test_coroutines": "test.test_coroutines",
    "test.test_dataclasses": "dataclasses,test.test_dataclasses",
    "test.test_heapq.TestHeapPython": "heapq,test.test_heapq",
    "test.test_fractions": "fractions,test.test_fractions",
    "test.test_json.test_decode": "json,test.test_json",
}
SLOW = {
    "test.test_json": "json,test.test_json",
    "test.test_statistics.TestMean": "statistics,fractions,test.test_statistics",
    "test.test_difflib": "difflib,test.test_difflib",
    "test.test_ast": "ast,test.test_ast",
    "test.test_tokenize": "tokenize,test.test_tokenize",
    "test.test_asyncgen": "test.test_asyncgen,asyncio",
    "test.test_fstring": "test.test_fstring",
    "test.test_typing": "typing,test.test_typing",
}
FULL = os.environ.get("DYNTRACE_PROOF") == "full"
CASES = QUICK | SLOW if FULL else QUICK


def _heed_interrupts():
    """A shell starts background jobs with Ctrl-C ignored; these tests send it to themselves."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("tests", CASES)
def test_the_library_passes_its_own_tests_when_woven(tests, tmp_path):
    module = tests.split(".Test")[0]
    pytest.importorskip(module, reason="this Python comes without its tests")
    root = str(WEAVING.parents[2])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(WEAVING), CASES[tests], tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        preexec_fn=_heed_interrupts,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Ran 0 tests" not in done.stderr
    assert int(done.stdout.split()[-1]) > 20
