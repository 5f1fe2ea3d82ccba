"""Polynomial arithmetic with its unit tests: run the file to run the tests."""

import os
import random
import unittest
from fractions import Fraction

import numpy as np

ROUNDS = int(os.environ.get("POLYNOMIAL_ROUNDS", "1500"))


class Polynomial:
    def __init__(self, *coefficients):
        self.c = list(coefficients)
        while len(self.c) > 1 and self.c[-1] == 0:
            self.c.pop()

    @property
    def degree(self):
        return len(self.c) - 1

    def __eq__(self, other):
        return isinstance(other, Polynomial) and self.c == other.c

    def __hash__(self):
        return hash(tuple(self.c))

    def __repr__(self):
        return "Polynomial(" + ", ".join(map(str, self.c)) + ")"

    def __add__(self, other):
        n = max(len(self.c), len(other.c))
        a = self.c + [0] * (n - len(self.c))
        b = other.c + [0] * (n - len(other.c))
        return Polynomial(*[x + y for x, y in zip(a, b)])

    def __neg__(self):
        return Polynomial(*[-x for x in self.c])

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        result = [0] * (len(self.c) + len(other.c) - 1)
        for i, x in enumerate(self.c):
            for j, y in enumerate(other.c):
                result[i + j] += x * y
        return Polynomial(*result)

    def __divmod__(self, other):
        if other == Polynomial(0):
            raise ZeroDivisionError("division by the zero polynomial")
        rest, quotient = self, Polynomial(0)
        while rest.degree >= other.degree and rest != Polynomial(0):
            factor = Fraction(rest.c[-1]) / other.c[-1]
            term = Polynomial(*[0] * (rest.degree - other.degree), factor)
            quotient, rest = quotient + term, rest - term * other
        return quotient, rest

    def __call__(self, x):
        result = 0
        for c in reversed(self.c):
            result = result * x + c
        return result

    def derivative(self):
        return Polynomial(*[i * c for i, c in enumerate(self.c)][1:] or [0])


def gcd(a, b):
    while b != Polynomial(0):
        a, b = b, divmod(a, b)[1]
    return Polynomial(*[c / Fraction(a.c[-1]) for c in a.c])


class Base(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(self.id().rpartition(".")[2])

    def draw(self, degree=6):
        return Polynomial(*[self.rng.randint(-9, 9) for _ in range(degree)], 1)


class TestArithmetic(Base):
    def test_ring(self):
        for _ in range(ROUNDS):
            p, q, r = self.draw(), self.draw(3), self.draw(2)
            self.assertEqual(p * (q + r), p * q + p * r)
            self.assertEqual(p * q, q * p)
            self.assertEqual(p - p, Polynomial(0))

    def test_division(self):
        for _ in range(ROUNDS // 5):
            p, q = self.draw(), self.draw(2)
            quotient, rest = divmod(p, q)
            self.assertEqual(quotient * q + rest, p)
            self.assertLess(rest.degree, max(q.degree, 1))

    def test_division_by_zero(self):
        with self.assertRaisesRegex(ZeroDivisionError, "zero polynomial"):
            divmod(self.draw(), Polynomial(0))

    def test_gcd(self):
        for _ in range(ROUNDS // 30):
            common = self.draw(2)
            found = gcd(self.draw(2) * common, self.draw(3) * common)
            self.assertEqual(divmod(found, common)[1].c, [0])

    @unittest.expectedFailure
    def test_floats_are_not_exact(self):
        self.assertEqual(Polynomial(0.1) + Polynomial(0.2), Polynomial(0.3))


class TestValues(Base):
    def test_product_rule(self):
        for _ in range(ROUNDS):
            p, q = self.draw(), self.draw(3)
            self.assertEqual(
                (p * q).derivative(), p.derivative() * q + p * q.derivative(), msg=(p, q)
            )

    def test_against_numpy(self):
        x = np.linspace(-2, 2, 101)
        for _ in range(ROUNDS):
            p = self.draw(9)
            np.testing.assert_allclose(p(x), np.polyval(p.c[::-1], x), atol=1e-8)

    def test_roots(self):
        for k in range(ROUNDS // 10):
            with self.subTest(k=k):
                roots = [self.rng.randint(-5, 5) for _ in range(4)]
                p = Polynomial(1)
                for root in roots:
                    p = p * Polynomial(-root, 1)
                self.assertTrue(all(p(root) == 0 for root in roots))

    @unittest.skip("slow on old machines")
    def test_huge(self):
        self.draw(10**6)


if __name__ == "__main__":
    import sys

    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2)
    unittest.main(testRunner=runner)
