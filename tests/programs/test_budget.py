"""Analysis and compilation take a small share of a run."""

from dyntrace.budget import EARLY, GRANT, SHARE, Budget


def test_budget_grants_a_little_and_a_share_of_the_run():
    budget = Budget()
    assert not budget.allows(GRANT)
    budget.started -= 100.0
    assert not budget.allows(GRANT), "a program that waits earns nothing"
    budget.worked -= 100.0
    assert budget.allows(GRANT + SHARE * 99.0)
    assert not budget.allows(GRANT + SHARE * 110.0)


def test_a_program_that_ends_early_has_lost_little():
    budget = Budget()
    for seconds in (0.1, 0.5, 1.0, 2.0, 3.0):
        budget.started -= seconds
        budget.worked -= seconds
        assert not budget.allows(EARLY * budget.elapsed() + 0.01)


def test_what_is_spent_is_measured_once_where_blocks_nest():
    budget = Budget()
    with budget.spending(), budget.spending():
        sum(range(20000))
    assert 0.0 < budget.spent < 1.0
    spent = budget.spent
    with budget.spending():
        pass
    assert budget.spent >= spent


def test_unlimited_budget_allows_anything():
    assert Budget(unlimited=True).allows(1e9)
