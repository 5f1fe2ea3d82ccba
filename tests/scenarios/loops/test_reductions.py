"""Dots and reductions of parts of arrays, in NumPy's own order, for each length and layout."""

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot

LENGTHS = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 127, 128, 129, 255, 256, 257, 1000]
DTYPES = ["float64", "float32", "int64", "complex128"]


def drawn(*shape, dtype="float64"):
    values = np.random.default_rng(17).random(shape) - 0.25
    return (values * 50 if np.dtype(dtype).kind == "i" else values).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("step", [1, 2, -1, -3])
def test_dots_of_parts_of_every_length(dtype, step):
    def program(a, b, lengths, step, n):
        kept = []
        s = 0
        for k in range(n):
            m = lengths[k % len(lengths)]
            x, y = a[k % 5 :][:m], b[::step][:m]
            d = x @ y
            s = s + d + np.dot(y, x) - x.dot(x)
            if k < len(lengths):
                kept.append(d)
        return kept, s, type(s)

    hot(program, drawn(1100, dtype=dtype), drawn(3100, dtype=dtype), LENGTHS, step, 600)


@pytest.mark.parametrize(
    "name", ["sum", "mean", "min", "max", "prod", "argmin", "argmax", "any", "all"]
)
@pytest.mark.parametrize("step", [1, 2, -1])
def test_reductions_of_parts_of_every_length(name, step):
    function = getattr(np, name)

    def program(a, lengths, step, n):
        kept = []
        s = 0
        for k in range(n):
            x = a[::step][k % 3 :][: lengths[k % len(lengths)]]
            r = function(x)
            s = s + r
            if k < len(lengths):
                kept.append((r, getattr(x, name)()))
        return kept, s, type(s)

    for dtype in ("float64", "float32", "int32", "uint8", "bool"):
        hot(program, drawn(2100, dtype=dtype), LENGTHS[1:], step, 300)


@pytest.mark.parametrize("name", ["sum", "mean", "min", "argmax", "std", "median"])
@pytest.mark.parametrize("action", ["always", "error"])
def test_an_empty_part_in_one_pass(name, action):
    function = getattr(np, name)

    def program(a, out, trouble):
        for i in range(len(out)):
            out[i] = -1.0
            out[i] = function(a[:0] if i == trouble else a[i % 7 : i % 7 + 3])
        return out

    hot(program, drawn(20), np.zeros(1000), TROUBLE, action=action)


def test_reductions_with_an_axis_and_other_arguments():
    def program(a, n):
        s = 0.0
        for k in range(n):
            rows = a[k % 3 :, : k % 5 + 1]
            s += rows.sum(axis=0)[0] + rows.mean(axis=1)[-1] + rows.sum(axis=(0, 1))
            s += rows.max(axis=1, keepdims=True)[0, 0] - np.sum(rows, initial=2.0)
            s += np.sum(rows, dtype=np.float32) + rows.cumsum()[-1] + np.cumsum(rows[0])[0]
            s *= 0.5
        return s, type(s)

    hot(program, drawn(8, 6), 600)
    hot(program, drawn(8, 6, dtype="float32"), 600)


def test_reductions_with_special_values():
    def program(a, n):
        kept = []
        for k in range(n):
            x = a[k % 13 : k % 13 + 9]
            r = x.min(), x.max(), x.argmin(), x.argmax(), x.sum(), np.fmax(x[0], x[1])
            if k % 30 == 0:
                kept.append(r)
        return kept

    a = drawn(30)
    a[[3, 9, 17]] = np.nan, -0.0, 0.0
    a[[5, 22]] = np.inf
    hot(program, a, 600)
    a[[6]] = -np.inf
    hot(program, a, 600)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 17, 40])
def test_a_cholesky_factorisation_of_dots(n):
    def program(a):
        for i in range(a.shape[0]):
            for j in range(i):
                a[i, j] = (a[i, j] - a[i, :j] @ a[j, :j]) / a[j, j]
            a[i, i] = np.sqrt(a[i, i] - a[i, :i] @ a[i, :i])
        return a

    b = drawn(n, n)
    hot(program, b @ b.T + np.eye(n))
    hot(program, b - 3 * np.eye(n))
    hot(program, np.zeros((n, n)))
    hot(program, (b @ b.T + np.eye(n)).astype(np.float32))
    hot(program, np.asfortranarray(b @ b.T + np.eye(n)))


def test_an_lu_factorisation_with_row_swaps():
    def program(a):
        n = a.shape[0]
        order = np.arange(n)
        for k in range(n):
            p = k + np.argmax(np.abs(a[k:, k]))
            if p != k:
                a[[k, p]] = a[[p, k]]
                order[k], order[p] = order[p], order[k]
            for i in range(k + 1, n):
                a[i, k] /= a[k, k]
                a[i, k + 1 :] -= a[i, k] * a[k, k + 1 :]
        return a, order

    hot(program, drawn(40, 40))
    hot(program, np.ones((12, 12)))


def test_matrix_products_of_small_matrices():
    def program(a, b, x, n):
        for k in range(n):
            x = a @ x * 0.5 + b[k % 3]
            a = a @ a if k % 50 == 0 else a * 0.99 + np.outer(x, b[0]) * 0.01
            a /= abs(a).max()
        return a, x

    hot(program, drawn(3, 3), drawn(3, 3), drawn(3), 600)
    hot(program, drawn(4, 4, dtype="float32"), drawn(3, 4, dtype="float32"), drawn(4), 600)


def test_shapes_of_a_dot_that_do_not_fit_in_one_pass():
    def program(a, b, out, trouble):
        for i in range(len(out)):
            out[i] = -1.0
            out[i] = a[:5] @ b[: 4 if i == trouble else 5]
        return out

    hot(program, drawn(9), drawn(9), np.zeros(PASSES), TROUBLE)


def test_a_dot_that_overflows_or_meets_infinity():
    def program(a, b, out):
        for i in range(len(out)):
            out[i] = a[i : i + 4] @ b[i : i + 4]
        return out

    a, b = drawn(PASSES + 4), drawn(PASSES + 4)
    a[TROUBLE], b[TROUBLE] = 1e200, 1e200
    hot(program, a, b, np.zeros(PASSES))
    a[TROUBLE], b[TROUBLE] = np.inf, 0.0
    hot(program, a, b, np.zeros(PASSES))


@pytest.mark.parametrize("function", [sum, min, max, any, all, sorted, len])
def test_functions_of_python_on_small_arrays(function):
    def program(a, n):
        kept = []
        for k in range(n):
            r = function(a[k % 5 : k % 5 + 4])
            if k % 100 == 0:
                kept.append((r, type(r)))
        return kept, r

    hot(program, drawn(20), 600)
    hot(program, drawn(20).tolist(), 600)
    hot(program, drawn(20, dtype="int16"), 600)


def test_arrays_made_in_each_pass():
    def program(n, m):
        kept = []
        for k in range(n):
            a = np.zeros(m)
            b = np.empty_like(a)
            b[:] = k
            a[k % m] = 1.0
            c = np.arange(m) * a + b.copy() - np.full(m, 0.5) + np.array([k, 1.0, 2.0])
            a += c
            if k % 200 == 0:
                kept.append(a)
        return kept, a, b, c

    hot(program, 900, 3)


def test_arrays_made_in_one_pass_and_kept_in_the_next():
    def program(x, n):
        previous = np.zeros(3)
        s = 0.0
        for k in range(n):
            current = x * k + previous
            s += current[0] - previous[-1]
            previous = current * 0.5
        return previous, current, s

    hot(program, drawn(3), 900)
    hot(program, drawn(3), 0 + 1)


def test_where_comparisons_and_masks_on_small_arrays():
    def program(x, n):
        s = 0
        for k in range(n):
            y = np.where(x > 0.1 * (k % 9), x, -x)
            s = s + y.sum() + (y < 0).sum() + np.count_nonzero(y == x)
            if (y < -0.3).any():
                x = np.roll(x, 1)
            elif not np.all(y >= 0):
                x = x[::-1].copy()
        return s, x

    hot(program, drawn(6), 900)


def test_running_statistics_of_rows():
    def program(table):
        mean = np.zeros(table.shape[1])
        squares = np.zeros(table.shape[1])
        for count, row in enumerate(table, 1):
            delta = row - mean
            mean += delta / count
            squares += delta * (row - mean)
        return mean, squares / count

    hot(program, drawn(1500, 4))
    hot(program, drawn(1500, 4, dtype="float32"))
    hot(program, drawn(1, 4))
