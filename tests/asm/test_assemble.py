"""Stubs: every emission operation, growth of jumps and constants, locations, landings, exception ranges."""

from __future__ import annotations

import dis
import sys
import traceback
from types import FunctionType

import pytest

from dyntrace.asm.assemble import assemble
from dyntrace.asm.decode import decode
from dyntrace.asm.emit import (
    At,
    BuildTuple,
    Call,
    Copy,
    Here,
    Jump,
    Label,
    LoadCell,
    LoadConst,
    LoadFast,
    Original,
    PopJumpIfNone,
    PopTop,
    PushCallable,
    PushNull,
    StoreDeref,
    StoreFast,
    Subscript,
    Swap,
    UnpackSequence,
)
from dyntrace.asm.instructions import Location, MicroOp
from dyntrace.errors import AssemblyError


def unit_with(body, step, which=0):
    """The index of a unit that holds the micro-op."""
    return [unit.index for unit in body.units if step in unit.micro][which]


def rebuilt(function, stubs, **options):
    """`function` with the stubs."""
    code = assemble(decode(function.__code__), stubs, **options).code
    return FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)


def last(body):
    return body.units[-1].index


def test_a_stub_replaces_a_computation_or_leaves_it_alone():
    def program(a, b):
        c = a + b
        return c

    body = decode(program.__code__)
    start = unit_with(body, MicroOp("RESUME", 0)) + 1
    behind = unit_with(body, MicroOp("BINARY", ("add", False))) + 1
    results = iter([(42,), None])
    fail = Label()
    stub = [
        PushCallable(lambda a, b: next(results)),
        LoadFast(0),
        LoadFast(1),
        Call(2),
        Copy(1),
        PopJumpIfNone(fail),
        UnpackSequence(1),
        Jump(Original(behind)),
        Here(fail),
        PopTop(),
    ]
    fast = rebuilt(program, {start: stub})
    assert fast(1, 2) == 42
    assert fast(1, 2) == 3


def test_every_stack_operation():
    def program(a):
        return a

    box = []
    stub = [
        LoadConst(("x", "y", "z")),
        UnpackSequence(3),  # z y x, x on top
        Swap(3),  # x y z
        BuildTuple(3),
        Copy(1),
        LoadConst(1),
        Subscript(),  # tuple, y
        BuildTuple(2),
        StoreFast(0),
        PushCallable(box.append, null=False) if sys.version_info >= (3, 13) else PushNull(),
        PushNull() if sys.version_info >= (3, 13) else PushCallable(box.append, null=False),
        LoadFast(0),
        Call(1),
        PopTop(),
    ]
    fast = rebuilt(program, {last(decode(program.__code__)): stub[:]})
    assert fast(7) == 7
    assert box == [(("x", "y", "z"), "y")]


def test_cells_are_loaded_as_cells_and_stored_through():
    def program(a):
        def inner():
            return a

        return inner()

    body = decode(program.__code__)
    seen = []
    start = unit_with(body, MicroOp("RESUME", 0)) + 1
    stub = [
        PushCallable(seen.append),
        LoadCell(0),
        Call(1),
        PopTop(),
        LoadConst("new"),
        StoreDeref(0),
    ]
    assert rebuilt(program, {start: stub})("old") == "new"
    assert seen[0].cell_contents == "new"


def test_jumps_to_a_unit_run_its_stub_and_jumps_to_its_original_do_not():
    def program(n):
        while n:
            n = n - 1
        return n

    body = decode(program.__code__)
    hits = []
    (head,) = {u.target for u in body.units if u.target is not None and u.target < u.index}
    fast = rebuilt(program, {head: [PushCallable(hits.append), LoadFast(0), Call(1), PopTop()]})
    assert fast(3) == 0
    assert len(hits) >= 3


@pytest.mark.parametrize("size", [1, 40, 300, 20_000])
def test_jumps_grow_with_the_code_between(size):
    def program(values):
        total = 0
        for value in values:
            if value is None:
                continue
            try:
                total += value
            except TypeError:
                total += 100
        return total

    body = decode(program.__code__)
    probe = [PushCallable(int), Call(0), PopTop()]
    fast = rebuilt(program, {unit.index: probe * (size // 3 + 1) for unit in body.units[1:-1]})
    values = [1, None, "x", 5]
    assert fast(values) == program(values) == 106


def test_a_jump_over_one_that_grows_leads_where_it_did():
    def program(values):
        total = 0
        for value in values:
            match value:
                case 0:
                    total += 1
                case [one]:
                    total += one
                case [one, two]:
                    total += one * two
                case _:
                    total += 100
            total = total * 2
        return total

    body = decode(program.__code__)
    probe = [PushCallable(int), Call(0), PopTop()] * 60
    values = [0, [3], [4, 5], "x", (6,)]
    for unit in body.units[2:-1]:
        assert rebuilt(program, {unit.index: probe})(values) == program(values), unit.index


def test_more_constants_than_one_byte_counts():
    def program():
        "docstring"
        return None

    body = decode(program.__code__)
    seen = []
    stub = []
    for number in range(1000):
        stub += [PushCallable(seen.append), LoadConst((number,)), Call(1), PopTop()]
    fast = rebuilt(program, {last(body): stub})
    fast()
    assert seen == [(number,) for number in range(1000)]
    assert fast.__doc__ == "docstring"


def test_a_constant_is_stored_once():
    def program():
        return None

    marker = object()
    body = decode(program.__code__)
    code = assemble(body, {last(body): [LoadConst(marker), PopTop()] * 3}).code
    assert sum(constant is marker for constant in code.co_consts) == 1


def test_a_stub_has_the_line_of_its_unit_unless_it_says_otherwise():
    def program(a):
        b = a
        return b

    def explode():
        raise KeyError

    body = decode(program.__code__)
    start = unit_with(body, MicroOp("STORE_FAST", 1))
    line = program.__code__.co_firstlineno

    def reported(*prefix):
        fast = rebuilt(program, {start: [*prefix, PushCallable(explode), Call(0), PopTop()]})
        with pytest.raises(KeyError) as caught:
            fast(1)
        return traceback.extract_tb(caught.value.__traceback__)[1].lineno

    assert reported() == line + 1
    assert reported(At(Location(line + 7, line + 7, 4, 9))) == line + 7


def test_a_stub_stands_in_the_try_block_of_its_unit():
    def program(f):
        try:
            f()
        except KeyError:
            return "caught"
        return "fine"

    def explode():
        raise KeyError

    body = decode(program.__code__)
    inside = unit_with(body, MicroOp("CALL", (0, ())))
    handler = body.units[inside].handler
    stub = [PushCallable(explode), Call(0), PopTop()]
    assert rebuilt(program, {inside: stub})(int) == "caught"
    with pytest.raises(KeyError):
        rebuilt(program, {inside - 1: stub, handler + 1: stub})(int)


def test_a_tail_is_reached_from_the_unit_before_it_only():
    def program(a):
        b = 1
        if a:
            b = 2
        b = b + a
        return b

    seen = []
    body = decode(program.__code__)
    merge = unit_with(body, MicroOp("STORE_FAST", 1), 1) + 1
    tail = [PushCallable(lambda: seen.append(1)), Call(0), PopTop()]
    stub = [PushCallable(lambda: seen.append(2)), Call(0), PopTop()]
    changed = rebuilt(program, {merge: stub}, tails={merge: tail})
    assert (changed(1), seen) == (3, [1, 2])
    assert (changed(0), seen) == (1, [1, 2, 2])


def test_a_tail_stands_in_the_try_block_and_on_the_line_of_the_unit_before_it():
    def fail():
        raise ValueError

    def program(a):
        try:
            a = a + 1
        except ValueError:
            return "caught"
        return a

    body = decode(program.__code__)
    behind = unit_with(body, MicroOp("STORE_FAST", 0)) + 1
    tail = [PushCallable(fail), Call(0), PopTop()]
    assert rebuilt(program, {}, tails={behind: tail})(1) == "caught"
    code = assemble(body, {}, tails={behind: tail}).code
    (line,) = {step.positions.lineno for step in dis.get_instructions(code) if step.argval is fail}
    assert line == program.__code__.co_firstlineno + 2


def test_labels_tell_where_they_are():
    def program(a):
        return a

    label = Label()
    stub = [LoadConst(1), PopTop(), Here(label)]
    assembled = assemble(decode(program.__code__), {1: stub})
    at = assembled.label_offsets[label]
    (named,) = [s.opname for s in dis.get_instructions(assembled.code) if s.offset == at]
    assert named == "LOAD_FAST"


def test_a_landing_pad_drops_the_top_and_goes_to_the_stub():
    def program(n):
        while n:
            n = n - 1
        return n

    body = decode(program.__code__)
    (head,) = {u.target for u in body.units if u.target is not None and u.target < u.index}
    probe = [PushCallable(int), Call(0), PopTop()]
    result = assemble(body, {head: probe}, landings=[head, last(body)])
    at = {i.offset: i for i in dis.get_instructions(result.code)}
    for offset in result.landing_offsets:
        assert at[offset].opname == "POP_TOP"
        assert at[offset + 2].opname == "JUMP_BACKWARD_NO_INTERRUPT"
    stub_start = at[at[result.landing_offsets[0] + 2].argval]
    assert stub_start.opname in ("PUSH_NULL", "LOAD_CONST")


def test_a_landing_pad_stands_in_the_try_block_of_its_unit():
    def program(f):
        try:
            while f():
                pass
        finally:
            f = 1
        return f

    body = decode(program.__code__)
    head = unit_with(body, MicroOp("CALL", (0, ())))
    result = assemble(body, {}, landings=[head])
    again = decode(result.code)
    pads = [u for u in again.units if u.offset >= result.landing_offsets[0]]
    assert {u.handler for u in pads} == {body.units[head].handler}
    assert {u.location for u in pads} == {body.units[head].location}


def test_slack_and_stub_depth_are_added_to_the_stack_size():
    def program(a):
        return a

    body = decode(program.__code__)
    stub = [LoadFast(0)] * 9 + [BuildTuple(9), PopTop()]
    code = assemble(body, {last(body): stub}, slack=5).code
    assert code.co_stacksize == program.__code__.co_stacksize + 9 + 5


def test_a_jump_to_nowhere_is_refused():
    def program(a):
        return a

    body = decode(program.__code__)
    with pytest.raises(AssemblyError, match="label or unit"):
        assemble(body, {1: [Jump(Label())]})
    with pytest.raises(AssemblyError, match="does not exist"):
        assemble(body, {99: [PopTop()]})


def test_a_stub_cannot_jump_back_to_its_own_label():
    def program(a):
        return a

    label = Label()
    with pytest.raises(AssemblyError, match="direction"):
        assemble(decode(program.__code__), {1: [Here(label), LoadConst(1), PopTop(), Jump(label)]})
