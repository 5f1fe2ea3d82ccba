"""Loops over Python numbers, some of them out of arrays: fractals, bodies, walks, sequences."""

import math

import numpy as np

from bench.workload import Workload, against


def escape_times(xs, ys, limit=100):
    """The iterations after which z -> z*z + c leaves the disk of radius two, point by point."""
    times = np.zeros((len(ys), len(xs)), dtype=np.int64)
    for row, y in enumerate(ys):
        for column, x in enumerate(xs):
            c = complex(x, y)
            z = 0j
            n = 0
            while n < limit and abs(z) <= 2.0:
                z = z * z + c
                n += 1
            times[row, column] = n
    return times


def escape_times_of_parts(width, height, limit=100):
    """As above over the pixels of a picture, without the root of an absolute value."""
    times = np.zeros((height, width), dtype=np.int64)
    for i in range(height):
        for j in range(width):
            c = complex(-2.0 + 2.6 * j / width, -1.3 + 2.6 * i / height)
            z = c
            for n in range(limit):
                if z.real * z.real + z.imag * z.imag > 4.0:
                    break
                z = z**2 + c
            times[i, j] = n
    return times


def bodies(x, y, z, vx, vy, vz, mass, steps=2, dt=0.01):
    """Symplectic steps of bodies that attract each other, a pair at a time."""
    n = len(mass)
    for _ in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                dx = x[i] - x[j]
                dy = y[i] - y[j]
                dz = z[i] - z[j]
                squared = dx * dx + dy * dy + dz * dz + 0.01
                pull = dt / (squared * math.sqrt(squared))
                vx[i] -= dx * mass[j] * pull
                vy[i] -= dy * mass[j] * pull
                vz[i] -= dz * mass[j] * pull
                vx[j] += dx * mass[i] * pull
                vy[j] += dy * mass[i] * pull
                vz[j] += dz * mass[i] * pull
        for i in range(n):
            x[i] += dt * vx[i]
            y[i] += dt * vy[i]
            z[i] += dt * vz[i]
    energy = 0.0
    for i in range(n):
        energy += 0.5 * mass[i] * (vx[i] ** 2 + vy[i] ** 2 + vz[i] ** 2)
    return energy


def metropolis(steps, uniforms):
    """A walk over exp(-x**4 + x**2), on steps and uniform numbers drawn before."""
    walk = np.empty(len(steps))
    x, height, accepted = 0.0, 0.0, 0
    for i in range(len(steps)):
        proposed = x + steps[i]
        new = -(proposed**4) + proposed**2
        if new >= height or uniforms[i] < math.exp(new - height):
            x, height = proposed, new
            accepted += 1
        walk[i] = x
    return walk, accepted


def sieve_of_array(n):
    prime = np.ones(n + 1, dtype=np.bool_)
    prime[0] = prime[1] = False
    i = 2
    while i * i <= n:
        if prime[i]:
            for k in range(i * i, n + 1, i):
                prime[k] = False
        i += 1
    return prime


def sieve_of_list(n):
    prime = [True] * (n + 1)
    prime[0] = prime[1] = False
    count = 0
    for i in range(2, n + 1):
        if prime[i]:
            count += 1
            for k in range(i * i, n + 1, i):
                prime[k] = False
    return count


def collatz_lengths(n):
    """The start below n with the longest way to one, and the length."""
    longest, where = 0, 1
    for start in range(1, n):
        value, length = start, 1
        while value != 1:
            value = value // 2 if value % 2 == 0 else 3 * value + 1
            length += 1
        if length > longest:
            longest, where = length, start
    return where, longest


def newton_iterations(n, tolerance=1e-12):
    """The sum of the square roots of 1 to n by Newton's method, and its iterations."""
    total, iterations = 0.0, 0
    for number in range(1, n + 1):
        root = float(number)
        while True:
            following = 0.5 * (root + number / root)
            iterations += 1
            if abs(following - root) <= tolerance * following:
                break
            root = following
        total += following
    return total, iterations


def even_fibonacci(n):
    """How many of the first n Fibonacci numbers are even, in 32 bits."""
    a, b = 0, 1
    even = 0
    for _ in range(n):
        a, b = b, (a + b) & 0xFFFFFFFF
        even += 1 if a & 1 == 0 else 0
    return a, even


def plane(size):
    return np.linspace(-2.0, 0.6, size), np.linspace(-1.3, 1.3, size)


def twice(size):
    return size, size


def swarm(size):
    return tuple(np.random.default_rng(91).random((7, size)) + 0.5)


def draws(size):
    draw = np.random.default_rng(92)
    return draw.normal(0.0, 0.8, size), draw.random(size)


def number(size):
    return (size,)


WORKLOADS = (
    against(Workload("escape_times", escape_times, plane, (200,), 12), 30, numba=0.8),
    against(
        Workload("escape_times_of_parts", escape_times_of_parts, twice, (200,), 12), 30, numba=0.8
    ),
    against(Workload("bodies", bodies, swarm, (100,), 8, mutates=True), 30, numba=0.8),
    against(Workload("metropolis", metropolis, draws, (200_000,), 100), 30, numba=0.8),
    against(Workload("sieve_of_array", sieve_of_array, number, (1_000_000,), 300), 30, numba=0.8),
    against(Workload("sieve_of_list", sieve_of_list, number, (1_000_000,), 300), 30, numba=0.8),
    against(Workload("collatz_lengths", collatz_lengths, number, (20_000,), 50), 30, numba=0.8),
    against(
        Workload("newton_iterations", newton_iterations, number, (100_000,), 50), 30, numba=0.8
    ),
    against(
        Workload("even_fibonacci", even_fibonacci, number, (1_000_000,), 300),
        30,
        numba=0.8,
    ),
)
