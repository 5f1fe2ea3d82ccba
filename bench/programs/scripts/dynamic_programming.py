"""Dynamic programming exercises, tables as numpy arrays filled element by element."""

import sys

import numpy as np


def lcs(a, b):
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            if a[i - 1] == b[j - 1]:
                table[i, j] = table[i - 1, j - 1] + 1
            else:
                table[i, j] = max(table[i - 1, j], table[i, j - 1])
    i, j, out = len(a), len(b), []
    while i and j:
        if a[i - 1] == b[j - 1]:
            out.append(a[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1, j] >= table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return "".join(reversed(out))


def edit_distance(a, b):
    d = np.zeros((len(a) + 1, len(b) + 1))
    d[:, 0] = np.arange(len(a) + 1)
    d[0, :] = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost)
    return int(d[-1, -1])


def knapsack(weights, values, capacity):
    table = np.zeros((len(weights) + 1, capacity + 1), dtype=int)
    for i, (w, v) in enumerate(zip(weights, values), 1):
        table[i] = table[i - 1]
        table[i, w:] = np.maximum(table[i, w:], table[i - 1, :-w] + v)
    return table[-1, -1]


def matrix_chain(dims):
    n = len(dims) - 1
    m = np.zeros((n, n))
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            m[i, j] = min(
                m[i, k] + m[k + 1, j] + dims[i] * dims[k + 1] * dims[j + 1] for k in range(i, j)
            )
    return m[0, -1]


def coins(amount, denominations):
    ways = np.zeros(amount + 1, dtype=object)
    ways[0] = 1
    for coin in denominations:
        for value in range(coin, amount + 1):
            ways[value] += ways[value - coin]
    return ways[amount]


def sieve(limit):
    prime = np.ones(limit, dtype=bool)
    prime[:2] = False
    for p in range(2, int(limit**0.5) + 1):
        if prime[p]:
            prime[p * p :: p] = False
    return np.flatnonzero(prime)


def viterbi(observations, start, trans, emit):
    score = np.log(start) + np.log(emit[:, observations[0]])
    back = []
    for o in observations[1:]:
        candidates = score[:, None] + np.log(trans)
        back.append(candidates.argmax(axis=0))
        score = candidates.max(axis=0) + np.log(emit[:, o])
    state = int(score.argmax())
    path = [state]
    for pointers in reversed(back):
        state = int(pointers[state])
        path.append(state)
    return path[::-1]


n = int(sys.argv[1]) if len(sys.argv) > 1 else 600
rng = np.random.default_rng(12)
a = "".join(rng.choice(list("acgt"), n))
b = "".join(rng.choice(list("acgt"), n))
common = lcs(a, b)
print("lcs", len(common), common[:20])
print("edit distance", edit_distance(a[: n // 2], b[: n // 2]))
items = max(10, n // 3)
print("knapsack", knapsack(rng.integers(1, 60, items), rng.integers(1, 500, items), 10 * n))
print("matrix chain", matrix_chain(rng.integers(5, 60, max(6, n // 10))))
print("coins", coins(20 * n, [1, 2, 5, 10, 20, 50, 100]))
primes = sieve(500 * n)
print("primes", len(primes), primes[-3:])
trans = np.array([[0.95, 0.05], [0.1, 0.9]])
emit = np.array([[1 / 6] * 6, [0.1] * 5 + [0.5]])
rolls = rng.integers(0, 6, 10 * n)
path = viterbi(rolls, np.array([0.5, 0.5]), trans, emit)
print("viterbi", sum(path), "".join(map(str, path[:40])))
