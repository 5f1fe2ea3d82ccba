"""Random walks in one and two dimensions and what the theory says about them."""

import math
import sys

import numpy as np


def walks_1d(rng, walkers, steps):
    moves = rng.integers(0, 2, size=(walkers, steps)) * 2 - 1
    return np.cumsum(moves, axis=1)


def statistics(positions):
    final = positions[:, -1]
    return {
        "mean": final.mean(),
        "std": final.std(ddof=1),
        "rms": np.sqrt(np.mean(final**2)),
        "furthest": np.abs(positions).max(),
        "skew": np.mean(((final - final.mean()) / final.std()) ** 3),
    }


def first_returns(positions):
    """Step at which each walker is back at the origin; 0 for never."""
    back = positions == 0
    first = back.argmax(axis=1) + 1
    first[~back.any(axis=1)] = 0
    return first


def self_avoiding(rng, length):
    """Grow a self-avoiding walk; returns how far it came before it was stuck."""
    here = (0, 0)
    seen = {here}
    for k in range(length):
        options = [
            (here[0] + dx, here[1] + dy)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
            if (here[0] + dx, here[1] + dy) not in seen
        ]
        if not options:
            return k
        here = options[int(rng.integers(len(options)))]
        seen.add(here)
    return length


def main(walkers=4000, steps=2000):
    rng = np.random.default_rng(2024)
    positions = walks_1d(rng, walkers, steps)
    for name, value in statistics(positions).items():
        print(f"{name:>10}: {value:.6f}")
    print(f"  expected std: {math.sqrt(steps):.3f}")

    first = first_returns(positions)
    print("never returned:", int((first == 0).sum()))
    counts = np.bincount(first[first > 0])
    print("most common return times:", np.argsort(-counts, kind="stable")[:5])

    angle = rng.uniform(0, 2 * np.pi, size=(walkers, steps // 4))
    x, y = np.cos(angle).cumsum(axis=1), np.sin(angle).cumsum(axis=1)
    r2 = (x**2 + y**2).mean(axis=0)
    slope = np.polyfit(np.arange(1, len(r2) + 1), r2, 1)[0]
    print(f"<r^2> grows by {slope:.5f} a step")

    lengths = [self_avoiding(rng, 300) for _ in range(walkers // 10)]
    print("self-avoiding: mean %.2f, longest %d" % (sum(lengths) / len(lengths), max(lengths)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
