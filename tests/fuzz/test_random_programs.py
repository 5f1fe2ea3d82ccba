"""A few hundred random programs in every test run; `python -m tests.fuzz` runs thousands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.differ import Case


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
