"""Recorders that are refused say nothing for ever more passes."""

from dyntrace.budget import Budget
from dyntrace.functions.pacing import MAX_SILENCE, Pace, Silence


def passes_told(pace, count):
    """Which of `count` passes of one recorder are told, each asking for the budget."""
    silence, told = Silence(pace), []
    for number in range(count):
        if not silence.lasts():
            told.append(number)
            pace.affords()
            silence.begins()
    return told


def refusing():
    budget = Budget()
    budget.spent = 1e9
    return Pace(budget, 10)


def test_a_recorder_without_budget_is_asked_ever_more_rarely():
    assert passes_told(refusing(), 40) == [0, 2, 6, 14, 30]


def test_the_silence_has_a_longest_length():
    told = passes_told(refusing(), 3000)
    assert told[-1] - told[-2] == MAX_SILENCE + 1


def test_a_recorder_with_budget_is_never_silent():
    assert passes_told(Pace(Budget(unlimited=True), 10), 20) == list(range(20))
