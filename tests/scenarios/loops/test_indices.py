"""Reads and writes of elements and parts: odd indices, targets and values, in one pass or in all."""

import numpy as np
import pytest

from tests.differential import LAYOUTS, laid_out
from tests.scenarios.loops.hot import PASSES, TROUBLE, hot, hot_then


def test_negative_indices_and_indices_computed_with_a_modulus():
    def program(x):
        n = len(x)
        for i in range(n):
            x[-i - 1] = x[(i * 7) % n] + x[-(i % n)] * 0.5 - x[i - n]
        return x

    hot(program, np.linspace(0.0, 1.0, PASSES))


ODD = [PASSES, -PASSES - 1, 2**31, -(2**63), 2**63, 2**70, 1.0, None, "0", True, ..., np.float64(1)]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_index_to_read_in_one_pass(odd):
    def program(x, out, odd, trouble):
        for i in range(len(x)):
            out[i] = -1.0
            value = x[odd if i == trouble else i]
            out[i] = np.sum(value)
        return out

    hot(program, np.linspace(0.0, 1.0, PASSES), np.zeros(PASSES), odd, TROUBLE)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_index_to_write_in_one_pass(odd):
    def program(x, odd, trouble):
        for i in range(len(x)):
            x[odd if i == trouble else i] = i * 0.5
            x[0] += 1.0
        return x

    hot(program, np.linspace(0.0, 1.0, PASSES), odd, TROUBLE)


@pytest.mark.parametrize("index", [np.int64(5), np.uint8(5), np.int8(-5), np.intp(0), np.array(3)])
def test_indices_that_are_numpy_integers(index):
    def program(x, where, index):
        s = 0.0
        for i in range(len(where)):
            s += x[where[i]] + x[index]
            x[where[i]] = s * 1e-3
        return x, s

    for dtype in ("int64", "uint8", "int16", "uint64"):
        where = (np.arange(PASSES) % 50).astype(dtype)
        hot(program, np.linspace(0.0, 1.0, 50), where, index)


@pytest.mark.parametrize("where", [(3, 0), (0, 3), (-4, 0), (0, -4), (5, 5), (2**40, 0)])
def test_an_index_out_of_range_in_two_dimensions(where):
    def program(a, where, n, trouble):
        for k in range(n):
            i, j = where if k == trouble else (k % 3, k % 2)
            a[0, 0] += 1.0
            a[i, j] = a[j, i] + k
        return a

    hot(program, np.zeros((3, 3)), where, PASSES, TROUBLE)
    hot(program, np.zeros((3, 3)), where, PASSES, -1)


def test_a_while_loop_that_runs_off_the_end():
    def program(x, out):
        i = 0
        while True:
            out[0] = i
            x[i] = x[i] * 2 + x[i - 1]
            i += 1

    hot(program, np.linspace(0.0, 1.0, PASSES), np.zeros(1))


def test_an_index_error_that_the_program_catches():
    def program(x, n):
        s, missed = 0.0, 0
        for i in range(n):
            try:
                s += x[i * 2]
            except IndexError as error:
                missed += len(str(error))
        return s, missed

    hot(program, np.linspace(0.0, 1.0, PASSES), PASSES // 2 + 1)
    hot(program, np.linspace(0.0, 1.0, PASSES), PASSES)


def test_lists_and_tuples_indexed_by_numbers():
    def program(items, fixed, n):
        s = 0
        for i in range(n):
            items[i % len(items)] += fixed[i % 3] + items[-1]
            items[0] %= 1000
            s += items[i % 7 - 7]
        return items, s

    hot(program, [1, 2, 3, 4, 5, 6, 7, 8], (1, 2, 3), 600)
    hot(program, [1.0, 2, 3.5, 4, 5, 6, True, 8], (1, 2.5, 3), 600)


def test_a_list_index_out_of_range_in_one_pass():
    def program(items, n):
        s = 0
        for i in range(n):
            s += items[i]
            items[i] = s
        return s

    hot(program, list(range(TROUBLE)), PASSES)


def test_lists_of_lists_and_of_arrays():
    def program(table, rows, n):
        s = 0.0
        for k in range(n):
            i, j = k % 3, k % 2
            table[i][j] += table[j][i] * 0.5
            rows[i][j] = table[i][j] + rows[j][0]
            s += rows[i][j]
        return table, rows, s

    table = [[float(i + j) for j in range(3)] for i in range(3)]
    with np.errstate(over="ignore"):
        hot(program, table, [np.ones(3), np.zeros(3), np.full(4, 2.0)], 40)
        hot(program, table, [np.ones(3), np.zeros(3), np.full(4, 2.0)], 1000)


def test_a_read_only_target():
    def program(x, n):
        s = 0.0
        for i in range(n):
            s += x[i]
            x[i] = s
        return x

    x = np.linspace(0.0, 1.0, PASSES)
    y = x.copy()
    y.flags.writeable = False
    hot_then(program, (x, PASSES), (y, PASSES), (y, 0))
    hot(program, y, PASSES)


def test_a_target_that_becomes_read_only_in_one_pass():
    def program(x, trouble):
        for i in range(len(x)):
            if i == trouble:
                x.flags.writeable = False
            x[i] = i
        return x

    hot(program, np.zeros(PASSES), TROUBLE)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "int16", "complex64"])
def test_elements_in_any_layout(layout, dtype):
    def program(a, b):
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                b[i, j] = a[i, j] * 2 + a[-i - 1, -j - 1] + b[i - 1, j]
        return b

    a = laid_out((np.arange(1200) % 50).reshape(40, 30).astype(dtype), layout)
    hot(program, a, np.zeros((40, 30), dtype))
    hot(program, np.ones((40, 30), dtype), a)


@pytest.mark.parametrize("dtype", [">f8", ">i4", ">f4", ">c16"])
def test_elements_of_the_other_byte_order(dtype):
    def program(x):
        for i in range(1, len(x)):
            x[i] = x[i] + x[i - 1] * 1
        return x, x[-1]

    hot(program, (np.arange(PASSES) % 3).astype(dtype))


@pytest.mark.parametrize(
    "value", [2.7, -2.7, np.float32(1.5), True, 300, -1, 1e30, np.int64(2**40)]
)
@pytest.mark.parametrize("dtype", ["int64", "uint8", "int16", "bool", "float32", "float16"])
def test_values_that_are_converted_when_they_are_stored(value, dtype):
    def program(x, value, trouble):
        for i in range(len(x)):
            x[i] = value if i == trouble else i % 5
        return x

    hot(program, np.zeros(PASSES, dtype), value, TROUBLE)


@pytest.mark.parametrize("value", [np.nan, np.inf, float("nan"), 1j, "3", None, [1.0], [1, 2]])
@pytest.mark.parametrize("dtype", ["int64", "float64", "complex64"])
@pytest.mark.parametrize("action", ["always", "error"])
def test_values_that_a_target_may_not_take(value, dtype, action):
    def program(x, value, trouble):
        for i in range(len(x)):
            x[i] = 1
            x[i] = value if i == trouble else i % 5
        return x

    hot(program, np.zeros(PASSES, dtype), value, TROUBLE, action=action)


def test_floats_stored_into_integers_in_every_pass():
    def program(ints, x):
        for i in range(len(ints)):
            ints[i] = x[i] * 1.7
            ints[i] += 1
        return ints

    hot(program, np.zeros(PASSES, np.int32), np.linspace(-50.0, 50.0, PASSES))
    hot(program, np.zeros(PASSES, np.int8), np.linspace(-50.0, 50.0, PASSES))
    hot(program, np.zeros(PASSES, np.int64), np.linspace(-50.0, 50.0, PASSES).tolist())


def test_in_place_operators_on_elements():
    def program(x, k):
        for i in range(1, len(x)):
            x[i] += x[i - 1] % 5
            x[i] *= 2
            x[i] -= k
            x[i] //= 3
        return x

    hot(program, np.arange(PASSES), 1)
    hot(program, np.arange(PASSES) * 1.0, 1)
    hot(program, np.arange(PASSES) * 1.0, 1.5)
    hot(program, np.arange(PASSES), 1.5)


def test_true_division_in_place_of_an_integer_element():
    def program(x):
        for i in range(len(x)):
            x[i] /= 2
        return x

    hot(program, np.arange(PASSES))


def test_slices_with_bounds_of_the_pass():
    def program(x):
        n = len(x)
        s = 0.0
        for i in range(n):
            s += x[i : i + 3].sum() - x[max(i - 2, 0) : i].sum() + x[: i % 9 : 2].sum()
            x[i : i + 2] = s * 1e-3
            x[-(i % 5) - 1 :] *= 0.5
        return x, s

    hot(program, np.linspace(0.0, 1.0, 800))


@pytest.mark.parametrize("bounds", [(5, 2), (-3, None), (None, -3), (10**12, None), (0, -(10**12))])
def test_empty_and_clipped_slices(bounds):
    def program(x, bounds, n):
        s = 0.0
        for i in range(n):
            part = x[bounds[0] : bounds[1]]
            s += part.sum() + len(part)
            x[bounds[0] : bounds[1] : -1 if i % 2 else 1] = i % 7
        return x, s

    hot(program, np.linspace(0.0, 1.0, 20), bounds, 800)


def test_a_slice_step_of_zero_in_one_pass():
    def program(x, trouble, n):
        s = 0.0
        for i in range(n):
            s += x[:: (0 if i == trouble else 2)].sum()
        return s

    hot(program, np.linspace(0.0, 1.0, 20), TROUBLE, PASSES)


def test_shapes_that_do_not_fit_in_one_pass():
    def program(a, x, trouble):
        for i in range(len(a)):
            a[i, 0] = 7.0
            a[i] = x[1:] if i == trouble else x
        return a

    hot(program, np.zeros((PASSES, 4)), np.arange(4.0), TROUBLE)
    hot(program, np.zeros((PASSES, 2)), np.arange(2.0), TROUBLE)


def test_rows_columns_and_windows():
    def program(a, b):
        for i in range(1, a.shape[0] - 1):
            for j in range(1, a.shape[1] - 1):
                window = a[i - 1 : i + 2, j - 1 : j + 2]
                b[i, j] = window.sum() - window.max() + window.mean()
            b[i] += a[i] * 2 - a[:, 0].sum()
            b[:, i % b.shape[1]] = b[i, 0]
        return b

    hot(program, np.arange(1200.0).reshape(40, 30) % 7, np.zeros((40, 30)))


def test_a_mask_and_a_list_of_indices_in_the_middle():
    def program(x, n, every):
        s = 0.0
        for i in range(n):
            s += x[i % len(x)]
            if i % every == 0:
                x[x > 0.5] *= 0.9
                s += x[[0, 3, 5]].sum() + x[np.array([1, 1])].sum()
        return x, s

    hot(program, np.linspace(0.0, 1.0, 50), PASSES, 100)
    hot(program, np.linspace(0.0, 1.0, 50), 600, 1)


def test_more_indices_than_dimensions_and_fewer():
    def program(a, trouble, n, three):
        s = 0.0
        for k in range(n):
            i, j = k % 4, k % 3
            s += (a[i, j, 0] if three else a[i].sum()) if k == trouble else a[i, j]
        return s

    hot(program, np.arange(12.0).reshape(4, 3), TROUBLE, PASSES, True)
    hot(program, np.arange(12.0).reshape(4, 3), TROUBLE, PASSES, False)


def test_structured_object_and_string_arrays():
    def program(records, objects, words, n):
        s = 0
        for k in range(n):
            i = k % len(records)
            records["a"][i] += 1
            records[i]["b"] *= 0.5
            objects[i] = objects[i - 1] + (k % 3)
            words[i] = str(k % 10)
            s += records[i]["a"] + int(words[i])
        return s

    records = np.zeros(5, dtype=[("a", "i4"), ("b", "f8")])
    hot(program, records, np.array([1, 2.5, 3, 4, 5], dtype=object), np.array(["0"] * 5), 600)


def test_dates_and_durations_in_a_loop():
    def program(days, step):
        for i in range(1, len(days)):
            if days[i] < days[i - 1]:
                days[i] = days[i - 1] + step
        return days, days[-1] - days[0]

    hot(program, np.array(["2024-01-01"] * PASSES, dtype="M8[D]"), np.timedelta64(1, "D"))
    days = (np.arange(PASSES) % 50).astype("M8[D]")
    hot(program, days, np.timedelta64(1, "D"))
