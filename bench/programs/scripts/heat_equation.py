"""Heat equation on a square plate, explicit scheme (lecture 4).

usage: python heat_equation.py [n] [steps]
"""

import sys

import numpy as np

n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 4000

alpha = 0.1
dx = 1.0 / (n - 1)
dt = 0.2 * dx**2 / alpha


def initial_condition(n):
    u = np.zeros((n, n))
    u[0, :] = 100.0  # hot top edge
    u[-1, :] = 25.0
    y, x = np.mgrid[0:n, 0:n] / (n - 1)
    u[(x - 0.5) ** 2 + (y - 0.6) ** 2 < 0.02] = 80.0
    return u


def step(u, alpha, dt, dx):
    un = u.copy()
    u[1:-1, 1:-1] = un[1:-1, 1:-1] + alpha * dt / dx**2 * (
        un[2:, 1:-1] + un[:-2, 1:-1] + un[1:-1, 2:] + un[1:-1, :-2] - 4 * un[1:-1, 1:-1]
    )
    # insulated sides
    u[:, 0] = u[:, 1]
    u[:, -1] = u[:, -2]
    return u


def main():
    u = initial_condition(n)
    for k in range(steps):
        u = step(u, alpha, dt, dx)
        if k % (steps // 4) == 0:
            print(f"step {k:5d}  mean {u.mean():9.5f}  max inside {u[1:-1].max():9.5f}")
    print("profile:", np.round(u[:: max(1, n // 8), n // 2], 4))
    print("total heat:", repr(float(u.sum() * dx**2)))


main()
