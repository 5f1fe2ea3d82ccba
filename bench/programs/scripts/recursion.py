"""Recursive classics, timed against each other in class."""

import sys


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def tak(x, y, z):
    if y >= x:
        return z
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def hanoi(n, source="A", target="C", spare="B", moves=None):
    if moves is None:
        moves = []
    if n > 0:
        hanoi(n - 1, source, spare, target, moves)
        moves.append((n, source, target))
        hanoi(n - 1, spare, target, source, moves)
    return moves


def permutations(items):
    if not items:
        yield []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1 :]):
            yield [item, *rest]


size = int(sys.argv[1]) if len(sys.argv) > 1 else 27
print("fib", size, fib(size))
print("tak", tak(size // 2 + 4, size // 3 + 2, size // 4))
print("ackermann", ackermann(2, 3 * size))
moves = hanoi(size // 2 + 2)
print("hanoi", len(moves), moves[:3], moves[-1])
print("permutations", sum(p[0] < p[-1] for p in permutations(list(range(size // 3 - 1)))))
