"""An error of dyntrace's own: counted, reported once, and the original runs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import dyntrace
from dyntrace.errors import DyntraceWarning, GraphBreakError, InternalError
from dyntrace.runtime.containment import contained
from dyntrace.weaving.regions import Regions

A = np.arange(1.0, 6.0)


@pytest.fixture
def broken_weaving(monkeypatch):
    def weave(*args, **kwargs):
        raise RuntimeError("injected")

    monkeypatch.setattr("dyntrace.weaving.weave.weave", weave)


def make_program():
    def program(a):
        return a * 2 + 1

    return dyntrace.optimize(program)


def test_an_internal_error_is_counted_and_the_original_runs(lenient, broken_weaving):
    fast = make_program()
    with pytest.warns(DyntraceWarning, match="internal error while optimising .*program"):
        assert np.array_equal(fast(A), A * 2 + 1)
    for _ in range(3):
        assert np.array_equal(fast(A), A * 2 + 1)
    assert dyntrace.stats(fast).internal_errors == 1
    assert dyntrace.stats(fast).graphs == 0
    assert fast.__code__ is fast.__wrapped__.__code__


def test_the_warning_stands_at_the_users_function_and_says_how_to_report(lenient, broken_weaving):
    fast = make_program()
    with pytest.warns(DyntraceWarning) as caught:
        fast(A)
    (warning,) = caught
    assert warning.filename == __file__
    assert "Please report this text" in str(warning.message)
    assert "RuntimeError: injected" in str(warning.message)
    assert issubclass(DyntraceWarning, RuntimeWarning)


def test_one_kind_of_error_is_reported_once(lenient, broken_weaving):
    first, second = make_program(), make_program()
    with pytest.warns(DyntraceWarning):
        first(A)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(second(A), A * 2 + 1)
    assert dyntrace.stats(second).internal_errors == 1


def test_a_warning_that_is_an_error_still_does_not_reach_the_program(
    lenient, broken_weaving, capsys
):
    fast = make_program()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(fast(A), A * 2 + 1)
    assert "RuntimeError: injected" in capsys.readouterr().err


def test_explain_notes_the_internal_error(lenient, broken_weaving):
    with pytest.warns(DyntraceWarning):
        found = dyntrace.explain(make_program())(A)
    assert found.graph_count == 0
    assert found.notes == ["internal error: RuntimeError: injected"]


def test_an_error_in_a_later_version_takes_the_regions_out(lenient, monkeypatch):
    fast = make_program()
    for _ in range(3):
        fast(A)
    assert dyntrace.stats(fast).graph_calls >= 2

    def add_entry(self, known, plan):
        raise KeyError("later")

    monkeypatch.setattr(Regions, "add_entry", add_entry)
    with pytest.warns(DyntraceWarning, match="later"):
        assert np.array_equal(fast(A.astype("f4")), A.astype("f4") * 2 + 1)
    assert np.array_equal(fast(A), A * 2 + 1)
    assert dyntrace.stats(fast).internal_errors == 1


def test_a_function_given_up_survives_a_reset(lenient, broken_weaving):
    fast = make_program()
    with pytest.warns(DyntraceWarning):
        fast(A)
    dyntrace.reset()
    assert np.array_equal(fast(A), A * 2 + 1)


def test_strict_mode_raises_the_error(strict, broken_weaving):
    with pytest.raises(InternalError, match="RuntimeError: injected") as caught:
        make_program()(A)
    assert type(caught.value.__cause__) is RuntimeError


class Unit:
    name = "unit"

    def __init__(self):
        self.given_up = 0

    def give_up(self):
        self.given_up += 1

    @contained("fallback")
    def fail(self, error):
        raise error


def test_what_is_thrown_at_the_user_passes_through(lenient):
    for error in (KeyboardInterrupt(), SystemExit(), GraphBreakError("reason", "file", 1)):
        compiled = Unit()
        with pytest.raises(type(error)):
            compiled.fail(error)
        assert compiled.given_up == 0


def test_any_other_error_answers_with_the_fallback(lenient):
    compiled = Unit()
    with pytest.warns(DyntraceWarning, match="optimising unit"):
        assert compiled.fail(ValueError("once")) == "fallback"
    assert compiled.fail(ValueError("once")) == "fallback"
    assert compiled.given_up == 2
