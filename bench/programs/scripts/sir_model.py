"""An SIR epidemic: ODE by Runge-Kutta, stochastic by Gillespie, parameter scan."""

import random
import sys
from dataclasses import dataclass

import numpy as np


@dataclass
class Parameters:
    beta: float = 0.35
    gamma: float = 0.1
    population: int = 10_000

    @property
    def r0(self):
        return self.beta / self.gamma


def derivative(t, y, p):
    S, I, R = y
    new = p.beta * S * I / p.population
    return np.array([-new, new - p.gamma * I, p.gamma * I])


def rk4(f, y0, t, *args):
    y = np.zeros((len(t), len(y0)))
    y[0] = y0
    for i in range(len(t) - 1):
        h = t[i + 1] - t[i]
        k1 = f(t[i], y[i], *args)
        k2 = f(t[i] + h / 2, y[i] + h / 2 * k1, *args)
        k3 = f(t[i] + h / 2, y[i] + h / 2 * k2, *args)
        k4 = f(t[i] + h, y[i] + h * k3, *args)
        y[i + 1] = y[i] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def gillespie(p, infected, rng):
    s, i, r, t = p.population - infected, infected, 0, 0.0
    peak = i
    while i > 0:
        infection = p.beta * s * i / p.population
        recovery = p.gamma * i
        t += rng.expovariate(infection + recovery)
        if rng.random() * (infection + recovery) < infection:
            s, i = s - 1, i + 1
            peak = max(peak, i)
        else:
            i, r = i - 1, r + 1
    return t, peak, r


def main(steps=4000, runs=12):
    p = Parameters()
    t = np.linspace(0, 160, steps)
    y = rk4(derivative, [p.population - 10, 10, 0], t, p)
    peak = y[:, 1].argmax()
    print(f"R0 = {p.r0:.2f}, peak of {y[peak, 1]:.2f} on day {t[peak]:.2f}")
    print("conserved:", bool(np.allclose(y.sum(axis=1), p.population)))

    print("scan over beta")
    for beta in np.linspace(0.08, 0.5, 8):
        q = Parameters(beta=float(beta))
        end = rk4(derivative, [q.population - 10, 10, 0], t[:: max(1, steps // 800)], q)[-1]
        print(f"  {beta:.3f}  R0 {q.r0:.2f}  attack rate {100 * end[2] / q.population:.2f} %")

    rng = random.Random(5)
    small = Parameters(population=steps // 2)
    outcomes = [gillespie(small, 5, rng) for _ in range(runs)]
    for days, top, ever in outcomes[:4]:
        print(f"  stochastic: {days:7.2f} days, peak {top}, recovered {ever}")
    print("mean final size %.2f" % (sum(o[2] for o in outcomes) / runs))


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
