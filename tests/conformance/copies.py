"""Copies of a package's tests under a name that dyntrace traces.

dyntrace leaves what NumPy and SciPy consist of alone, which their tests would count to. So
`numpy/fft/tests` is copied to `copied_numpy/fft/tests`, and what a test imports from the package
around it (`from ..thing`) is spelt out. CPython's tests need no copies: `test` is no part of the
standard library's names. Invariant: a copy has the lines of its original.
"""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path

from tests.conformance.discovery import Module

_PARENT = re.compile(r"^(\s*from )\.\.(?=[\w ])", re.MULTILINE)


class Copies:
    """The copied tests below a folder; each `tests` folder is copied when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def of(self, module: Module) -> Module:
        """`module`, to be run from its copy."""
        if module.suite == "python":
            return module
        names = module.name.split(".")
        original = Path(module.target)
        package = original.parents[len(names) - 2]
        top = self._folder / f"copied_{package.name}"
        tests = top.joinpath(*names[1:-1])
        with self._lock:
            if not top.exists():
                top.mkdir(parents=True)
                _copy_if_there(package / "conftest.py", top)
            if not tests.exists():
                _copy_tests(original.parent, tests, ".".join(names[:-2]))
                _make_packages(tests, top)
        return Module(module.suite, module.name, str(tests / original.name))


def _copy_if_there(path: Path, folder: Path) -> None:
    if path.exists():
        shutil.copy(path, folder)


def _copy_tests(original: Path, copy: Path, package: str) -> None:
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for path in copy.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(with_parent_named(text, package), encoding="utf-8")


def with_parent_named(source: str, package: str) -> str:
    """`source`, with relative imports from the package around the tests made absolute."""

    def named(found: re.Match[str]) -> str:
        follows = source[found.end()]
        return f"{found[1]}{package}" + ("" if follows == " " else ".")

    return _PARENT.sub(named, source)


def _make_packages(tests: Path, top: Path) -> None:
    folder = tests
    while folder != top.parent:
        (folder / "__init__.py").touch()
        folder = folder.parent
