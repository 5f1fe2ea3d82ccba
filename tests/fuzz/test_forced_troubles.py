"""Each check of a loop's machine code fails in turn, and each memory access is looked at."""

import random

import numpy as np
import pytest

from tests.differential import check_calls, optimised
from tests.fuzz.differ import Case
from tests.fuzz.forced_troubles import forced_troubles, watched_memory
from tests.scenarios.loops.hot import at_once


def swept(a, k):
    total = 0.0
    for i in range(1, len(a) - 1):
        for j in range(1, 4):
            a[i] = (a[i - 1] + a[i + 1]) / (k[j] + 1)
        if a[i] > 0.5:
            a[i] -= k[i % 5] // 3
        total += a[i]
    return total


def wrapped(a, k):
    p, q = 1, 0
    for value in a:
        p, q = (p * 31 + q) % 10007, p ^ k[p % 5]
        k[q % 5] += 1
        k[-1 - p % 5] -= int(value)
    return p, q


def counted(a, k):
    n, steps = 27, 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
        a[steps % len(a)] = n / 2
    return steps


PROGRAMS = [swept, wrapped, counted]


def arguments():
    return np.linspace(-1.0, 2.0, 40), np.arange(5) + 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_check_fails_in_turn(program):
    number, reached = 0, set()
    with at_once(), forced_troubles() as (troubles, checks):
        while number == 0 or number < len(checks):
            checks.clear()  # the loops are compiled anew, and their checks have the same numbers
            fast, troubles.chosen = optimised(program), number
            for every in (0, 5, 2, 1):
                troubles.every, troubles.visits, troubles.failed = every, 0, 0
                check_calls(program, [arguments()], fast=fast)
                reached |= {number} if troubles.failed else set()
            number += 1
    assert (
        len(reached) > number // 4
    )  # the text has each check twice: for dense rows and for others


@pytest.mark.parametrize("every", [2, 3, 7, 31])
def test_random_loops_whose_checks_fail_now_and_then(every):
    failed = 0
    for seed in range(16):
        with at_once(), forced_troubles() as (troubles, _checks):
            troubles.every = every
            case = drawn(seed)
            found = case.differences()
            failed += troubles.failed
        assert not found, "\n".join([case.source, *found])
    assert failed > 16


def test_random_loops_touch_no_memory_but_their_arrays():
    accesses = 0
    for seed in range(24):
        case = Case.of_numbers(random.Random(seed))
        with at_once(), watched_memory() as watched:
            case.arguments = [watching(watched, build) for build in case.arguments]
            found = case.differences()
        assert not found, "\n".join([case.source, *found])
        assert not watched.strayed, case.source
        accesses += watched.accesses
    assert accesses > 500


def drawn(seed):
    chance = random.Random(seed)
    return Case.of_numbers(chance) if seed % 2 else Case.looping(chance)


def watching(watched, build):
    def building():
        arguments = build()
        watched.allow(*(one for one in arguments if isinstance(one, np.ndarray)))
        return arguments

    return building
