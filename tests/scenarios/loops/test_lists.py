"""Lists and tuples of numbers: read, iterated over, changed item by item, of mixed types, aliased."""

import sys

import numpy as np
import pytest

from bench.workloads.loops.scalars import sieve_of_list
from dyntrace import optimize
from tests.scenarios.loops.hot import PASSES, TROUBLE, at_once, hot, hot_then, iterations

WEIGHTS = [0.25, 0.5, 0.25]


def floats(n=PASSES):
    return [i * 0.37 - 5.0 for i in range(n)]


def test_loops_over_lists_are_compiled():
    def program(xs, ys, flags, pair):
        total = 0.0
        for x in xs:
            total += x * x
        for i in range(len(xs)):
            xs[i] = xs[i] / total
        for i, (x, flag) in enumerate(zip(xs, flags)):
            total += ys[i] * x if flag else pair[i % 2]
        for y in ys:
            total += y
        return total

    n = 60
    args = floats(n), tuple(range(n)), [i % 3 == 0 for i in range(n)], (1.5, 2.5)
    assert iterations(program, *args) == [n, n, n, n]


def test_a_sieve_in_a_list_is_compiled_as_a_whole():
    assert iterations(sieve_of_list, 200) == [199, 0]
    hot(sieve_of_list, 2000)


def test_a_list_of_globals_is_read_at_each_index():
    def program(a):
        out = np.zeros(len(a))
        for i in range(1, len(a) - 1):
            total = 0.0
            for k in range(3):
                total += WEIGHTS[k] * a[i + k - 1]
            out[i] = total
        return out

    hot(program, np.linspace(0.0, 1.0, PASSES))


ITEMS = {
    "floats": floats(),
    "ints": list(range(-5, PASSES)),
    "bools": [i % 3 == 1 for i in range(PASSES)],
    "large ints": [2**31 - 3 + i for i in range(PASSES)],
    "larger ints": [2**63 - 1 - i if i % 2 else i - 2**63 for i in range(PASSES)],
    "ints over 64 bits": [7] * TROUBLE + [2**63, -(2**63) - 1, 2**100] + [7] * TROUBLE,
    "an int among floats": floats(TROUBLE) + [3] + floats(),
    "a float among ints": [2] * TROUBLE + [3.5] + [2] * TROUBLE,
    "a bool among ints": [2] * TROUBLE + [True] + [2] * TROUBLE,
    "an int among bools": [True] * TROUBLE + [1, 0] + [False] * TROUBLE,
    "a scalar among floats": floats(TROUBLE) + [np.float64(0.5)] + floats(),
    "None among ints": [2] * TROUBLE + [None],
    "text among floats": [*floats(TROUBLE), "x"],
    "special floats": [0.0, -0.0, float("inf"), float("nan"), 5e-324] * 400,
    "one": [1.5],
    "none": [],
}


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("name", ITEMS)
def test_items_of_each_type(name, kind):
    def program(xs):
        total, count, x = 0.0, 0, None
        for x in xs:
            total = total * 0.5 + float(x)
            count += x > 0
        for i in range(len(xs)):
            total += xs[i] * 0.5 + xs[-1 - i]
        return total, int(count), x

    hot(program, kind(ITEMS[name]))


def test_lists_of_other_types_in_later_calls():
    def program(xs):
        total = 0.0
        for i in range(len(xs)):
            total += xs[i] * 0.5
        return total

    hot_then(program, (floats(),), (list(range(PASSES)),), ([],), (tuple(floats()),), (["a"],))


@pytest.mark.parametrize("index", [0, -1, PASSES - 1, PASSES, -PASSES, -PASSES - 1, 2**70])
def test_an_index_at_the_ends(index):
    def program(xs, index):
        total = 0.0
        for i in range(PASSES):
            total += xs[index if i == TROUBLE else i]
            xs[i] = total
        return total

    hot(program, floats(), index)


@pytest.mark.parametrize("value", [1.5, 7, True, None, 2**63, -(2**63), 1j, "x", np.float64(2.0)])
def test_an_item_replaced_by_one_of_another_type(value):
    def program(xs, value):
        for i in range(len(xs)):
            xs[i] = value if i >= TROUBLE else i * 0.5
        return xs

    hot(program, floats(), value)


@pytest.mark.parametrize("old", [None, 2**80, "text", [], np.float64(1.0), object])
def test_an_old_item_of_any_type(old):
    def program(xs, old):
        xs[TROUBLE] = old
        for i in range(len(xs)):
            xs[i] = i * 0.5
        return xs

    hot(program, floats(), old)


@pytest.mark.parametrize("zero", [0, 1])
def test_trouble_puts_the_old_items_back(zero):
    def program(xs, ys, zero):
        for i in range(len(xs) - 1):
            xs[i] = i * 2.5
            xs[i + 1] = ys[i] + xs[i]
            xs[i] = 1.5
            xs[0] = ys[i] = xs[i] / (zero if i == TROUBLE else 1)
        return xs, ys

    hot(program, floats(), floats(), zero)


def test_one_list_under_two_names():
    def program(xs):
        ys, total = xs, 0.0
        for i in range(1, len(xs)):
            xs[i] = ys[i - 1] * 0.5 + 1.0
            total += ys[i] - ys[0]
            ys[0] = total
        return xs, total

    hot(program, floats())


def test_a_list_and_one_of_mixed_types_that_is_the_same_in_a_later_call():
    def program(xs, ys):
        total = 0.0
        for i in range(len(xs)):
            xs[i] = i * 0.5
            total += ys[1] + ys[0]
        return total, xs, ys

    mixed = [1, 2.5]
    hot_then(program, (floats(9), [1, 2.5]), (mixed, mixed))


def test_a_list_that_grows_while_it_is_iterated_over():
    def program(xs):
        total = 0.0
        for x in xs:
            total += x
            if len(xs) < PASSES + 50:
                xs.append(x * 0.5)
        return total, xs

    hot(program, floats())


def test_a_list_that_is_cut_in_the_middle():
    def program(xs):
        total = 0.0
        for i in range(len(xs)):
            if i == TROUBLE:
                del xs[TROUBLE + 10 :]
            total += xs[i]
        return total

    hot(program, floats())


def test_a_list_that_is_iterated_over_and_changed():
    def program(xs):
        total = 0.0
        for i, x in enumerate(xs):
            xs[(i * 7 + 3) % len(xs)] = x + 1.0
            total += x
        return total, xs

    hot(program, floats())


def test_an_iterator_over_a_list_that_is_partly_consumed():
    def program(xs):
        items, total = iter(xs), 0.0
        next(items)
        for x in items:
            total += x
            if x > 500.0:
                break
        return total, list(items)

    hot(program, floats())


def test_an_exhausted_iterator_over_a_list_stays_exhausted():
    def program(xs):
        items, total = iter(xs), 0.0
        for x in items:
            total += x
        xs.append(1.0)
        return total, list(items)

    hot(program, floats())


def test_a_large_int_keeps_its_value_when_it_is_put_back():
    def program(xs):
        for i in range(len(xs)):
            xs[0] = i
            xs[i] = xs[i] * 2**40
        return xs

    hot(program, [2**20 + i * 2**14 for i in range(PASSES)])


def test_items_are_released_and_kept_as_often_as_in_eager():
    def program(xs, n):
        for k in range(n):
            for i in range(len(xs)):
                xs[i] = i * 0.5
                xs[0] = xs[i]

    assert iterations(program, [0.5] * 300, 20) == [20, 0]
    assert references(program, 20) == [1, 1, 1]


def test_trouble_in_each_pass_keeps_the_count_of_references():
    def program(xs, n):
        old = xs[7]
        for i in range(n):
            try:
                xs[i] = 0.5
                xs[i] = i / (i % 2)
            except ZeroDivisionError:
                xs[i] = old

    assert references(program, 300) == [151, 151, 151]


def references(program, *args):
    """Of each call, how often a float is referred to that was all items of a list before."""
    found = []
    optimised = optimize(program)
    with at_once():
        for _ in range(4):
            item = float("1e100")
            items = [item] * 300
            optimised(items, *args)
            found.append(sys.getrefcount(item) - 1)
    return found[1:]


def test_a_slice_of_a_list_is_left_to_cpython():
    def program(xs):
        total = 0.0
        for i in range(len(xs)):
            total += sum(xs[i : i + 2])
            xs[i : i + 1] = [0.5]
        return total, xs

    hot(program, floats(300))


def test_a_tuple_is_never_changed():
    def program(xs):
        for i in range(len(xs)):
            xs[i] = 0.5

    hot(program, tuple(floats()))
