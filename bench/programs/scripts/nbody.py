"""The solar system with Body objects, each with small NumPy vectors, and energies."""

import sys

import numpy as np

G = 6.67430e-11
AU = 1.496e11
DAY = 86400.0


class Body:
    def __init__(self, name, mass, distance, speed):
        self.name = name
        self.mass = mass
        self.position = np.array([distance, 0.0, 0.0])
        self.velocity = np.array([0.0, speed, 0.0])
        self.force = np.zeros(3)

    def kinetic(self):
        return 0.5 * self.mass * np.dot(self.velocity, self.velocity)

    def __repr__(self):
        x, y, z = self.position / AU
        return f"<{self.name} at ({x:.4f}, {y:.4f}, {z:.4f}) AU>"


class System:
    def __init__(self, bodies):
        self.bodies = bodies

    def forces(self):
        for body in self.bodies:
            body.force = np.zeros(3)
        for i, a in enumerate(self.bodies):
            for b in self.bodies[i + 1 :]:
                r = b.position - a.position
                distance = np.linalg.norm(r)
                f = G * a.mass * b.mass / distance**3 * r
                a.force += f
                b.force -= f

    def step(self, dt):
        for body in self.bodies:
            body.velocity = body.velocity + 0.5 * dt * body.force / body.mass
            body.position = body.position + dt * body.velocity
        self.forces()
        for body in self.bodies:
            body.velocity = body.velocity + 0.5 * dt * body.force / body.mass

    def energy(self):
        potential = 0.0
        for i, a in enumerate(self.bodies):
            for b in self.bodies[i + 1 :]:
                potential -= G * a.mass * b.mass / np.linalg.norm(a.position - b.position)
        return potential + sum(body.kinetic() for body in self.bodies)


def main():
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    system = System(
        [
            Body("Sun", 1.989e30, 0.0, 0.0),
            Body("Mercury", 3.301e23, 0.387 * AU, 47400),
            Body("Venus", 4.867e24, 0.723 * AU, 35020),
            Body("Earth", 5.972e24, AU, 29780),
            Body("Mars", 6.417e23, 1.524 * AU, 24070),
            Body("Jupiter", 1.898e27, 5.203 * AU, 13060),
        ]
    )
    system.forces()
    start = system.energy()
    for day in range(days):
        system.step(DAY)
        if day % (days // 3) == 0:
            print("day", day, *system.bodies[1:4])
    drift = (system.energy() - start) / abs(start)
    print("energy drift: %.3e" % drift)
    momentum = sum(body.mass * body.velocity for body in system.bodies)
    print("momentum:", " ".join("%.6e" % c for c in momentum))


if __name__ == "__main__":
    main()
