"""When others join in a job, by the times of earlier ones: `joining.c` against a model in Python.

Times are made up, so nothing here depends on the machine. A job is told by its estimate, what
waking, its own share and waiting took its owner, and how many of 100 units the owner did.
"""

import ctypes
from dataclasses import dataclass
from random import Random

import pytest

from tests.native import building

pytestmark = pytest.mark.skipif(building.COMPILER is None, reason="no C compiler here")

MS = 1e6  # nanoseconds
INTEREST, CREDIT, OVERDRAFT, DEBT = 1 / 32, 8 * MS, 2 * MS, 32 * MS
STEP, MOST_CUTS = 1 / 16, 10


@dataclass
class Model:
    """What `joining.c` is to do."""

    rate: float = 0.0
    account: float = 0.0
    cuts: int = 0

    def helpers(self, wanted, estimate):
        if self.cuts > 0:
            self.account += INTEREST * self.rate * estimate
            if self.account >= 0:
                self.cuts -= 1
        return wanted >> self.cuts

    def note(self, estimate, waking, busy, waited, own, all_):
        if own > 0:
            rate = busy / own * all_ / estimate
            factor = 1 + STEP if rate > self.rate else 1 - STEP
            self.rate = self.rate * factor if self.rate else rate
        others = self.rate * estimate * (1 - own / all_)
        account = self.account + others - waking - waited
        if account < -OVERDRAFT * 2**self.cuts:
            self.cuts = min(self.cuts + 1, MOST_CUTS)
        self.account = max(min(account, CREDIT), -DEBT)


class Joining(ctypes.Structure):
    _fields_ = (
        ("rate", ctypes.c_double),
        ("account", ctypes.c_double),
        ("cuts", ctypes.c_int),
    )


class Machine:
    """`joining.c` with the model's methods."""

    def __init__(self, library):
        self.library = library
        self.state = Joining()

    def __getattr__(self, name):
        return getattr(self.state, name)

    def helpers(self, wanted, estimate):
        state = ctypes.byref(self.state)
        return self.library.joining_helpers(state, wanted, ctypes.c_double(estimate))

    def note(self, *times):
        self.library.joining_note(ctypes.byref(self.state), (ctypes.c_double * 6)(*times))


@pytest.fixture(params=["model", "machine"])
def joining(request, tmp_path_factory):
    if request.param == "model":
        return Model()
    return Machine(building.library("joining", tmp_path_factory.getbasetemp()))


# Of 100 microseconds alone, in nanoseconds: estimate, waking, busy, waited, own units, all units.
SHARED = (100e3, 0, 50e3, 0, 50, 100)
STALLED = (100e3, 0, 90e3, 4 * MS, 90, 100)
LATE = (100e3, 10e3, 100e3, 0, 100, 100)
PREEMPTED = (100e3, 0, 3 * MS, 0, 30, 100)  # the owner was; helpers went on


def run(joining, jobs, job, wanted=1):
    """How many helpers joined in each of so many jobs."""
    joined = []
    for _ in range(jobs):
        joined.append(joining.helpers(wanted, job[0]))
        if joined[-1]:
            joining.note(*job)
    return joined


def test_helpers_that_gain_join_in_every_job(joining):
    assert run(joining, 1000, SHARED) == [1] * 1000
    assert joining.account == pytest.approx(CREDIT)


def test_a_stall_that_earlier_gains_pay_for_changes_nothing(joining):
    run(joining, 200, SHARED)
    run(joining, 1, STALLED)
    assert run(joining, 200, SHARED) == [1] * 200


def test_a_stall_that_nothing_pays_for_is_paid_off_alone(joining):
    joined = run(joining, 1, STALLED) + run(joining, 2000, SHARED)
    alone = joined.count(0)
    assert joined == [1] + [0] * alone + [1] * (2000 - alone)
    assert alone * 100e3 * INTEREST == pytest.approx(4 * MS, rel=0.02)


def test_stalls_in_a_row_cost_the_interest_in_the_long_run(joining):
    joined = run(joining, 100_000, STALLED)
    assert sum(joined) * 4 * MS == pytest.approx(100_000 * 100e3 * INTEREST, rel=0.02)


def test_waking_helpers_that_always_come_late_costs_no_more_than_the_interest(joining):
    joined = run(joining, 100_000, LATE)
    assert 0 < sum(joined) * 10e3 < 100_000 * 100e3 * INTEREST


@pytest.mark.parametrize("one_in, least, most", [(8, 0, 0.1), (40, 0, 0.4), (500, 0.95, 1)])
def test_jobs_are_shared_as_far_as_stalls_are_rare(joining, one_in, least, most):
    random, joined = Random(one_in), []
    for _ in range(50_000):
        joined += run(joining, 1, STALLED if random.random() * one_in < 1 else SHARED)
    assert least <= sum(joined) / len(joined) <= most


def test_the_longest_stall_is_paid_off_within_a_second_of_work(joining):
    run(joining, 1, (100e3, 0, 90e3, 10_000 * MS, 90, 100))
    assert 1 in run(joining, 10_500, SHARED)


def test_time_the_owner_lost_is_not_won_by_helpers(joining):
    run(joining, 10, SHARED)
    before = joining.account
    run(joining, 1, PREEMPTED)
    assert joining.account - before <= 100e3


def test_many_helpers_become_half_as_many(joining):
    joined = run(joining, 4, STALLED, 7)
    assert joined == [7, 3, 1, 0]
    assert run(joining, 20_000, SHARED, 7)[-1] == 7


@pytest.mark.parametrize("seed", range(20))
def test_machine_and_model_agree_on_random_times(seed, tmp_path_factory):
    machine = Machine(building.library("joining", tmp_path_factory.getbasetemp()))
    model, random = Model(), Random(seed)
    for _ in range(3_000):
        wanted, estimate = random.choice((1, 1, 3, 7)), random.uniform(5e4, 2e5)
        helpers = model.helpers(wanted, estimate)
        assert machine.helpers(wanted, estimate) == helpers
        if helpers:
            own = random.randrange(101)
            stall = 3 * MS if random.random() < seed / 400 else 0
            job = (estimate, random.choice((0, 5e3)), own * 1e3 + 1, stall, own, 100)
            model.note(*job)
            machine.note(*job)
        assert machine.cuts == model.cuts
        assert machine.account == pytest.approx(model.account)
