"""Squash a vector with tanh until its sum falls to one, printing on the way."""

import numpy as np


def squash(x):
    while np.sum(x) > 1:
        print(x)
        x = np.tanh(x)
    return x


def count_steps(x, limit):
    steps = 0
    while np.sum(x) > limit:
        x = np.tanh(x)
        steps += 1
    return steps


def main():
    np.set_printoptions(precision=6)
    x = np.array([0.25, 0.5, 1.0, 2.0])
    print("end:", squash(x))
    print("start, unchanged:", x)
    for limit in (1.5, 1.0, 0.5, 0.2, 0.1):
        print(f"steps down to {limit}: {count_steps(x, limit)}")


if __name__ == "__main__":
    main()
