"""Memory that arithmetic does not make: whatever its bits, a program answers as eager does."""

import os
import subprocess
import sys

import numpy as np
import pytest

from dyntrace import optimize
from tests.differential import check
from tests.machine.comparing import bit_differences
from tests.machine.patterns import patterns

FORCED = (
    {},
    {"DYNTRACE_TILE": "1", "DYNTRACE_THREADS_FROM": "1"},
    {"DYNTRACE_TILE": "7", "DYNTRACE_THREADS_FROM": "1"},
    {"DYNTRACE_TILE": "64", "DYNTRACE_THREADS_FROM": "1"},
)


@pytest.mark.parametrize("forced", FORCED, ids=str)
def test_unusual_bits_give_eagers_answer_on_tiles_of_every_size(forced):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.machine.bit_patterns"],
        env={**os.environ, **forced},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-6000:]
    assert int(run.stdout.split()[0]) >= 1000


def test_bytes_of_bools_are_truths_in_every_operation_that_counts_them():
    def program(b):
        return b * 1, b + 1.0, b.sum(), b.astype(float), b.sum(axis=0), np.where(b, b, 0), b / 2

    b = np.array([0, 3, -7, 1, 0, 64], np.int8).view(bool)
    check(program, b, captured=7)
    check(program, b.reshape(2, 3), captured=7)


def test_an_element_of_a_bool_array_is_true_or_false():
    def program(b, c):
        c[1] = b[1]
        return b[1] == c, b[2] ^ c, b[:1].max() == c, np.where(c, b[1], c)

    b = np.array([3, 5, 128, 0], np.uint8).view(bool)
    check(program, b, np.array([True, False] * 40))


@pytest.mark.parametrize("char", "efdgFDG")
def test_moving_numbers_keeps_every_bit_of_them(char):
    def program(x, mask):
        t = np.zeros(x.shape, x.dtype)
        t[...] = x
        return x.copy(), np.where(mask, x, x), t, x[::-1].copy(), np.copy(x[::2]), x.astype(x.dtype)

    x, mask = patterns((77,), char), np.arange(77) % 3 > 0
    fast = optimize(program)
    for _ in range(3):
        for found, wanted in zip(fast(x, mask), program(x, mask), strict=True):
            if char not in "gG":  # NumPy leaves the bytes between long doubles as they were
                assert found.tobytes() == wanted.tobytes()
            assert not bit_differences(found, wanted)


@pytest.mark.parametrize("source", "efdgFDG")
@pytest.mark.parametrize("target", "bBhHiIqQ?")
def test_numbers_out_of_an_integers_range_are_cast_and_warned_of_as_eager_does(source, target):
    def program(x, kind):
        return x.astype(kind), (x * 1).astype(kind)

    numbers = [0.0, -0.0, 1.9, -1.9, 255.5, 256.0, -129.0, 65536.0, 3e9, -3e9, 6e4]
    if source == "e":
        numbers = [number for number in numbers if abs(number) < 65504]
    check(program, np.array(numbers * 3, source), target)
    check(program, np.array([np.nan, np.inf, -np.inf, 1.0] * 5, source), target)


def test_the_truth_of_a_comparison_goes_into_half_precision():
    def program(x, y):
        x[...] = y == x
        return x

    check(program, np.array(1.5, "e"), np.array(1.5, "e"))
