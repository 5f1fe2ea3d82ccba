"""Assignment to items of outside memory: what is written is eager's, or nothing is."""

import itertools
import warnings

import numpy as np
import pytest

from tests.exec.effects.running import (
    MODES,
    eager_fails,
    functions_of,
    memory,
    numbers,
    run,
    writing,
)
from tests.trace.captured import NotCaptured

ROWS = np.array([1, 0, 3])
LINE = np.array([True, False, True, True])
MASK = numbers("i", (4, 4)) > 3


class Basic:
    """Assignments to a view of x; `value` gives what is assigned, of what is given."""

    def first(x, at, value, given):
        x[0] = value(given)

    def last(x, at, value, given):
        x[-1] = value(given)

    def inner(x, at, value, given):
        x[1:-1] = value(given)

    def every_other_backwards(x, at, value, given):
        x[::-2] = value(given)

    def ellipsis(x, at, value, given):
        x[...] = value(given)

    def item(x, at, value, given):
        x[1, 2] = value(given)

    def last_and_ellipsis(x, at, value, given):
        x[-1, ...] = value(given)

    def first_column(x, at, value, given):
        x[..., 0] = value(given)

    def row_of_a_new_axis(x, at, value, given):
        x[None, 1] = value(given)

    def column_of_a_new_axis(x, at, value, given):
        x[:, None, 2] = value(given)

    def part_of_a_plane(x, at, value, given):
        x[1:3, ::2] = value(given)

    def column(x, at, value, given):
        x[:, 1] = value(given)

    def empty_tuple(x, at, value, given):
        x[()] = value(given)

    def nothing(x, at, value, given):
        x[3:1] = value(given)


class Gathered:
    """Assignments to items that lists and arrays, such as `at`, choose."""

    def list_of_rows(x, at, value, given):
        x[[0, 2]] = value(given)

    def mask(x, at, value, given):
        x[at] = value(given)

    def rows(x, at, value, given):
        x[at] = value(given)

    def rows_of_a_column(x, at, value, given):
        x[at, 1] = value(given)

    def columns(x, at, value, given):
        x[:, at] = value(given)

    def pairs(x, at, value, given):
        x[at, at] = value(given)

    def line_of_every_other(x, at, value, given):
        x[at, ::2] = value(given)

    def list_of_truths(x, at, value, given):
        x[[True, False, True, True]] = value(given)


CHOOSING = {"mask": MASK, "line_of_every_other": LINE}  # all others are chosen by ROWS
VALUES = {
    "int": (lambda given: 2, None),
    "float": (lambda given: 2.5, None),
    "truth": (lambda given: True, None),
    "single number": (lambda given: np.float32(1.5), None),
    "double number": (lambda given: given, np.float64(3)),
    "row": (lambda given: given, np.arange(4.0)),
    "row with more axes": (lambda given: given[None, None], np.arange(4.0)),
    "whole": (lambda given: given, numbers("f", (4, 4))),
    "computed": (lambda given: given * 2, numbers("h", (4, 4))),
    "list": (lambda given: [1, 2], None),
}
PLACES = functions_of(Basic) | functions_of(Gathered)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("dtype", ["?", "i", "Q", "e", "d", "D"])
def test_item_assignment_is_eagers_or_nothing(compile_graph, place, value, dtype):
    fn, (value_of, given) = PLACES[place], VALUES[value]

    def build():
        return numbers(dtype, (4, 4)), CHOOSING.get(place, ROWS), value_of, given

    if eager_fails(fn, build, all="ignore"):
        return
    if (place, value) == ("list_of_truths", "row with more axes"):
        with pytest.raises(NotCaptured):  # it fails on the small arrays that stand in for x
            writing(fn, build())
        return
    outcome = run(compile_graph, fn, build)
    shy = dtype != "d" or (value == "row with more axes" and place in functions_of(Gathered))
    assert outcome == "committed" or eager_fails(fn, build) or shy


class Writes:
    """Assignments that fail on some arguments and not on others of the same kinds."""

    def rows(x, y):
        x[1:3] = y

    def rows_chosen(x, y):
        x[y] = 2

    def items_chosen(x, y):
        x[y > 1] = y

    def first(x, y):
        x[0] = y

    def whole(x, y):
        x[:] = y

    def three_chosen(x, y):
        x[[0, 1, 2]] = y


FAILING = {
    "rows of another length": (Writes.rows, np.ones(2), np.ones(3)),
    "a row that is not there": (Writes.rows_chosen, np.array([0, 1]), np.array([0, 9])),
    "first of another length": (Writes.first, np.ones(2), np.ones((5, 5))),
    "whole of another length": (Writes.whole, np.ones(2), np.ones((2, 2))),
}


@pytest.mark.parametrize("name", FAILING)
def test_item_assignment_that_fails_leaves_the_target(compile_graph, name):
    fn, fitting, misfit = FAILING[name]

    def good():
        return np.zeros((4, 2)), fitting

    def bad():
        return np.zeros((4, 2)), misfit if misfit.ndim == 1 else misfit[:, :1].repeat(5, 1)

    region = writing(fn, good()).compiled(compile_graph)
    found = bad()
    before = memory(found)
    with pytest.raises(Exception):
        region(*found)
    assert memory(found) == before


def test_masked_assignment_that_fails_leaves_the_target(compile_graph):
    def good():
        return np.zeros(3), np.full(3, 2.0)

    def bad():
        return np.zeros(3), np.array([0.0, 2, 3])

    assert run(compile_graph, Writes.items_chosen, bad, good) == "refused"


class Unfit:
    """Assignments of values that unsigned bytes cannot hold."""

    def too_large(x):
        x[1:] = 300

    def negative(x):
        x[1:] = -1

    def nan(x):
        x[1:] = 1e999 - 1e999


@pytest.mark.parametrize("name", functions_of(Unfit))
def test_number_that_does_not_fit_the_dtype_leaves_the_target(compile_graph, name):
    assert run(compile_graph, functions_of(Unfit)[name], lambda: (np.zeros(4, "B"),)) == "refused"


def test_number_that_eager_never_takes_is_not_captured():
    def imaginary(x):
        x[1:] = 1j

    with pytest.raises(NotCaptured):
        writing(imaginary, (np.zeros(4, "B"),))


def test_array_that_does_not_fit_the_dtype_leaves_the_target(compile_graph):
    def fitting():
        return np.zeros(4, "B"), np.ones(4)

    def unfit():
        return np.zeros(4, "B"), np.array([1, np.nan, 1e30, 2])

    assert run(compile_graph, Writes.whole, unfit, fitting) == "refused"


def test_fraction_is_cut_off_as_eager_cuts_it_off(compile_graph):
    def program(x):
        x[1:] = 2.0**0.5

    x = np.zeros(4, "B")
    with np.errstate(**MODES):
        commit = writing(program, (x,)).compiled(compile_graph)(x)[-1]
    assert not x.any()
    commit()
    assert x.tolist() == [0, 1, 1, 1]


def test_complex_values_never_warn_from_inside(compile_graph):
    def build():
        return np.zeros(3), np.ones(3) * 1j

    def good():
        return np.zeros(3), np.ones(3)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(compile_graph, Writes.whole, build, good) == "refused"
        assert run(compile_graph, Writes.three_chosen, build, good) == "refused"


class Overlapping:
    """Assignments of a part of y, which looks into the memory of x."""

    def whole(x, y):
        x[:] = y

    def shifted(x, y):
        x[1:] = y[:-1]

    def row(x, y):
        x[0] = y[1]

    def rows_chosen(x, y):
        x[[0, 1]] = y[2:4]

    def positive(x, y):
        x[x > 0] = y[x > 0]


@pytest.mark.parametrize("orders", list(itertools.product("CF", repeat=2)), ids="".join)
def test_value_that_overlaps_the_assigned_part_is_read_before_it_is_written(compile_graph, orders):
    def build():
        x = np.asarray(numbers("d", (6, 6)), order=orders[0])
        return x, x[::-1] if orders[1] == "C" else x.T

    assert run(compile_graph, Overlapping.whole, build) == "committed"
    assert run(compile_graph, Overlapping.shifted, build) == "committed"
    # Along one axis NumPy makes no temporary, and unlike strides read what has been written.
    wanted = "committed" if orders[1] == "C" else "refused"
    assert run(compile_graph, Overlapping.row, build) == wanted
    assert run(compile_graph, Overlapping.rows_chosen, build) == "refused"
    run(compile_graph, Overlapping.positive, build)


class Numbers:
    """Assignments of a number."""

    def row(x, v):
        x[1] = v

    def part_of_a_column(x, v):
        x[1:, 0] = v

    def chosen(x, v):
        x[x > 2] = v

    def ellipsis(x, v):
        x[...] = v


FITS = [
    ("d", 2.5, "committed"),
    ("d", float("nan"), "committed"),
    ("d", 2**62 + 1, "committed"),
    ("d", 2**70, "refused"),
    ("i", -(2**31), "committed"),
    ("i", 2**31, "refused"),
    ("B", True, "committed"),
    ("B", -1, "refused"),
    ("e", 1e300, "refused"),
    ("D", 1.5, "committed"),
]


@pytest.mark.parametrize("dtype, value, wanted", FITS)
@pytest.mark.parametrize("place", functions_of(Numbers))
def test_numbers_that_fit_are_assigned_by_eagers_own_call(
    compile_graph, dtype, value, wanted, place
):
    fn, sample = functions_of(Numbers)[place], type(value)(1)

    def build():
        return numbers(dtype, (3, 4)), value

    def good():
        return numbers(dtype, (3, 4)), sample

    def short():
        return numbers(dtype, (1, 4)), sample

    assert run(compile_graph, fn, build, good) == wanted
    if place == "row":
        assert run(compile_graph, fn, short, good) == "refused"
