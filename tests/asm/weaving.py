"""Weaves a stub and a tail before every unit of a code object and of all code objects within it.

Run as a program, ``python weaving.py PREFIXES ARGUMENTS...`` imports every module whose name starts with one
of the comma-separated prefixes in woven form and then runs ``unittest ARGUMENTS``. The last line of its
output is the number of stubs that ran.
"""

from __future__ import annotations

import itertools
import sys
import unittest
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, FunctionType

from dyntrace.asm.assemble import assemble
from dyntrace.asm.decode import decode
from dyntrace.asm.emit import Call, PopTop, PushCallable


def all_codes(code: CodeType) -> Iterator[CodeType]:
    """The code object and all code objects among its constants, to any depth."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from all_codes(constant)


def weave(code: CodeType, probe: Callable[[], object]) -> CodeType:
    """`code` with calls of `probe` before every unit, nested code objects included."""
    constants = [weave(c, probe) if isinstance(c, CodeType) else c for c in code.co_consts]
    body = decode(code.replace(co_consts=tuple(constants)))
    stub = [PushCallable(probe), Call(0), PopTop()]
    stubs = {unit.index: stub for unit in body.units}
    return assemble(body, stubs, tails={index: stub for index in stubs if index}).code


def woven(function: FunctionType, probe: Callable[[], object] = int) -> FunctionType:
    """A function like `function`, its code woven."""
    copy = FunctionType(
        weave(function.__code__, probe),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


class WeavingLoader(SourceFileLoader):
    """Compiles from source and weaves."""

    probe = itertools.count().__next__

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return weave(self.source_to_code(self.get_data(path), path), self.probe)


class WeavingFinder(MetaPathFinder):
    """Finds pure-Python modules whose name starts with one of the prefixes."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self.prefixes = prefixes

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if not fullname.startswith(self.prefixes):
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = WeavingLoader(spec.loader.name, spec.loader.path)
        return spec


def main(prefixes: str, *arguments: str) -> int:
    wanted = tuple(prefixes.split(","))
    for name in [name for name in sys.modules if name.startswith(wanted)]:
        del sys.modules[name]
    sys.meta_path.insert(0, WeavingFinder(wanted))
    result = unittest.main(module=None, argv=["weaving", *arguments], exit=False).result
    print(WeavingLoader.probe())
    return not result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
