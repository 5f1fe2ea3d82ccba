"""Arrays that share memory: views, names of one array, writes that later reads see."""

import numpy as np
import pytest

from tests.scenarios.loops.hot import PASSES, hot

SHIFTS = [-3, -1, 0, 1, 2, 7]


def two_views(shift, count=PASSES, dtype="float64"):
    """Views of one block, the second `shift` elements behind the first."""
    block = (np.arange(count + 20) % 13 + 1).astype(dtype)
    return block[8 : 8 + count], block[8 + shift : 8 + shift + count]


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("dtype", ["float64", "int32", "complex64"])
def test_a_target_that_is_a_shifted_view_of_the_source(shift, dtype):
    def program(a, b):
        for i in range(1, len(a)):
            a[i] = b[i - 1] * 0.5 + b[i] * 0.25
        return a, b

    def ints(a, b):
        for i in range(1, len(a)):
            a[i] = (b[i - 1] + b[i]) % 17
        return a, b

    hot(ints if dtype == "int32" else program, make=lambda: two_views(shift, dtype=dtype))


@pytest.mark.parametrize("shift", SHIFTS)
def test_rows_that_overlap_the_rows_they_are_computed_from(shift):
    def program(a, b):
        for i in range(0, len(a) - 8, 2):
            a[i : i + 8] = b[i : i + 8] + b[i : i + 8][::-1]
            a[i : i + 4] += a[i + 2 : i + 6]
            a[i : i + 8] %= 101.0
        return a, b

    hot(program, make=lambda: two_views(shift, 400))


def test_an_array_shifted_onto_itself_in_place():
    def program(a, n):
        for k in range(n):
            i = k % 5 + 1
            a[i:] += a[:-i]
            a[:-i] -= a[i:] * 0.5
            a[::2] += a[1::2] * 0.25
            a %= 7.0
        return a

    hot(program, np.arange(30.0), 600)
    hot(program, np.arange(30.0)[::-1], 600)


def test_two_names_of_one_array():
    def program(a, b):
        s = 0.0
        for i in range(1, len(a)):
            a[i] = b[i - 1] * 0.5 + 1
            s += b[i] - a[i]
            b[i] += 1
            s += a[i]
        return a, b, s

    def one_array():
        a = np.linspace(0.0, 1.0, PASSES)
        return a, a

    hot(program, make=one_array)
    hot(program, np.linspace(0.0, 1.0, PASSES), np.linspace(1.0, 2.0, PASSES))


def test_calls_with_and_without_overlap():
    def program(a, b):
        for i in range(len(a) - 1):
            a[i + 1] = b[i] + 1.0
        return a, b

    for make in (
        lambda: (np.zeros(PASSES), np.ones(PASSES)),
        lambda: two_views(0),
        lambda: two_views(-1),
        lambda: (np.zeros(PASSES), np.broadcast_to(np.float64(2), PASSES)),
    ):
        hot(program, make=make)


def test_a_row_view_that_an_element_write_changes():
    def program(a):
        s = 0.0
        for i in range(a.shape[0]):
            row = a[i]
            a[i, 0] = i * 0.5
            s += row[0] + row.sum()
            row[1] = s * 1e-3
            s -= a[i, 1]
        return a, s, row

    hot(program, np.ones((1000, 3)))


def test_a_row_view_handed_on_over_a_branch_and_read_after_the_loop():
    def program(a, n, trouble):
        s, row = 0.0, a[0]
        for i in range(n):
            if i != 5:
                row = a[i % len(a)]
            s += row[0]
            if i == trouble:
                print(s)
        row[1] = -1.0
        return s, row, a

    hot(program, np.ones((5, 2)), PASSES, 700)
    hot(program, np.ones((5, 2)), PASSES, -1)


def test_a_write_in_a_pass_that_hands_on_a_view():
    def program(x, y):
        for i in range(len(x)):
            if i % 1000 == 700:
                y = y[::-1]
            x[i] -= y[i] * 0.5
        return x, y

    hot(program, np.linspace(0.0, 1.0, PASSES), np.linspace(1.0, 2.0, PASSES))


def test_views_made_before_the_loop():
    def program(a):
        first, last, back = a[:-1], a[1:], a[::-1]
        s = 0.0
        for i in range(len(first)):
            last[i] = first[i] + back[i] * 1e-3
            s += a[i] - back[0]
        return a, s

    hot(program, np.linspace(0.0, 1.0, PASSES))


def test_a_transposed_view_written_and_read():
    def program(a):
        t = a.T
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                a[i, j] = t[i, j] + 1 if i < j else a[i, j] * 0.5
                t[j, i] += 0.25
        return a

    hot(program, np.arange(2500.0).reshape(50, 50))


def test_a_diagonal_and_other_strided_views():
    def program(a, n):
        flat, skew = a.reshape(-1), a.reshape(-1)[:: a.shape[0] + 1]
        for k in range(n):
            i = k % len(skew)
            skew[i] += flat[k % len(flat)] * 0.5
            flat[(k * 7) % len(flat)] = skew[i - 1] * 0.25
        return a

    hot(program, np.arange(100.0).reshape(10, 10), PASSES)


def test_one_element_written_twice_in_each_pass():
    def program(a):
        for i in range(1, len(a)):
            a[i] = a[i - 1] + 1
            a[i] = a[i] * 2 - a[i - 1]
            a[i] %= 97
        return a

    hot(program, np.arange(PASSES))
    hot(program, np.arange(PASSES) * 1.0)


def test_one_element_written_twice_before_the_pass_fails():
    def program(a, b, trouble):
        for i in range(len(a)):
            a[0] += 1.0
            a[i] = i
            a[0] *= 0.5
            a[i] = a[0]
            b[i + (len(b) if i == trouble else 0)] = a[i]
        return a

    for trouble in (0, 1, 699, 700, 701, PASSES - 1):
        hot(program, np.ones(PASSES), np.zeros(PASSES), trouble)


def test_bytes_seen_through_another_dtype():
    def program(x, bits):
        n = 0
        for i in range(len(x)):
            x[i] = x[i] * 1.1
            n ^= int(bits[i]) & 0xFFFF
            bits[i] ^= 1
            n += x[i] > 1
        return x, n

    def both():
        x = np.linspace(0.5, 1.5, PASSES)
        return x, x.view(np.int64)

    hot(program, make=both)


def test_real_and_imaginary_parts_of_one_array():
    def program(z):
        real, imaginary = z.real, z.imag
        for i in range(1, len(z)):
            real[i] = imaginary[i - 1] * 0.5
            z[i] = z[i] * (0.5 + 0.5j)
            imaginary[i] += real[i]
        return z

    hot(program, np.exp(1j * np.arange(PASSES)))


def test_an_array_that_the_loop_replaces():
    def program(a, n):
        b = a
        for i in range(n):
            a[i % len(a)] += 1.0
            if i % 100 == 99:
                a = a * 0.5
        return a, b, a is b

    hot(program, np.ones(7), PASSES)


def test_two_arrays_swapped_in_each_pass():
    def program(a, b, n):
        for _ in range(n):
            for j in range(1, len(a) - 1):
                b[j] = (a[j - 1] + a[j] + a[j + 1]) / 3.0
            a, b = b, a
        return a, b

    hot(program, np.arange(20.0), np.zeros(20), 100)
    hot(program, np.arange(20.0), np.zeros(20), 101)


def test_an_array_resized_and_reshaped_in_the_middle():
    def program(n, trouble):
        a = np.zeros(n)
        s = 0.0
        for i in range(n):
            if i == trouble:
                a = a.reshape(n // 2, 2)
            s += a.ravel()[i] if a.ndim == 2 else a[i] + 1
        return s

    def grown(n, trouble):
        a = np.zeros(n)
        for i in range(n):
            if i == trouble:
                a.resize(2 * n, refcheck=False)
            a[i] = len(a)
        return a

    hot(grown, PASSES, 700)
    hot(program, PASSES, 700)


def test_memory_of_another_owner():
    def program(buffer, n):
        a = np.frombuffer(buffer, dtype=np.uint8)
        s = 0
        for i in range(n):
            k = i % len(buffer)
            a[k] ^= i & 0x7F
            s += buffer[k]
            buffer[k - 1] = s & 0xFF
            s += int(a[k - 1])
        return bytes(buffer), s

    hot(program, bytearray(range(100)), PASSES)


def test_a_broadcast_target_is_read_only_and_a_source_may_be_broadcast():
    def program(a, b):
        for i in range(len(a)):
            a[i] = b[i] + 1
        return a

    wide = np.broadcast_to(np.arange(3.0), (PASSES, 3))
    hot(program, np.zeros((PASSES, 3)), wide)
    hot(program, wide, np.zeros((PASSES, 3)))
    overlapping = np.lib.stride_tricks.as_strided(np.zeros(1), (PASSES,), (0,))
    hot(program, np.zeros(PASSES), overlapping)
