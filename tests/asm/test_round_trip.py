"""Proof: every code object of the standard library and of NumPy survives decode and assemble."""

from __future__ import annotations

from types import CodeType

from dyntrace.asm.assemble import assemble
from dyntrace.asm.decode import decode

from .sources import FULL, code_objects

EQUAL = (
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_cellvars",
    "co_freevars",
    "co_exceptiontable",
    "co_stacksize",
    "co_flags",
    "co_firstlineno",
)


def differences(code: CodeType) -> list[str]:
    again = assemble(decode(code), {}).code
    found = [name for name in EQUAL if getattr(again, name) != getattr(code, name)]
    if list(again.co_positions()) != list(code.co_positions()):
        found.append("co_positions")
    if list(again.co_lines()) != list(code.co_lines()) and _lines(again) != _lines(code):
        found.append("co_lines")
    return found


def _lines(code: CodeType) -> list[int | None]:
    return [line for start, end, line in code.co_lines() for _ in range(start, end, 2)]


def test_every_code_object_survives_decode_and_assemble() -> None:
    count = 0
    for code in code_objects():
        count += 1
        assert not differences(code), (code.co_filename, code.co_qualname, differences(code))
    assert count > (60_000 if FULL else 5_000)


def test_units_tile_the_bytecode() -> None:
    body = decode(differences.__code__)
    ends = [unit.offset + unit.size for unit in body.units]
    assert [unit.offset for unit in body.units] == [0, *ends[:-1]]
    assert ends[-1] == len(body.code.co_code)
