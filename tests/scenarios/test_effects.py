"""Writes: in-place operators, item assignment and out= are done once, whole or not at all."""

import mmap
import tempfile

import numpy as np
import pytest

from tests.differential import check, laid_out, numbers

ARRAY = np.arange(1.0, 6.0)


def test_an_in_place_add_on_an_argument_happens_once():
    def program(a, b):
        a += b
        return a

    check(program, ARRAY, numbers(5), captured=1)


def test_an_in_place_chain_then_a_pure_result():
    def program(a, b):
        a += b
        a *= 2
        a -= b / 3
        return a + 1

    check(program, ARRAY, numbers(5), captured=["operator.add"])


@pytest.mark.parametrize("mode", ["raise", "warn", "ignore", "call", "print", "log"])
def test_overflow_of_an_in_place_multiply_leaves_what_eager_leaves(mode):
    def program(x):
        log = Log()
        with np.errstate(over=mode, call=log):
            try:
                x *= 1e300
            finally:
                x[0] += 1
        return x, log.seen

    check(program, np.array([1e300, 1.0, 1e200, 2.0]))


class Log:
    def __init__(self):
        self.seen = []

    def write(self, text):
        self.seen.append(text)

    def __call__(self, kind, flag):
        self.seen.append((kind, flag))


def test_a_warning_turned_into_an_error_leaves_the_partial_out_of_eager():
    def program(x):
        np.divide(1.0, x, out=x)
        return x

    check(program, np.array([1.0, 0.0, 4.0]), action="error")


def test_put_with_a_bad_index_keeps_its_partial_write():
    def program(a):
        try:
            np.put(a, [0, 1, 99], 5)
        except IndexError as error:
            return str(error), a
        return a

    check(program, ARRAY)


def test_add_at_with_a_bad_index_raises_like_eager():
    def program(a, index):
        b = a * 2
        np.add.at(a, index, b[0])
        return a

    check(program, ARRAY, np.array([0, 1, 99]))


def test_add_at_counts_repeated_indexes():
    def program(a, index):
        np.add.at(a, index, 1.0)
        return a

    check(program, ARRAY, np.array([0, 0, 3]))


def test_assigning_a_sequence_with_a_bad_item_keeps_its_partial_write():
    def program(o):
        o[:] = [1, "a", 3]

    check(program, np.zeros(3))


def test_power_with_a_negative_exponent_into_itself_raises_like_eager():
    def program(a):
        np.power(a, np.array([2, -1]), out=a)

    check(program, np.array([2, 2]))


def test_a_bad_index_in_fancy_assignment_writes_nothing():
    def program(a):
        b = a + 1
        a[[0, 1, 99]] = 7
        return b

    check(program, ARRAY)


def test_a_cast_that_overflows_in_assignment_warns_like_eager():
    def program(i, f):
        i[...] = f
        return i

    check(program, np.zeros(3, np.int32), np.array([1.0, 1e30, np.nan]))


def test_a_shape_error_after_an_effect_does_not_repeat_the_effect():
    def program(a, b, c):
        a += 1
        b[:] = c
        return a

    check(program, np.zeros(3), np.zeros(4), np.ones(5))


def test_a_shape_error_of_a_pure_operation_after_an_effect():
    def program(a, u, v):
        a += 1
        y = u + v
        return y

    check(program, np.zeros(3), np.zeros(4), np.ones(5))


def test_a_read_only_target_after_an_effect():
    def program(a, frozen):
        a += 1
        frozen += 1

    frozen = np.zeros(3)
    frozen.flags.writeable = False
    check(program, np.zeros(3), frozen)


def test_jacobi_reads_what_the_first_update_wrote():
    def program(a, b, steps):
        for _ in range(steps):
            b[1:-1] = a[2:] + a[:-2]
            a[1:-1] = b[1:-1] * 0.5
        return a, b

    check(program, np.arange(12.0) ** 2, np.zeros(12), 5, captured=["operator.add"])


def test_a_random_draw_before_a_shape_error_advances_the_stream_once():
    def program(rng, a, n):
        z = rng.normal(size=n)
        return a @ z

    check(program, np.random.default_rng(5), np.ones((2, 3)), 4)


def test_random_draws_between_array_work_keep_their_order():
    def program(rng, a):
        x = a * 2 + rng.random(5)
        y = np.sqrt(x) + rng.integers(0, 9, 5)
        rng.shuffle(y)
        return x, y, rng.random()

    check(program, np.random.default_rng(7), np.ones(5), captured=["numpy.sqrt"])


def test_the_global_random_stream_advances_like_eager():
    def program(a):
        x = a + np.random.rand(5)
        return x * np.random.randn()

    check(program, ARRAY)


def test_a_duplicate_expression_that_is_written_stays_two_arrays():
    def program(x):
        a = x + 1
        b = x + 1
        b[0] = 9
        return a, b, a is b

    check(program, ARRAY, captured=2)


def test_duplicate_views_of_one_temporary_share_it():
    def program(x):
        t = x * 2
        a = t[1:]
        b = t[1:]
        b[0] = 9
        return t, a, b

    check(program, ARRAY)


def test_an_unused_division_by_zero_still_warns():
    def program(x):
        1 / x
        return x + 1

    check(program, np.array([0.0, 1.0]))


def test_an_unused_addition_still_raises_on_a_bad_shape():
    def program(u, v):
        u + v
        return u

    check(program, np.zeros(3), np.zeros(4))


def test_zeros_twice_are_two_arrays():
    def program():
        a = np.zeros(3)
        b = np.zeros(3)
        a[0] = 1
        return a, b

    check(program)


def test_a_view_written_between_two_reads_keeps_program_order():
    def program(a, x):
        y = x * 2
        a[:] = 0
        z = x + 1
        return y, z

    base = np.arange(8.0)
    check(program, base, base[2:6])


def test_two_maps_of_one_file_keep_program_order():
    with tempfile.TemporaryFile() as file:
        file.write(bytes(64))
        file.flush()

        def program(a, x):
            y = x * 2 + 1
            a[:] = y
            z = x + 1
            a += z
            return y, z, x.copy()

        def make():
            file.seek(0)
            file.write(np.arange(8.0).tobytes())
            file.flush()
            maps = (mmap.mmap(file.fileno(), 64) for _ in range(2))
            return [np.frombuffer(one) for one in maps]

        check(program, make=make)


@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 2])
def test_overlapping_slices_are_added_in_place(shift):
    def program(base, shift):
        left = base[4:10]
        right = base[4 + shift : 10 + shift]
        left += right
        return base

    check(program, np.arange(16.0), shift, captured=1)


def test_overlapping_assignment_with_a_reversed_view():
    def program(a):
        a[:] = a[::-1]
        a[1:] = a[:-1] * 2
        return a

    check(program, ARRAY)


@pytest.mark.parametrize("layout", ["C", "F", "reversed", "stepped", "transposed", "unaligned"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "complex128", "float16"])
def test_in_place_operators_keep_layout_and_dtype(dtype, layout):
    def program(a, b):
        a += b
        a *= 3
        a -= 1
        return a

    array = numbers((3, 4), dtype)
    check(program, laid_out(array, layout), array)


@pytest.mark.parametrize(
    "name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift"]
)
@pytest.mark.parametrize("dtypes", [("int64", "int64"), ("float64", "int64"), ("int8", "float64")])
def test_every_in_place_operator_does_what_eager_does(name, dtypes):
    symbols = {
        "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%",
        "pow": "**", "and": "&", "or": "|", "xor": "^", "lshift": "<<",
    }  # fmt: skip
    source = f"def program(a, b):\n    c = a\n    a {symbols[name]}= b\n    return a, c is a\n"
    space = {}
    exec(source, space)
    left, right = (np.arange(1, 6).astype(dtype) for dtype in dtypes)
    check(space["program"], left, right)


def test_out_of_a_ufunc_is_the_argument_itself():
    def program(a, b, out):
        r = np.add(a, b, out=out)
        return r, r is out

    check(program, ARRAY, ARRAY * 2, np.zeros(5), captured=["numpy.add"])


def test_an_ellipsis_for_out_asks_for_an_array_and_writes_nothing():
    def program(a):
        total = np.add.reduce(a, out=...)
        halves, rest = np.divmod(a, 2, out=...)
        return np.add(a[0], 1, out=...), total + 1, np.sqrt(halves, out=...), rest

    known = np.lib.NumpyVersion(np.__version__) >= "2.3.0"  # before, out=... is a TypeError
    check(program, np.arange(3.0), captured=4 if known else None)
    check(program, np.arange(6.0).reshape(2, 3), captured=4 if known else None)


def test_out_with_where_leaves_the_rest_alone():
    def program(a, mask, out):
        np.multiply(a, 2, out=out, where=mask)
        return out

    check(program, ARRAY, ARRAY > 2, np.full(5, -1.0))


def test_out_of_a_narrower_type_raises_like_eager():
    def program(a, out):
        b = a * 2
        np.add(b, 0.5, out=out)

    check(program, ARRAY, np.zeros(5, np.int64))


def test_out_that_overlaps_an_input():
    def program(a):
        np.add(a[:-1], a[1:], out=a[1:])
        return a

    check(program, ARRAY)


def test_out_of_a_reduction():
    def program(a, out):
        r = np.sum(a, axis=0, out=out)
        return r is out, np.cumsum(a, axis=1, out=a)

    check(program, np.arange(6.0).reshape(2, 3), np.zeros(3))


@pytest.mark.parametrize(
    "index",
    [
        0, -1, slice(1, 3), slice(None, None, -1), Ellipsis, None, [0, 2], np.array([1, 1]),
        np.array([True, False, True, False, True]), (slice(None), None), True, (),
    ],
)  # fmt: skip
def test_item_assignment_by_every_kind_of_index(index):
    def program(a, index, value):
        b = a + 1
        a[index] = value
        b[index] += value
        return a, b

    check(program, ARRAY, index, 7.5)


def test_item_assignment_with_broadcasting():
    def program(a, row, column):
        a[1:, :] = row
        a[:, 0:1] += column
        a[a > 4] = 0
        return a

    check(program, np.zeros((3, 4)), np.arange(4.0), np.arange(3.0)[:, None])


def test_in_place_add_of_a_wrong_shape_raises_before_writing():
    def program(a, b):
        c = a * 2
        a += b
        return c

    check(program, np.zeros(3), np.zeros((2, 3)))


def test_in_place_add_of_a_wrong_cast_raises_before_writing():
    def program(a, b):
        a += b

    check(program, np.arange(3), np.array([0.5, 1.5, 2.5]))


def test_in_place_add_on_a_list_element_and_an_attribute():
    class Box:
        pass

    def program(items, box):
        items[0] += 1
        box.value += items[0]
        box.value *= 2
        return items, box.value

    box = Box()
    box.value = np.arange(3.0)
    check(program, [np.ones(3), 2], box)


def test_in_place_operators_on_scalars_rebind_the_name():
    def program(x, n):
        old_x, old_n = x, n
        x += 1
        n += 1
        return x, n, old_x, old_n

    check(program, np.float64(2.5), 3)


def test_a_swap_of_two_rows_copies_like_eager():
    def program(a):
        a[0], a[1] = a[1], a[0]
        a[[0, 2]] = a[[2, 0]]
        return a

    check(program, np.arange(9.0).reshape(3, 3))


def test_sort_in_place_and_fill_and_resize_methods():
    def program(a, b):
        c = a + b
        a.sort()
        b.fill(3)
        c.resize(8)
        return a, b, c

    check(program, np.array([3.0, 1.0, 2.0]), np.zeros(3))


def test_copyto_and_put_along_axis_and_place():
    def program(a, b):
        np.copyto(a, b * 2)
        np.place(a, a > 4, [0, -1])
        np.put_along_axis(b, np.array([0]), 9.0, axis=0)
        np.fill_diagonal(c := np.zeros((3, 3)), a[:3])
        return a, b, c

    check(program, ARRAY, ARRAY.copy())


def test_setting_shape_and_dtype_and_flags_of_an_argument():
    def program(a):
        b = a + 1
        a.shape = (1, 5)
        c = a * 2
        a.flags.writeable = False
        try:
            a += 1
        except ValueError as error:
            return b, c, str(error)
        return None

    check(program, ARRAY)


def test_a_real_part_written_through_the_view_of_a_complex_array():
    def program(z):
        z.real[:] = 1
        z.imag += 2
        z.imag = z.real * 3
        return z

    check(program, numbers(4, "complex128"))
