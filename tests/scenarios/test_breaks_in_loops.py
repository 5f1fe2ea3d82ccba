"""Breaks inside loops: the array work around them is captured, in every iteration."""

import numpy as np
import pytest

from tests.differential import check, numbers

ARRAY = np.arange(1.0, 6.0)


def test_fizzbuzz_prints_from_a_loop():
    def program(n):
        for i in range(1, n + 1):
            x = np.array([i]) % np.array([3, 5])
            if (x == 0).all():
                print("FizzBuzz")
            elif x[0] == 0:
                print("Fizz")
            elif x[1] == 0:
                print("Buzz")
            else:
                print(i)

    check(program, 15)


def test_a_while_loop_on_an_array_value_that_prints():
    def program(x):
        while np.sum(x) > 1:
            print(x)
            x = np.tanh(x)
        return x

    check(
        program, np.array([0.5, 0.7, 0.2]), captured=["numpy.sum", "numpy.tanh"], breaks=["DT101"]
    )


def test_a_loop_that_appends_to_a_list():
    def program(x, n):
        out = []
        for i in range(n):
            y = x * i + 1
            out.append(y.sum())
            x = x + y / n
        return out, x

    check(program, ARRAY, 6, captured=["operator.mul", "operator.truediv"])


def test_break_and_continue_and_else_of_a_for_loop():
    def program(rows):
        total = np.zeros(3)
        for row in rows:
            s = row * 2
            if s[0] == 4:
                print("skip")
                continue
            if s.sum() > 60:
                print("stop")
                break
            total = total + s
        else:
            print("all")
            total = -total
        return total

    rows = np.arange(12.0).reshape(4, 3)
    check(program, rows)
    check(program, rows * 4)
    check(program, rows[:0])


def test_break_and_else_of_a_while_loop():
    def program(x, n):
        i = 0
        while i < n:
            x = np.sqrt(x) + i
            print(i)
            if x.max() < 1.5:
                break
            i += 1
        else:
            x = x * 100
        return x, i

    check(program, ARRAY, 3)
    check(program, ARRAY / 100, 5)


def test_nested_loops_with_a_break_in_the_inner_one():
    def program(a):
        seen = []
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                v = a[i, j] * 2
                if v > 9:
                    seen.append((i, j))
                    break
                a[i, j] = v + 1
            else:
                a[i] += 100
        return a, seen

    check(program, np.arange(12.0).reshape(3, 4))


def test_a_loop_over_zip_and_enumerate_and_items():
    def program(table, a, b):
        out = {}
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            out[k] = x * y + k
        for name, value in table.items():
            out[name] = np.exp(value) - a[0]
            print(name)
        return out

    check(program, {"p": ARRAY, "q": 2.0}, [ARRAY, ARRAY * 2], [3, np.float32(2)])


def test_a_loop_variable_survives_the_loop():
    def program(a):
        for i in range(3):
            y = a * i
            print(i)
        return i, y

    check(program, ARRAY)


def test_an_unbound_name_after_an_empty_loop_raises_like_eager():
    def program(a, n):
        for i in range(n):
            y = a * i
        return y + 1

    check(program, ARRAY, 0)
    check(program, ARRAY, 2)


def test_a_deleted_name_is_unbound():
    def program(a):
        y = a * 2
        z = y + 1
        del y
        print("deleted")
        return z + y

    check(program, ARRAY)


def test_a_break_in_the_middle_of_an_expression_keeps_the_stack():
    def program(a, log):
        return (a * 2 + 1) - [log.append(1), a][1] * (a + 3), log

    check(program, ARRAY, [])


def test_a_break_inside_call_arguments():
    def program(a, log):
        return np.add(a * 2, note(log, a) + 1, dtype=note(log, np.float32)), log

    def note(log, value):
        log.append(str(value))
        return value

    check(program, ARRAY, [])


def test_a_loop_with_many_iterations_and_a_rare_print():
    def program(x, n):
        for i in range(n):
            x = x * 0.999 + 0.5
            if i % 500 == 0:
                print(i, x)
        return x

    check(program, ARRAY, 2000, calls=2)


def test_a_loop_that_changes_dtype_half_way():
    def program(x, n):
        for i in range(n):
            if i == 3:
                x = x.astype(np.float32)
            if i == 6:
                x = x[:, None]
            x = x * 2 + i
            print(x.dtype, x.ndim)
        return x

    check(program, np.arange(4), 9)


def test_a_loop_where_a_scalar_becomes_an_array():
    def program(n):
        total = 0
        for i in range(n):
            total = total + np.arange(3) * i
            print(type(total).__name__)
        return total

    check(program, 4)


def test_an_if_on_an_array_value_goes_both_ways():
    def program(x):
        if x.sum() > 0:
            y = x * 2
        else:
            y = x - 1
        return y + 1

    check(program, ARRAY, captured=3)
    check(program, -ARRAY, captured=3)


def test_an_if_on_an_array_of_several_elements_raises_like_eager():
    def program(x):
        y = x + 1
        if y > 0:
            return y
        return x

    check(program, ARRAY)


def test_boolean_operators_on_array_values():
    def program(x, y):
        a = x.any() and y
        b = x.all() or y
        c = not x.any()
        return a, b, c, x.sum() if x.any() else y.sum(), 0 < x.sum() < 5

    check(program, ARRAY > 2, ARRAY)
    check(program, ARRAY > 9, ARRAY)


def test_a_conditional_expression_inside_a_chain():
    def program(x, n):
        for _ in range(n):
            x = x + (1 if x[0] > 3 else x * 2)
        return x

    check(program, ARRAY, 5)


def test_an_assert_with_a_message_that_formats_arrays():
    def program(x):
        y = x * 2
        assert y.sum() < 0, f"sum {y.sum():.2f} of {y}"
        return y

    check(program, ARRAY)
    check(program, -ARRAY)


@pytest.mark.parametrize("depth", [1, 5, 20])
def test_deeply_nested_blocks(depth):
    lines = ["def program(x):"]
    for level in range(depth):
        pad = "    " * (level + 1)
        lines.append(f"{pad}for i{level} in range(2 if {level} < 6 else 1):")
        lines.append(f"{pad}    x = x * 0.5 + {level}")
    lines.append("    " * (depth + 1) + "if x[0] > 3: print(x)")
    lines.append("    return x")
    space = {}
    exec("\n".join(lines), space)
    check(space["program"], numbers(5), calls=3)


def test_a_walrus_inside_a_loop_condition():
    def program(x):
        while (s := x.sum()) > 1:
            x = x / 2
            print(round(float(s), 3))
        return x, s

    check(program, ARRAY)


def test_a_global_written_from_a_loop():
    def program(x, n):
        global COUNTER
        for i in range(n):
            COUNTER = COUNTER + x * i
        return COUNTER

    check(program, ARRAY, 3)


COUNTER = 0


def test_a_loop_over_the_rows_of_an_array_writes_rows():
    def program(a):
        for row in a:
            row *= 2
            row[0] = row.sum()
        return a

    check(program, np.arange(12.0).reshape(4, 3))


def test_reversed_and_stepped_ranges():
    def program(a):
        for i in range(len(a) - 1, 0, -2):
            a[i] = a[i - 1] * 2 + i
        for i in reversed(range(3)):
            a[i] -= 1
        return a

    check(program, ARRAY)


def test_a_sorted_loop_with_a_key_callback():
    def program(arrays):
        ordered = sorted(arrays, key=lambda one: one.sum() * -1)
        best = max(arrays, key=np.sum)
        return [a + 1 for a in ordered], best * 2, list(map(np.sqrt, arrays)), min(ordered[0])

    check(program, [ARRAY, ARRAY * 2, ARRAY / 3])
