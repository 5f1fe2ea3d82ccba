"""check(fn, *args): eager and optimised, several calls each, compared fact by fact.

The first call records types, later calls run compiled regions, so all of them are compared. Each
run gets its own copies of the arguments, and of the globals and cells that the function can reach.
"""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np

import dyntrace
from dyntrace import config
from dyntrace.verification.compare import difference, run
from dyntrace.verification.snapshot import World, copies

WAYS = {
    "optimize": (dyntrace.optimize, contextlib.nullcontext),
    "reference": (lambda fn: dyntrace.optimize(fn, backend="reference"), contextlib.nullcontext),
    "hook": (lambda fn: fn, dyntrace.optimize),
}
_chosen = ["optimize"]


def choose(way):
    """How `optimised` works from now on: one of WAYS."""
    _chosen[:] = [way]


def optimised(fn):
    """`fn` optimised in the chosen way; through the hook, a function is left as it is."""
    return WAYS[_chosen[0]][0](fn)


def around():
    """What optimised calls run inside of: a `with optimize()` block if the hook was chosen."""
    return WAYS[_chosen[0]][1]()


def check(
    fn,
    *args,
    calls=4,
    captured=None,
    breaks=None,
    make=None,
    kwargs=None,
    drive=None,
    action="always",
):
    """Fail unless `calls` optimised calls of `fn` do what the eager ones do.

    make      a callable that builds the tuple of arguments anew for each run, instead of copies
    drive     applied to the result inside the run: `list` for generators, a runner for coroutines
    captured  the least number of captured operations, or names of operations that graphs must hold
    breaks    codes of the break catalogue that `explain` must list; `()` means not one break
    """
    __tracebackhide__ = True
    check_calls(fn, [args] * calls, make=make, kwargs=kwargs, drive=drive, action=action)
    if captured is not None or breaks is not None:
        found = explanation(fn, *(make() if make else args), kwargs=kwargs, drive=drive)
        _require_captured(found, captured)
        _require_breaks(found, breaks)


def check_calls(fn, arguments, *, make=None, kwargs=None, drive=None, action="always", fast=None):
    """Compare one optimised function with `fn` over a sequence of calls with these arguments."""
    __tracebackhide__ = True
    fast = fast or optimised(fn)
    world = World.around(fn)
    random = np.random.get_state(legacy=False)
    eager_drive, fast_drive = _driven(fn, drive), _driven(fast, drive)
    try:
        for call, args in enumerate(arguments, 1):
            outcomes = []
            for one, inside in ((eager_drive, contextlib.nullcontext), (fast_drive, around)):
                fresh, keywords = _inputs(world, args, make, kwargs)
                np.random.set_state(random)
                with inside():
                    outcomes.append(run(one, fresh, keywords, world, action=action))
            found = difference(*outcomes)
            lines = "\n  ".join(found)
            assert not found, f"call {call}: eager != optimised\n  {lines}"
    finally:
        world.set(world.held)


def _inputs(world, args, make, kwargs):
    """Arguments for one run, and the globals they belong to put in place."""
    if make is not None:
        world.set(copies(world.held))
        return tuple(make()), dict(kwargs or {})
    fresh = copies((*world.held, tuple(args), dict(kwargs or {})))
    world.set(fresh[:-2])
    return fresh[-2], fresh[-1]


def _driven(fn, drive):
    if drive is None:
        return fn

    def driven(*args, **kwargs):
        return drive(fn(*args, **kwargs))

    return driven


def explanation(fn, *args, kwargs=None, drive=None):
    """What `explain` says of a call on copies of `args`, the call's own output and errors dropped.

    A coroutine is first driven to its end through the optimised function that is then explained;
    so are all functions where running frames cannot be moved into new code.
    """
    world = World.around(fn)
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
        np.errstate(),
    ):
        warnings.simplefilter("ignore")
        try:
            if drive is not None or not config.native:
                fn = dyntrace.optimize(fn)
            for _ in range(0 if config.native and drive is None else 3):
                fresh, keywords = _inputs(world, args, None, kwargs)
                (drive or (lambda result: result))(fn(*fresh, **keywords))
            fresh, keywords = _inputs(world, args, None, kwargs)
            return dyntrace.explain(fn)(*fresh, **keywords)
        finally:
            world.set(world.held)


def operations(found):
    """The names of all captured operations, graph by graph, effects included."""
    for report in found.graphs:
        graph = report.graph
        yield from (node.op.name for node in graph.nodes)
        if graph.effect is not None:
            yield graph.effect.op.name


def _require_captured(found, captured):
    __tracebackhide__ = True
    if captured is None:
        return
    names = list(operations(found))
    if isinstance(captured, int):
        assert len(names) >= captured, f"captured {names}, expected {captured}\n{found}"
        return
    missing = list(captured)
    for name in names:
        if name in missing:
            missing.remove(name)
    assert not missing, f"not captured: {missing}; captured: {names}\n{found}"


def _require_breaks(found, breaks):
    __tracebackhide__ = True
    if breaks is None:
        return
    codes = [item.code for item in found.break_reasons]
    if not breaks:
        assert not codes, f"unexpected breaks {codes}\n{found}"
    assert set(breaks) <= set(codes), f"breaks {codes}, expected {breaks}\n{found}"
