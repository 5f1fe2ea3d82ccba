"""What the tests of serving share: what a service has done."""

import dyntrace._sampler as _sampler
from dyntrace.report.collect import stats_of
from dyntrace.runtime.handles import Handle

# A frame of warm code that calls it goes on in compiled code at its next jump backward: on 3.11,
# where it does what a look does; later versions need no such call.
reach_now = getattr(_sampler, "reach_now", int)


def warm_running(service, code, function, namespace):
    """Have `code`, which a frame of the caller's stack runs, be served; `reach_now` comes next."""
    assert service.warm(code, function, namespace) is not False


def warmed(service, function, *args):
    """Have `function` served as warm, and called once; what the call gave."""
    assert service.warm(function.__code__, function, function.__globals__) is True
    return function(*args)


def has_regions(function):
    return any(type(constant) is Handle for constant in function.__code__.co_consts)


def region_calls(service):
    return stats_of(list(service.family.all_compiled())).graph_calls
