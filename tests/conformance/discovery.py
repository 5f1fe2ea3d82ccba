"""What test modules there are: CPython's, from its own library, and NumPy's and SciPy's, as installed.

Invariant: nothing is imported to find them but the package they are in.
"""

from __future__ import annotations

import fnmatch
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUITES = ("python", "numpy", "scipy")


@dataclass(frozen=True)
class Module:
    """One test module.

    name    what it is called here: `test_dict`, `test_json.test_decode`, `numpy.fft.tests.test_helper`
    target  what a child process runs: the name of a unittest module, or the path of a pytest file
    """

    suite: str
    name: str
    target: str


def python_modules() -> list[Module]:
    """The modules of CPython's `test` package; those of a package in it stand for themselves."""
    root = _folder("test")
    found = []
    for path in sorted([*root.rglob("test_*.py"), *root.rglob("__init__.py")]):
        inside = path.relative_to(root)
        parts = (inside.parent if path.stem == "__init__" else inside.with_suffix("")).parts
        if not parts or not all(part.startswith("test_") for part in parts):
            continue
        if path.stem != "__init__" or _holds_tests(path):
            name = ".".join(parts)
            found.append(Module("python", name, f"test.{name}"))
    return found


def _holds_tests(package: Path) -> bool:
    """Whether the tests are in the package itself, and it does not load its modules' as well."""
    text = package.read_text(encoding="utf-8")
    return "TestCase)" in text and "load_tests" not in text


def package_modules(package: str) -> list[Module]:
    """The test modules that lie in `tests` folders of an installed package."""
    root = _folder(package)
    return [
        Module(
            package, ".".join((package, *path.relative_to(root).with_suffix("").parts)), str(path)
        )
        for path in sorted(root.rglob("tests/test_*.py"))
    ]


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise LookupError(f"{package} is not installed, so its tests are not here")
    return Path(next(iter(found.submodule_search_locations)))


def all_modules(suite: str) -> list[Module]:
    return python_modules() if suite == "python" else package_modules(suite)


def chosen(suite: str, patterns: Sequence[str]) -> Iterator[Module]:
    """The modules that one of `patterns` names: by name, prefix of a name, or shell pattern.

    Raises LookupError for a pattern that names none.
    """
    modules = all_modules(suite)
    taken: set[Module] = set()
    for pattern in patterns:
        matching = [module for module in modules if _is_named(module, pattern)]
        if not matching:
            raise LookupError(f"no module of {suite}'s tests is called {pattern}")
        taken.update(matching)
    return (module for module in modules if module in taken)


def _is_named(module: Module, pattern: str) -> bool:
    package = f"{module.suite}."
    for name in (module.name, module.name.removeprefix(package)):
        if fnmatch.fnmatchcase(name, pattern) or name.startswith(f"{pattern}."):
            return True
    return False
