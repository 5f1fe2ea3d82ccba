"""What a loop goes over: ranges, arrays, lists; consumed, shared, aliased and changed meanwhile."""

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot, hot_then

RANGES = [
    (PASSES,),
    (5, PASSES),
    (0, PASSES, 3),
    (PASSES, 0, -1),
    (PASSES, -7, -3),
    (-PASSES, PASSES, 7),
    (0,),
    (1,),
    (5, 5),
    (5, 0),
    (0, 5, -1),
    (2**31 - 50, 2**31 + PASSES),
    (-(2**31) - 50, -(2**31) + PASSES),
    (2**63 - PASSES, 2**63 + 10),
    (2**70, 2**70 + PASSES),
    (-(2**63) - 10, -(2**63) + PASSES),
    (0, 2**65, 2**54),
]


@pytest.mark.parametrize("bounds", RANGES, ids=str)
def test_a_range_of_any_bounds_and_step(bounds):
    def program(bounds):
        total, last = 0, None
        for i in range(*bounds):
            total += i % 7
            last = i
        return total, last

    hot(program, bounds)


@pytest.mark.parametrize("n", [0, 1, 2, PASSES])
def test_the_loop_variable_after_the_loop(n):
    def program(n):
        i = -1
        s = 0.0
        for i in range(n):
            s += i * 0.5
        return i, s

    hot(program, n)


@pytest.mark.parametrize("n", [0, 1, PASSES])
def test_the_loop_variable_is_unbound_after_no_pass(n):
    def program(n):
        s = 0
        for i in range(n):
            s += i
        return s, i

    hot(program, n)


def test_calls_with_no_pass_between_calls_with_many():
    def program(n):
        s = 0
        for i in range(n):
            s += i
        return s, i

    hot_then(program, (PASSES,), (0,), (1,), (2,))


def test_a_body_that_binds_the_loop_variable_again():
    def program(n):
        s = 0
        for i in range(n):
            s += i
            i = i * 2 + 1
            s ^= i
        return s, i

    hot(program, PASSES)


def test_a_body_that_deletes_the_loop_variable():
    def program(n):
        s = 0
        for i in range(n):
            s += i
            del i
        return s, i

    hot(program, PASSES)


def test_a_body_that_deletes_the_loop_variable_in_one_pass():
    def program(n, trouble):
        s = 0
        for i in range(n):
            s += i
            if i == trouble:
                del i
                s += i
        return s

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, -1)


def test_a_loop_variable_in_a_cell():
    def program(n):
        s = 0

        def current():
            return i

        for i in range(n):
            s += current() % 5
        return s, current()

    hot(program, PASSES)


def test_a_counter_in_a_cell_that_an_inner_function_changes():
    def program(n):
        count = 0

        def bump(by):
            nonlocal count
            count += by

        for i in range(n):
            if i % 3 == 0:
                bump(i)
            count -= 1
        return count

    hot(program, PASSES)


def test_a_loop_target_that_is_an_element():
    def program(n):
        a = np.zeros(3, dtype=np.int64)
        s = 0
        for a[1] in range(n):
            s += int(a[1]) & 3
        return a, s

    hot(program, PASSES)


def test_a_loop_target_that_is_an_attribute():
    class Place:
        here = 0

    def program(n):
        place, s = Place(), 0
        for place.here in range(n):
            s += place.here & 3
        return place.here, s

    hot(program, PASSES)


def test_an_iterator_that_the_body_advances():
    def program(n):
        it = iter(range(n))
        s = 0
        for i in it:
            s += i * next(it, -1)
        return s, next(it, "end")

    hot(program, PASSES)
    hot(program, PASSES + 1)


def test_an_iterator_that_the_body_advances_in_one_pass():
    def program(n, trouble):
        it = iter(range(n))
        s = 0
        for i in it:
            s += i
            if i == trouble:
                s -= next(it)
        return s, i

    hot(program, PASSES, TROUBLE)


def test_an_iterator_partly_consumed_before_and_read_after():
    def program(n, stop):
        it = iter(range(n))
        first = next(it), next(it)
        s = 0
        for i in it:
            s += i
            if i == stop:
                break
        return first, s, i, next(it, None), sum(it)

    hot(program, PASSES, TROUBLE)


def test_two_loops_over_one_iterator():
    def program(n):
        it = iter(range(n))
        s = 0
        for i in it:
            s += i
            if i > n // 2:
                break
        for i in it:
            s -= i
        return s, i

    hot(program, PASSES)


def test_an_inner_loop_over_the_iterator_of_the_outer_one():
    def program(n):
        it = iter(range(n))
        s = 0
        for i in it:
            for j in it:
                s += i ^ j
                if j % 50 == 0:
                    break
        return s, i, j

    hot(program, PASSES)


def test_an_iterator_that_an_object_holds():
    def program(n):
        held = [iter(range(n))]
        s = 0
        for i in held[0]:
            s += i
            if i == 700:
                held.append(next(held[0]))
        return s, held[1:], i

    hot(program, PASSES)


def test_a_list_that_the_body_appends_to():
    def program(n):
        items = list(range(10))
        s = 0
        for item in items:
            s += item
            if len(items) < n:
                items.append(item + 1)
        return s, len(items), item

    hot(program, PASSES)


def test_a_list_that_the_body_shortens():
    def program(n):
        items = list(range(n))
        s = 0
        for item in items:
            s += item
            if item % 3 == 0:
                items.pop()
        return s, items[-3:], item

    hot(program, PASSES)


def test_a_list_that_one_pass_replaces_items_of():
    def program(n, trouble):
        items = [float(i) for i in range(n)]
        s = 0.0
        for k, item in enumerate(items):
            s += item
            if k == trouble:
                items[k + 1] = 10**30
                items[k + 2] = "0.5"
            if type(item) is str:
                s -= 1.0
        return s

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, -10)


def test_a_list_with_one_item_of_another_kind():
    def program(items):
        s = 0
        for item in items:
            s = s + item
        return s

    ints = list(range(PASSES))
    hot(program, ints)
    for odd in (1.5, 2**70, True, 1j, np.float32(2), np.int8(3), None):
        hot(program, [*ints[:TROUBLE], odd, *ints[TROUBLE:]])


@pytest.mark.parametrize("kind", [list, tuple])
def test_items_of_lists_and_tuples_unpacked(kind):
    def program(pairs):
        s, t = 0, 0.0
        for a, b in pairs:
            s += a
            t = t * 0.5 + b
        return s, t, a, b

    hot(program, kind((i, i / 3) for i in range(PASSES)))


def test_unpacking_that_fails_in_one_pass():
    def program(pairs, out):
        for k, (a, b) in enumerate(pairs):
            out[k] = a + b
        return out

    pairs = [(i, i / 3) for i in range(PASSES)]
    for odd in ((1, 2, 3), (1,), 5):
        pairs[TROUBLE] = odd
        hot(program, pairs, np.zeros(PASSES))


def test_enumerate_with_a_start_and_zip_of_unequal_lengths():
    def program(x, y, n):
        s = 0.0
        for k, (a, b, c) in enumerate(zip(x, y, range(n)), -5):
            s += a * b + c * k
        return s, k, a, b, c

    x, y = np.linspace(0.0, 1.0, PASSES), np.linspace(1.0, 2.0, PASSES + 5)
    hot(program, x, y, PASSES + 9)
    hot(program, x, y, PASSES - 9)
    hot(program, x[:0], y, PASSES)


def test_where_zip_leaves_its_iterators():
    def program(n, m):
        one, two = iter(range(n)), iter(range(m))
        s = 0
        for a, b in zip(one, two):
            s += a * b
        return s, next(one, None), next(two, None)

    hot(program, PASSES, PASSES - 3)
    hot(program, PASSES - 3, PASSES)


def test_strict_zip_of_unequal_lengths_raises_at_the_end():
    def program(x, y, out):
        k = 0
        for a, b in zip(x, y, strict=True):
            out[k] = a + b
            k += 1
        return out

    x = list(range(PASSES))
    hot(program, x, x, np.zeros(PASSES))
    hot(program, x, x[:-1], np.zeros(PASSES))


def test_reversed_ranges_and_lists_and_arrays():
    def program(x, items):
        s = 0.0
        for i in reversed(range(len(x))):
            s = s * 0.5 + x[i]
        for item in reversed(items):
            s = s * 0.5 + item
        for item in x[::-1]:
            s = s * 0.5 + item
        return s, i, item

    x = np.linspace(0.0, 1.0, PASSES)
    hot(program, x, x.tolist())


def test_elements_of_an_array_that_the_body_writes_to():
    def program(x):
        s = 0.0
        for i, item in enumerate(x):
            s += item
            if i + 1 < len(x):
                x[i + 1] += 0.25 * item
        return s, item

    hot(program, np.linspace(0.0, 1.0, PASSES))


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int32", "uint64", "float32", "float64", "complex64", ">f8"]
)
def test_elements_of_arrays_are_numpy_scalars_of_their_dtype(dtype):
    def program(x):
        last = None
        n = 0
        for item in x:
            if item == last:
                n += 1
            last = item
        return n, last, type(last)

    hot(program, (np.arange(PASSES) // 2 % 5).astype(dtype))


def test_rows_of_an_array_are_views_that_a_pass_may_write_through():
    def program(a):
        s = 0.0
        for row in a:
            row += 1
            s += row[0]
        return s, row

    hot(program, np.arange(PASSES * 3.0).reshape(PASSES, 3))


def test_rows_that_outlive_their_pass():
    def program(a):
        kept = []
        for i, row in enumerate(a):
            row[0] = i
            if i % 1000 == 0:
                kept.append(row)
        kept[0][1] = -1.0
        row[2] = -2.0
        return kept, row

    hot(program, np.zeros((PASSES, 3)))


def test_rows_that_earlier_passes_wrote():
    def program(a):
        for i, row in enumerate(a):
            if i + 1 < len(a):
                a[i + 1, 0] = row[0] + 0.5
                a[i + 1] *= 0.75
        return a

    hot(program, np.ones((PASSES, 2)))


def test_an_array_that_is_not_iterable():
    def program(a):
        s = 0
        for item in a:
            s += item
        return s

    hot(program, np.array(3.0))
    hot(program, 3.0)
    hot(program, np.zeros((0, 3)))


def test_index_tuples_of_ndindex_and_ndenumerate():
    def program(a):
        s = 0.0
        for i, j in np.ndindex(a.shape):
            s += a[i, j] * (i - j)
        for (i, j), item in np.ndenumerate(a):
            a[i, j] = item * 0.5 + s * 1e-9
        return a, s, i, j

    hot(program, np.arange(3000.0).reshape(60, 50))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (40, 1, 50)])
def test_ndindex_over_odd_shapes(shape):
    def program(shape):
        n = 0
        last = None
        for index in np.ndindex(shape):
            n += len(index)
            last = index
        return n, last

    hot(program, shape)


def test_ranges_of_numpy_integers_and_of_lengths():
    def program(x, n):
        s = 0
        for i in range(n):
            s += i
        for i in range(len(x) - 1, -1, -2):
            s += x[i]
        for i in range(x.shape[0]):
            s -= x[i]
        return s, i, type(i)

    hot(program, np.arange(PASSES), np.int64(PASSES))
    hot(program, np.arange(PASSES), np.uint8(200))


def test_a_range_of_something_else_raises():
    def program(n):
        s = 0
        for i in range(n):
            s += i
        return s

    hot_then(program, (PASSES,), (2.5,), (np.float64(3),), (None,), ("3",), (True,))


def test_range_under_another_name_and_range_rebound():
    def program(n):
        numbers = range
        s = 0
        for i in numbers(n):
            s += i
        range_ = [3, 4, 5]
        for i in range_:
            s -= i
        return s, i

    hot(program, PASSES)


def test_a_class_with_its_own_iteration():
    class Countdown:
        def __init__(self, n):
            self.n = n

        def __iter__(self):
            return self

        def __next__(self):
            if self.n == 0:
                raise StopIteration
            self.n -= 1
            return self.n

    def program(n):
        s = 0
        for i in Countdown(n):
            s += i * i
        return s, i

    hot(program, PASSES)


def test_strings_bytes_dicts_and_sets():
    def program(text, data, table):
        s = 0
        for letter in text:
            s = (s * 31 + ord(letter)) & 0xFFFF
        for byte in data:
            s = (s * 31 + byte) & 0xFFFF
        for key, value in table.items():
            s += key * value
        for key in table:
            s ^= key
        return s, letter, byte

    table = {i: i % 3 for i in range(PASSES)}
    hot(program, "añ€" * (PASSES // 3), bytes(range(256)) * (PASSES // 256), table)


def test_a_dict_that_grows_while_it_is_iterated():
    def program(n, trouble):
        table = dict.fromkeys(range(n), 1)
        s = 0
        for key in table:
            s += key
            if key == trouble:
                table[-1] = 0
        return s

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, -5)


def test_nested_loops_with_bounds_of_the_outer_variable():
    def program(n):
        s = 0
        for i in range(n):
            for j in range(i):
                s += i ^ j
            for j in range(i, n, 5):
                s -= j
            for j in range(i, -1, -3):
                s += j
        return s, i, j

    hot(program, 80)
    hot(program, 1)
    hot(program, 0)
