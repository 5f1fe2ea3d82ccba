"""European and Asian options: closed form, Monte Carlo, binomial tree, implied volatility."""

import math
import sys

import numpy as np


def norm_cdf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


class Option:
    def __init__(self, S, K, T, r, sigma, kind="call"):
        self.S, self.K, self.T, self.r, self.sigma, self.kind = S, K, T, r, sigma, kind

    @property
    def sign(self):
        return 1 if self.kind == "call" else -1

    def d1(self):
        variance = self.sigma * math.sqrt(self.T)
        return (math.log(self.S / self.K) + (self.r + self.sigma**2 / 2) * self.T) / variance

    def black_scholes(self):
        d1 = self.d1()
        d2 = d1 - self.sigma * math.sqrt(self.T)
        s = self.sign
        discount = math.exp(-self.r * self.T)
        return s * (self.S * norm_cdf(s * d1) - self.K * discount * norm_cdf(s * d2))

    def monte_carlo(self, paths, steps, rng):
        dt = self.T / steps
        drift = (self.r - 0.5 * self.sigma**2) * dt
        S = np.full(paths, float(self.S))
        total = np.zeros(paths)
        for _ in range(steps):
            z = rng.standard_normal(paths)
            S = S * np.exp(drift + self.sigma * np.sqrt(dt) * z)
            total += S
        discount = np.exp(-self.r * self.T)
        european = discount * np.maximum(self.sign * (S - self.K), 0)
        asian = discount * np.maximum(self.sign * (total / steps - self.K), 0)
        return european, asian

    def binomial(self, steps):
        dt = self.T / steps
        up = math.exp(self.sigma * math.sqrt(dt))
        p = (math.exp(self.r * dt) - 1 / up) / (up - 1 / up)
        discount = math.exp(-self.r * dt)
        prices = self.S * up ** np.arange(steps, -steps - 1, -2)
        values = np.maximum(self.sign * (prices - self.K), 0)
        for _ in range(steps):
            prices = prices[:-1] / up
            values = discount * (p * values[:-1] + (1 - p) * values[1:])
            values = np.maximum(values, self.sign * (prices - self.K))
        return float(values[0])


def implied_volatility(option, price):
    low, high = 1e-4, 3.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        trial = Option(option.S, option.K, option.T, option.r, middle, option.kind)
        if trial.black_scholes() < price:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def main():
    paths = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng = np.random.default_rng(1973)
    for kind in ("call", "put"):
        for K in (80, 100, 125):
            option = Option(100, K, 1.0, 0.03, 0.25, kind)
            exact = option.black_scholes()
            european, asian = option.monte_carlo(paths, 50, rng)
            error = european.std(ddof=1) / math.sqrt(paths)
            print(
                f"{kind:4} {K:4d}  exact {exact:9.5f}  mc {european.mean():9.5f} +- {error:.5f}  "
                f"asian {asian.mean():9.5f}  american {option.binomial(500):9.5f}  "
                f"implied {implied_volatility(option, exact):.6f}"
            )


main()
