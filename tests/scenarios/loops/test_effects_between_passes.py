"""Prints, appends, files, objects and calls in some passes: each happens once and in its turn."""

import io

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot

EVERY = [1, 7, 100, 2999]


@pytest.mark.parametrize("every", EVERY)
def test_a_print_every_so_many_passes(every):
    def program(x, n, every):
        s = 0.0
        for i in range(n):
            s += x[i % len(x)]
            if i % every == 0:
                print(i, s)
            x[i % len(x)] *= 0.5
        return s

    hot(program, np.linspace(0.0, 1.0, 50), 600 if every == 1 else PASSES, every)


@pytest.mark.parametrize("every", EVERY)
def test_an_append_every_so_many_passes(every):
    def program(n, every):
        out, s = [], 0
        for i in range(n):
            s += i * i
            if i % every == 0:
                out.append(s)
            s %= 1_000_003
        return out, s

    hot(program, PASSES, every)


def test_lists_that_grow_shrink_and_are_sorted():
    def program(n):
        heap, s = [], 0
        for i in range(n):
            heap.append((i * 7919) % 1000)
            if len(heap) > 20:
                heap.sort()
                s += heap.pop(0)
            if i % 100 == 99:
                heap = heap[::2]
        return heap, s

    hot(program, 1500)


def test_stacks_and_queues_in_while_loops():
    from collections import deque

    def program(grid):
        waiting, seen, order = deque([(0, 0)]), np.zeros(grid.shape, dtype=bool), 0
        seen[0, 0] = True
        while waiting:
            i, j = waiting.popleft()
            order = (order * 31 + i * 7 + j) % 65_537
            for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                y, x = i + di, j + dj
                if 0 <= y < grid.shape[0] and 0 <= x < grid.shape[1]:
                    if grid[y, x] and not seen[y, x]:
                        seen[y, x] = True
                        waiting.append((y, x))
        return seen, order

    hot(program, np.random.default_rng(3).random((40, 40)) < 0.8)


def test_counts_in_a_dict_and_members_of_a_set():
    def program(x):
        counts, seen, first = {}, set(), None
        for i in range(len(x)):
            key = int(x[i] * 10)
            counts[key] = counts.get(key, 0) + 1
            if key in seen and first is None:
                first = i
            seen.add(key)
        return counts, sorted(seen), first

    hot(program, np.random.default_rng(4).random(PASSES))


def test_a_dict_that_lacks_a_key_in_one_pass():
    def program(table, n, trouble):
        s = 0
        for i in range(n):
            s += table[i % 5 if i != trouble else "absent"]
        return s

    hot(program, {k: k * k for k in range(5)}, PASSES, TROUBLE)


def test_attributes_of_an_object_changed_in_each_pass():
    class Counter:
        def __init__(self):
            self.count, self.total, self.table = 0, 0.0, np.zeros(5)

        def add(self, value):
            self.count += 1
            self.total += value
            self.table[self.count % 5] += value

    def program(x):
        counter = Counter()
        for i in range(len(x)):
            counter.add(x[i])
            if counter.total > 10.0:
                counter.total = 0.0
        return counter.count, counter.total, counter.table

    hot(program, np.linspace(0.0, 1.0, PASSES))


def test_slots_properties_and_descriptors():
    class Body:
        __slots__ = ("v", "x")

        def __init__(self):
            self.x, self.v = 0.0, 1.0

        @property
        def energy(self):
            return 0.5 * self.v * self.v + self.x

    def program(n):
        body, s = Body(), 0.0
        for _ in range(n):
            body.x += body.v * 0.01
            body.v -= body.x * 0.01
            s += body.energy
        return body.x, body.v, s

    hot(program, PASSES)


def test_an_attribute_that_appears_in_one_pass_and_one_that_is_missing():
    class Place:
        pass

    def program(n, trouble, missing):
        place, s = Place(), 0
        place.here = 1
        for i in range(n):
            s += place.here
            if i == trouble:
                place.there = 5
                del place.here
                place.here = 2.5
            if i == missing:
                s += place.nowhere
        return s, vars(place)

    hot(program, PASSES, TROUBLE, -1)
    hot(program, PASSES, TROUBLE, 900)


def test_objects_with_operators_of_their_own():
    class Vector:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def __add__(self, other):
            return Vector(self.x + other.x, self.y + other.y)

        def __mul__(self, factor):
            return Vector(self.x * factor, self.y * factor)

        def __getitem__(self, index):
            return (self.x, self.y)[index]

        def __lt__(self, other):
            return self.x < other.x

    def program(n):
        v, step, lower = Vector(0.0, 1.0), Vector(0.5, -0.25), 0
        for i in range(n):
            v = v * 0.99 + step
            lower += v < step
            step.x = v[i % 2] * 0.1
        return v.x, v.y, lower

    hot(program, 900)


def test_writing_to_a_stream_in_some_passes():
    def program(n):
        out, s = io.StringIO(), 0
        for i in range(n):
            s += i & 3
            if s % 1000 == 0:
                out.write(f"{i}:{s}\n")
        return out.getvalue()

    hot(program, PASSES)


def test_text_made_of_numbers_in_each_pass():
    def program(x):
        parts = []
        for i in range(len(x)):
            parts.append(f"{x[i]:.3f}|{i:04d}|{x[i]!r}")
        return ";".join(parts)

    hot(program, np.linspace(0.0, 1.0, 300))


def test_random_draws_in_each_pass():
    def program(n, random):
        x, inside = 0.0, 0
        for _ in range(n):
            u, v = random.random(), random.random()
            inside += u * u + v * v < 1.0
            x += np.random.rand() - 0.5
        return x, inside, random.integers(1000)

    hot(program, make=lambda: (900, np.random.default_rng(8)))


def test_pythons_random_numbers():
    import random

    def program(n, seed):
        draw = random.Random(seed)
        walk = np.zeros(n)
        for i in range(1, n):
            walk[i] = walk[i - 1] + (1 if draw.random() < 0.5 else -1)
        return walk, draw.random()

    hot(program, PASSES, 11)


def test_functions_with_branches_and_loops_of_their_own():
    def digits(n):
        count = 0
        while n:
            n, count = n // 10, count + 1
        return count or 1

    def is_prime(n):
        if n < 2:
            return False
        for d in range(2, n):
            if d * d > n:
                return True
            if n % d == 0:
                return False
        return True

    def program(n):
        s = 0
        for i in range(n):
            if is_prime(i):
                s += digits(i) * (lambda k: k % 3 if k % 2 else -k)(i)
        return s

    hot(program, 1200)


def test_functions_with_defaults_keywords_and_stars():
    def mix(a, b=2, *rest, scale=1.0, **named):
        return a * b * scale + sum(rest) + named.get("extra", 0)

    def program(x):
        s = 0.0
        for i in range(len(x)):
            s += mix(x[i]) + mix(i, 3, scale=0.5) + mix(1, 2, 3, 4, extra=i) + mix(*(i, i))
        return s

    hot(program, np.linspace(0.0, 1.0, 900))


def test_a_call_with_wrong_arguments_in_one_pass():
    def helper(a, b):
        return a + b

    def program(n, trouble):
        s = 0
        for i in range(n):
            s += helper(*((i,) if i == trouble else (i, 1)))
        return s

    hot(program, PASSES, TROUBLE)


def test_a_helper_that_raises_in_one_pass():
    def helper(x, i, trouble):
        x[i] += 1
        if i == trouble:
            x[i] /= 0.0
            return 1 / 0
        return x[i] * 2

    def program(x, trouble):
        s = 0.0
        for i in range(len(x)):
            s += helper(x, i, trouble)
        return s

    hot(program, np.ones(PASSES), TROUBLE)


def test_helpers_that_call_themselves():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    def depth(n):
        return 0 if n <= 1 else 1 + depth(n // 2 if n % 2 == 0 else 3 * n + 1)

    def program(n):
        s = 0
        for i in range(n):
            s += fib(i % 9) + depth(i)
        return s

    hot(program, 300)


def test_globals_and_locals_seen_from_inside():
    def program(n):
        s, kept = 0, []
        for i in range(n):
            s += i
            if i % 500 == 250:
                kept.append(dict(locals()))
        return [(one["i"], one["s"]) for one in kept]

    hot(program, PASSES)


def test_del_of_names_and_elements_in_some_passes():
    def program(n):
        items = list(range(n))
        s = 0
        for i in range(n):
            temporary = i * 2
            s += temporary
            if i % 10 == 0:
                del items[i // 10], temporary
        return s, len(items), items[:4]

    hot(program, PASSES)


def test_an_object_that_no_pass_replaces_lives_on_after_the_loop():
    class Noisy:
        def __init__(self, log):
            self.log = log

        def __del__(self):
            self.log.append("died")

    def program(n, trouble):
        log, s = [], 0
        held = Noisy(log)
        for i in range(n):
            s += i
            if i == trouble:
                held = i
        return [*log, "end"], s

    hot(program, PASSES, PASSES)


def test_objects_die_when_eager_lets_them_die():
    class Noisy:
        def __init__(self, log, i):
            self.log, self.i = log, i

        def __del__(self):
            self.log.append(self.i)

    def program(n):
        log, s = [], 0
        held = Noisy(log, -1)
        for i in range(n):
            s += i
            if i % 500 == 0:
                held = Noisy(log, i)
                log.append(f"made {i}")
        return log[:], s

    hot(program, PASSES)
