"""enumerate and zip: over ranges and arrays, one in the other, consumed, shared, of unequal lengths."""

import sys

import numpy as np
import pytest

from bench.workloads.loops.scalars import escape_times
from tests.scenarios.loops.hot import PASSES, TROUBLE, hot, iterations


def test_a_loop_over_numbered_rows_is_compiled_with_the_loops_in_it():
    points = np.linspace(-2.0, 0.6, 20)
    assert iterations(escape_times, points, points[:7]) == [7, 0, 0]
    hot(escape_times, points, points[:7])


def test_numbered_ranges_and_arrays_side_by_side_are_compiled():
    def program(n, a):
        total = np.float64(0.0)
        for i, j in enumerate(range(3, n, 2), start=5):
            total += i * j
        for x, k in zip(a, range(n)):
            total += x * k
        for i, (x, (k, row)) in enumerate(zip(a, enumerate(np.ones((n, 2)), 7))):
            total += x * k - row[1] * i
        for k in reversed(range(n)):
            total += k
        return total

    n = 50
    assert iterations(program, n, np.ones(n) * 0.5) == [24, 50, 50, 50]
    hot(program, n, np.ones(n) * 0.5)


@pytest.mark.parametrize("start", [0, 5, -7, 2**62 - 20, 2**63 - TROUBLE, 2**63, 2**70], ids=str)
def test_numbers_from_any_start(start):
    def program(n, start):
        total = 0
        for i, item in enumerate(range(n), start):
            total += i % 7 - item % 5
        return total, i, item

    hot(program, PASSES, start)


@pytest.mark.parametrize("lengths", [(9, 9, 9), (0, 5, 5), (700, 699, 701), (3000, 3001, 3002)])
@pytest.mark.parametrize("strict", [False, True])
def test_items_side_by_side_of_unequal_lengths(lengths, strict):
    def program(a, b, n, strict):
        total, x, y, k = 0.0, None, None, None
        left = []
        inner = iter(range(n))
        try:
            for x, y, k in zip(a, b, range(n), strict=strict):
                total += float(x) * float(y) + k
        except ValueError as error:
            left.append(str(error))
        return total, x, y, k, left, list(inner)

    hot(program, np.arange(lengths[0] * 1.0), np.arange(lengths[1]), lengths[2], strict)


def test_what_a_zip_took_before_it_found_an_end():
    def program(n, m):
        first, second = iter(range(n)), iter(range(m))
        pairs, total = zip(first, second), 0
        del first
        for i, j in pairs:
            total += i * j
        return total, list(second), list(pairs)

    hot(program, PASSES, PASSES - 5)
    hot(program, PASSES - 5, PASSES)


def test_rows_and_numbers_in_one_another():
    def program(a, b):
        total = 0.0
        for i, (row, (k, y)) in enumerate(zip(a, enumerate(b, 7))):
            total += row[i % 3] * y + k
            row[0] = total % 10.0
        return total, i, k, y

    hot(program, np.random.default_rng(0).random((PASSES, 3)), np.linspace(0.0, 1.0, PASSES))


def test_an_enumerate_that_is_partly_consumed():
    def program(a):
        items, total = enumerate(a, 3), 0.0
        next(items)
        for i, x in items:
            total += i * x
            if i == 1000:
                break
        rest = 0.0
        for i, x in items:
            rest += i * x
        return total, rest, list(items)

    hot(program, np.arange(PASSES * 1.0))


def test_an_enumerate_whose_inner_iterator_the_body_moves():
    def program(n):
        inner, total = iter(range(n)), 0
        for i, item in enumerate(inner):
            total += i * item
            next(inner, None)
        return total, i, item

    hot(program, PASSES)


def test_an_enumerate_that_another_name_sees():
    def program(n):
        items, seen = enumerate(range(n)), []
        for i, item in items:
            if i % 100 == 7:
                seen.append(next(items, None))
        return seen

    hot(program, PASSES)


def test_trouble_in_the_middle_of_pairs():
    def program(a, b):
        total = 0
        for i, (x, y) in enumerate(zip(a, b)):
            total += 7 // (int(x) - y) + a[i + 3]
        return total

    hot(program, np.arange(PASSES) + 1, np.zeros(PASSES, int))
    zero = np.arange(PASSES) - TROUBLE
    hot(program, zero, np.zeros(PASSES, int))


def test_one_iterator_twice_in_a_zip():
    def program(n):
        items = iter(range(n))
        total = 0
        for i, j in zip(items, items):
            total += i * j
        return total, i, j

    hot(program, PASSES)


def test_iterators_live_as_long_as_in_eager():
    def program(n):
        a = np.ones(n)
        before = sys.getrefcount(a)
        total = 0.0
        for x, (i, y) in zip(a, enumerate(a)):
            total += x + y * i
        return total, sys.getrefcount(a) - before

    hot(program, PASSES)


def test_counting_past_64_bits_inside_of_an_iteration():
    def program(n):
        total = 0
        for _ in range(n):
            for i, item in enumerate(range(3), 2**63 - 2):
                total += i % 7 + item
        return total, i

    hot(program, 300)
