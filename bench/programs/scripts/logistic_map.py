# Bifurcation diagram of the logistic map as text, and Lyapunov exponents
import sys

import numpy as np

n_r = 4000
n_iter = 1500
if len(sys.argv) > 1:
    n_r = int(sys.argv[1])
if n_r < 1000:
    n_iter = 60
last = 50


def logistic(r, x):
    return r * x * (1 - x)


r = np.linspace(2.5, 4.0, n_r)
x = 1e-5 * np.ones(n_r)
lyapunov = np.zeros(n_r)
picture = np.zeros((20, 72), dtype=int)

for i in range(n_iter):
    x = logistic(r, x)
    # partial sum of the Lyapunov exponent
    lyapunov += np.log(abs(r - 2 * r * x) + 1e-300)
    if i >= n_iter - last:
        columns = ((r - 2.5) / 1.5 * 71).astype(int)
        rows = (19 - x * 19).astype(int)
        np.add.at(picture, (rows, columns), 1)

lyapunov /= n_iter

for row in picture:
    print("".join(" .:*#"[min(4, int(np.ceil(np.log2(v + 1) / 2)))] for v in row))

chaotic = lyapunov > 0
print("first chaotic r: %.6f" % r[np.argmax(chaotic)])
print("share of chaotic r: %.4f" % chaotic.mean())
print("largest exponent: %.10f at r = %.4f" % (lyapunov.max(), r[lyapunov.argmax()]))


# single orbits, the slow way
def orbit(r, x0=0.2, n=200):
    xs = [x0]
    for _ in range(n):
        xs.append(logistic(r, xs[-1]))
    return xs


for rr in (2.8, 3.2, 3.5, 3.56, 3.83):
    tail = sorted({round(v, 6) for v in orbit(rr, n=3000)[-64:]})
    print("r =", rr, "period", len(tail), tail[:4])
