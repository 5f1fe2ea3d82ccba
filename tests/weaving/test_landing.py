"""Landing pads: an exception that leaves the helper after the move meets the target's handlers."""

import types

import pytest

from dyntrace.asm.assemble import assemble
from dyntrace.asm.decode import decode
from dyntrace.asm.emit import Call, PopTop, PushCallable
from dyntrace.runtime import handles

pytestmark = pytest.mark.skipif(not handles.NATIVE, reason="the extension is not in use")


def program(n):
    out = []
    for k in range(n):
        try:
            out.append(k)
            x = k + 1
            out.append(x)
        except KeyboardInterrupt:
            out.append("caught")
    return out


BODY = decode(program.__code__)


def moved(at, landings, error=None):
    """`program` that is moved to woven code before unit `at`, where `error` is raised at once."""
    answers = []

    def helper():
        if not answers:
            answers.append(handles.osr(target.code, offset))
            if error is not None:
                raise error

    start = assemble(BODY, {at: [PushCallable(helper), Call(0), PopTop()]}, slack=8)
    # Debug builds of CPython want frames of the same size.
    slack = start.code.co_stacksize - assemble(BODY, {}, landings=landings).code.co_stacksize
    target = assemble(BODY, {}, landings=landings, slack=slack)
    offset = dict(zip(landings, target.landing_offsets, strict=True))[at]
    result = types.FunctionType(start.code, {})(3)
    assert not answers or answers == [True]
    return result, bool(answers)


@pytest.mark.parametrize("at", range(1, len(BODY.units)))
def test_move_before_any_unit_changes_nothing(at):
    assert moved(at, (at,))[0] == program(3)


@pytest.mark.parametrize("unit", [unit for unit in BODY.units if unit.handler is not None])
def test_interrupt_after_the_move_is_handled_where_the_frame_landed(unit):
    at, last = unit.index, len(BODY.units) - 1
    for landings in ((at,), (0, at), (at, 0), (last, at)):
        result, ran = moved(at, landings, KeyboardInterrupt)
        assert "caught" in result if ran else result == program(3)
