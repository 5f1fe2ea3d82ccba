"""Hot loops: which become machine code, how many iterations run in it, and what stops them."""

import math

import numpy as np
import pytest

from dyntrace import config, optimize
from dyntrace.trace.marks import tag_of

pytestmark = pytest.mark.skipif(not config.jit, reason="loops are compiled by llvmlite")


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(config, "loops_at_once", True)


def loops(fast):
    return {loop.site.lineno: loop for loop in tag_of(fast).compiled.loops.all()}


def iterations(fast):
    """The iterations in machine code of the first loop of a function."""
    found = loops(fast)
    return sum(program.iterations for program in found[min(found)].programs)


def equal(one, other):
    return repr(one) == repr(other)


def elements(a):
    for i in range(1, a.shape[0] - 1):
        for j in range(1, a.shape[1] - 1):
            a[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])


def numbers(n):
    longest = 0
    for start in range(1, n):
        number, steps = start, 0
        while number != 1:
            number = number // 2 if number % 2 == 0 else 3 * number + 1
            steps += 1
        longest = max(longest, steps)
    return longest


def complex_numbers(n):
    inside = 0
    for k in range(n):
        z = c = complex(k / n - 0.5, 0.3)
        for _ in range(50):
            z = z * z + c
            if z.real**2 + z.imag**2 > 4.0:
                break
        else:
            inside += 1
    return inside


def bits(n):
    state = 0xFFFF
    for byte in range(n):
        state ^= byte & 0xFF
        for _ in range(8):
            state = (state >> 1) ^ 0xA001 if state & 1 else state >> 1
    return state


def swaps(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, (a + b) % 1000007
    return a


def half(x):
    return x / 2.0 if x > 1.0 else x


def calls(n):
    total = 0.0
    for i in range(n):
        total += half(i * 0.01) + math.sqrt(i) + math.sin(i)
    return total


def rows(a, out):
    for i in range(a.shape[0]):
        out[i, : i + 1] += 2.0 * a[i, : i + 1] * a[0, 0]
        out[i, 0] = a[i, :i] @ a[0, :i] + a[i].sum() + np.exp(a[i, 0])


def zipped(a, b):
    total = 0.0
    for _ in range(3):
        for k, (x, y) in enumerate(zip(a, b)):
            total += x * y * k
    return total


def while_loop(n):
    i, total = 0, 0
    while i < n:
        total += i * i
        i += 2
    return total


def square(size=50):
    return np.random.default_rng(1).random((size, size)) + 0.5


WHOLE = [
    (elements, lambda: (square(),), 48),
    (numbers, lambda: (300,), 299),
    (complex_numbers, lambda: (200,), 200),
    (bits, lambda: (500,), 500),
    (swaps, lambda: (500,), 500),
    (calls, lambda: (500,), 500),
    (rows, lambda: (square(), square()), 50),
    (zipped, lambda: (square()[0], square()[1]), 2),  # in the first, total becomes a NumPy scalar
    (while_loop, lambda: (1001,), 500),  # the iteration whose test fails is CPython's
]


@pytest.mark.parametrize(
    ("program", "make", "count"), WHOLE, ids=[item[0].__name__ for item in WHOLE]
)
def test_iterations_run_in_machine_code(at_once, program, make, count):
    fast = optimize(program)
    for calls_so_far in (1, 2, 3):
        plain, own = make(), make()
        assert equal(program(*plain), fast(*own)) and equal(plain, own)
        assert iterations(fast) == calls_so_far * count


def test_an_iteration_that_is_not_compiled_is_left_to_cpython(at_once):
    def program(n, out):
        for i in range(n):
            if i % 100 == 50:
                out.append(i)
        return i

    fast = optimize(program)
    out = []
    assert fast(1000, out) == 999 and out == list(range(50, 1000, 100))
    assert iterations(fast) == 990


def test_a_break_is_cpythons(at_once):
    def program(x):
        for i in range(len(x)):
            if x[i] > 0.99:
                break
        else:
            return -1
        return i

    x = np.zeros(500)
    x[321] = 1.0
    fast = optimize(program)
    assert fast(x) == program(x) == 321 and iterations(fast) == 321
    assert fast(x[:300]) == -1 and iterations(fast) == 321 + 300


def test_integers_that_leave_64_bits_are_cpythons(at_once):
    def program(n):
        product = 1
        for i in range(1, n):
            product *= i
        return product

    fast = optimize(program)
    assert fast(20) == math.factorial(19) and iterations(fast) == 19
    assert fast(50) == math.factorial(49) and iterations(fast) == 19 + 20


def test_an_exception_finds_everything_before_it_done(at_once):
    def program(x, n):
        for i in range(n):
            x[i] = i

    fast, x = optimize(program), np.zeros(100)
    with pytest.raises(IndexError, match="index 100 is out of bounds"):
        fast(x, 200)
    assert x.tolist() == list(range(100)) and iterations(fast) == 100


def test_a_loop_that_always_prints_has_no_machine_code(at_once, capsys):
    def program(n):
        for i in range(n):
            print(i, end=" ")

    fast = optimize(program)
    for _ in range(6):
        fast(50)
    assert (
        capsys.readouterr().out
        == " ".join(map(str, range(50))) * 0 + "".join(f"{i} " for i in range(50)) * 6
    )
    (loop,) = loops(fast).values()
    assert not loop.programs and loop.known.region.retired


def test_a_loop_of_few_iterations_a_call_is_given_up(at_once):
    def program(n):
        total = 0
        for i in range(n):
            total += i
        return total

    fast = optimize(program)
    assert [fast(2) for _ in range(200)] == [1] * 200
    (loop,) = loops(fast).values()
    assert loop.known.region.retired
    assert fast(1000) == program(1000)


def test_a_long_loop_is_helped_while_it_runs():
    def program(n):
        total = 0
        for i in range(n):
            total += i & 3
        return total

    fast = optimize(program)
    n = 100_000_000
    assert fast(n) == sum(i & 3 for i in range(4)) * (n // 4)
    assert iterations(fast) > n // 4


def test_a_loop_that_is_not_hot_is_not_compiled():
    def program(n):
        total = 0
        for i in range(n):
            total += i
        return total

    fast = optimize(program)
    assert fast(1000) == program(1000)
    (loop,) = loops(fast).values()
    assert not loop.programs and not loop.pending


def test_a_reset_drops_machine_code(at_once):
    import dyntrace

    fast = optimize(swaps)
    fast(100)
    assert iterations(fast) == 100
    dyntrace.reset()
    assert fast(100) == swaps(100) and iterations(fast) == 100
