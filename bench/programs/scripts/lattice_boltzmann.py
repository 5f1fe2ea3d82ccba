"""Flow around a cylinder by the lattice Boltzmann method, D2Q9."""

import sys

import numpy as np

# lattice speeds and weights
cxs = np.array([0, 0, 1, 1, 1, 0, -1, -1, -1])
cys = np.array([0, 1, 1, 0, -1, -1, -1, 0, 1])
weights = np.array([4 / 9, 1 / 9, 1 / 36, 1 / 9, 1 / 36, 1 / 9, 1 / 36, 1 / 9, 1 / 36])


def main():
    Nx = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    Ny = Nx // 4
    rho0 = 100
    tau = 0.6
    Nt = 300 if Nx > 100 else 12
    idxs = np.arange(9)

    rng = np.random.default_rng(42)
    F = np.ones((Ny, Nx, 9)) + 0.01 * rng.standard_normal((Ny, Nx, 9))
    X, Y = np.meshgrid(range(Nx), range(Ny))
    F[:, :, 3] += 2 * (1 + 0.2 * np.cos(2 * np.pi * X / Nx * 4))
    rho = np.sum(F, 2)
    for i in idxs:
        F[:, :, i] *= rho0 / rho

    cylinder = (X - Nx / 4) ** 2 + (Y - Ny / 2) ** 2 < (Ny / 4) ** 2

    for it in range(Nt):
        # drift
        for i, cx, cy in zip(idxs, cxs, cys):
            F[:, :, i] = np.roll(F[:, :, i], cx, axis=1)
            F[:, :, i] = np.roll(F[:, :, i], cy, axis=0)

        # reflective boundary
        bndryF = F[cylinder, :]
        bndryF = bndryF[:, [0, 5, 6, 7, 8, 1, 2, 3, 4]]

        # fluid variables
        rho = np.sum(F, 2)
        ux = np.sum(F * cxs, 2) / rho
        uy = np.sum(F * cys, 2) / rho

        # collision
        Feq = np.zeros(F.shape)
        for i, cx, cy, w in zip(idxs, cxs, cys, weights):
            Feq[:, :, i] = (
                rho
                * w
                * (
                    1
                    + 3 * (cx * ux + cy * uy)
                    + 9 * (cx * ux + cy * uy) ** 2 / 2
                    - 3 * (ux**2 + uy**2) / 2
                )
            )
        F += -(1.0 / tau) * (F - Feq)
        F[cylinder, :] = bndryF

        if it % (Nt // 3) == 0:
            ux[cylinder] = 0
            uy[cylinder] = 0
            vorticity = (np.roll(ux, -1, axis=0) - np.roll(ux, 1, axis=0)) - (
                np.roll(uy, -1, axis=1) - np.roll(uy, 1, axis=1)
            )
            print(
                it,
                "mean speed %.8f" % np.sqrt(ux**2 + uy**2).mean(),
                "vorticity %.8f" % np.abs(vorticity).max(),
            )
    print("mass", repr(round(float(F.sum()), 3)))


if __name__ == "__main__":
    main()
