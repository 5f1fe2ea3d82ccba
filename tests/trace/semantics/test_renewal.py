"""What is computed from constants is a new object in each call, where CPython makes one."""

from __future__ import annotations

import numpy as np
import pytest

import dyntrace
from dyntrace.trace.marks import tag_of
from dyntrace.trace.semantics.renewal import folded, is_shared, renewed
from dyntrace.trace.values.base import Constant, Folded

A = np.arange(3.0)
SETTINGS = {
    "text": ('k = "ke"', 'k + "y1"'),
    "bytes": ('k = b"ke"', 'k + b"y1"'),
    "int": ("n = 1000", "n + 1"),
    "negated int": ("n = 1000", "-n"),
    "small int": ("n = 1", "n + 1"),
    "float": ("x = 1.5", "x * 2"),
    "the operand itself": ("x = 1.5", "+x"),
    "tuple": ("t = (1, 2)", "t + (3,)"),
    "the tuple itself": ("t = (1, 2)", "t + ()"),
    "part of a tuple": ("t = (1, 2, 3)", "t[:2]"),
    "built tuple": ("n = 1000", "(n, a.ndim)"),
    "built slice": ("n = 1000", "slice(n, 2)"),
    "text constant": ('k = "key1"', "k"),
    "number constant": ("n = 1000", "n"),
}


def identities(function):
    """Which of four results are the first, and which the constant of the code."""
    found = [function(A)[0] for _ in range(4)]
    constants = {id(constant) for constant in function.__code__.co_consts}
    return [value is found[0] for value in found], [id(value) in constants for value in found]


@pytest.mark.parametrize("name", SETTINGS)
def test_results_are_the_objects_that_cpython_makes(name, monkeypatch):
    monkeypatch.setattr("dyntrace.config.measure", False)
    made, used = SETTINGS[name]
    namespace = {}
    exec(
        f"def program(a):\n  b = a * 2\n  {made}\n  r = {used}\n  b = b + 1\n  return r, b",
        namespace,
    )
    program = namespace["program"]
    expected, value = identities(program), program(A)[0]
    fast = dyntrace.optimize(program)
    assert identities(fast) == expected
    assert fast(A)[0] == value and type(fast(A)[0]) is type(value)
    assert len(tag_of(fast).compiled.plans()) == 1


@pytest.mark.parametrize(
    "value", [1000, -(2**80), -0.0, 1.5, complex(-0.0, 2), "abc", "\u20ac1", b"abc", (1, [2])]
)
def test_a_renewed_value_is_another_equal_object(value):
    new = renewed(value)
    assert new is not value and repr(new) == repr(value) and type(new) is type(value)


@pytest.mark.parametrize("value", [3, True, None, "", chr(97), b"", b"ab"[:1], (), ...])
def test_what_cpython_keeps_once_renews_to_itself(value):
    assert renewed(value) is value
    assert type(folded(value, [])) is Constant


def test_a_result_that_is_an_operand_is_not_new():
    assert type(folded(1.5, [2.5])) is Folded
    number = 1.5
    assert type(folded(number, [number])) is Constant


def test_a_tuple_of_constants_is_shared_and_one_with_a_list_is_not():
    assert is_shared((1, (2, 3))) and is_shared(slice(1, 2, None))
    assert not is_shared(()) and not is_shared((1, [2])) and not is_shared(slice([1], 2, None))
