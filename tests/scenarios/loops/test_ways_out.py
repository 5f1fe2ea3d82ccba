"""Ways out of a pass and of a loop: break, continue, else, return, try, finally, with, raise."""

import contextlib

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot, hot_then

STOPS = [-1, 0, 1, TROUBLE, PASSES - 1]


@pytest.mark.parametrize("stop", STOPS)
def test_break_with_else(stop):
    def program(x, stop):
        s = 0.0
        for i in range(len(x)):
            s += x[i]
            if i == stop:
                break
            x[i] = s
        else:
            s = -s
        return s, i, x

    hot(program, np.linspace(0.0, 1.0, PASSES), stop)


@pytest.mark.parametrize("stop", STOPS)
def test_while_with_break_and_else(stop):
    def program(n, stop):
        i, s = 0, 0
        while i < n:
            if i == stop:
                break
            s += i * i
            i += 1
        else:
            s = -s
        return s, i

    hot(program, PASSES, stop)


@pytest.mark.parametrize("stop", STOPS)
def test_return_out_of_a_nested_loop(stop):
    def program(a, stop):
        count = 0
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                a[i, j] += 1
                if count == stop:
                    return "found", i, j, a
                count += 1
        return "not found", count, a

    hot(program, np.zeros((60, 50)), stop)


@pytest.mark.parametrize("stop", STOPS)
def test_raise_out_of_a_nested_loop(stop):
    class Stop(Exception):
        pass

    def program(a, stop):
        count = 0
        try:
            for i in range(a.shape[0]):
                for j in range(a.shape[1]):
                    a[i, j] += 1
                    if count == stop:
                        raise Stop(i, j)
                    count += 1
        except Stop as found:
            return found.args, a
        return count, a

    hot(program, np.zeros((60, 50)), stop)


def test_continue_in_every_second_pass():
    def program(n):
        s = 0
        for i in range(n):
            if i % 2:
                continue
            s += i
            if s % 3 == 0:
                continue
            s ^= i
        return s, i

    hot(program, PASSES)


def test_a_break_that_leaves_only_the_inner_loop():
    def program(n, m):
        s = 0
        for i in range(n):
            for j in range(m):
                if (i + j) % 7 == 6:
                    break
                if j % 3 == 1:
                    continue
                s += i * j
            else:
                s -= 1
            s += j
        return s, i, j

    hot(program, 200, 20)
    hot(program, 200, 3)


def test_endless_loops_that_break():
    def program(x):
        i, s = 0, 0.0
        while True:
            s += x[i]
            i += 1
            while True:
                s *= 0.5
                if s < 1.0:
                    break
            if i >= len(x):
                break
        return s, i

    hot(program, np.linspace(0.0, 10.0, PASSES))


def test_conditions_with_assignment_expressions():
    def program(n):
        x, total = n, 0
        while (x := x - 1) > 0 and (half := x // 2) >= 0:
            total += half if (odd := x % 2) else -odd
        return x, total, half, odd

    hot(program, PASSES)


def test_conditions_on_elements_and_on_arrays():
    def program(x, flags):
        i = 0
        while i < len(x) and x[i] < 5.0 and not flags[i]:
            x[i] += 1.0
            i += 1
        return i, x

    x, flags = np.zeros(PASSES), np.zeros(PASSES, dtype=bool)
    hot(program, x, flags)
    flags[TROUBLE] = True
    hot(program, x, flags)
    hot(program, x, np.zeros((PASSES, 2)))


@pytest.mark.parametrize("stop", STOPS)
def test_finally_in_every_pass(stop):
    def program(x, stop):
        done = 0
        for i in range(len(x)):
            try:
                x[i] += 1.0
                if i == stop:
                    break
                if i % 2:
                    continue
                x[i] *= 2.0
            finally:
                done += 1
        return done, i, x

    hot(program, np.ones(PASSES), stop)


@pytest.mark.parametrize("stop", STOPS)
def test_finally_around_the_loop(stop):
    def program(x, stop):
        log = []
        try:
            for i in range(len(x)):
                x[i] += 1.0
                if i == stop:
                    return i, log
                if i == stop + 50 and stop >= 0:
                    raise ValueError(i)
        finally:
            log.append(x.sum())
        return "end", log

    hot(program, np.ones(PASSES), stop)


def test_return_in_finally_swallows_the_error():
    def program(x, trouble):
        for i in range(len(x)):
            try:
                x[i] = 1 // (i - trouble)
            finally:
                if i > trouble:
                    return i, x
        return x

    hot(program, np.zeros(PASSES), TROUBLE)
    hot(program, np.zeros(PASSES), PASSES)


def test_an_exception_caught_in_every_pass():
    def program(n):
        s = 0
        for i in range(n):
            try:
                s += int("x" if i % 2 else "1")
            except ValueError:
                s += 10
            else:
                s += 100
            finally:
                s += 1000
        return s

    hot(program, 600)


def test_an_exception_caught_in_one_pass():
    def program(x, trouble):
        caught = None
        for i in range(len(x)):
            try:
                x[i] = i
                x[i + (len(x) if i == trouble else 0)] = -1.0
            except IndexError as error:
                caught = i, str(error)
        return x, caught

    hot(program, np.zeros(PASSES), TROUBLE)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError, IndexError, KeyError, StopIteration, SystemExit]
)
def test_an_exception_of_the_programs_own_in_one_pass(error):
    def program(x, trouble, error):
        for i in range(len(x)):
            x[i] += i
            if i == trouble:
                raise error("in the middle", i)
        return x

    hot(program, np.ones(PASSES), TROUBLE, error)


def test_exceptions_raised_from_each_other_and_raised_again():
    def program(n, trouble):
        s = 0
        for i in range(n):
            try:
                s += 1 // (trouble - i)
            except ZeroDivisionError as error:
                if s < 0:
                    raise
                raise RuntimeError(i) from error
        return s

    hot(program, PASSES, TROUBLE)


def test_an_assertion_that_fails_in_one_pass():
    def program(x):
        for i in range(len(x)):
            assert x[i] < 0.5, (i, x[i])
            x[i] += 0.25
        return x

    hot(program, np.linspace(0.0, 1.0, PASSES))
    hot(program, np.linspace(0.0, 0.25, PASSES))


def test_loops_inside_with_blocks_and_with_blocks_inside_loops():
    @contextlib.contextmanager
    def logged(log, name):
        log.append(f"enter {name}")
        try:
            yield 2
        except ValueError as error:
            log.append(f"caught {error}")
        log.append(f"leave {name}")

    def program(x, trouble):
        log = []
        with logged(log, "outside") as factor:
            for i in range(len(x)):
                x[i] += factor
                if i == trouble:
                    raise ValueError(i)
        for i in range(20):
            with logged(log, i) as factor:
                for j in range(200):
                    x[j] *= 0.5
                    if j == i * 50:
                        break
        return x, log

    hot(program, np.zeros(PASSES), TROUBLE)
    hot(program, np.zeros(PASSES), -1)


def test_match_statements_in_a_loop():
    def program(n):
        s = 0
        for i in range(n):
            match i % 5:
                case 0:
                    s += 1
                case 1 | 2:
                    s += i
                case k if k == 3:
                    s -= k
                case _:
                    continue
            s ^= 1
        return s

    hot(program, PASSES)


def test_branches_that_one_pass_takes_first():
    def program(x, trouble):
        s, kept = 0.0, []
        for i in range(len(x)):
            if i == trouble:
                kept.append(x.copy())
                x = x[::-1]
            elif i > trouble and i % 500 == 0:
                kept.append({"i": i})
            else:
                s += x[i]
                x[i] = s * 1e-3
        return s, x, kept

    hot(program, np.linspace(0.0, 1.0, PASSES), TROUBLE)
    hot_then(program, (np.ones(PASSES), -1), (np.ones(PASSES), TROUBLE), (np.ones(PASSES), 0))


def test_state_machines_over_numbers():
    def program(data):
        state, count, best = 0, 0, 0
        for byte in data:
            if state == 0:
                state = 1 if byte & 1 else 0
            elif state == 1:
                count += 1
                if byte > 200:
                    state = 2
                elif not byte & 1:
                    state, count = 0, 0
            else:
                best = max(best, count)
                state = count = 0
        return state, count, best

    data = np.random.default_rng(9).integers(0, 256, PASSES)
    hot(program, data.astype(np.uint8))
    hot(program, data.tolist())
    hot(program, bytes(data.tolist()))


def test_recursion_out_of_a_loop():
    def program(n, depth):
        s = 0
        for i in range(n):
            s += i * depth
            if i % 100 == 50 and depth > 0:
                s += program(n // 4, depth - 1)
        return s

    hot(program, PASSES, 2)


def test_recursion_that_is_too_deep_in_one_pass():
    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    def program(n, trouble):
        s = 0
        for i in range(n):
            try:
                s += down(100_000 if i == trouble else 3)
            except RecursionError:
                s -= 1000
        return s

    hot(program, 900, TROUBLE)


def test_loops_in_comprehensions():
    def program(x, n):
        squares = [x[i] * x[i] for i in range(n) if i % 3]
        table = {i: x[i] for i in range(0, n, 500)}
        total = sum(x[i] * i for i in range(n))
        nested = [i * j for i in range(30) for j in range(i) if (i + j) % 5 == 0]
        return squares[-5:], table, total, len(nested), sum(nested)

    hot(program, np.linspace(0.0, 1.0, PASSES), PASSES)
    hot(program, np.linspace(0.0, 1.0, PASSES), PASSES + 1)
