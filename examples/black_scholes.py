"""Price European options with the Black-Scholes formula and check put-call parity.

The normal distribution function uses the approximation 26.2.17 of Abramowitz and Stegun.
"""

import numpy as np


def norm_cdf(x):
    k = 1.0 / (1.0 + 0.2316419 * np.abs(x))
    poly = k * (
        0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429)))
    )
    tail = np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi) * poly
    return np.where(x >= 0.0, 1.0 - tail, tail)


def black_scholes(spot, strike, years, rate, volatility):
    """Call and put prices; every argument may be an array."""
    root = volatility * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / root
    d2 = d1 - root
    discounted = strike * np.exp(-rate * years)
    call = spot * norm_cdf(d1) - discounted * norm_cdf(d2)
    put = discounted * norm_cdf(-d2) - spot * norm_cdf(-d1)
    return call, put


def parity_gap(call, put, spot, strike, years, rate):
    """Largest violation of call - put = spot - strike * exp(-rate * years)."""
    return np.max(np.abs(call - put - (spot - strike * np.exp(-rate * years))))


def implied_volatility(price, spot, strike, years, rate, steps=60):
    """Bisect for the volatility at which the call price is `price`."""
    low = np.full_like(price, 1e-3)
    high = np.full_like(price, 3.0)
    for _ in range(steps):
        middle = 0.5 * (low + high)
        call, _put = black_scholes(spot, strike, years, rate, middle)
        too_high = call > price
        high = np.where(too_high, middle, high)
        low = np.where(too_high, low, middle)
    return 0.5 * (low + high)


def main():
    rng = np.random.default_rng(42)
    n = 20_000
    spot = rng.uniform(80.0, 120.0, n)
    strike = rng.uniform(80.0, 120.0, n)
    years = rng.uniform(0.25, 2.0, n)
    volatility = rng.uniform(0.1, 0.6, n)
    rate = 0.02

    call, put = black_scholes(spot, strike, years, rate, volatility)
    print(f"mean call {call.mean():.6f}, mean put {put.mean():.6f}")
    print(f"largest parity gap {parity_gap(call, put, spot, strike, years, rate):.3e}")

    shocked = np.linspace(-0.2, 0.2, 9)
    for shock in shocked:
        call, put = black_scholes(spot * (1.0 + shock), strike, years, rate, volatility)
        print(f"shock {shock:+.2f}: book value {np.sum(call - put):.4f}")

    call, _ = black_scholes(spot, strike, years, rate, volatility)
    found = implied_volatility(call, spot, strike, years, rate)
    error = np.abs(found - volatility)
    print(f"implied volatility: median error {np.median(error):.3e}")


if __name__ == "__main__":
    main()
