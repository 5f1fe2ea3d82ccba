"""The code objects that proofs run over: the standard library's pure-Python modules and NumPy's.

Set the environment variable DYNTRACE_PROOF=full for all of them; otherwise every file of an even sample.
"""

from __future__ import annotations

import os
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import numpy

from .weaving import all_codes

SAMPLE = 12
FULL = os.environ.get("DYNTRACE_PROOF") == "full"


def source_files() -> list[Path]:
    """The files to prove on, in a fixed order."""
    standard = Path(sysconfig.get_paths()["stdlib"])
    skipped = {"site-packages", "lib2to3", "idlelib"}
    files = sorted(p for p in standard.rglob("*.py") if not skipped & set(p.parts))
    files += sorted(Path(numpy.__file__).parent.rglob("*.py"))
    return files if FULL else files[::SAMPLE]


def code_objects() -> Iterator[CodeType]:
    """Every code object of the files; what does not compile (bad-syntax test data) is left out."""
    for path in source_files():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                module = compile(path.read_bytes(), str(path), "exec")
            except (SyntaxError, ValueError):
                continue
        yield from all_codes(module)
