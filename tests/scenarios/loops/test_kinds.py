"""Names whose kind changes from pass to pass, and kinds that only some calls have."""

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, TROUBLE, hot, hot_then


@pytest.mark.parametrize("start", [0, 0.0, False, np.float64(0), np.float32(0), 0j, np.int8(0)])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", "float64", "complex128", "bool"])
def test_a_sum_that_starts_as_one_kind_and_goes_on_as_another(start, dtype):
    def program(x, s):
        for i in range(len(x)):
            s = s + x[i]
        return s, type(s)

    hot(program, (np.arange(PASSES) % 2).astype(dtype), start)


def test_a_sum_over_no_elements_keeps_its_first_kind():
    def program(x):
        s = 0
        for item in x:
            s += item
        return s, type(s)

    hot_then(program, (np.linspace(0.0, 1.0, PASSES),), (np.zeros(0),), (np.zeros(1),), ([],))


def test_an_int_that_becomes_a_float_in_one_pass():
    def program(n, trouble):
        s = 1
        for i in range(n):
            s = s + (0.5 if i == trouble else 1)
        return s, type(s)

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, -1)
    hot(program, PASSES, 0)
    hot(program, PASSES, PASSES - 1)


def test_a_name_that_is_none_until_the_first_hit():
    def program(x, limit):
        first = None
        best = None
        for i in range(len(x)):
            if x[i] > limit and first is None:
                first = i
            if best is None or x[i] > best:
                best = x[i]
        return first, best, type(best)

    hot(program, np.sin(np.arange(PASSES) * 0.01), 0.99)
    hot(program, np.sin(np.arange(PASSES) * 0.01), 2.0)


def test_a_name_unbound_in_the_first_passes():
    def program(n, trouble):
        s = 0
        for i in range(n):
            if i >= trouble:
                s += late
            late = i * 2
        return s, late

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, 1)
    hot(program, PASSES, 0)


def test_a_name_that_a_late_pass_reads_unbound():
    def program(n, trouble):
        s = 0
        for i in range(n):
            s += i
            if i == trouble:
                s += never
        return s

    hot(program, PASSES, TROUBLE)
    hot(program, PASSES, -1)


def test_a_name_that_takes_turns_between_kinds():
    def program(n):
        s = 0
        for i in range(n):
            x = i if i % 2 else i * 0.5
            s = s + x if i % 3 else x
        return s, x, type(x)

    hot(program, PASSES)


def test_min_and_max_return_one_of_their_arguments():
    def program(n):
        lowest, highest = 1, 1.0
        zeros = []
        for i in range(n):
            lowest = min(1, 1.0, i + 1)
            highest = max(1.0, 1, i % 2)
            if i % 1000 == 0:
                zeros.append((min(0.0, -0.0), max(-0.0, 0.0), min(True, 1), max(False, 0)))
        return lowest, type(lowest), highest, type(highest), zeros

    hot(program, PASSES)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -0.0, 2**60, True])
def test_min_and_max_with_special_values(odd):
    def program(x, odd, trouble):
        low, high = x[0], x[0]
        for i in range(len(x)):
            v = odd if i == trouble else x[i]
            low = min(low, v)
            high = max(v, high)
            low = low if low < v else v
        return low, high, type(low), type(high)

    hot(program, np.cos(np.arange(PASSES)).tolist(), odd, TROUBLE)
    hot(program, np.cos(np.arange(PASSES)), odd, TROUBLE)


def test_min_and_max_of_numpy_scalars_and_numbers():
    def program(x):
        s = 0.0
        for i in range(1, len(x)):
            s += max(x[i], 0) - min(x[i - 1], 1, 0.5)
        return s, type(s), max(x[0], 0), min(x[1], 0)

    for dtype in ("float64", "float32", "int16", "uint8"):
        hot(program, (np.arange(PASSES) % 7).astype(dtype))


def test_calls_with_other_kinds_of_arguments():
    def program(x, a, b):
        for i in range(1, len(x)):
            x[i] = a * x[i] + b * x[i - 1]
        return x, x[-1] * a

    x = np.linspace(0.0, 1.0, PASSES)
    others = [
        (x, 1, 0),
        (x.astype(np.float32), 0.5, 0.25),
        (x.astype(np.float32), np.float64(0.5), 0.25),
        (x + 0j, 0.5, 0.25j),
        (np.arange(PASSES, dtype=np.int16), 1, 0),
        (np.arange(PASSES), 0.5, 0.5),
        (x.tolist(), 0.5, 0.25),
        (x, np.array(0.5), 0.25),
        (x, True, False),
        (x.reshape(-1, 3), 0.5, 0.25),
    ]
    hot_then(program, (x, 0.5, 0.25), *others)


def test_true_division_makes_floats_of_ints():
    def program(n):
        s = 0
        for i in range(1, n):
            s = s / 2 + i
            s -= i / i
        return s, type(s)

    hot(program, PASSES)


def test_a_bool_that_counts():
    def program(x):
        n = 0
        flag = False
        for i in range(len(x)):
            flag = flag ^ (x[i] > 0)
            n += x[i] > 0
            n += flag and not x[i] > 0.5
        return n, type(n), flag, type(flag)

    hot(program, np.cos(np.arange(PASSES)))
    hot(program, np.cos(np.arange(PASSES)).tolist())


def test_and_and_or_return_operands():
    def program(n):
        s = 0
        last = None
        for i in range(n):
            last = (i % 3) and (i * 0.5) or (i % 5 or "none")
            s += 1 if last == "none" else last
        return s, last, type(last)

    hot(program, PASSES)


def test_chained_comparisons_and_conditional_expressions():
    def program(x, low, high):
        inside, total = 0, 0.0
        for v in x:
            inside += 1 if low < v <= high else 0
            total += v if not low <= v < high else (low if v < 0 else high)
        return inside, total

    x = np.sin(np.arange(PASSES))
    x[5] = np.nan
    hot(program, x, -0.5, 0.5)
    hot(program, x.tolist(), -0.5, 0.5)
    hot(program, x, 1, -1)


def test_complex_numbers_of_python():
    def program(n):
        z, s = 0j, 0.0
        for i in range(n):
            z = z * (0.5 + 0.5j) + complex(i % 3, -i % 4) - z.conjugate() / 3
            s += abs(z) + z.real - z.imag
            if abs(z) > 50:
                z = 1 / z
            z **= 2 if i % 100 == 0 else 1
        return z, s

    hot(program, PASSES)


def test_complex_numbers_with_special_parts():
    def program(parts, n):
        z = complex(1.0, 0.0)
        kept = []
        for i in range(n):
            w = complex(parts[i % len(parts)], parts[i // 7 % len(parts)])
            z = w * z if i % 3 else w + 0.5
            if i % 97 == 0:
                kept += [z, -z, w * w, w == z, w - z, z.conjugate()]
            if z != z or abs(z.real) > 1e100:
                z = complex(-0.0, 0.0)
        return kept

    hot(program, [0.0, -0.0, 1.0, float("inf"), float("-inf"), float("nan"), 1e200], PASSES)


def test_swaps_and_rotations_of_names_of_several_kinds():
    def program(n):
        a, b, c = 1, 0.5, np.float32(2)
        for i in range(n):
            a, b, c = b, c, a
            if i % 100 == 0:
                a, (b, c) = c, (a, b)
        return a, b, c, type(a), type(b), type(c)

    hot(program, PASSES)
    hot(program, PASSES + 1)


def test_starred_and_nested_unpacking():
    def program(n):
        s = 0
        for i in range(n):
            first, *rest = i, i + 1, i + 2
            (a, b), c = rest, first
            s += a * b - c + len(rest)
        return s, rest

    hot(program, PASSES)


def test_strings_and_none_that_are_only_carried_along():
    def program(n, label):
        s, name, nothing = 0, label, None
        for i in range(n):
            s += i
            name, nothing = nothing, name
        return s, name, nothing

    hot(program, PASSES, "label")


def test_numbers_of_other_classes():
    from decimal import Decimal
    from fractions import Fraction

    class Metres(float):
        def __add__(self, other):
            return Metres(float(self) + float(other) * 2)

    class Index(int):
        pass

    def program(n, start, step):
        s = start
        for i in range(n):
            s = s + step
        return s, type(s)

    for start, step in [
        (Decimal(0), Decimal("0.1")),
        (Fraction(0), Fraction(1, 3)),
        (Metres(1), 1),
        (Index(3), Index(4)),
        (1, Metres(2)),
        (np.longdouble(0), 0.1),
        (np.float16(0), 1),
        ("", "a"),
        ([], [1]),
    ]:
        hot(program, 600, start, step)
