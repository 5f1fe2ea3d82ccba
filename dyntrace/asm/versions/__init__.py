"""The bytecode table of the running Python; the one place that asks for its version.

`TABLE` is checked on import: an opcode of this Python that the table does not list, or lists
twice, is an AssemblyError here and not a surprise later. Read `table` for what a table says.
"""

from __future__ import annotations

import sys
from importlib import import_module

from dyntrace.asm.versions.table import Table, check
from dyntrace.errors import AssemblyError

__all__ = ["TABLE"]

TABLES = {(3, 11): "py311", (3, 12): "py312", (3, 13): "py313"}


def _pick() -> Table:
    version = sys.version_info[:2]
    if version not in TABLES:
        raise AssemblyError(f"CPython {version[0]}.{version[1]} has no bytecode table")
    found: Table = import_module(f"{__name__}.{TABLES[version]}").table()
    return check(found)


TABLE = _pick()
