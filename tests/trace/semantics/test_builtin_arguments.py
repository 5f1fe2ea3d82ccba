"""Built-ins called with too few, too many or impossible arguments: eager's result or exception."""

import math

import numpy as np
import pytest

import dyntrace

NAMES = """abs divmod pow round float int complex min max len sum bool isinstance type slice tuple
list dict range enumerate zip callable math.sqrt math.hypot math.floor math.isclose math.fsum
math.comb math.gcd str repr sorted any all iter next reversed map filter getattr hasattr issubclass
ord chr frozenset""".split()
ARGUMENTS = [
    *("", "a", "a, a", "a, a, a", "n", "n, n", "n, n, n", "n, n, n, n", "None", "a, None", "'x'"),
    *("'x', a", "()", "[]", "[a]", "[a, a]", "a, key=len", "n, default=3", "[], default=0", "x=a"),
    *("**{'a': 1}", "a, n", "[n, n], start=a", "a, start=0", "a, int", "a, (int, float)", "int, a"),
    *("a, [int]", "n, ndigits=0", "'12', base=n", "strict=True", "a, strict=True", "*a", "**d"),
    *("n, **d", "start=n", "...", "a[0], n", "a[0]", "iter(a)", "(i for i in a)", "range(3)"),
    *("lambda v: v, a", "None, a", "a, 'shape'", "a, 'shape', n", "a, a, nosuch=1", "a, ((int,),)"),
]
PROGRAMS = [
    "def program(a, n, d):\n    b = a + 1\n    return {call}, b\n",
    "def inner(a, n, d):\n    return {call}\n"
    "def program(a, n, d):\n    b = a + 1\n    return inner(a, n, d), b\n",
]


def outcome(function):
    try:
        result, _ = function(np.arange(4.0), 2, {"c": 1})
    except Exception as error:
        return type(error), str(error)
    text = repr(result)
    return type(result), None if " at 0x" in text else text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", PROGRAMS, ids=["here", "in a callee"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_any_arguments_of_a_built_in_give_what_eager_gives(name, text):
    for arguments in ARGUMENTS:
        space = {"math": math}
        exec(text.format(call=f"{name}({arguments})"), space)
        wanted = outcome(space["program"])
        fast = dyntrace.optimize(space["program"])
        for _ in range(3):
            assert outcome(fast) == wanted, arguments
