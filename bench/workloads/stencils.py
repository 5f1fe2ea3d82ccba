"""Stencils and time loops: a grid, a formula over its neighbours, and steps in a Python loop."""

import numpy as np

from bench.workload import Workload


def random(*shape, seed=31):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def jacobi_1d(a, b, steps=50):
    for _ in range(steps):
        b[1:-1] = (a[:-2] + a[1:-1] + a[2:]) / 3.0
        a[1:-1] = (b[:-2] + b[1:-1] + b[2:]) / 3.0


def jacobi_2d(a, b, steps=3):
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (
            a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
        )
        a[1:-1, 1:-1] = 0.2 * (
            b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1]
        )


def heat_3d(u, steps=3, rate=0.125):
    for _ in range(steps):
        middle = u[1:-1, 1:-1, 1:-1]
        u = u.copy()
        u[1:-1, 1:-1, 1:-1] = (
            middle
            + rate * (u[2:, 1:-1, 1:-1] - 2.0 * middle + u[:-2, 1:-1, 1:-1])
            + rate * (u[1:-1, 2:, 1:-1] - 2.0 * middle + u[1:-1, :-2, 1:-1])
            + rate * (u[1:-1, 1:-1, 2:] - 2.0 * middle + u[1:-1, 1:-1, :-2])
        )
    return u


def laplacian(grid):
    return (
        grid[:-2, 1:-1] + grid[1:-1, :-2] - 4.0 * grid[1:-1, 1:-1] + grid[1:-1, 2:] + grid[2:, 1:-1]
    )


def gray_scott(u, v, steps=3, feed=0.035, kill=0.06, du=0.14, dv=0.06):
    for _ in range(steps):
        inner_u, inner_v = u[1:-1, 1:-1], v[1:-1, 1:-1]
        reaction = inner_u * inner_v * inner_v
        du_dt = du * laplacian(u) - reaction + feed * (1.0 - inner_u)
        dv_dt = dv * laplacian(v) + reaction - (feed + kill) * inner_v
        inner_u += du_dt
        inner_v += dv_dt
    return u, v


def wave_2d(previous, current, steps=4, courant=0.25):
    for _ in range(steps):
        following = current.copy()
        following[1:-1, 1:-1] = (
            2.0 * current[1:-1, 1:-1] - previous[1:-1, 1:-1] + courant * laplacian(current)
        )
        previous, current = current, following
    return current


def advection_1d(u, steps=50, courant=0.4):
    for _ in range(steps):
        u = u - courant * (u - np.roll(u, 1))
    return u


def advection_2d(u, wind_x, wind_y, steps=4, dt=0.2):
    """First order upwind, the direction chosen by the sign of the wind."""
    for _ in range(steps):
        inner = u[1:-1, 1:-1]
        x, y = wind_x[1:-1, 1:-1], wind_y[1:-1, 1:-1]
        along = np.where(x > 0.0, inner - u[1:-1, :-2], u[1:-1, 2:] - inner)
        across = np.where(y > 0.0, inner - u[:-2, 1:-1], u[2:, 1:-1] - inner)
        u[1:-1, 1:-1] = inner - dt * (x * along + y * across)
    return u


def life(board, generations=5):
    for _ in range(generations):
        neighbours = (
            board[:-2, :-2] + board[:-2, 1:-1] + board[:-2, 2:]
            + board[1:-1, :-2] + board[1:-1, 2:]
            + board[2:, :-2] + board[2:, 1:-1] + board[2:, 2:]
        )  # fmt: skip
        born = (neighbours == 3) & (board[1:-1, 1:-1] == 0)
        stays = ((neighbours == 2) | (neighbours == 3)) & (board[1:-1, 1:-1] == 1)
        board[...] = 0
        board[1:-1, 1:-1][born | stays] = 1
    return board


def pressure(p, source, dx, dy, sweeps=10):
    """Jacobi sweeps of the pressure equation, periodic in x, walls above and below."""
    both = 2.0 * (dx**2 + dy**2)
    for _ in range(sweeps):
        old = p.copy()
        east, west = np.roll(old, -1, axis=1), np.roll(old, 1, axis=1)
        around = (east[1:-1] + west[1:-1]) * dy**2 + (old[2:] + old[:-2]) * dx**2
        p[1:-1] = around / both - dx**2 * dy**2 / both * source[1:-1]
        p[0], p[-1] = p[1], p[-2]
    return p


def channel_flow(u, v, p, steps=3, dt=0.001, density=1.0, viscosity=0.1, force=1.0):
    """Navier-Stokes between two plates: explicit in velocity, relaxed in pressure."""
    dx, dy = 2.0 / (u.shape[1] - 1), 2.0 / (u.shape[0] - 1)
    for _ in range(steps):
        du_dx = (np.roll(u, -1, axis=1) - np.roll(u, 1, axis=1)) / (2.0 * dx)
        dv_dy = np.zeros_like(v)
        dv_dy[1:-1] = (v[2:] - v[:-2]) / (2.0 * dy)
        source = density * ((du_dx + dv_dy) / dt - du_dx**2 - dv_dy**2)
        p = pressure(p, source, dx, dy)
        p_x = (np.roll(p, -1, axis=1) - np.roll(p, 1, axis=1))[1:-1] / (2.0 * dx * density)
        p_y = (p[2:] - p[:-2]) / (2.0 * dy * density)
        spread_u = (np.roll(u, -1, axis=1) - 2.0 * u + np.roll(u, 1, axis=1))[1:-1] / dx**2
        spread_v = (np.roll(v, -1, axis=1) - 2.0 * v + np.roll(v, 1, axis=1))[1:-1] / dx**2
        rise_u = (u[2:] - 2.0 * u[1:-1] + u[:-2]) / dy**2
        rise_v = (v[2:] - 2.0 * v[1:-1] + v[:-2]) / dy**2
        u[1:-1] += dt * (viscosity * (spread_u + rise_u) - u[1:-1] * du_dx[1:-1] - p_x + force)
        v[1:-1] += dt * (viscosity * (spread_v + rise_v) - v[1:-1] * dv_dy[1:-1] - p_y)
    return u, v, p


def fdtd_2d(ex, ey, hz, pulse):
    """Maxwell's equations in two dimensions on Yee's grid, one pulse fed in along an edge."""
    for value in pulse:
        ey[0, :] = value
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])


def horizontal_diffusion(field, coefficient):
    """Fourth-order diffusion with flux limiting; the field has a frame of two cells."""
    curl = 4.0 * field[1:-1, 1:-1] - (
        field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2]
    )
    flux_i = curl[1:, 1:-1] - curl[:-1, 1:-1]
    step_i = field[2:-1, 2:-2] - field[1:-2, 2:-2]
    flux_i = np.where(flux_i * step_i > 0.0, 0.0, flux_i)
    flux_j = curl[1:-1, 1:] - curl[1:-1, :-1]
    step_j = field[2:-2, 2:-1] - field[2:-2, 1:-2]
    flux_j = np.where(flux_j * step_j > 0.0, 0.0, flux_j)
    change = flux_i[1:] - flux_i[:-1] + flux_j[:, 1:] - flux_j[:, :-1]
    return field[2:-2, 2:-2] - coefficient * change


def vertical_advection(lower, diagonal, upper, right):
    """A tridiagonal system for each column of (x, y, level): Thomas' algorithm, level by level."""
    levels = diagonal.shape[2]
    ratio = np.empty_like(upper)
    solution = np.empty_like(right)
    ratio[:, :, 0] = upper[:, :, 0] / diagonal[:, :, 0]
    solution[:, :, 0] = right[:, :, 0] / diagonal[:, :, 0]
    for k in range(1, levels):
        pivot = 1.0 / (diagonal[:, :, k] - lower[:, :, k] * ratio[:, :, k - 1])
        ratio[:, :, k] = upper[:, :, k] * pivot
        solution[:, :, k] = (right[:, :, k] - lower[:, :, k] * solution[:, :, k - 1]) * pivot
    for k in range(levels - 2, -1, -1):
        solution[:, :, k] -= ratio[:, :, k] * solution[:, :, k + 1]
    return solution


def shallow_water(height, x_flow, y_flow, steps=4, dt=0.05, gravity=1.0):
    """Linearised shallow water, periodic, centred differences."""
    for _ in range(steps):
        slope_x = 0.5 * (np.roll(height, -1, axis=0) - np.roll(height, 1, axis=0))
        slope_y = 0.5 * (np.roll(height, -1, axis=1) - np.roll(height, 1, axis=1))
        x_flow = x_flow - dt * gravity * slope_x
        y_flow = y_flow - dt * gravity * slope_y
        outflow = 0.5 * (np.roll(x_flow, -1, axis=0) - np.roll(x_flow, 1, axis=0))
        outflow += 0.5 * (np.roll(y_flow, -1, axis=1) - np.roll(y_flow, 1, axis=1))
        height = height - dt * outflow
    return height, x_flow, y_flow


def grids(count, dimensions=2):
    return lambda size: tuple(
        random(*(size,) * dimensions, seed=31 + index) for index in range(count)
    )


def winds(size):
    return random(size, size), random(size, size, seed=32) - 1.0, random(size, size, seed=33) - 1.0


def cells(size):
    return ((random(size, size) > 1.1).astype(np.int64),)


def chemicals(size):
    u, v = np.ones((size, size)), np.zeros((size, size))
    middle = slice(size // 2 - size // 10, size // 2 + size // 10)
    u[middle, middle], v[middle, middle] = 0.5, 0.25
    return u + 0.01 * random(size, size), v + 0.01 * random(size, size, seed=32)


def still_channel(size):
    return np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))


def pulsed(size):
    return (*(random(size, size, seed=31 + index) for index in range(3)), np.arange(4.0))


def atmosphere(size):
    return random(size + 4, size + 4, 32), random(size, size, 32, seed=32)


def columns(size):
    shape = (size, size, 40)
    lower, upper, right = (random(*shape, seed=31 + index) for index in range(3))
    return lower, 4.0 + random(*shape, seed=34), upper, right


WORKLOADS = (
    Workload("jacobi_1d", jacobi_1d, grids(2, 1), (4_000,), small=50, mutates=True),
    Workload(
        "jacobi_2d", jacobi_2d, grids(2), (1_000,), small=20, mutates=True, goals={1_000: 2.0}
    ),
    Workload("heat_3d", heat_3d, grids(1, 3), (100,), small=8, goals={100: 3.0}),
    Workload("gray_scott", gray_scott, chemicals, (700,), small=20, mutates=True, goals={700: 2.2}),
    Workload("wave_2d", wave_2d, grids(2), (600,), small=20),
    Workload("advection_1d", advection_1d, grids(1, 1), (10_000,), small=50),
    Workload("advection_2d", advection_2d, winds, (600,), small=20, mutates=True),
    Workload("life", life, cells, (600,), small=20, mutates=True),
    Workload("channel_flow", channel_flow, still_channel, (101,), small=11, mutates=True),
    Workload("fdtd_2d", fdtd_2d, pulsed, (500,), small=16, mutates=True),
    Workload("horizontal_diffusion", horizontal_diffusion, atmosphere, (128,), small=6),
    Workload("vertical_advection", vertical_advection, columns, (96,), small=5),
    Workload("shallow_water", shallow_water, grids(3), (400,), small=16),
)
