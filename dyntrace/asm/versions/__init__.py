"""The bytecode table of the running Python; no other Python module reads `sys.version_info`.

Invariant: `TABLE` lists each opcode of this Python exactly once; otherwise the import fails with an
AssemblyError. Read `table` for what a table says.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import MappingProxyType

from dyntrace.asm.versions.table import Table, check
from dyntrace.errors import AssemblyError

__all__ = ["TABLE"]

TABLES = MappingProxyType({(3, 11): "py311", (3, 12): "py312", (3, 13): "py313"})


def _pick() -> Table:
    version = sys.version_info[:2]
    if version not in TABLES:
        raise AssemblyError(f"CPython {version[0]}.{version[1]} has no bytecode table")
    found: Table = import_module(f"{__name__}.{TABLES[version]}").table()
    return check(found)


TABLE = _pick()
