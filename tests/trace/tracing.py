"""What the tests of the tracer share: one trace, or a whole analysis, of a function on arguments."""

from __future__ import annotations

import inspect

from dyntrace.graph.describe import describe
from dyntrace.graph.verify import verify
from dyntrace.trace.analysis import explore
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.interpreter import trace_region
from dyntrace.trace.regions.tracer import RegionTracer
from dyntrace.trace.state import State


class NoCopies:
    """Callees are left as they are."""

    def copy_of(self, function):
        return None

    def maker_of(self, code, namespace):
        return None


def entry_state(facts, function, args):
    """The state that the first stub of a call with these arguments shows."""
    cells = iter(function.__closure__ or ())
    bound = inspect.signature(function).bind(*args)
    bound.apply_defaults()
    values = iter(bound.arguments.values())
    return State(
        {
            index: describe(next(cells).cell_contents if is_cell else next(values))
            for index, is_cell in facts.entry_slots
        },
        (),
    )


def trace(function, *args):
    """The first region of `function`, from its entry to what stops it."""
    facts = CodeFacts.of(function.__code__)
    state = entry_state(facts, function, args)
    return trace_region(facts.body, function.__globals__, facts.first, state, facts.heads)


def analyse(function, *args, profile=None, copies=None):
    """The analysis of all of `function`; graphs of its plans are verified."""
    facts = CodeFacts.of(function.__code__)
    tracer = RegionTracer(facts, function.__globals__, copies or NoCopies())
    analysis = explore(
        tracer, [(facts.first, entry_state(facts, function, args))], profile or {}, {}
    )
    for plan in plans(analysis):
        verify(plan.region.graph)
    return analysis


def plans(analysis):
    """The plans in the order of the bytecode."""
    return [plan for start in sorted(analysis.plans) for plan in analysis.plans[start]]


def operations(region):
    """The names of the operations, the effect last."""
    graph = region.graph
    effect = [graph.effect] if graph.effect is not None else []
    return [node.op.name for node in [*graph.nodes, *effect]]


def steps(region):
    """Each read with its guard: the source's type, then the guard's name."""
    return [(type(step.source).__name__, step.guard.op) for step in region.steps]


def line_in(function, lineno):
    """A line number counted from the function's `def`."""
    return lineno - function.__code__.co_firstlineno


def line_of_end(found):
    """The line of the unit that was not absorbed, counted from the function's `def`."""
    body = found.frame.body
    return body.units[found.end].location.line - body.code.co_firstlineno
