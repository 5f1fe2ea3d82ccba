"""Python numbers that the region computes, beside arrays and NumPy scalars of every dtype."""

import itertools
import warnings

import numpy as np
import pytest

import dyntrace
from tests.exec.comparing import same

BINARY = "+ - * / // % ** & | ^ << >> < <= == != > >= @".split()
IN_PLACE = "+ - * / // % ** & | ^ << >>".split()
UFUNCS = """add subtract multiply divide floor_divide remainder power bitwise_and left_shift less
equal maximum fmin arctan2 copysign hypot ldexp divmod float_power heaviside gcd""".split()
CALLS = """divmod(n - 1, x)|divmod(x, n - 1)|pow(x, n - 1)|pow(n - 1, x)|abs(n - 1) * x
round(n - 1) / x|-(n - 1) / x|~(n - 1) * x|max(n - 1, n) * x|min(n - 1, n - 2) / x
sum([n - 1, n]) / x|np.where(x > 0, n - 1, x)|np.clip(x, n - 3, n - 1)|x.clip(n - 3, n - 1)
np.sqrt(n - 1) * x|np.float32(n - 1) * x|(n - 1) / x.size|np.full(3, n - 1) + x.sum()
np.array(n - 1) * x|np.asarray(n - 1) / x|[n - 1, n] * x|complex(n - 1) * x|bool(n - 1) * x
(n - 1) / x.sum()|(len(x) - 1) / x.sum()|x[: len(x) - 1] / (len(x) - 1)|(x + x) / int(n)
(n - 1) * np.pi / x|float(n) / (x + x)|np.add(x, n - 1, dtype=float)|(n - 1) ** 2 / x.mean()"""
NUMBERS = [
    *(3, 1, -2, 0, True, 300, -129, 2**31, 2**63 - 1, 2**63, 2**64, 2**70, -(2**63) - 5),
    *(2.5, -0.0, float("inf"), float("nan"), 1e40, 1 + 2j),
]
GROWING = ("**", "<<", "pow", "ldexp", "left_shift")  # of large integers: not within any time


def expressions():
    for symbol in BINARY:
        yield f"(n - 1) {symbol} x"
        yield f"x {symbol} (n - 1)"
        yield f"(x + x) {symbol} (n * 1)"
        yield f"(n * 1) {symbol} (x + x)"
    for name in UFUNCS:
        yield f"np.{name}(n - 1, x)"
        yield f"np.{name}(x + x, n - 1)"
    for line in CALLS.splitlines():
        yield from line.split("|")


SOURCES = [f"def program(n, x):\n    return {text}\n" for text in expressions()]
SOURCES += [
    f"def program(n, x):\n    t = {start}\n    t {symbol}= {other}\n    return t\n"
    for symbol in IN_PLACE
    for start, other in (("n - 1", "x"), ("x.copy()", "n - 1"))
]


def operands():
    for char in "?bBhHiIqQlLefdgFDG":
        yield np.array([1, 2, 3], char)
        yield np.array(2, char)
        yield np.dtype(char).type(1)


CASES = list(itertools.product(NUMBERS, operands()))


def outcome(function, *args):
    """The result or the exception, and the warnings."""
    result = error = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*args)
        except (ArithmeticError, TypeError, ValueError) as raised:
            error = type(raised), str(raised)
    return result, error, [(warning.category, str(warning.message)) for warning in caught]


def sample(source):
    """Every twentieth case, from another place on for each program."""
    cases = CASES[SOURCES.index(source) % 20 :: 20]
    huge = any(word in source for word in GROWING)
    return [(n, x) for n, x in cases if not (huge and type(n) is int and abs(n) > 1000)]


def program_of(source):
    space = {"np": np}
    exec(source, space)
    return space["program"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: " ".join(source.split()[3:]))
def test_a_number_computed_in_the_region_takes_part_as_in_eager(source):
    for n, x in sample(source):
        eager = program_of(source)
        fast = dyntrace.optimize(program_of(source))
        result, *rest = outcome(eager, n, x)
        for _ in range(3):
            found, *others = outcome(fast, n, x)
            assert others == rest, (n, x)
            same(found, result)
        assert dyntrace.stats(fast).internal_errors == 0


def test_a_number_over_a_sum_is_captured_as_one_graph():
    def program(a):
        return (len(a) - 1) / a.sum()

    fast = dyntrace.optimize(program)
    for _ in range(4):
        same(fast(np.arange(5.0)), program(np.arange(5.0)))
    counters = dyntrace.stats(fast)
    assert (counters.graphs, counters.deopts) == (1, 0) and counters.graph_calls >= 3


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor"])
@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 2**70, 3, 0])
def test_truth_of_an_int_that_no_c_long_holds_is_an_error_as_in_eager(name, number):
    ufunc = getattr(np, name)

    def work(x, number):
        return ufunc(number, x + 1.0)

    fast = dyntrace.optimize(work)
    for _ in range(3):
        outcomes = []
        for function in (work, fast):
            try:
                outcomes.append(function(np.arange(3.0), number).tolist())
            except OverflowError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]
