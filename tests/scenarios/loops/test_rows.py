"""Rows in loops: slices, expressions on them, dots, sums, in-place updates, as eager to the bit."""

import numpy as np
import pytest

from tests.scenarios.loops.hot import hot

LENGTHS = 140


def table(rows=60, columns=LENGTHS, dtype="d", seed=5):
    draw = np.random.default_rng(seed)
    values = draw.standard_normal((rows, columns)) * 2.0 ** draw.integers(-30, 30, (rows, columns))
    values[::7, ::5] = -0.0
    return values.astype(dtype)


LAYOUTS = {
    "rows": lambda a: a.copy(),
    "columns": np.asfortranarray,
    "every second": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2],
    "backwards": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "misaligned": lambda a: misaligned(a),
}


def misaligned(a):
    raw = np.empty(a.nbytes + 1, "B")
    made = raw[1:].view(a.dtype).reshape(a.shape)
    made[:] = a
    return made


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return LAYOUTS[request.param]


@pytest.mark.parametrize("dtype", ["d", "f", "l", "i", "B"])
def test_expressions_on_rows_and_their_parts(layout, dtype):
    def program(a, out):
        for i in range(1, a.shape[0]):
            out[i] = a[i] + a[i - 1] * 3
            out[i, : i % 7] -= a[i, : i % 7]
            out[i, ::2] *= 2
            out[i, 5:9] = 4

    with np.errstate(all="ignore"):
        hot(program, layout(table(dtype=dtype)), table(dtype=dtype))


@pytest.mark.parametrize("dtype", ["d", "f"])
def test_floating_point_operations_of_rows(layout, dtype):
    def program(a, out):
        for i in range(a.shape[0]):
            out[i] = (a[i] / 3.0 - abs(a[0])) * -a[i] + np.sqrt(abs(a[i]))

    hot(program, layout(table(dtype=dtype)), table(dtype=dtype))


@pytest.mark.parametrize("dtype", ["d", "f"])
def test_ufuncs_of_rows_and_of_numbers(layout, dtype):
    def program(a, out):
        for i in range(a.shape[0]):
            out[i] = np.minimum(a[i], a[0] + 1.0) + np.exp(-abs(a[i]))
            out[i, 0] = np.tanh(a[i, 1]) + np.maximum(a[i, 2], 0.5)
            out[i, 1] = np.arctan2(a[i, 1], a[i, 2])

    hot(program, layout(table(dtype=dtype)), table(dtype=dtype))


@pytest.mark.parametrize("dtype", ["d", "f"])
def test_dots_of_every_length(layout, dtype):
    def program(a, out):
        for k in range(LENGTHS):
            out[0, k] = a[3, :k] @ a[4, :k]
            out[1, k] = np.dot(a[3, :k], a[5, :k])
            out[2, k] = a[:, k] @ a[:, 0]
            out[3, k] = np.dot(a[3, :k][::-1], np.flip(a[4, :k]))
            out[4, k] = a[3, :k][::-1] @ a[4, :k]

    with np.errstate(all="ignore"):
        hot(program, layout(table(dtype=dtype)), table(dtype=dtype))


@pytest.mark.parametrize("dtype", ["d", "f", "l"])
def test_sums_and_extremes_of_every_length(layout, dtype):
    def program(a, out):
        for k in range(1, LENGTHS):
            out[0, k] = a[3, :k].sum()
            out[1, k] = np.sum(a[3, :k][::-1])
            out[2, k] = a[:, k].sum()
            out[3, k] = a[4, k:].max()
            out[4, k] = (a[3, :k] * 3).min()

    hot(program, layout(table(dtype=dtype)), table(dtype=dtype))


@pytest.mark.parametrize("rows", [1, 2, 3, 8])
@pytest.mark.parametrize("columns", [1, 3, 8, 130])
def test_sums_of_windows(layout, rows, columns):
    def program(a, out, rows, columns):
        for i in range(40):
            out[0, i] = a[i : i + rows, 2 : 2 + columns].sum()
            out[1, i] = a[i : i + rows, -columns:].sum()

    hot(program, layout(table(70, 140)), table(), rows, columns)


def test_rows_that_overlap_what_is_stored():
    def program(x):
        for i in range(1, 60):
            x[i:] += x[:-i]
            x[: i + 3] = x[1 : i + 4] * 0.5
            x[:i] += 0.25 * np.flip(x[:i])
            x[2:40] = x[:38]

    with np.errstate(all="ignore"):
        hot(program, table()[0])


def test_rows_of_different_lengths_raise_in_the_middle():
    def program(x, out, trouble):
        for i in range(60):
            k = 9 if i == trouble else 10
            out[i % 5, :10] = x[:k] + 1.0

    hot(program, table()[0], table(), 33)


def test_a_row_of_one_element_is_repeated():
    def program(x, out, trouble):
        for i in range(60):
            k = 1 if i == trouble else 10
            out[i % 5, :10] = x[:k] + 1.0

    hot(program, table()[0], table(), 33)


def test_rows_into_read_only_memory_raise():
    def program(x, out):
        for i in range(60):
            out[i % 5] = x[i] * 2.0

    out = table()
    out.flags.writeable = False
    hot(program, table(), out)


@pytest.mark.parametrize("how", ["warn", "raise", "ignore"])
def test_flags_of_rows_in_the_middle(how):
    def program(x, out, how):
        with np.errstate(all=how):
            for i in range(60):
                out[i] = x[i] * 1e10
                out[i, 0] = x[i] @ x[i]

    x = table() * 0.0 + 1.5
    x[33, 7] = 1e300
    hot(program, x, table(), how)


def test_rows_without_elements():
    def program(x, out):
        for i in range(60):
            out[i, 5:5] = x[i, 9:3] * 2.0
            out[i, 0] = x[i, 4:4].sum() + (x[i, 4:4] @ x[i, 5:5])

    hot(program, table(), table())


def test_the_extreme_of_an_empty_row_raises():
    def program(x, out, trouble):
        for i in range(60):
            out[i, 0] = x[i, : 0 if i == trouble else 5].max()

    hot(program, table(), table(), 33)


def test_rows_of_which_a_view_is_kept():
    def program(a):
        last = a[0]
        for i in range(60):
            row = a[i]
            row *= 0.5
            if i % 20 == 19:
                last = row
        return last, row

    hot(program, table())


def test_rows_that_an_array_gives_one_after_the_other():
    def program(a, weights):
        total = 0.0
        for row in a:
            row += weights
            total += row @ weights
        return total, row

    hot(program, table(), table()[9])


def test_sweeps_that_read_rows_written_before():
    def program(a):
        for k in range(5):
            for i in range(1, a.shape[0] - 1):
                a[i, 1:-1] = 0.25 * (a[i - 1, 1:-1] + a[i + 1, 1:-1] + a[i, :-2] + a[i, 2:])

    hot(program, table())


def test_in_place_operators_that_change_the_type_are_left_to_numpy():
    def program(a, b):
        for i in range(60):
            a[i] *= 2
            b[i] += a[i]
        return a, b

    hot(program, table(dtype="f"), table())
