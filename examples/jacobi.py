"""Solve Laplace's equation on a square plate by Jacobi iteration."""

import numpy as np


def make_plate(n):
    """A cold plate whose upper edge is hot and whose left edge warms up linearly."""
    plate = np.zeros((n, n))
    plate[0, :] = 100.0
    plate[:, 0] = np.linspace(100.0, 0.0, n)
    return plate


def sweep(u):
    """One Jacobi step; returns the new plate."""
    new = u.copy()
    new[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
    return new


def residual(u):
    laplacian = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4.0 * u[1:-1, 1:-1]
    return np.sqrt(np.mean(laplacian**2))


def solve(u, tolerance, max_steps):
    """Iterate until the largest change falls under `tolerance`."""
    for step in range(1, max_steps + 1):
        new = sweep(u)
        change = np.max(np.abs(new - u))
        u = new
        if change < tolerance:
            break
    else:
        print("no convergence")
    return u, step, change


def main():
    plate = make_plate(48)
    solution, steps, change = solve(plate, 1e-2, 3000)
    print(f"{steps} steps, last change {change:.6f}, residual {residual(solution):.6f}")
    print("temperature along the diagonal:")
    print(np.round(np.diagonal(solution)[::8], 3))
    print(f"mean {solution.mean():.6f}, untouched input: {plate[1:-1, 1:-1].sum():.1f}")


if __name__ == "__main__":
    main()
