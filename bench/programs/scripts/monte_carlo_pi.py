import random
import sys

import numpy as np

N = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000


def pi_loop(n):
    inside = 0
    for _ in range(n):
        x = random.random()
        y = random.random()
        if x * x + y * y <= 1.0:
            inside += 1
    return 4 * inside / n


def pi_numpy(n, rng):
    x = rng.random(n)
    y = rng.random(n)
    return 4 * np.count_nonzero(x * x + y * y <= 1.0) / n


def buffon(n, rng, needle=1.0, width=1.5):
    centre = rng.uniform(0, width / 2, n)
    theta = rng.uniform(0, np.pi / 2, n)
    hits = np.sum(centre <= needle / 2 * np.sin(theta))
    return 2 * needle * n / (width * hits)


random.seed(1)
rng = np.random.default_rng(1)
print("plain loop  ", pi_loop(N // 20))
chunks = np.array([pi_numpy(N // 40, rng) for _ in range(40)])
print("numpy       ", chunks.mean(), "+-", chunks.std(ddof=1) / np.sqrt(len(chunks)))
print("buffon      ", buffon(N // 10, rng))

# importance of sample size
for k in range(2, len(str(N)) - 1):
    estimate = pi_numpy(10**k, rng)
    print(f"10^{k}: {estimate:.6f} error {abs(estimate - np.pi):.2e}")

# volume of the ball in d dimensions
for d in range(2, 8):
    points = rng.uniform(-1, 1, (N // 100, d))
    share = ((points**2).sum(axis=1) <= 1).mean()
    print("d =", d, "volume", round(share * 2**d, 5))
