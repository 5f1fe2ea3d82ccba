"""Cases, results and saved files made up for tests."""

from bench.result import Result
from bench.store import Saved
from bench.timing import Pairs
from bench.workload import Case, Workload


def double(x):
    return x + x


def fill(x):
    x[:] = 0.0


def case(function=double, make=None, size=4, **keywords):
    import numpy as np

    make = make or (lambda size: (np.ones(size),))
    return Case(Workload(function.__name__, function, make, sizes=(size,), **keywords), size)


def pairs(*ratios, loops=1):
    return Pairs([float(ratio) for ratio in ratios], [1.0] * len(ratios), loops)


def result(name, *ratios, **keywords):
    return Result(name, "synthetic", pairs=pairs(*ratios), **keywords)


def saved(name, *ratios):
    return {name: Saved(name, pairs(*ratios), {})}
