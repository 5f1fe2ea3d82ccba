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

MEMORY, LOST, WON, STEP = 64, 4, 16, 1 / 16
SHORTEST, LONGEST, MOST_CUTS = 16, 1024, 10


@dataclass
class Model:
    """What `joining.c` is to do."""

    rate: float = 0.0
    balance: float = 0.0
    cuts: int = 0
    rest: int = 0
    pause: int = 0

    def helpers(self, wanted):
        if self.cuts > 0:
            if self.rest == 0:
                self.cuts -= 1
                self.rest, self.balance = self.pause, 0.0
            else:
                self.rest -= 1
        return wanted >> self.cuts

    def note(self, estimate, waking, busy, waited, own, all_):
        if own > 0:
            rate = busy / own * all_ / estimate
            factor = 1 + STEP if rate > self.rate else 1 - STEP
            self.rate = self.rate * factor if self.rate else rate
        alone = self.rate * estimate
        self.balance += alone * (1 - own / all_) - waking - waited - self.balance / MEMORY
        if self.balance < -LOST * alone:
            self.pause = min(max(self.pause * 2, SHORTEST), LONGEST)
            self.cuts = min(self.cuts + 1, MOST_CUTS)
            self.rest, self.balance = self.pause, 0.0
        elif self.balance > WON * alone:
            self.pause //= 2
            self.balance = WON / 2 * alone


class Joining(ctypes.Structure):
    _fields_ = (
        ("rate", ctypes.c_double),
        ("balance", ctypes.c_double),
        ("cuts", ctypes.c_int),
        ("rest", ctypes.c_int),
        ("pause", ctypes.c_int),
    )


class Machine:
    """`joining.c` with the model's methods."""

    def __init__(self, library):
        self.library = library
        self.state = Joining()

    def __getattr__(self, name):
        return getattr(self.state, name)

    def helpers(self, wanted):
        return self.library.joining_helpers(ctypes.byref(self.state), wanted)

    def note(self, *times):
        self.library.joining_note(ctypes.byref(self.state), (ctypes.c_double * 6)(*times))


@pytest.fixture(params=["model", "machine"])
def joining(request, tmp_path_factory):
    if request.param == "model":
        return Model()
    return Machine(building.library("joining", tmp_path_factory.getbasetemp()))


# Of 100 microseconds alone, in nanoseconds: estimate, waking, busy, waited, own units, all units.
SHARED = (100e3, 0, 50e3, 0, 50, 100)
STALLED = (100e3, 0, 90e3, 3e6, 90, 100)
LATE = (100e3, 10e3, 100e3, 0, 100, 100)
PREEMPTED = (100e3, 0, 3e6, 0, 30, 100)  # the owner was; helpers went on


def run(joining, jobs, job, wanted=1):
    """How many helpers joined in each of so many jobs."""
    joined = []
    for _ in range(jobs):
        joined.append(joining.helpers(wanted))
        if joined[-1]:
            joining.note(*job)
    return joined


def test_helpers_that_gain_join_in_every_job(joining):
    assert run(joining, 1000, SHARED) == [1] * 1000


def test_one_stall_costs_a_short_rest(joining):
    run(joining, 200, SHARED)
    run(joining, 1, STALLED)
    assert run(joining, 200, SHARED) == [0] * SHORTEST + [1] * (200 - SHORTEST)


def test_stalls_in_a_row_are_met_seldom_and_at_last_once_in_a_thousand_jobs(joining):
    joined = run(joining, 10_000, STALLED)
    rests = [k for k, one in enumerate(joined) if one]
    lengths = [b - a - 1 for a, b in zip(rests, rests[1:], strict=False)]
    assert lengths[:7] == [16, 32, 64, 128, 256, 512, 1024] and set(lengths[7:]) == {1024}


def test_helpers_that_always_come_late_are_not_woken(joining):
    joined = run(joining, 10_000, LATE)
    assert sum(joined) < 1000


@pytest.mark.parametrize("one_in, least, most", [(8, 0, 0.1), (40, 0, 0.5), (300, 0.85, 1)])
def test_jobs_are_shared_as_far_as_stalls_are_rare(joining, one_in, least, most):
    random, joined = Random(one_in), []
    for _ in range(20_000):
        job = STALLED if random.random() * one_in < 1 else SHARED
        joined += run(joining, 1, job)
    assert least <= sum(joined) / len(joined) <= most


def test_after_the_load_has_gone_all_jobs_are_shared_again(joining):
    run(joining, 5_000, STALLED)
    joined = run(joining, 3_000, SHARED)
    assert joined[-1500:] == [1] * 1500
    assert joining.pause <= 512


def test_time_the_owner_lost_is_not_won_by_helpers(joining):
    run(joining, 100, SHARED)
    before = joining.balance
    run(joining, 1, PREEMPTED)
    assert joining.balance - before <= 100e3


def test_many_helpers_become_half_as_many(joining):
    run(joining, 1, STALLED, 7)
    assert run(joining, 1, STALLED, 7) == [3]
    assert run(joining, 1, STALLED, 7) == [1]
    assert run(joining, 1, STALLED, 7) == [0]
    assert max(run(joining, 10_000, SHARED, 7)) == 7


@pytest.mark.parametrize("seed", range(20))
def test_machine_and_model_agree_on_random_times(seed, tmp_path_factory):
    machine = Machine(building.library("joining", tmp_path_factory.getbasetemp()))
    model, random = Model(), Random(seed)
    for _ in range(3_000):
        wanted = random.choice((1, 1, 3, 7))
        helpers = model.helpers(wanted)
        assert machine.helpers(wanted) == helpers
        if helpers:
            own = random.randrange(101)
            stall = 3e6 if random.random() < seed / 40 else 0
            job = (
                random.uniform(5e4, 2e5),
                random.choice((0, 5e3)),
                own * 1e3 + 1,
                stall,
                own,
                100,
            )
            model.note(*job)
            machine.note(*job)
        assert (machine.cuts, machine.rest, machine.pause) == (model.cuts, model.rest, model.pause)
        assert machine.balance == pytest.approx(model.balance)
