"""Programs in which a region can hardly win: single elements, Python numbers, tiny arrays.

What is asked of them is that they run no slower once they are warm.
"""

import math

import numpy as np

from bench.workload import Workload, no_harm


def random(*shape, seed=43):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def sieve(n):
    marks = np.ones(n, dtype=bool)
    marks[:2] = False
    for i in range(2, n):
        if marks[i] and i * i < n:
            for k in range(i * i, n, i):
                marks[k] = False
    return marks


def letter_distance(a, b):
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int64)
    for i in range(len(a) + 1):
        table[i, 0] = i
    for j in range(len(b) + 1):
        table[0, j] = j
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + cost)
    return table[len(a), len(b)]


def back_substitution(upper, right):
    n = upper.shape[0]
    solution = np.zeros(n)
    for i in range(n - 1, -1, -1):
        total = right[i]
        for j in range(i + 1, n):
            total -= upper[i, j] * solution[j]
        solution[i] = total / upper[i, i]
    return solution


def stockham(x):
    """A radix-2 Fourier transform without bit reversal."""
    n = x.shape[0]
    source, target = x.astype(complex), np.empty(n, dtype=complex)
    half, stride = n // 2, 1
    while half >= 1:
        for p in range(half):
            w = np.exp(-2j * np.pi * p / (2 * half))
            for q in range(stride):
                a = source[q + stride * p]
                b = source[q + stride * (p + half)]
                target[q + stride * 2 * p] = a + b
                target[q + stride * (2 * p + 1)] = (a - b) * w
        source, target = target, source
        half //= 2
        stride *= 2
    return source


def stockham_rows(x):
    """The same on rows: slices that shrink to one element."""
    n = x.shape[0]
    source, target = x.astype(complex), np.empty(n, dtype=complex)
    half, stride = n // 2, 1
    while half >= 1:
        for p in range(half):
            w = np.exp(-2j * np.pi * p / (2 * half))
            a = source[stride * p : stride * (p + 1)]
            b = source[stride * (p + half) : stride * (p + half + 1)]
            target[stride * 2 * p : stride * (2 * p + 1)] = a + b
            target[stride * (2 * p + 1) : stride * (2 * p + 2)] = (a - b) * w
        source, target = target, source
        half //= 2
        stride *= 2
    return source


def compacting_mandelbrot(width, steps=60):
    """Points that have escaped are taken out, so the arrays shrink."""
    re = np.linspace(-2.0, 0.6, width)
    im = np.linspace(-1.2, 1.2, width)
    c = (re[None, :] + 1j * im[:, None]).ravel()
    index = np.arange(c.size)
    counts = np.zeros(c.size, dtype=np.int64)
    z = np.zeros_like(c)
    for step in range(steps):
        z = z * z + c
        escaped = np.abs(z) > 2.0
        if escaped.any():
            counts[index[escaped]] = step
            keep = ~escaped
            z, c, index = z[keep], c[keep], index[keep]
        if index.size == 0:
            break
    return counts


def particle_in_cell(x, v, cells=64, steps=20, dt=0.1):
    length = 2.0 * np.pi
    dx = length / cells
    k = np.fft.rfftfreq(cells, d=dx) * 2.0 * np.pi
    k[0] = 1.0
    for _ in range(steps):
        g = x / dx
        left = np.floor(g).astype(np.int64) % cells
        weight = g - np.floor(g)
        density = np.bincount(left, 1.0 - weight, cells)
        density += np.bincount((left + 1) % cells, weight, cells)
        density = density / density.mean() - 1.0
        rho = np.fft.rfft(density)
        phi = rho / (k * k)
        phi[0] = 0.0
        field = np.fft.irfft(-1j * k * phi, cells)
        force = field[left] * (1.0 - weight) + field[(left + 1) % cells] * weight
        v = v - force * dt
        x = (x + v * dt) % length
    return x, v


def pid_controller(n, kp=1.2, ki=0.4, kd=0.05, dt=0.01):
    value, integral, last = 0.0, 0.0, 0.0
    path = np.zeros(n)
    for i in range(n):
        error = 1.0 - value
        integral += error * dt
        derivative = (error - last) / dt
        control = kp * error + ki * integral + kd * derivative
        control = min(max(control, -10.0), 10.0)
        value += (control - value) * dt
        last = error
        path[i] = value
    return path


class Interval:
    def __init__(self, low, high):
        self.low, self.high = low, high

    def __add__(self, other):
        return Interval(self.low + other.low, self.high + other.high)

    def __mul__(self, other):
        products = (
            self.low * other.low,
            self.low * other.high,
            self.high * other.low,
            self.high * other.high,
        )
        return Interval(min(products), max(products))


def interval_polynomial(bounds, coefficients):
    found = np.zeros((len(bounds), 2))
    for i, (low, high) in enumerate(bounds):
        x = Interval(low, high)
        total = Interval(0.0, 0.0)
        for c in coefficients:
            total = total * x + Interval(c, c)
        found[i, 0] = total.low
        found[i, 1] = total.high
    return found


def interval_arrays(lows, highs):
    """Bounds as arrays of two elements."""
    total = np.array([0.0, 0.0])
    for i in range(lows.shape[0]):
        x = np.array([lows[i], highs[i]])
        total = np.array([min(total[0], x[0]), max(total[1], x[1])])
    return total


def planner(state, controls, dt=0.05):
    path = np.zeros((controls.shape[0], 4))
    for i in range(controls.shape[0]):
        state[0] += state[3] * math.cos(state[2]) * dt
        state[1] += state[3] * math.sin(state[2]) * dt
        state[2] += controls[i, 1] * dt
        state[3] += controls[i, 0] * dt
        path[i] = state
    return path


def motion(x, u, dt=0.05):
    x[0] += u[0] * math.cos(x[2]) * dt
    x[1] += u[0] * math.sin(x[2]) * dt
    x[2] += u[1] * dt
    x[3] = u[0]
    x[4] = u[1]
    return x


def planner_of_helpers(x, n):
    u = [1.0, 0.1]
    for _ in range(n):
        x = motion(x, u)
    return x


def clipped(value, low, high):
    if value < low:
        return low
    if value > high:
        return high
    return value


def small_branching_helper(a):
    total = 0.0
    for i in range(a.shape[0]):
        total += clipped(a[i], 0.7, 1.3)
    return total


def branching_helper_of_numbers(n):
    total = 0.0
    for i in range(n):
        total += clipped(i * 0.01, 0.7, 1.3)
    return total


def recurrence(a, b, c=0.5):
    for i in range(1, a.shape[0]):
        a[i] = b[i - 1] * c
    return a


def prefix(a):
    for i in range(1, a.shape[0]):
        a[i] += a[i - 1] * 0.5
    return a


def sum_of_elements(a):
    total = 0.0
    for i in range(len(a)):
        total += a[i]
    return total


def iterated(a):
    total = 0.0
    for x in a:
        total += x * x
    return total


def bubble(a):
    n = a.shape[0]
    for i in range(n):
        for j in range(n - 1 - i):
            if a[j] > a[j + 1]:
                a[j], a[j + 1] = a[j + 1], a[j]
    return a


def binary_search(a, keys):
    found = np.zeros(len(keys), dtype=np.int64)
    for i, key in enumerate(keys):
        low, high = 0, a.shape[0]
        while low < high:
            middle = (low + high) // 2
            if a[middle] < key:
                low = middle + 1
            else:
                high = middle
        found[i] = low
    return found


def newton(n, tolerance=1e-12):
    total = 0.0
    k = 1
    while k <= n:
        x = float(k)
        while abs(x * x - k) > tolerance * k:
            x = 0.5 * (x + k / x)
        total += x
        k += 1
    return total


def collatz(n):
    longest = 0
    for start in range(1, n):
        k, steps = start, 0
        while k != 1:
            k = k // 2 if k % 2 == 0 else 3 * k + 1
            steps += 1
        longest = max(longest, steps)
    return longest


def heat_elements(u, steps=3):
    new = u.copy()
    for _ in range(steps):
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                new[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1])
        u, new = new, u
    return u


def histogram(a, bins=16):
    counts = np.zeros(bins, dtype=np.int64)
    for x in a:
        counts[int((x - 0.5) * bins)] += 1
    return counts


def matrix_product(a, b):
    n, m, p = a.shape[0], a.shape[1], b.shape[1]
    found = np.zeros((n, p))
    for i in range(n):
        for j in range(p):
            total = 0.0
            for k in range(m):
                total += a[i, k] * b[k, j]
            found[i, j] = total
    return found


def game_of_life(board):
    n, m = board.shape
    new = np.zeros_like(board)
    for i in range(n):
        for j in range(m):
            alive = 0
            for di in (-1, 0, 1):
                for dj in (-1, 0, 1):
                    if di or dj:
                        alive += board[(i + di) % n, (j + dj) % m]
            new[i, j] = 1 if alive == 3 or (alive == 2 and board[i, j]) else 0
    return new


def sorted_by_key(points):
    return sorted(points, key=lambda p: p[0] * p[0] + p[1] * p[1])


def callbacks(a, n):
    """A function is made anew in each iteration."""
    total = 0.0
    for i in range(n):
        scale = lambda x: x * i  # noqa: B023, E731
        total += scale(a[i % a.shape[0]])
    return total


def vectors_of_three(n):
    """Arrays of three elements: NumPy's calls themselves are what costs."""
    position, velocity = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.5, 0.0])
    for _ in range(n):
        velocity = velocity - 0.01 * position
        position = position + 0.01 * velocity
    return position


def norm_of_rows(a):
    total = 0.0
    for row in a:
        total += math.sqrt(row[0] * row[0] + row[1] * row[1] + row[2] * row[2])
    return total


def two_steps(a, rows):
    """Slices of ever the same few elements, among Python numbers."""
    total = 0.0
    for i in range(rows):
        part = a[i : i + 4]
        total += float(part[0]) + float(part[3])
    return total


def exponential_average(a, alpha=0.1):
    found = np.empty_like(a)
    level = a[0]
    for i, x in enumerate(a):
        level = alpha * x + (1 - alpha) * level
        found[i] = level
    return found


def letters(n, seed=3):
    return "".join("acgt"[i] for i in np.random.default_rng(seed).integers(0, 4, n))


def upper(n):
    return np.triu(random(n, n)) + n * np.eye(n)


def one(n):
    return (n,)


def boxes(n):
    return [(0.1 * i, 0.1 * i + 0.05) for i in range(n)], [1.0, -0.5, 0.25, 2.0]


def timed(function, make, *sizes, mutates=False):
    """Each size takes a few milliseconds at most, so tests run the first one."""
    return no_harm(
        Workload(function.__name__, function, make, sizes, small=sizes[0], mutates=mutates)
    )


WORKLOADS = (
    timed(sieve, one, 10_000),
    timed(letter_distance, lambda n: (letters(n), letters(n, 5)), 60),
    timed(back_substitution, lambda n: (upper(n), random(n)), 60),
    timed(stockham, lambda n: (random(n),), 512),
    timed(stockham_rows, lambda n: (random(n),), 512),
    timed(compacting_mandelbrot, one, 20, 120),
    timed(
        particle_in_cell, lambda n: (random(n) * 2.0, random(n, seed=5) - 1.0), 200, 5_000, 40_000
    ),
    timed(pid_controller, one, 3_000),
    timed(interval_polynomial, boxes, 300),
    timed(interval_arrays, lambda n: (random(n), random(n) + 1.0), 1_000),
    timed(planner, lambda n: (random(4), random(n, 2) - 1.0), 1_000, mutates=True),
    timed(planner_of_helpers, lambda n: (random(5), n), 1_000, mutates=True),
    timed(small_branching_helper, lambda n: (random(n),), 5_000),
    timed(branching_helper_of_numbers, one, 5_000),
    timed(recurrence, lambda n: (random(n), random(n)), 10_000, 100_000, mutates=True),
    timed(prefix, lambda n: (random(n),), 10_000, 150_000, mutates=True),
    timed(sum_of_elements, lambda n: (random(n),), 10_000, 200_000),
    timed(iterated, lambda n: (random(n),), 10_000),
    timed(bubble, lambda n: (random(n),), 100, mutates=True),
    timed(binary_search, lambda n: (np.sort(random(n)), random(300, seed=7)), 100_000),
    timed(newton, one, 600),
    timed(collatz, one, 600),
    timed(heat_elements, lambda n: (random(n, n),), 40, mutates=True),
    timed(histogram, lambda n: (random(n),), 5_000),
    timed(matrix_product, lambda n: (random(n, n), random(n, n)), 24),
    timed(game_of_life, lambda n: ((random(n, n) > 1.0).astype(np.int64),), 24),
    timed(sorted_by_key, lambda n: (list(random(n, 2)),), 1_000),
    timed(callbacks, lambda n: (random(100), n), 3_000),
    timed(vectors_of_three, one, 1_000),
    timed(norm_of_rows, lambda n: (random(n, 3),), 2_000),
    timed(two_steps, lambda n: (random(n + 4), n), 5_000),
    timed(exponential_average, lambda n: (random(n),), 10_000),
)
