"""What the tests of serving share: what a service has done."""

import sys

import pytest

from dyntrace.report.collect import stats_of
from dyntrace.runtime.handles import Handle

monitored = pytest.mark.skipif(
    not hasattr(sys, "monitoring"), reason="running frames are moved by sys.monitoring, from 3.12"
)


def warmed(service, function, *args):
    """Have `function` served as warm, and called once; what the call gave."""
    assert service.warm(function.__code__, function, function.__globals__) is True
    return function(*args)


def has_regions(function):
    return any(type(constant) is Handle for constant in function.__code__.co_consts)


def region_calls(service):
    return stats_of(list(service.family.units())).graph_calls
