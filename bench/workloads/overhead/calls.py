"""Calls: helpers with nothing to capture, functions made in each iteration, many arguments."""

import numpy as np

from bench.workload import Workload, no_harm


def random(*shape, seed=81):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def lambda_each_iteration(rows):
    total = 0.0
    for row in rows:
        shifted = lambda value: value + row[0]  # noqa: E731
        total += shifted(1.0) + shifted(2.0)
    return total


def generator_each_iteration(rows):
    total = 0.0
    for row in rows:
        total += sum(value * value for value in row)
    return total


def sorted_around(points, centres):
    """The order of some points by their distance to each centre, with a key made for each."""
    orders = []
    for centre in centres:
        orders.append(
            sorted(range(len(points)), key=lambda k: (points[k] - centre) @ (points[k] - centre))
        )
    return orders


def wrapped(angle):
    while angle > np.pi:
        angle -= 2.0 * np.pi
    while angle < -np.pi:
        angle += 2.0 * np.pi
    return angle


def collide(x, y, boxes):
    for left, low, right, high in boxes:
        if left < x < right and low < y < high:
            return True
    return False


def plain_helpers(steps, boxes):
    x = y = heading = 0.0
    hits = 0
    for step in range(steps):
        heading = wrapped(heading + 0.1 * (step % 7))
        x += 0.01 if heading > 0 else -0.01
        y += 0.02 if heading < 1 else -0.01
        hits += collide(x, y, boxes)
    return x, y, hits


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def twenty_arrays(*args):
    """A row of an ocean model: all fields come in one tuple."""
    u, v, w, t, s, p, q, h, e, f, a, b, c, d, g, k, r, m, n, o = args
    advection = u * a + v * b + w * c
    pressure = (p - q) * d + g * h
    mixing = k * (t - s) + r * (e - f)
    return advection - pressure + mixing * m - n * o


def twenty_fields(fields):
    return twenty_arrays(*fields)


def reshaped_column(pos, mass):
    """Pairwise pulls, with columns made by reshape as in a published simulation."""
    n = len(pos)
    x = pos[:, 0].reshape((n, 1))
    y = pos[:, 1].reshape((n, 1))
    z = pos[:, 2].reshape((n, 1))
    dx, dy, dz = x.T - x, y.T - y, z.T - z
    inverse = (dx**2 + dy**2 + dz**2 + 0.01) ** -1.5
    pull = np.hstack([(dx * inverse) @ mass, (dy * inverse) @ mass, (dz * inverse) @ mass])
    return pull.sum(axis=0)


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __mul__(self, factor):
        return Point(self.x * factor, self.y * factor)

    def norm(self):
        return (self.x * self.x + self.y * self.y) ** 0.5


def small_objects(steps):
    position, velocity = Point(1.0, 0.0), Point(0.0, 1.0)
    for _ in range(steps):
        velocity = velocity + position * -0.01
        position = position + velocity * 0.01
    return position.norm()


def boxes(size):
    edges = [(0.1 * k, 0.2 * k, 0.1 * k + 0.05, 0.2 * k + 0.1) for k in range(6)]
    return size, edges


WORKLOADS = (
    no_harm(
        Workload(
            "lambda_each_iteration",
            lambda_each_iteration,
            lambda size: (random(size, 4),),
            (5_000,),
            small=12,
        )
    ),
    no_harm(
        Workload(
            "generator_each_iteration",
            generator_each_iteration,
            lambda size: (random(size, 8).tolist(),),
            (2_000,),
            small=12,
        )
    ),
    no_harm(
        Workload(
            "sorted_around",
            sorted_around,
            lambda size: (random(size, 2), random(size // 4, 2, seed=82)),
            (60,),
            small=8,
        )
    ),
    no_harm(Workload("plain_helpers", plain_helpers, boxes, (3_000,), small=30)),
    no_harm(Workload("fib", fib, lambda size: (size,), (18,), small=6)),
    no_harm(
        Workload(
            "twenty_arrays",
            twenty_arrays,
            lambda size: tuple(random(size, seed=81 + k) for k in range(20)),
            (1_000, 100_000),
            small=20,
        )
    ),
    no_harm(
        Workload(
            "twenty_fields",
            twenty_fields,
            lambda size: ([random(size, seed=81 + k) for k in range(20)],),
            (10_000,),
            small=20,
        )
    ),
    no_harm(
        Workload(
            "reshaped_column",
            reshaped_column,
            lambda size: (random(size, 3), random(size, 1, seed=82)),
            (300,),
            small=8,
        )
    ),
    no_harm(Workload("small_objects", small_objects, lambda size: (size,), (3_000,), small=20)),
)
