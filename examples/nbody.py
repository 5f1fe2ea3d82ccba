"""Bodies attracting each other, integrated with the leapfrog method."""

import numpy as np


class System:
    def __init__(self, mass, position, velocity, softening=0.05):
        self.mass = mass
        self.position = position
        self.velocity = velocity
        self.softening = softening

    def acceleration(self):
        offset = self.position[np.newaxis, :, :] - self.position[:, np.newaxis, :]
        square = np.sum(offset * offset, axis=-1) + self.softening**2
        inverse_cube = square**-1.5
        return np.einsum("ijk,ij,j->ik", offset, inverse_cube, self.mass)

    def kinetic_energy(self):
        return 0.5 * np.sum(self.mass * np.sum(self.velocity**2, axis=1))

    def potential_energy(self):
        offset = self.position[np.newaxis, :, :] - self.position[:, np.newaxis, :]
        distance = np.sqrt(np.sum(offset**2, axis=-1) + self.softening**2)
        pairs = np.outer(self.mass, self.mass) / distance
        return -0.5 * (np.sum(pairs) - np.trace(pairs))

    def momentum(self):
        return self.mass @ self.velocity

    def run(self, steps, dt):
        force = self.acceleration()
        for _ in range(steps):
            self.velocity = self.velocity + 0.5 * dt * force
            self.position = self.position + dt * self.velocity
            force = self.acceleration()
            self.velocity = self.velocity + 0.5 * dt * force


def random_system(rng, n):
    mass = rng.uniform(0.5, 1.5, n) / n
    position = rng.normal(size=(n, 3))
    velocity = 0.3 * rng.normal(size=(n, 3))
    velocity -= (mass @ velocity) / mass.sum()
    return System(mass, position, velocity)


def main():
    system = random_system(np.random.default_rng(11), 40)
    start = system.kinetic_energy() + system.potential_energy()
    print(f"start: energy {start:.8f}")
    for block in range(1, 6):
        system.run(100, 0.005)
        energy = system.kinetic_energy() + system.potential_energy()
        drift = abs((energy - start) / start)
        print(f"t = {block * 0.5:.1f}: energy {energy:.8f}, drift {drift:.2e}")
    print("momentum below 1e-12:", bool(np.all(np.abs(system.momentum()) < 1e-12)))
    print("first body:", np.round(system.position[0], 6))


if __name__ == "__main__":
    main()
