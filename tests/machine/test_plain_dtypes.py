"""Dtypes that hold numbers of the machine but are not built-in: results show the difference."""

import ctypes

import numpy as np
import pytest

import dyntrace
from dyntrace import optimize


def work(x):
    y = x * 2.0 + x
    return y, x[1:], x.copy(), y.sum(), np.abs(x - y), x.reshape(2, -1)


def tells(value):
    return value.dtype.byteorder, value.dtype.metadata, value.tobytes()


def numbers(dtype):
    return np.arange(1.0, 9.0).astype(dtype)


ARRAYS = {
    # numpy/ctypeslib: the dtype of memory of ctypes names its byte order, and so does that of x + x
    "named order": lambda: np.ctypeslib.as_array((ctypes.c_double * 8)(*range(1, 9))),
    "metadata": lambda: numbers(np.dtype(float, metadata={"unit": "m"})),
    "swapped": lambda: numbers(np.dtype(float).newbyteorder()),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_results_tell_what_eagers_tell(kind):
    made = optimize(work)
    for _ in range(6):
        expected, found = work(ARRAYS[kind]()), made(ARRAYS[kind]())
        assert [tells(one) for one in found] == [tells(one) for one in expected]


@pytest.mark.parametrize("kind", ARRAYS)
def test_a_program_made_for_the_built_in_dtype_is_not_run_on_another(kind):
    made = optimize(work)
    for _ in range(6):
        made(numbers(float))
    expected, found = work(ARRAYS[kind]()), made(ARRAYS[kind]())
    assert [tells(one) for one in found] == [tells(one) for one in expected]
    assert sum(graph.runs for graph in dyntrace.explain(made)(numbers(float)).graphs) >= 6
