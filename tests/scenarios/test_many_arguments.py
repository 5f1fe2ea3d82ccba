"""Many arrays in one argument list, tuple, list or dict are captured as few are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.differential import check, explanation

COUNTS = (16, 17, 40, 64, 65, 180)


def arrays(count):
    return [np.arange(5.0) + shift for shift in range(count)]


def handed_on(*args):
    return of_parameters(*args)


def of_parameters(a, b, *rest):
    return np.sqrt(a * 2 + b) - rest[-1] + rest[0] * rest[3]


def of_items(items):
    return np.sqrt(items[0] * 2 + items[1]) - items[-1]


def stacked(items):
    return np.stack(items).sum(axis=0) * 2


def of_values(table):
    return np.sqrt(table["a0"] * 2) - table["a15"]


def calls_with(count):
    many = arrays(count)
    table = {f"a{place}": array for place, array in enumerate(many)}
    return {
        "*args": (handed_on, many),
        "tuple": (of_items, [tuple(many)]),
        "list": (of_items, [many]),
        "whole list": (stacked, [many]),
        "dict": (of_values, [table]),
    }


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("how", calls_with(16))
def test_all_work_on_many_arrays_is_one_graph(how, count):
    function, args = calls_with(count)[how]
    found = explanation(function, *args)
    assert (len(found.graphs), found.breaks) == (1, [])
    check(function, *args)


@pytest.mark.parametrize("how", calls_with(16))
def test_too_many_arrays_have_a_reason_of_their_own(how):
    function, args = calls_with(257)[how]
    codes = {item.code for item in explanation(function, *args).breaks}
    assert codes == {"DT217"}
    check(function, *args)
