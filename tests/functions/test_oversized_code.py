"""Functions that are larger than a region, a stub or one code unit can be: captured in part or not,
never wrong and never an internal error.
"""

from __future__ import annotations

import numpy as np
import pytest

import dyntrace
from dyntrace.trace.marks import tag_of

A = np.arange(4.0)
MANY = 300


def names(count):
    return [f"v{i}" for i in range(count)]


def added(count):
    """Lines that make so many locals."""
    return "".join(f"  {name} = a + {i}\n" for i, name in enumerate(names(count)))


def nested(head, inner, tail=""):
    """`inner` in as many blocks as CPython allows but one, each ended by `tail`."""
    lines = [" " * (2 + depth) + head.format(depth) for depth in range(19)]
    lines.append(" " * 21 + inner)
    if tail:
        for depth in reversed(range(19)):
            lines += [" " * (2 + depth) + tail, " " * (3 + depth) + "raise"]
    return "\n".join(lines) + "\n"


# What a function is called with, its parameters, its body, and whether regions are to be found.
PROGRAMS = {
    "a tuple of many locals as an argument": (
        [A], "a", added(MANY) + f"  print(end='')\n  return np.stack(({','.join(names(MANY))},))", True,
    ),
    "seventy locals that meet a break": (
        [A], "a", added(70) + f"  print(end='')\n  return np.stack(({','.join(names(70))},)).sum()", True,
    ),
    "more arguments than a region takes": (
        [A] * MANY, ",".join(names(MANY)), f"  return np.stack(({','.join(names(MANY))},)).sum()", True,
    ),
    "many results": ([A], "a", added(MANY) + f"  return ({','.join(names(MANY))})", True),
    "thousands of locals": ([A], "a", added(2000) + "  return v0 + v1999", True),
    "methods on a full region's stack": (
        [A], "a", f"  return max({','.join(f'a.sum() + {i}' for i in range(MANY))})", True,
    ),
    "many attributes": (
        [[A] * 15 for _ in range(16)], ",".join(names(16)),
        "  return " + " + ".join(f"v{i % 16}[{i // 16}]" for i in range(240)), True,
    ),
    "constants past the first byte": (
        [A], "a", "  r = 0\n" + "".join(f"  r += {i}.5\n" for i in range(MANY)) + "  return (a * 2).sum() + r", True,
    ),
    "a list of thousands of items": (
        [A], "a", "  r = [" + ",".join(f"[{i}]" for i in range(3000)) + "]\n  return len(r), a * 2", True,
    ),
    "a dict of hundreds of items": (
        [A], "a", "  r = {" + ",".join(f"'k{i}': a + {i}" for i in range(600)) + "}\n  return r", True,
    ),
    "jumps longer than two bytes say": (
        [A], "a", "  for i in range(2):\n    b = a * 2\n" + "    print(end='')\n" * 6000 + "    a = b + 1\n  return a", True,
    ),
    "exception handlers in one another": (
        [A], "a", nested("try:", "b = a * 2; print(end=''); a = b + 1", "except ValueError:") + "  return a", True,
    ),
    "loops in one another": (
        [A], "a", nested("for i{} in range(1):", "print(end=''); a = a * 2 + 1") + "  return a", True,
    ),
    "cells past the first byte": (
        [A], "a", added(MANY) + "  def g():\n    return " + " + ".join(names(MANY)) + "\n  return g(), v0 * 2", True,
    ),
    "operations too deep for one line": ([A], "a", "  return " + "(a + " * 90 + "1" + ")" * 90, True),
    "hundreds of named arguments": (
        [A], "a", f"  return dict({','.join(f'{name}=a + 1' for name in names(MANY))})", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_function_past_a_limit_gives_the_same(name):
    args, parameters, body, captured = PROGRAMS[name]
    namespace = {"np": np}
    exec(f"def program({parameters}):\n{body}", namespace)
    program = namespace["program"]
    fast = dyntrace.optimize(program)
    expected = repr(program(*args))
    for _ in range(3):
        assert repr(fast(*args)) == expected
    compiled = tag_of(fast).compiled
    assert not compiled.given_up and compiled.knowledge.notes == []
    assert bool(compiled.plans()) is captured


def test_code_without_a_start_of_its_own_is_left_alone():
    def program(a):
        return a

    code = program.__code__
    resume = next(i for i in range(0, len(code.co_code), 2) if code.co_code[i + 1] == 0)
    namespace = {}
    exec("def bare(a): return a", namespace)
    bare = namespace["bare"]
    bare.__code__ = code.replace(co_code=code.co_code[:resume] + code.co_code[resume + 2 :])
    fast = dyntrace.optimize(bare)
    assert fast(3) == 3
    assert "no RESUME" in tag_of(fast).compiled.knowledge.notes[0]
