# Gray-Scott reaction diffusion - quick script, everything at module level
import sys
import numpy as np

n = 192
steps = 2500
if len(sys.argv) > 1:
    n, steps = int(sys.argv[1]), 40

Du, Dv, F, k = 0.16, 0.08, 0.035, 0.060

U = np.ones((n + 2, n + 2))
V = np.zeros((n + 2, n + 2))
r = max(2, n // 12)
U[n // 2 - r : n // 2 + r, n // 2 - r : n // 2 + r] = 0.50
V[n // 2 - r : n // 2 + r, n // 2 - r : n // 2 + r] = 0.25
np.random.seed(0)
U += 0.05 * np.random.random(U.shape)
V += 0.05 * np.random.random(V.shape)

u, v = U[1:-1, 1:-1], V[1:-1, 1:-1]

for i in range(steps):
    Lu = U[0:-2, 1:-1] + U[1:-1, 0:-2] - 4 * U[1:-1, 1:-1] + U[1:-1, 2:] + U[2:, 1:-1]
    Lv = V[0:-2, 1:-1] + V[1:-1, 0:-2] - 4 * V[1:-1, 1:-1] + V[1:-1, 2:] + V[2:, 1:-1]
    uvv = u * v * v
    u += Du * Lu - uvv + F * (1 - u)
    v += Dv * Lv + uvv - (F + k) * v
    # periodic
    for Z in (U, V):
        Z[0, :] = Z[-2, :]
        Z[-1, :] = Z[1, :]
        Z[:, 0] = Z[:, -2]
        Z[:, -1] = Z[:, 1]

print("V from %.8f to %.8f, mean %.10f" % (v.min(), v.max(), v.mean()))
for row in v[:: max(1, n // 20), :: max(1, n // 60)]:
    print("".join(" .:oO@"[int(6 * min(x, 0.499) / 0.5)] for x in row))
