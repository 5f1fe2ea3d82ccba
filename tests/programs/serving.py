"""What the tests of serving share: what a service has done."""

import dyntrace._sampler as _sampler
from dyntrace.report.collect import stats_of
from dyntrace.runtime.handles import Handle

_reach_now = getattr(_sampler, "reach_now", None)


def warm_running(service, code, function, namespace):
    """Have `code`, which a frame of the caller's stack runs, go on in compiled code."""
    assert service.warm(code, function, namespace) is not False
    if _reach_now is not None:
        _reach_now()  # on 3.11, as a look would


def warmed(service, function, *args):
    """Have `function` served as warm, and called once; what the call gave."""
    assert service.warm(function.__code__, function, function.__globals__) is True
    return function(*args)


def has_regions(function):
    return any(type(constant) is Handle for constant in function.__code__.co_consts)


def region_calls(service):
    return stats_of(list(service.family.all_compiled())).graph_calls
