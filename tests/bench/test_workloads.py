"""Every workload, at small sizes: optimised as eager, and what its entry says of it is true."""

import numpy as np
import pytest

from bench.bits import differences
from bench.captured import captured_share, executed_calls
from bench.catalogue import FAMILIES, WORKLOADS
from bench.peers.known import KNOWN
from bench.workload import Case
from tests.differential.harness import check, optimised

each = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)


@each
def test_a_workload_gives_the_same_bits_optimised(workload):
    check(workload.fresh(), make=lambda: workload.make(workload.small))


@pytest.mark.parametrize(
    "workload", [each for each in WORKLOADS if each.scaled], ids=lambda workload: workload.name
)
def test_a_scaled_workload_gives_the_same_bits_at_ten_elements(workload):
    check(workload.fresh(), make=lambda: workload.make(10))


@each
def test_arguments_are_equal_at_each_call_and_never_shared(workload):
    first, second = workload.make(workload.small), workload.make(workload.small)
    assert differences(first, second, "arguments") == []
    arrays = [item for item in first if isinstance(item, np.ndarray)]
    others = [item for item in second if isinstance(item, np.ndarray)]
    assert not any(np.shares_memory(one, other) for one in arrays for other in others)


@each
def test_arguments_change_exactly_if_the_entry_says_so(workload):
    pristine, arguments = workload.make(workload.small), workload.make(workload.small)
    workload.fresh()(*arguments)
    assert bool(differences(pristine, arguments)) == workload.mutates


@each
def test_goals_stand_at_sizes_that_are_run(workload):
    assert set(workload.goals) <= set(workload.sizes)


@each
def test_goals_against_peers_name_peers_that_are_known(workload):
    assert set(workload.against) <= {peer.name for peer in KNOWN}


def test_there_are_enough_workloads_in_every_family_and_names_are_unique():
    names = [workload.name for workload in WORKLOADS]
    assert len(names) == len(set(names)) >= 30
    assert all(len(workloads) >= 5 for workloads in FAMILIES.values())
    assert all(each.family == family for family in FAMILIES for each in FAMILIES[family])


def test_workloads_know_nothing_of_what_they_measure():
    assert not any("dyntrace" in path.read_text() for path in {each.path for each in WORKLOADS})


def test_each_copy_of_a_function_is_a_new_one():
    workload = WORKLOADS[0]
    first, second = workload.fresh(), workload.fresh()
    assert first.__code__ is not second.__code__ or first.__globals__ is not second.__globals__
    assert first.__globals__ is not workload.function.__globals__


def test_the_executed_calls_of_a_chain_are_its_operations():
    workload = next(each for each in WORKLOADS if each.name == "chain_5")
    assert executed_calls(workload, workload.make(10)) == 5


def test_a_share_is_between_nothing_and_all():
    workload = next(each for each in WORKLOADS if each.name == "jacobi_1d")
    fast = optimised(workload.fresh())
    for _ in range(3):
        fast(*workload.make(workload.small))
    share, codes = captured_share(workload, fast, Case(workload, workload.small).arguments())
    assert 0.0 <= share <= 1.0
    assert codes == []
