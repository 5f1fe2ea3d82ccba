"""Diffuse heat along a rod and across a plate with an explicit scheme, updating in place."""

import numpy as np


def rod_step(u, alpha):
    u[1:-1] += alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2])


def simulate_rod(n, steps, alpha):
    u = np.zeros(n)
    u[n // 4 : n // 2] = 1.0
    for _ in range(steps):
        rod_step(u, alpha)
    return u


def plate_step(u, scratch, alpha):
    """Write the next state of plate `u` into `scratch`; the edges keep their values."""
    scratch[:] = u
    scratch[1:-1, 1:-1] += alpha * (
        u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1]
    )


def simulate_plate(n, steps, alpha):
    u = np.zeros((n, n))
    u[n // 3 : 2 * n // 3, n // 3 : 2 * n // 3] = 50.0
    scratch = np.empty_like(u)
    history = []
    for step in range(steps):
        plate_step(u, scratch, alpha)
        u, scratch = scratch, u
        if step % 50 == 0:
            history.append((step, float(u.max()), float(u.sum())))
    return u, history


def main():
    rod = simulate_rod(200, 500, 0.25)
    print(f"rod: heat {rod.sum():.6f}, hottest {rod.max():.6f} at {rod.argmax()}")
    print(np.array2string(rod[::20], precision=5, suppress_small=True))

    plate, history = simulate_plate(64, 300, 0.2)
    for step, hottest, total in history:
        print(f"plate step {step:4d}: hottest {hottest:8.4f}, total {total:12.4f}")
    profile = plate[plate.shape[0] // 2]
    print("profile:", " ".join(f"{value:.2f}" for value in profile[::8]))


if __name__ == "__main__":
    main()
