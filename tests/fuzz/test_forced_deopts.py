"""Every region is made to decline, each alone, all together and every other time: eager's outcome."""

import numpy as np
import pytest

from dyntrace.runtime import faults
from tests.differential import check, check_calls, optimised
from tests.fuzz.differ import Case

ARRAY = np.arange(1.0, 6.0)


class Policy:
    """Decides which regions decline; regions are numbered in the order they are first met."""

    def __init__(self, chosen):
        self.chosen = chosen
        self.regions = []
        self.asked = 0

    def __call__(self, region):
        if not any(region is known for known in self.regions):
            self.regions.append(region)
        self.asked += 1
        number = next(i for i, known in enumerate(self.regions) if known is region)
        return self.chosen(number, self.asked)


def effects(a, b, log):
    a += b
    b[1:] = a[:-1] * 2
    log.append(a.sum())
    a *= 2
    for i in range(3):
        a[i] += b[i]
        b -= a / 3
        print(b)
    return a @ b


def errors(a, b, log):
    for other in (b, b[:2], b):
        try:
            a += other
            log.append(np.sqrt(a).sum())
        except ValueError as error:
            print(error)
            b = b * 2
    return a, b


def stacked(a, b, log):
    return [a * 2 + 1, log.append(1), (b - a) * (a + (log.append(2) or 3)), f"{(a * b).sum()}"], log


def locals_kept(a, b, log):
    x = a + 1
    y = x * b
    if y.sum() > 3:
        x, y = y, x
    del b
    z = [v * 2 for v in (x, y)]
    log.append(len(z))
    return x, y, z, sorted(locals())


def generated(a, b, log):
    def inner():
        total = a * 0
        for k in range(4):
            total = total + b * k
            got = yield total
            log.append(got)
            total += 1

    return list(inner())


PROGRAMS = [effects, errors, stacked, locals_kept, generated]
POLICIES = {
    "all": lambda number, asked: True,
    "every other time": lambda number, asked: asked % 2 == 0,
    "every third time": lambda number, asked: asked % 3 == 0,
    **{f"region {n}": lambda number, asked, n=n: number == n for n in range(6)},
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_declining_region_changes_nothing(program, policy, monkeypatch):
    asked = Policy(POLICIES[policy])
    monkeypatch.setattr(faults, "force_deopt", asked)
    check(program, ARRAY, ARRAY[::-1].copy(), [], calls=5)
    assert asked.asked


@pytest.mark.parametrize("policy", ["all", "every other time", "region 0", "region 1", "region 2"])
def test_random_programs_with_declining_regions(policy, monkeypatch):
    for seed in range(500, 530):
        monkeypatch.setattr(faults, "force_deopt", Policy(POLICIES[policy]))
        case = Case.seeded(seed)
        found = case.differences()
        assert not found, "\n".join([case.source, *found])


def test_a_region_that_keeps_declining_is_retired_and_stays_right(monkeypatch):
    def program(a):
        return a * 2 + 1

    monkeypatch.setattr(faults, "force_deopt", Policy(lambda number, asked: True))
    fast = optimised(program)
    check_calls(program, [(ARRAY,)] * 60, fast=fast)
