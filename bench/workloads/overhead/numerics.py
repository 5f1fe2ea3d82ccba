"""Small steps of larger programs, at sizes where CPython's own share of the time is large."""

import numpy as np

from bench.workload import Workload, no_harm


def random(*shape, seed=71):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def state_update(state, inputs, dt=0.1):
    """A car of a planner: position, heading and speed, in five statements a step."""
    for acceleration, steering in inputs:
        state[0] += state[3] * np.cos(state[2]) * dt
        state[1] += state[3] * np.sin(state[2]) * dt
        state[2] += state[3] / 2.5 * np.tan(steering) * dt
        state[3] += acceleration * dt
        state[3] = min(max(state[3], -5.0), 15.0)
    return state


def dynamic_window(state, speeds, turns, goal, horizon=20, dt=0.1):
    """Roll out each pair of speed and turn rate; the one that ends nearest to the goal wins."""
    best, chosen = np.inf, None
    for speed in speeds:
        for turn in turns:
            x, y, heading = state
            for _ in range(horizon):
                heading += turn * dt
                x += speed * np.cos(heading) * dt
                y += speed * np.sin(heading) * dt
            cost = np.hypot(goal[0] - x, goal[1] - y)
            if cost < best:
                best, chosen = cost, (speed, turn)
    return best, chosen


def sand_pile(grid):
    """Topple until nothing is higher than three; grains fall off the edges."""
    while True:
        unstable = grid > 3
        if not unstable.any():
            return grid
        topples = np.where(unstable, grid // 4, 0)
        grid = grid - 4 * topples
        grid[1:, :] += topples[:-1, :]
        grid[:-1, :] += topples[1:, :]
        grid[:, 1:] += topples[:, :-1]
        grid[:, :-1] += topples[:, 1:]


def navier_stokes_step(u, v, p, rho=1.0, nu=0.1, dt=0.001, iterations=10):
    """One step of the lid-driven cavity (Barba, step 11): source, pressure, velocities."""
    dx = dy = 2.0 / (u.shape[0] - 1)
    b = np.zeros_like(p)
    b[1:-1, 1:-1] = rho * (
        1 / dt * ((u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx) + (v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dy))
        - ((u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx)) ** 2
        - 2 * ((u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * dy) * (v[1:-1, 2:] - v[1:-1, :-2]) / (2 * dx))
        - ((v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dy)) ** 2
    )
    for _ in range(iterations):
        pn = p.copy()
        p[1:-1, 1:-1] = (
            (pn[1:-1, 2:] + pn[1:-1, :-2]) * dy**2 + (pn[2:, 1:-1] + pn[:-2, 1:-1]) * dx**2
        ) / (2 * (dx**2 + dy**2)) - dx**2 * dy**2 / (2 * (dx**2 + dy**2)) * b[1:-1, 1:-1]
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0
    un, vn = u.copy(), v.copy()
    u[1:-1, 1:-1] = (
        un[1:-1, 1:-1]
        - un[1:-1, 1:-1] * dt / dx * (un[1:-1, 1:-1] - un[1:-1, :-2])
        - vn[1:-1, 1:-1] * dt / dy * (un[1:-1, 1:-1] - un[:-2, 1:-1])
        - dt / (2 * rho * dx) * (p[1:-1, 2:] - p[1:-1, :-2])
        + nu * dt / dx**2 * (un[1:-1, 2:] - 2 * un[1:-1, 1:-1] + un[1:-1, :-2])
        + nu * dt / dy**2 * (un[2:, 1:-1] - 2 * un[1:-1, 1:-1] + un[:-2, 1:-1])
    )
    v[1:-1, 1:-1] = (
        vn[1:-1, 1:-1]
        - un[1:-1, 1:-1] * dt / dx * (vn[1:-1, 1:-1] - vn[1:-1, :-2])
        - vn[1:-1, 1:-1] * dt / dy * (vn[1:-1, 1:-1] - vn[:-2, 1:-1])
        - dt / (2 * rho * dy) * (p[2:, 1:-1] - p[:-2, 1:-1])
        + nu * dt / dx**2 * (vn[1:-1, 2:] - 2 * vn[1:-1, 1:-1] + vn[1:-1, :-2])
        + nu * dt / dy**2 * (vn[2:, 1:-1] - 2 * vn[1:-1, 1:-1] + vn[:-2, 1:-1])
    )
    u[0, :] = u[:, 0] = u[:, -1] = 0
    u[-1, :] = 1
    v[0, :] = v[-1, :] = v[:, 0] = v[:, -1] = 0
    return u, v, p


def drive(size):
    draw = np.random.default_rng(71)
    return np.array([0.0, 0.0, 0.3, 2.0]), draw.normal(size=(size, 2)) * 0.1


def window(size):
    return (
        (0.0, 0.0, 0.2),
        np.linspace(0.0, 1.0, size),
        np.linspace(-1.0, 1.0, size),
        np.array([3.0, 2.0]),
    )


def pile(size):
    grid = np.zeros((size, size), dtype=np.int64)
    grid[size // 2, size // 2] = 10 * size
    return (grid,)


def cavity(size):
    return random(size, size), random(size, size, seed=72), random(size, size, seed=73)


WORKLOADS = (
    no_harm(Workload("state_update", state_update, drive, (2_000,), small=12, mutates=True)),
    no_harm(Workload("dynamic_window", dynamic_window, window, (12,), small=3)),
    no_harm(Workload("sand_pile", sand_pile, pile, (101,), small=9)),
    no_harm(
        Workload(
            "navier_stokes_step", navier_stokes_step, cavity, (41, 301), small=12, mutates=True
        )
    ),
)
