"""Analysis and compilation take a small share of a run."""

from dyntrace.budget import GRANT, SHARE, Budget


def test_budget_grants_a_little_at_once_and_a_share_of_the_run():
    budget = Budget()
    assert budget.allows(GRANT * 0.9)
    assert not budget.allows(GRANT + 1.0)
    budget.started -= 100.0
    assert not budget.allows(GRANT + 1.0), "a program that waits earns nothing"
    budget.worked -= 100.0
    assert budget.allows(GRANT + SHARE * 99.0)
    assert not budget.allows(GRANT + SHARE * 110.0)


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
