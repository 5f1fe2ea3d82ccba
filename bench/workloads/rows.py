"""Loops over rows and tiny arrays: the cost of a call, not of its elements, decides."""

import numpy as np

from bench.workload import Workload


def random(*shape, seed=41):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def cholesky(a):
    """In place, the factor in the lower triangle."""
    n = a.shape[0]
    a[0, 0] = np.sqrt(a[0, 0])
    for i in range(1, n):
        for j in range(i):
            a[i, j] -= np.dot(a[i, :j], a[j, :j])
            a[i, j] /= a[j, j]
        a[i, i] -= np.dot(a[i, :i], a[i, :i])
        a[i, i] = np.sqrt(a[i, i])


def lu(a):
    """In place by rank-one updates, without pivoting."""
    n = a.shape[0]
    for k in range(n - 1):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a


def triangular_solve(lower, right):
    solution = np.zeros_like(right)
    for i in range(lower.shape[0]):
        solution[i] = (right[i] - lower[i, :i] @ solution[:i]) / lower[i, i]
    return solution


def durbin(r):
    """Yule-Walker equations of a symmetric Toeplitz matrix: Golub and Van Loan, 4.7.3."""
    y = np.zeros_like(r)
    alpha, beta = -r[0], 1.0
    y[0] = -r[0]
    for k in range(1, r.shape[0]):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return y


def floyd_warshall(path):
    for k in range(path.shape[0]):
        path[:] = np.minimum(path, path[:, k, None] + path[None, k, :])
    return path


def nbody(position, velocity, mass, steps=5, dt=0.01, softening=0.1):
    for _ in range(steps):
        apart = position[None, :, :] - position[:, None, :]
        squared = np.sum(apart**2, axis=2) + softening**2
        pull = mass[None, :, None] * apart / squared[:, :, None] ** 1.5
        velocity = velocity + dt * pull.sum(axis=1)
        position = position + dt * velocity
    energy = 0.5 * np.sum(mass * np.sum(velocity**2, axis=1))
    return position, velocity, energy


def edit_distance(first, second):
    """Levenshtein's distance, a row at a time; insertions become a running minimum."""
    ramp = np.arange(len(second) + 1)
    row = ramp.copy()
    for i, letter in enumerate(first):
        following = np.empty_like(row)
        following[0] = i + 1
        following[1:] = np.minimum(row[1:] + 1, row[:-1] + (second != letter))
        row = np.minimum.accumulate(following - ramp) + ramp
    return row[-1]


def knapsack(weights, values, capacity):
    best = np.zeros(capacity + 1, dtype=np.int64)
    for weight, value in zip(weights, values, strict=True):
        best[weight:] = np.maximum(best[weight:], best[:-weight] + value)
    return best


def nussinov(bases):
    """Most pairs in a folded strand; bases 0 to 3 pair when they add up to 3."""
    n = len(bases)
    table = np.zeros((n, n), dtype=np.int64)
    for i in range(n - 2, -1, -1):
        for j in range(i + 1, n):
            best = max(table[i, j - 1], table[i + 1, j])
            best = max(best, table[i + 1, j - 1] + int(bases[i] + bases[j] == 3))
            if j - i > 1:
                best = max(best, np.max(table[i, i + 1 : j] + table[i + 2 : j + 1, j]))
            table[i, j] = best
    return table[0, n - 1]


def kalman(measurements, dt=0.1, process=0.01, noise=0.5):
    """A constant-velocity filter in the plane: state of four numbers, two of them measured."""
    move = np.eye(4)
    move[0, 2] = move[1, 3] = dt
    observe = np.eye(2, 4)
    state, covariance = np.zeros(4), np.eye(4)
    path = np.zeros((len(measurements), 4))
    for step, measured in enumerate(measurements):
        state = move @ state
        covariance = move @ covariance @ move.T + process * np.eye(4)
        spread = observe @ covariance @ observe.T + noise * np.eye(2)
        gain = covariance @ observe.T @ np.linalg.inv(spread)
        state = state + gain @ (measured - observe @ state)
        covariance = (np.eye(4) - gain @ observe) @ covariance
        path[step] = state
    return path


def gram_schmidt(a):
    """Modified Gram-Schmidt: a = q @ r."""
    n = a.shape[1]
    q, r = np.zeros_like(a), np.zeros((n, n))
    for k in range(n):
        r[k, k] = np.sqrt(np.dot(a[:, k], a[:, k]))
        q[:, k] = a[:, k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = np.dot(q[:, k], a[:, j])
            a[:, j] -= q[:, k] * r[k, j]
    return q, r


def conjugate_gradient(matrix, right, steps=25):
    solution = np.zeros_like(right)
    residual = right - matrix @ solution
    direction = residual
    squared = residual @ residual
    for _ in range(steps):
        image = matrix @ direction
        length = squared / (direction @ image)
        solution = solution + length * direction
        residual = residual - length * image
        following = residual @ residual
        direction = residual + following / squared * direction
        squared = following
    return solution


def runge_kutta(state, steps=200, dt=0.01):
    """Lorenz' system by the classical fourth-order method, three numbers at a time."""
    for _ in range(steps):
        k1 = lorenz(state)
        k2 = lorenz(state + 0.5 * dt * k1)
        k3 = lorenz(state + 0.5 * dt * k2)
        k4 = lorenz(state + dt * k3)
        state = state + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return state


def lorenz(state, sigma=10.0, rho=28.0, beta=8.0 / 3.0):
    x, y, z = state
    return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])


def positive_definite(size):
    a = random(size, size)
    return (a @ a.T + size * np.eye(size),)


def triangle(size):
    return np.tril(random(size, size)) + size * np.eye(size), random(size, seed=42)


def autocorrelation(size):
    return (0.5 * random(size) / size,)


def distances(size):
    weights = np.random.default_rng(41).integers(1, 100, (size, size))
    np.fill_diagonal(weights, 0)
    return (weights,)


def bodies(size):
    return random(size, 3), random(size, 3, seed=42) - 1.0, random(size, seed=43)


def words(size):
    draw = np.random.default_rng(41)
    return draw.integers(0, 4, size), draw.integers(0, 4, size + 3)


def goods(size):
    draw = np.random.default_rng(41)
    return draw.integers(1, 40, size), draw.integers(1, 100, size), 20 * size


def strand(size):
    return (np.random.default_rng(41).integers(0, 4, size),)


def track(size):
    return (np.cumsum(random(size, 2) - 1.0, axis=0),)


def tall(size):
    return (random(size + size // 4, size),)


def linear_system(size):
    return (*positive_definite(size), random(size, seed=42))


def start(size):
    return np.array([1.0, 1.0, 1.0]), size


WORKLOADS = (
    Workload("cholesky", cholesky, positive_definite, (150,), small=12, mutates=True),
    Workload("lu", lu, positive_definite, (200,), small=12, mutates=True),
    Workload("triangular_solve", triangular_solve, triangle, (1_000,), small=20),
    Workload("durbin", durbin, autocorrelation, (1_000,), small=30),
    Workload("floyd_warshall", floyd_warshall, distances, (150,), small=12, mutates=True),
    Workload("nbody", nbody, bodies, (100,), small=8),
    Workload("edit_distance", edit_distance, words, (400,), small=30),
    Workload("knapsack", knapsack, goods, (200,), small=20),
    Workload("nussinov", nussinov, strand, (60,), small=14),
    Workload("kalman", kalman, track, (300,), small=12),
    Workload("gram_schmidt", gram_schmidt, tall, (80,), small=8, mutates=True),
    Workload("conjugate_gradient", conjugate_gradient, linear_system, (300,), small=20),
    Workload("runge_kutta", runge_kutta, start, (200,), small=10),
)
