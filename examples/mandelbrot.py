"""Escape times of the Mandelbrot set, drawn with characters."""

import numpy as np

SHADES = " .:-=+*#%@"


def grid(width, height, centre=-0.5 + 0.0j, span=3.0):
    x = np.linspace(centre.real - span / 2, centre.real + span / 2, width)
    y = np.linspace(centre.imag - span / 3, centre.imag + span / 3, height)
    return x[np.newaxis, :] + 1j * y[:, np.newaxis]


def escape_times(c, limit):
    """How many iterations of z*z + c stay inside the circle of radius 2."""
    z = np.zeros_like(c)
    count = np.zeros(c.shape, dtype=np.int64)
    alive = np.ones(c.shape, dtype=bool)
    for _ in range(limit):
        z = np.where(alive, z * z + c, z)
        alive = alive & (z.real**2 + z.imag**2 <= 4.0)
        count += alive
        if not alive.any():
            break
    return count


def draw(count, limit):
    level = (count * (len(SHADES) - 1)) // limit
    return "\n".join("".join(SHADES[i] for i in row) for row in level)


def main():
    limit = 60
    count = escape_times(grid(78, 26), limit)
    print(draw(count, limit))
    inside = np.mean(count == limit)
    print(f"inside: {inside:.4f}, area about {inside * 3.0 * 2.0:.4f}")
    for zoom in range(1, 5):
        detail = escape_times(grid(120, 80, -0.743643 + 0.131825j, 3.0 / 8**zoom), limit)
        print(f"zoom {zoom}: mean {detail.mean():.5f}, deepest {detail.max()}")


if __name__ == "__main__":
    main()
