"""A Python whose opcodes or arguments a table does not know is refused early, never misread."""

import ast
import dis
import inspect

import pytest

from dyntrace.asm import assemble, lower
from dyntrace.asm.decode import decode
from dyntrace.asm.versions import TABLE
from dyntrace.asm.versions.rules import COMPARISONS, OPERATORS
from dyntrace.asm.versions.table import EMITTED, check
from dyntrace.errors import AssemblyError

MAKERS = {"_plain", "_with"}


def names_in(module):
    """The opcodes that a module names as texts: `OPCODES["NOP"]`, `_plain("COPY")`."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        made = isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKERS and node.args
        key = node.args[0] if made else None
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "OPCODES":
            key = node.slice
        found |= {
            leaf.value
            for leaf in ast.walk(key or ast.Pass())
            if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
        }
    return found


@pytest.mark.parametrize("module", [assemble, lower])
def test_what_is_emitted_is_in_the_list_that_the_table_is_checked_for(module):
    assert names_in(module) and names_in(module) <= EMITTED


@pytest.mark.parametrize("name", sorted(EMITTED))
def test_a_python_without_an_opcode_that_is_emitted_fails_at_import(name):
    fewer = {known: number for known, number in dis.opmap.items() if known != name}
    with pytest.raises(AssemblyError, match=f"unknown.*{name}|{name}"):
        check(TABLE, fewer)


def with_argument(function, opname, arg):
    code = function.__code__
    raw = bytearray(code.co_code)
    place = next(i for i in range(0, len(raw), 2) if dis.opname[raw[i]] == opname)
    raw[place + 1] = arg
    return code.replace(co_code=bytes(raw))


def test_a_binary_operator_that_is_not_known_is_refused():
    def add(a, b):
        return a + b

    last = 2 * len(OPERATORS) - 1
    assert decode(with_argument(add, "BINARY_OP", last)).units
    with pytest.raises(AssemblyError, match=f"BINARY_OP {last + 1} is no operator"):
        decode(with_argument(add, "BINARY_OP", last + 1))


def test_a_comparison_that_is_not_known_is_refused():
    def less(a, b):
        return a < b

    with pytest.raises(AssemblyError, match="COMPARE_OP 255 is no comparison"):
        decode(with_argument(less, "COMPARE_OP", 255))
    assert len(COMPARISONS) == len(dis.cmp_op)
