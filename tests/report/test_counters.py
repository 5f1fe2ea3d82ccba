"""The counts of a report are exact: programs of which it is known how often each graph ran."""

import warnings
from itertools import count, cycle

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.report.collect import sizes
from dyntrace.runtime import region as python
from dyntrace.runtime.causes import Cause
from dyntrace.runtime.handles import set_clock
from tests.runtime.conftest import NATIVE

A = np.arange(1.0, 9.0)


def doubled(a):
    return a * 2 + 1


def often(a):
    for _ in range(20):
        b = a * 0.5 + a
    return b


def guarded(a, b):
    try:
        return a * 2 + b
    except ValueError:
        return None


def by_zero(a, b):
    return a / b + a


def written(a):
    a[a > 2] = 0.0
    return a


FIT, UNFIT = (A, A), (A, A[:3])
# name: function, argument lists of the calls, (runs, deopts, misses, learnt)
KNOWN = {
    "calls of one kind": (doubled, [(A,)] * 7, (7, 0, 0, 0)),
    "rounds of a loop": (often, [(A,)] * 2, (40, 0, 0, 0)),
    "another kind is learnt": (doubled, [(A,)] * 3 + [(A.astype("f4"),)] * 4, (7, 0, 1, 1)),
    "three kinds": (doubled, [(A.astype(t),) for t in "dfdigd" * 2], (12, 0, 3, 3)),
    "a failure is replayed": (guarded, [FIT] * 9 + [UNFIT] + [FIT] * 2, (11, 1, 0, 0)),
    "flags are replayed": (by_zero, [FIT] * 9 + [(A, A * 0)] + [FIT], (10, 1, 0, 0)),
    "an effect alone": (written, [(A.copy(),) for _ in range(5)], (5, 0, 0, 0)),
}


def run(function, calls):
    fast = dyntrace.optimize(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for args in calls:
            fast(*args)
    return fast


def found_of(fast):
    return dyntrace.api.explanation_of(fast, fast)


@pytest.mark.parametrize("name", KNOWN)
def test_counts_of_known_programs(name):
    function, calls, (runs, deopts, misses, learnt) = KNOWN[name]
    if not config.native and function is often:
        runs -= 20  # the first call goes on in its first code
    if not config.native and function is not often:
        runs -= 1
    fast = run(function, calls)
    stats = dyntrace.stats(fast)
    assert (stats.graph_runs, stats.deopts, stats.misses, stats.learnt) == (
        runs,
        deopts,
        misses,
        learnt,
    )
    assert stats.graph_calls == runs + deopts + misses - learnt
    assert (stats.declined, stats.compared, stats.retired) == (0, 0, 0)
    (graph,) = found_of(fast).graphs
    assert (graph.runs, graph.deopts, graph.misses) == (runs, deopts, misses - learnt)
    assert graph.executed == graph.op_count * runs


def test_kinds_that_are_no_more_learnt_are_missed():
    def program(x):
        return x * 2 + x

    arrays = [np.ones((1,) * ndim, char) for ndim in range(4) for char in "bhilBHIfd"]
    fast = run(program, [(x,) for x in arrays])
    (graph,) = found_of(fast).graphs
    assert graph.runs + graph.misses == len(arrays) - (not config.native)
    assert graph.misses == len(arrays) - len(graph.entries) > 0
    assert f"missed {graph.misses} times (inputs of other kinds)" in str(found_of(fast))


def test_what_failed_is_told_by_cause():
    found = found_of(run(by_zero, [FIT] * 9 + [(A, A * 0)] + [FIT]))
    runs = 10 - (not config.native)
    assert f"ran {runs} times, replayed once (floating-point flags)" in str(found)
    assert f"ran {runs} times, replayed once (floating-point flags)" in found.to_html()
    found = found_of(run(guarded, [FIT] * 9 + [UNFIT]))
    assert "replayed once (failing operations)" in str(found)


class Clock:
    """Reads the times of `ticks` in turn, as differences."""

    def __init__(self, ticks):
        self.ticks, self.time = cycle(ticks), 1000

    def __call__(self):
        self.time += next(self.ticks)
        return self.time


# What passes between the readings of four calls: region, original, original, region.
SLOWER = [0, 300, 0, 0, 100, 0, 0, 100, 0, 300]


@pytest.fixture
def slower_regions(monkeypatch):
    monkeypatch.setattr(config, "measure", True)
    set_clock(Clock(SLOWER))
    yield
    set_clock(None)


def test_a_lost_comparison_is_told_and_its_calls_are_not_the_graphs(slower_regions):
    fast = run(often, [(A,)] * 10)
    stats = dyntrace.stats(fast)
    (graph,) = found_of(fast).graphs
    calls = 200 - 20 * (not config.native)
    assert graph.compared == 10 and graph.declined > 100
    assert graph.calls == graph.runs == stats.graph_calls == stats.graph_runs
    assert graph.runs + graph.compared + graph.declined == calls
    assert (stats.declined, stats.compared) == (graph.declined, graph.compared)
    assert graph.executed == 2 * graph.runs
    text = str(found_of(fast))
    assert "left out 10 times to measure the original instructions" in text
    assert "lost the comparison on inputs 64 bytes to 256 bytes" in text
    assert f"declined {graph.declined} times since it is slower there" in text


def test_a_retired_graph_is_told_with_what_it_had_done():
    def program(a, b):
        for _ in range(10):
            try:
                a = a + b * 2
            except ValueError:
                pass
        return a

    found = found_of(run(program, [FIT, FIT, UNFIT]))
    (item,) = found.retired
    assert (found.graphs, item.code) == ([], "DT703")
    assert (item.graph.runs, item.graph.deopts) == (20 - 10 * (not config.native), 3)
    text = str(found)
    assert "All its graphs were given up, so the original instructions run." in text
    assert f"ran {item.graph.runs} times, replayed 3 times (failing operations)" in text
    assert "All its graphs were given up" in found.to_html()
    assert "replayed 3 times (failing operations)" in found.to_html()


def test_graphs_that_never_ran_are_said_not_to_have_run():
    def program(a, flag):
        if flag:
            return a * 2 + 1
        return None

    found = dyntrace.explain(program)(A, False)
    assert found.graphs
    assert "No graph has run yet: none was reached after it was made." in str(found)


def test_graphs_that_never_came_to_their_end_are_said_so():
    def program(a, b):
        return a + b * 2

    fast = dyntrace.optimize(program)
    for _ in range(2):
        with pytest.raises(ValueError, match="broadcast"):
            fast(*UNFIT)
    assert "No graph has run to its end" in str(found_of(fast))


def test_runs_of_versions_since_replaced_are_in_a_note():
    numbers = count()

    def program(a, kinds):
        total = 0.0
        for kind in kinds:
            next(numbers)
            total = total + a.astype(kind).sum()
        return total

    fast = run(program, [(A, ["d"] * 4), (A.reshape(2, 4), ["f"] * 4)])
    found, stats = found_of(fast), dyntrace.stats(fast)
    listed = sum(graph.runs for graph in found.graphs)
    retired = sum(item.graph.runs for item in found.retired)
    noted = [int(n) for note in found.notes for n in note.split() if n.isdigit()]
    assert listed + retired + sum(noted) == stats.graph_runs


@pytest.mark.parametrize(
    "buckets, words",
    [
        ((), ""),
        ((0,), "without arrays"),
        ((1,), "under 4 bytes"),
        ((0, 1, 2, 3, 4), "under 256 bytes"),
        ((4,), "64 bytes to 256 bytes"),
        ((6, 7), "1 KiB to 16 KiB"),
        ((3, 11), "16 bytes to 64 bytes, 1 MiB to 4 MiB"),
    ],
)
def test_sizes_of_lost_comparisons_in_words(buckets, words):
    assert sizes(buckets) == words


RUNTIMES = [python] if NATIVE is None else [python, NATIVE]
ANY, NUMBER = (
    ("argument", 0, None, guard, kind, None) for guard, kind in (("none", None), ("exact", int))
)


def answer(x):
    if x == 1:
        raise FloatingPointError
    if x == 2:
        raise ValueError
    return None if x == 3 else x


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_region_counts_each_call_once(runtime):
    region = runtime.Region([((NUMBER,), (0,), answer, False)])

    def learn(missed, args):
        if args == ("new",):
            missed.add(((ANY,), (0,), lambda x: (x,), False))
            return True
        return False

    region.on_miss = learn
    for value in [0, 1, 2, 2, 3, "old", "new", "old", 0]:
        region.handle(value)
    assert region.calls == 9
    assert region.runs == (1, 3)
    assert (region.misses, region.learnt, region.skips, region.compared) == (2, 1, 0, 0)
    expected = {Cause.FLOATING: 1, Cause.ERRORS: 2, Cause.DECLINED: 1}
    assert region.replays == tuple(expected.get(cause, 0) for cause in Cause)
    assert region.deopts == sum(region.replays) == 4
    assert sum(region.runs) + region.deopts + region.misses - region.learnt == region.calls


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_call_that_is_interrupted_is_no_run(runtime):
    def interrupted(x):
        raise KeyboardInterrupt

    region = runtime.Region([((ANY,), (0,), interrupted, False)])
    with pytest.raises(KeyboardInterrupt):
        region.handle(1)
    assert (region.runs, region.deopts, region.misses) == ((0,), 0, 0)
