"""A record marked exact is never wrong: the executor does not check what it says."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dyntrace.exec.checks import matches
from dyntrace.ops import registry
from dyntrace.ops.call import NumpyCall, Refused, Sample
from dyntrace.ops.python.operators import BINARY, UNARY
from dyntrace.ops.quiet import GivesUp

from .values import arrays, numbers, operands, scalars

UFUNCS = {v.__name__: v for v in vars(np).values() if isinstance(v, np.ufunc) and v is not np.isnat}
METHODS = sorted(name for name, found in registry._METHODS.items() if registry.method(name))
ATTRIBUTES = sorted(name for name in registry._ATTRIBUTES if registry.attribute(name))
FAST = settings(max_examples=25, deadline=None)


def check(record, args, kwargs=None):
    """Run the target on real values and hold the inferred kind against the result."""
    kwargs = kwargs or {}
    call = NumpyCall(tuple(Sample(a) for a in args), {k: Sample(v) for k, v in kwargs.items()})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        # NumPy before 2.2 warns of it, later ones raise ValueError.
        warnings.filterwarnings("ignore", "The truth value of an empty array", DeprecationWarning)
        try:
            kind = record.infer(call)
        except Refused:
            return
        try:
            result = record.op.target(*args, **kwargs)
        except (ArithmeticError, ValueError, TypeError, IndexError, GivesUp, MemoryError):
            return
    if record.op.exact:
        assert matches(result, kind), (record.op, args, kind, result)


@pytest.mark.parametrize("name", UFUNCS)
@FAST
@given(data=st.data())
def test_ufuncs_give_the_kind_that_is_said(name, data):
    ufunc = UFUNCS[name]
    check(registry.record_of(ufunc), [data.draw(operands) for _ in range(ufunc.nin)])


@pytest.mark.parametrize("name", BINARY)
@FAST
@given(left=operands, right=operands)
def test_binary_operators_give_the_kind_that_is_said(name, left, right):
    if name == "lshift" and isinstance(right, int) and right > 100:
        return
    if name == "pow" and all(isinstance(v, int) and abs(v) > 3 for v in (left, right)):
        return
    check(registry.operator_record(name), [left, right])


@pytest.mark.parametrize("name", [name for name, (_, inplace) in BINARY.items() if inplace])
@FAST
@given(left=st.one_of(arrays, scalars), right=operands)
def test_operators_in_place(name, left, right):
    if name in ("lshift", "pow") and isinstance(right, int):
        return
    check(registry.operator_record(name, True), [left, right])


@pytest.mark.parametrize("name", UNARY)
@FAST
@given(value=operands)
def test_unary_operators_give_the_kind_that_is_said(name, value):
    check(registry.operator_record(name), [value])


@pytest.mark.parametrize("name", METHODS)
@FAST
@given(data=st.data())
def test_methods_give_the_kind_that_is_said(name, data):
    value = data.draw(arrays)
    rest = st.one_of(
        arrays, numbers, st.sampled_from([0, 1, -1, None, (), (0,), (1, 0), "f4", "K"])
    )
    size = 2 if name == "put" else 3  # a number as mode leaves an exception set in NumPy 2.5
    values = data.draw(st.lists(rest, max_size=size))
    if name == "repeat":  # 2**31 times a small array is a result of gigabytes
        assume(not any(isinstance(times, int) and times > 255 for times in values))
    check(registry.method(name), [value, *values])


@pytest.mark.parametrize("name", ["sum", "mean", "item", "round", "astype", "clip", "conj"])
@FAST
@given(data=st.data())
def test_methods_of_numpy_scalars(name, data):
    value = data.draw(scalars)
    record = registry.method(name, Sample(value).kind)
    check(record, [value, *data.draw(st.lists(numbers, max_size=2))])


@pytest.mark.parametrize("name", ATTRIBUTES)
@FAST
@given(value=st.one_of(arrays, scalars))
def test_attributes_give_the_kind_that_is_said(name, value):
    check(registry.attribute(name), [value])


indices = st.one_of(
    st.sampled_from([0, -1, 1, None, Ellipsis, slice(None), slice(1, None), slice(None, None, -1)]),
    st.sampled_from([True, False, np.int64(0), np.array(0), np.array([0]), np.array([], int)]),
    st.sampled_from([[0], [True], np.array([True]), np.array([[0]]), np.array(True), [[0]]]),
)


@FAST
@given(value=arrays, index=st.one_of(indices, st.lists(indices, max_size=4).map(tuple)))
def test_subscripts_give_the_kind_that_is_said(value, index):
    check(registry.operator_record("getitem"), [value, index])


@FAST
@given(data=st.data())
def test_python_numbers_give_the_kind_that_is_said(data):
    for function in (abs, divmod, float, int, complex, bool, len):
        record = registry.record_of(function)
        check(record, [data.draw(operands) for _ in range(2 if function is divmod else 1)])


@FAST
@given(
    function=st.sampled_from([np.zeros, np.ones, np.empty]),
    shape=st.sampled_from([2, (), (2,), (2, 3), [2, 3], np.int64(2)]),
    dtype=st.sampled_from([None, "f4", int, np.complex64, bool, "O", "U3"]),
)
def test_creation_gives_the_kind_that_is_said(function, shape, dtype):
    check(registry.record_of(function), [shape], {} if dtype is None else {"dtype": dtype})
