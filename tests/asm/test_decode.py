"""What the decoder answers: the same on every Python, and in step with `bytecode`'s own decoder."""

from __future__ import annotations

import dis
from itertools import islice

import pytest
from bytecode import UNSET, ConcreteBytecode

from dyntrace.asm.decode import decode
from dyntrace.asm.instructions import MicroOp
from dyntrace.errors import AssemblyError

from .sources import code_objects

SILENT = ("RESUME", "NOP", "PUSH_NULL", "TO_BOOL")


def steps(program):
    """The micro-ops as text, without those that differ between Pythons."""
    found = [step for unit in decode(program.__code__).units for step in unit.micro]
    return [
        step.name if step.arg is None else f"{step.name} {step.arg}"
        for step in found
        if step.name not in SILENT
    ]


def test_the_decoder_agrees_with_bytecodes_own():
    for code in islice(code_objects(), 0, 6000, 20):
        body = decode(code)
        offset, theirs = 0, {}
        for instruction in ConcreteBytecode.from_code(code):
            theirs[offset] = instruction
            offset += instruction.size
        for unit in body.units:
            other = theirs[unit.offset]
            assert unit.opcode == dis.opmap[other.name]
            assert other.arg is UNSET or unit.arg == other.arg
            if unit.micro and unit.micro[0].name in ("BINARY", "LOAD_ATTR", "STORE_FAST"):
                location = other.location
                assert unit.location[0] == (location.lineno if location else None)


def test_exception_tables_are_read_as_the_library_bytecode_reads_them():
    seen = 0
    for code in islice(code_objects(), 0, 6000, 20):
        ranges = iter(decode(code).ranges)
        for theirs in ConcreteBytecode()._parse_exception_table(code.co_exceptiontable):
            body, ours = decode(code), next(ranges)
            offsets = [unit.offset for unit in body.units] + [len(code.co_code)]
            assert offsets[ours.start] + ours.start_delta == 2 * theirs.start_offset
            assert offsets[ours.end] + ours.end_delta == 2 * theirs.stop_offset + 2
            assert offsets[ours.handler] == 2 * theirs.target
            assert (ours.depth, ours.lasti) == (theirs.stack_depth, theirs.push_lasti)
            seen += 1
        assert next(ranges, None) is None
    assert seen > 100


def test_arithmetic_reads_the_same_on_every_python():
    def program(a, b):
        c = a + b * 2
        c -= b[1:]
        return -c

    assert steps(program)[-4:] == [
        "BINARY ('sub', True)",
        "STORE_FAST 2",
        "LOAD_FAST 2",
        "UNARY negative",
    ] or (steps(program)[-3:] == ["LOAD_FAST 2", "UNARY negative", "RETURN_VALUE"])
    assert "BINARY ('mul', False)" in steps(program)
    assert "BINARY ('add', False)" in steps(program)


def test_calls_carry_count_and_keyword_names():
    def program(f, a):
        f(a)
        f(a, key=a)
        a.method(a, a, x=1, y=2)
        f(*a)
        f(**a)

    found = [s for s in steps(program) if s.startswith("CALL")]
    assert found == [
        "CALL (1, ())",
        "CALL (2, ('key',))",
        "CALL (4, ('x', 'y'))",
        "CALL_FUNCTION_EX False",
        "CALL_FUNCTION_EX True",
    ]
    assert "LOAD_METHOD method" in steps(program)
    assert "LOAD_CONST ('key',)" not in steps(program)


def test_a_function_with_defaults_and_closure_is_one_unit():
    def program(a):
        def inner(b=1, *, c=2) -> int:
            return a + b + c

        return inner

    found = [s for s in steps(program) if s.startswith("MAKE_FUNCTION")]
    assert found == ["MAKE_FUNCTION 15"]
    assert "LOAD_CLOSURE 0" in steps(program)


def test_comparisons_and_conditions():
    def program(a, b):
        if a < b:
            return a is not b
        return a not in b

    found = steps(program)
    assert "COMPARE <" in found
    assert "IS True" in found
    assert "CONTAINS True" in found
    assert any(s.startswith("POP_JUMP_IF ('false',") for s in found)


def test_a_yield_and_its_resume_are_one_unit():
    def program(a):
        b = yield a
        yield from b

    units = decode(program.__code__).units
    after_yield = [u for u in units if u.micro == (MicroOp("BREAK", ("DT301", 1, 1)),)]
    assert all(dis.opname[u.opcode] != "RESUME" for u in units[4:])
    assert len(after_yield) >= 1


def test_an_unbound_load_is_checked_on_every_python():
    def program(flag):
        if flag:
            x = 1
        return x

    assert "LOAD_FAST_CHECK 1" in steps(program)


def test_the_handler_of_a_unit_is_a_unit():
    def program(f):
        with f:
            f()
        return f

    body = decode(program.__code__)
    covered = [u for u in body.units if u.handler is not None]
    first = {body.units[unit.handler].micro[0] for unit in covered}
    assert MicroOp("BREAK", ("DT304", 1, 2)) in first


def test_bytecode_that_ends_inside_an_instruction_is_refused():
    code = test_comparisons_and_conditions.__code__
    extended = bytes((dis.EXTENDED_ARG, 1))
    with pytest.raises(AssemblyError, match="inside an instruction"):
        decode(code.replace(co_code=code.co_code + extended))


def test_a_yield_without_its_resume_is_refused():
    def program():
        yield 1

    raw = program.__code__.co_code
    yielded = dis.opmap["YIELD_VALUE"]
    at = next(i for i in range(0, len(raw), 2) if raw[i] == yielded)
    broken = raw[: at + 2] + bytes((dis.opmap["NOP"], 0)) + raw[at + 4 :]
    with pytest.raises(AssemblyError, match="YIELD_VALUE"):
        decode(program.__code__.replace(co_code=broken))


def test_code_without_any_locations_is_decoded():
    code = steps.__code__.replace(co_linetable=b"")
    assert {unit.location.line for unit in decode(code).units} == {None}
