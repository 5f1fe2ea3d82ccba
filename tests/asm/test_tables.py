"""The version tables list every opcode of this Python, handled or refused with a catalogued reason."""

from __future__ import annotations

import dis

import pytest
from bytecode import ConcreteInstr
from bytecode.instr import opcode_has_argument

from dyntrace import breaks
from dyntrace.asm.decode import CACHES, JUMPS, OPCODES
from dyntrace.asm.versions import TABLE
from dyntrace.asm.versions.rules import nothing
from dyntrace.asm.versions.table import Context, check
from dyntrace.errors import AssemblyError
from dyntrace.record import replace


def program(argument):
    return argument


def with_rules(**changes):
    return replace(TABLE, rules={**TABLE.rules, **changes})


def test_every_opcode_is_listed_exactly_once():
    assert set(TABLE.rules) | TABLE.never == set(dis.opmap)
    assert not set(TABLE.rules) & TABLE.never


def test_a_missing_opcode_is_refused():
    rules = {name: rule for name, rule in TABLE.rules.items() if name != "BINARY_OP"}
    with pytest.raises(AssemblyError, match="not listed: BINARY_OP"):
        check(replace(TABLE, rules=rules))


def test_a_misspelt_opcode_is_refused():
    with pytest.raises(AssemblyError, match="unknown: BINARY_OPP"):
        check(with_rules(BINARY_OPP=nothing))


def test_an_opcode_listed_twice_is_refused():
    with pytest.raises(AssemblyError, match="listed twice: CACHE"):
        check(with_rules(CACHE=nothing))


def test_glue_must_name_opcodes_that_have_a_rule():
    with pytest.raises(AssemblyError, match="without a rule: BINARY_OPP"):
        check(replace(TABLE, never_alone=frozenset({"BINARY_OPP"})))


def test_every_refusal_carries_a_catalogued_reason():
    context = Context(
        program.__code__.replace(co_names=("a",) * 4, co_consts=(0,) * 4), frozenset()
    )
    steps = [step for rule in TABLE.rules.values() for step in rule(context, 2)]
    codes = {step.arg[0] for step in steps if step.name == "BREAK"}
    assert codes <= set(breaks.CATALOGUE)
    assert {
        "DT301",
        "DT302",
        "DT303",
        "DT304",
        "DT305",
        "DT306",
        "DT307",
        "DT308",
        "DT309",
    } <= codes


def sample(name):
    """The library's instruction of that name."""
    return ConcreteInstr(name, *((0,) if opcode_has_argument(OPCODES[name]) else ()))


@pytest.mark.parametrize("name", sorted(OPCODES))
def test_caches_and_jumps_are_those_that_the_library_bytecode_knows(name):
    assert CACHES[OPCODES[name]] == sample(name).use_cache_opcodes()
    assert (OPCODES[name] in JUMPS) is sample(name).has_jump()


def test_a_cache_count_of_an_unknown_opcode_is_refused():
    with pytest.raises(AssemblyError, match="without a rule: BINARY_OPP"):
        check(replace(TABLE, caches={"BINARY_OPP": 1}))
