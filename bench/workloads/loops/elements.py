"""Loops over single elements: sweeps, checksums, tables of dynamic programmes, windows."""

import numpy as np

from bench.workload import Workload, against


def random(*shape, seed=71):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def gauss_seidel(grid, sweeps=1):
    """Each element becomes the mean of its surroundings, some of which are new already."""
    rows, columns = grid.shape
    for _ in range(sweeps):
        for i in range(1, rows - 1):
            for j in range(1, columns - 1):
                grid[i, j] = (
                    grid[i - 1, j - 1] + grid[i - 1, j] + grid[i - 1, j + 1]
                    + grid[i, j - 1] + grid[i, j] + grid[i, j + 1]
                    + grid[i + 1, j - 1] + grid[i + 1, j] + grid[i + 1, j + 1]
                ) / 9.0  # fmt: skip


def crc16(data, polynomial=0x8408):
    """The reflected CRC-16 of X.25, bit by bit."""
    crc = 0xFFFF
    for byte in data:
        current = 0xFF & byte
        for _ in range(8):
            if (crc & 1) ^ (current & 1):
                crc = (crc >> 1) ^ polynomial
            else:
                crc >>= 1
            current >>= 1
    crc = ~crc & 0xFFFF
    return ((crc << 8) | ((crc >> 8) & 0xFF)) & 0xFFFF


def crc16_of_ints(data, polynomial=0x1021):
    """The CRC-16 of XMODEM over plain integers, the highest bit first."""
    crc = 0
    for i in range(len(data)):
        crc ^= int(data[i]) << 8
        for _ in range(8):
            crc = (crc << 1) ^ polynomial if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return crc


def paired_bases(bases):
    """Nussinov's programme: the most pairs of bases that do not cross, over all splits."""
    n = len(bases)
    table = np.zeros((n, n), dtype=np.int64)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            best = max(table[i, j - 1], table[i + 1, j])
            if i < j - 1:
                best = max(best, table[i + 1, j - 1] + (bases[i] + bases[j] == 3))
            for k in range(i + 1, j):
                best = max(best, table[i, k] + table[k + 1, j])
            table[i, j] = best
    return table[0, n - 1]


def matrix_chain(dimensions):
    """The cheapest order of a chain of matrix products: a table of intervals, by length."""
    n = len(dimensions) - 1
    cost = np.zeros((n, n))
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            cost[i, j] = np.inf
            for k in range(i, j):
                here = (
                    cost[i, k] + cost[k + 1, j]
                    + dimensions[i] * dimensions[k + 1] * dimensions[j + 1]
                )  # fmt: skip
                if here < cost[i, j]:
                    cost[i, j] = here
    return cost


def edit_distance_table(first, second):
    """Levenshtein's distance of two arrays of letters, by the whole table."""
    m, n = len(first), len(second)
    table = np.zeros((m + 1, n + 1), dtype=np.int64)
    for i in range(m + 1):
        table[i, 0] = i
    for j in range(n + 1):
        table[0, j] = j
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            if first[i - 1] == second[j - 1]:
                table[i, j] = table[i - 1, j - 1]
            else:
                table[i, j] = 1 + min(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1])
    return table[m, n]


def csr_product(values, columns, starts, x):
    """A sparse matrix in compressed rows times a vector, entry by entry."""
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        total = 0.0
        for k in range(starts[i], starts[i + 1]):
            total += values[k] * x[columns[k]]
        y[i] = total
    return y


def recursive_filter(x, a=0.2, b=0.8):
    y = np.empty_like(x)
    y[0] = a * x[0]
    for i in range(1, len(x)):
        y[i] = a * x[i] + b * y[i - 1]
    return y


def window_sums(image):
    """Sums of 3 x 3 windows, with loops over the window."""
    height, width = image.shape
    sums = np.zeros_like(image)
    for i in range(1, height - 1):
        for j in range(1, width - 1):
            total = 0.0
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    total += image[i + di, j + dj]
            sums[i, j] = total
    return sums


def window_sums_of_slices(image):
    """Sums of 3 x 3 windows, with a slice for the window."""
    height, width = image.shape
    sums = np.zeros_like(image)
    for i in range(1, height - 1):
        for j in range(1, width - 1):
            sums[i, j] = image[i - 1 : i + 2, j - 1 : j + 2].sum()
    return sums


def one(size):
    return (random(size),)


def square(size):
    return (random(size, size),)


def octets(size):
    return (np.random.default_rng(72).integers(0, 256, size, dtype=np.uint8),)


def bases(size):
    return (np.random.default_rng(73).integers(0, 4, size),)


def words(size):
    draw = np.random.default_rng(74)
    return draw.integers(97, 123, size), draw.integers(97, 123, size)


def sparse(size, each=20):
    """About `size` entries, `each` in a row on average, and a vector."""
    draw = np.random.default_rng(75)
    rows = max(size // each, 1)
    starts = np.concatenate(([0], np.cumsum(draw.integers(0, 2 * each + 1, rows))))
    columns = draw.integers(0, rows, starts[-1])
    return draw.random(starts[-1]), columns, starts, draw.random(rows)


WORKLOADS = (
    against(
        Workload("gauss_seidel", gauss_seidel, square, (400,), 12, mutates=True), 40, numba=0.9
    ),
    against(Workload("crc16", crc16, octets, (200_000,), 50), 100, numba=0.9),
    against(Workload("crc16_of_ints", crc16_of_ints, octets, (200_000,), 50), 100, numba=0.9),
    against(Workload("paired_bases", paired_bases, bases, (150,), 12), 100, numba=0.9),
    against(Workload("matrix_chain", matrix_chain, one, (150,), 12), 100, numba=0.9),
    against(
        Workload("edit_distance_table", edit_distance_table, words, (1000,), 12), 80, numba=0.9
    ),
    against(Workload("csr_product", csr_product, sparse, (1_000_000,), 100), 15, numba=0.8),
    against(Workload("recursive_filter", recursive_filter, one, (1_000_000,), 100), 60, numba=0.9),
    against(Workload("window_sums", window_sums, square, (256,), 10), 30, numba=0.8),
    against(
        Workload("window_sums_of_slices", window_sums_of_slices, square, (256,), 10),
        30,
        numba=0.8,
    ),
)
