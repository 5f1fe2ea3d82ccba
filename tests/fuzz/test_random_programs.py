"""A few hundred random programs in every test run; `python -m tests.fuzz` runs thousands."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.differ import Case
from tests.scenarios.loops.hot import at_once


@settings(max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_drawn_programs_do_what_eager_does(chance, statements):
    case = Case.drawn(chance, statements)
    found = case.differences()
    assert not found, "\n".join([case.source, *found])


@pytest.mark.parametrize("block", range(12))
def test_seeded_programs_do_what_eager_does(block):
    for seed in range(block * 20, block * 20 + 20):
        case = Case.seeded(seed)
        found = case.differences()
        assert not found, "\n".join([case.source, *found])


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(1, 14))
def test_drawn_loops_do_what_eager_does(chance, statements):
    with at_once():
        case = Case.looping(chance, statements)
        found = case.differences()
    assert not found, "\n".join([case.source, *found])


@pytest.mark.parametrize("block", range(8))
def test_seeded_loops_do_what_eager_does(block):
    for seed in range(block * 20, block * 20 + 20):
        with at_once():
            case = Case.looping(random.Random(seed), label=f"loop {seed}")
            found = case.differences()
        assert not found, "\n".join([case.source, *found])


@pytest.mark.parametrize("block", range(5))
def test_seeded_loops_about_numbers_do_what_eager_does(block):
    for seed in range(block * 20, block * 20 + 20):
        with at_once():
            case = Case.of_numbers(random.Random(seed), f"numbers {seed}")
            found = case.differences()
        assert not found, "\n".join([case.source, *found])
