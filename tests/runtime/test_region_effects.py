"""Regions that are there for an effect only, and callables that see to the modes themselves."""

import dis
import sys

import numpy as np
import pytest

import dyntrace

ANY = ("argument", 0, None, "none", None, None)
SECOND = ("argument", 1, None, "none", None, None)


def region_of(runtime, run):
    region = runtime.Region([((ANY,), (0,), run, True)])
    region.commits = True
    return region


# Effects -----------------------------------------------------------------------------------------
def test_region_does_its_effect_and_answers_true(runtime):
    done = []
    region = region_of(runtime, lambda x: (lambda: done.append(x),))
    assert region.handle(7) is True
    assert done == [7]
    assert region.deopts == 0


def test_callable_that_has_done_the_effect_answers_true_itself(runtime):
    region = region_of(runtime, lambda x: True)
    assert region.handle(1) is True


def test_declined_effect_is_not_done(runtime):
    region = region_of(runtime, lambda x: None)
    assert region.handle(1) is None
    assert region.deopts == 1


def test_effect_runs_under_the_modes_of_the_user(runtime):
    seen = []
    region = region_of(runtime, lambda x: (lambda: seen.append(np.geterr()),))
    with np.errstate(over="warn"):
        assert region.handle(1) is True
    assert seen[0]["over"] == "warn"


def test_error_of_an_effect_is_not_a_deopt(runtime):
    def commit():
        raise ValueError("half-way")

    region = region_of(runtime, lambda x: (commit,))
    with pytest.raises(ValueError, match="half-way"):
        region.handle(1)
    assert region.deopts == 0


def test_answer_of_another_form_is_an_error(runtime):
    for answer in ((), (print, print), [print], 1):
        region = region_of(runtime, lambda x, answer=answer: answer)
        with pytest.raises(TypeError, match="effect only"):
            region.handle(1)


def test_result_is_passed_on_where_there_are_outputs(runtime):
    region = runtime.Region([((ANY,), (0,), lambda x: (x, print), True)])
    assert region.commits is False
    assert region.handle(1) == (1, print)


def test_no_reference_is_lost_or_kept(runtime):
    held = object()
    region = region_of(runtime, lambda x: (lambda: held,))
    region.handle(1)
    before = sys.getrefcount(held)
    for _ in range(100):
        region.handle(held)
    assert sys.getrefcount(held) == before


def store(a, b):
    a[1:-1] = b[1:-1] * 2.0


def copy_into(a, b):
    np.copyto(a, b)


def _calls(function):
    """Calls that the function makes itself: on 3.11 landing pads begin with another."""
    names = [step.opname for step in dis.get_instructions(function)]
    pads = names.count("JUMP_BACKWARD_NO_INTERRUPT") if "PRECALL" in names else 0
    return names.count("CALL") - pads


@pytest.mark.parametrize("fn", [store, copy_into])
def test_woven_stub_of_an_effect_makes_one_call(fn):
    fast = dyntrace.optimize(fn)
    for _ in range(5):
        mine, its = np.arange(6.0), np.arange(6.0)
        fast(mine, its + 1)
        fn(its, its + 1)
        assert mine.tolist() == its.tolist()
    assert _calls(fast) == _calls(fn) + 1
    assert dyntrace.stats(fast).deopts == 0


# Callables ---------------------------------------------------------------------------------------
def modes(*values):
    return np.geterr()["over"]


def test_quiet_callable_runs_under_the_modes_of_the_user(runtime):
    def quiet(*values):
        return modes()

    quiet.quiet = True
    with np.errstate(over="warn"):
        for run, mode in ((quiet, "warn"), (modes, "raise")):
            region = runtime.Region([((), (), run, True)])
            assert region.handle() == mode


def test_quiet_must_be_true_itself(runtime):
    def loud(*values):
        return modes()

    loud.quiet = 1
    with np.errstate(over="warn"):
        region = runtime.Region([((), (), loud, True)])
        assert region.handle() == "raise"


def test_arguments_are_passed_on_in_order_or_gathered(runtime):
    def both(*values):
        return values

    for uses in ((), (0,), (0, 1), (1, 0), (1,), (0, 0)):
        region = runtime.Region([((ANY, SECOND), uses, both, False)])
        assert region.handle("a", "b", "c") == tuple("ab"[use] for use in uses)


def test_callable_whose_class_changes_is_called_as_it_is_now(runtime):
    class Program:
        def __call__(self, value):
            return value

    region = runtime.Region([((ANY,), (0,), Program(), False)])
    assert region.handle(3) == 3
    Program.__call__ = lambda self, value: -value
    assert region.handle(3) == -3


def test_built_in_callable_is_called_directly(runtime):
    region = runtime.Region([((ANY,), (0,), len, False)])
    assert region.handle([1, 2]) == 2
    assert region.handle(5) is None
