"""Loops over rows and their parts: factorisations with dots, sparse rows, shortest paths."""

import numpy as np

from bench.workload import Workload, against


def random(*shape, seed=81):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def cholesky_dots(a):
    """In place, the factor in the lower triangle, by dots of rows."""
    for i in range(a.shape[0]):
        for j in range(i):
            a[i, j] -= a[i, :j] @ a[j, :j]
            a[i, j] /= a[j, j]
        a[i, i] -= a[i, :i] @ a[i, :i]
        a[i, i] = np.sqrt(a[i, i])


def lu_dots(a):
    """In place, without pivoting, by dots of a row and a column."""
    n = a.shape[0]
    for i in range(n):
        for j in range(i):
            a[i, j] -= a[i, :j] @ a[:j, j]
            a[i, j] /= a[j, j]
        for j in range(i, n):
            a[i, j] -= a[i, :i] @ a[:i, j]


def forward_substitution(lower, right):
    solution = np.zeros_like(right)
    for i in range(len(right)):
        solution[i] = (right[i] - lower[i, :i] @ solution[:i]) / lower[i, i]
    return solution


def levinson_durbin(r):
    """Golub and Van Loan, Matrix Computations, 4.7.3."""
    y = np.empty_like(r)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    for k in range(1, r.shape[0]):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return y


def rank_k_update(alpha, beta, c, a):
    """The lower triangle of beta * C + alpha * A @ A.T, a part of a row at a time."""
    for i in range(a.shape[0]):
        c[i, : i + 1] *= beta
        for k in range(a.shape[1]):
            c[i, : i + 1] += alpha * a[i, k] * a[: i + 1, k]


def csr_product_of_rows(values, columns, starts, x):
    """A sparse matrix in compressed rows times a vector, with a dot for each row."""
    y = np.empty(len(starts) - 1)
    for i in range(len(starts) - 1):
        inside = columns[starts[i] : starts[i + 1]]
        entries = values[starts[i] : starts[i + 1]]
        y[i] = entries @ x[inside]
    return y


def shortest_paths(lengths):
    """Floyd and Warshall's algorithm, a row at a time."""
    n = lengths.shape[0]
    for k in range(n):
        for i in range(n):
            lengths[i] = np.minimum(lengths[i], lengths[i, k] + lengths[k])
    return lengths


def shortest_paths_outer(lengths):
    """Floyd and Warshall's algorithm, the whole table at a time."""
    for k in range(lengths.shape[0]):
        lengths[:] = np.minimum(lengths, np.add.outer(lengths[:, k], lengths[k, :]))
    return lengths


def positive_definite(size):
    a = random(size, size)
    return (a @ a.T / size + np.eye(size),)


def dominant(size):
    return (random(size, size) + size * np.eye(size),)


def triangle(size):
    return np.tril(random(size, size)) + size * np.eye(size), random(size, seed=82)


def correlations(size):
    return (random(size) * 0.9 ** np.arange(1.0, size + 1) / 2.0,)


def update(size):
    return 1.5, 1.2, random(size, size), random(size, size, seed=83)


def sparse(size, each=20):
    """About `size` entries, `each` in a row on average, and a vector."""
    draw = np.random.default_rng(84)
    rows = max(size // each, 1)
    starts = np.concatenate(([0], np.cumsum(draw.integers(0, 2 * each + 1, rows))))
    columns = draw.integers(0, rows, starts[-1])
    return draw.random(starts[-1]), columns, starts, draw.random(rows)


def roads(size):
    """Lengths of direct roads; most pairs of places have none."""
    draw = np.random.default_rng(85)
    lengths = draw.integers(1, 100, (size, size)).astype(float)
    lengths[draw.random((size, size)) < 0.9] = 999.0
    np.fill_diagonal(lengths, 0.0)
    return (lengths,)


WORKLOADS = (
    against(
        Workload("cholesky_dots", cholesky_dots, positive_definite, (400,), 12, mutates=True),
        6,
        numba=0.8,
    ),
    against(Workload("lu_dots", lu_dots, dominant, (400,), 12, mutates=True), 6, numba=0.8),
    against(
        Workload("forward_substitution", forward_substitution, triangle, (2000,), 50),
        1.8,
        numba=0.9,
    ),
    against(
        Workload("levinson_durbin", levinson_durbin, correlations, (1000,), 50), 1.8, numba=0.9
    ),
    against(
        Workload("rank_k_update", rank_k_update, update, (300,), 12, mutates=True), 4, numba=0.8
    ),
    against(
        Workload("csr_product_of_rows", csr_product_of_rows, sparse, (1_000_000,), 400),
        15,
        numba=0.8,
    ),
    against(
        Workload("shortest_paths", shortest_paths, roads, (500,), 16, mutates=True), 4, numba=0.8
    ),
    against(
        Workload("shortest_paths_outer", shortest_paths_outer, roads, (500,), 30, mutates=True),
        4,
        numba=0.8,
    ),
)
