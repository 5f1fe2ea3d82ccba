"""Newton fractal of z^3 - 1, drawn with characters."""

import sys

import numpy as np


def f(z):
    return z**3 - 1


def fprime(z):
    return 3 * z**2


def newton(z, max_iter, tol=1e-6):
    iterations = np.zeros(z.shape, dtype=int)
    active = np.ones(z.shape, dtype=bool)
    for i in range(max_iter):
        dz = f(z[active]) / fprime(z[active])
        z[active] -= dz
        iterations[active] = i + 1
        still = np.zeros(z.shape, dtype=bool)
        still[active] = np.abs(dz) > tol
        active = still
        if not active.any():
            break
    return z, iterations


def classify(z, roots):
    return np.argmin(np.abs(z[..., None] - roots), axis=-1)


width = int(sys.argv[1]) if len(sys.argv) > 1 else 640
height = width * 2 // 3
x = np.linspace(-1.5, 1.5, width)
y = np.linspace(-1, 1, height)
z0 = x[None, :] + 1j * y[:, None] + 1e-9

z, iterations = newton(z0.copy(), 50)
roots = np.array([np.exp(2j * np.pi * k / 3) for k in range(3)])
which = classify(z, roots)

for row in range(0, height, max(1, height // 16)):
    print("".join("abc"[which[row, col]] for col in range(0, width, max(1, width // 64))))
print("basins:", np.bincount(which.ravel(), minlength=3))
print("iterations: mean %.5f max %d" % (iterations.mean(), iterations.max()))

# the same for a few single points with plain Python numbers
for start in (1 + 1j, -1 + 0.3j, 0.1 - 2j):
    point, count = start, 0
    while abs(f(point)) > 1e-12:
        point -= f(point) / fprime(point)
        count += 1
    print(start, "->", f"{point.real:.6f}{point.imag:+.6f}j", "in", count)
