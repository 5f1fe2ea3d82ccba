import hashlib
import io
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

points = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
x = np.linspace(0, 4 * np.pi, points)

fig, axes = plt.subplots(2, 2, figsize=(9, 6))

for k in range(1, 6):
    axes[0, 0].plot(x, np.sin(k * x) / k, label=f"$\\sin({k}x)/{k}$")
axes[0, 0].set_title("Partial sums")
axes[0, 0].legend(loc="upper right", fontsize=7)

square = sum(np.sin((2 * k + 1) * x) / (2 * k + 1) for k in range(25))
axes[0, 1].plot(x, square, "k-", lw=0.8)
axes[0, 1].axhline(np.pi / 4, color="r", ls="--")
axes[0, 1].set_xlabel("x")
axes[0, 1].grid(True)

rng = np.random.default_rng(0)
sample = rng.normal(size=points) + 0.3 * rng.normal(size=points) ** 2
counts, edges, _ = axes[1, 0].hist(sample, bins=40, density=True, alpha=0.6)
centres = (edges[1:] + edges[:-1]) / 2
axes[1, 0].plot(centres, np.exp(-(centres**2) / 2) / np.sqrt(2 * np.pi))

X, Y = np.meshgrid(np.linspace(-3, 3, 80), np.linspace(-3, 3, 80))
Z = np.exp(-(X**2) - Y**2) * np.cos(3 * X) * np.sin(2 * Y)
image = axes[1, 1].contourf(X, Y, Z, levels=12, cmap="viridis")
fig.colorbar(image, ax=axes[1, 1])

fig.tight_layout()
buffer = io.BytesIO()
fig.savefig(buffer, format="png", dpi=90)
print("png:", len(buffer.getvalue()), hashlib.sha256(buffer.getvalue()).hexdigest()[:16])
print("largest bin: %.5f at %.4f" % (counts.max(), centres[counts.argmax()]))
print("overshoot: %.6f" % (square.max() / (np.pi / 4) - 1))
