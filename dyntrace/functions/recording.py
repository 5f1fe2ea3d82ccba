"""Recording: what stubs tell of a running program, and what is compiled for it.

`enter` is told the arguments of the first call, `enter_again` those of later calls of a function
without regions, `note` what instructions pushed; `serve` is asked by the sampler about frames of
the original. Each answers where the frame goes on, or None if it stays. Invariant: an internal
error gives the compiled code up and never reaches the program (`runtime.containment`). Read
`functions.recorders` for what stubs call, `compile` for the next version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dyntrace.breaks import GIVEN_UP
from dyntrace.functions import stages
from dyntrace.functions.full_graph import demand_full_graph
from dyntrace.functions.judging import JUDGED_CALLS, WATCHED_CALLS
from dyntrace.functions.pacing import COMPILING
from dyntrace.functions.recorders import recorder
from dyntrace.functions.states import entry_state, state_of_frame
from dyntrace.functions.versions import Landing
from dyntrace.functions.waiting import may_compile
from dyntrace.runtime.containment import contained
from dyntrace.trace.analysis import Analysis
from dyntrace.weaving.weave import Recorders

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode

__all__ = ["enter", "enter_again", "first_recorder", "note", "review", "serve"]

POP_TOP_SIZE = 2  # bytes; a frame that comes without a recorder's result has nothing to drop


def first_recorder(compiled: CompiledCode) -> Callable[..., None]:
    """What the first version shows the arguments of a call to."""
    return recorder(compiled, enter, -1)


def review(compiled: CompiledCode, analysis: Analysis) -> Recorders:
    """Keep what `analysis` found; what the version made from it is to learn.

    GraphBreakError if a full graph is demanded and there is none.
    """
    knowledge, recorders = compiled.knowledge, analysis.recorders
    stages.traced(compiled, analysis)
    knowledge.keep(analysis)
    if compiled.fullgraph:
        demand_full_graph(compiled.original, analysis.facts.body, knowledge.breaks)
    given_up = compiled.pace.gives_up(fruitful=bool(analysis.plans))
    if given_up or not compiled.versions.may_learn():
        recorders = {}
        knowledge.note(f"{GIVEN_UP.code}: {GIVEN_UP.text}")
    knowledge.stops.update((point, place.at) for point, place in recorders.items())
    calls = JUDGED_CALLS if recorders else WATCHED_CALLS
    watches = not (given_up or analysis.finds_work()) and knowledge.visits < calls
    return Recorders(
        recorders,
        lambda point: recorder(compiled, note, point),
        recorder(compiled, enter_again, -1) if watches else None,
        frozenset(knowledge.stops.values()),
    )


@contained(None)
def enter(compiled: CompiledCode, point: int, values: tuple[Any, ...]) -> Landing | None:
    """The first call: learn the kinds of its arguments and compile."""
    facts, versions = compiled.facts, compiled.versions
    assert facts is not None
    if compiled.given_up or versions.count:
        return versions.landing(facts.first)
    if compiled.is_cold and not facts.heads:
        compiled.is_cold = False  # without a loop, one call alone gains less than compiling takes
        return None
    if not compiled.pace.is_free():
        return None  # the budget has been asked before the stub was put to use
    with COMPILING, compiled.pace:
        if not versions.count:
            compiled.knowledge.starts.append((facts.first, entry_state(facts, values)))
            compiled.compile()
    return versions.landing(facts.first)


@contained(None)
def enter_again(compiled: CompiledCode, point: int, values: tuple[Any, ...]) -> Landing | None:
    """A later call of a function without regions: other arguments may bring array work."""
    facts, knowledge, versions = compiled.facts, compiled.knowledge, compiled.versions
    assert facts is not None
    knowledge.visits += 1
    state = entry_state(facts, values) if knowledge.visits <= WATCHED_CALLS else None
    is_new = state is not None and knowledge.is_new_call(state)
    watched = JUDGED_CALLS if versions.newest.recorders - {-1} else WATCHED_CALLS
    due = is_new or knowledge.visits >= watched
    if compiled.given_up or not due or not may_compile(compiled):
        return None
    with COMPILING, compiled.pace:
        if compiled.knowledge is not knowledge:
            return None  # a reset has come
        if state is not None and is_new:
            knowledge.starts.append((facts.first, state))
        compiled.compile()
    return versions.landing(facts.first)


@contained(None)
def note(compiled: CompiledCode, point: int, values: tuple[Any, ...]) -> Landing | None:
    """What the unit `point` pushed; a second visit means that compiling again pays."""
    if compiled.given_up:
        return None
    knowledge, versions = compiled.knowledge, compiled.versions
    count = knowledge.profile.record(point, values)
    if count >= 2 and may_compile(compiled):
        with COMPILING, compiled.pace:
            if compiled.knowledge is not knowledge:
                return None  # a reset has come
            if compiled.pace.waits or point in versions.newest.recorders:
                compiled.compile()
    newest = versions.newest
    if point in newest.recorders:
        return None
    return versions.landing(knowledge.stops[point], newest)


@contained(None)
def serve(
    compiled: CompiledCode,
    offset: int | None,
    values: Mapping[int, Any],
    stack: tuple[Any, ...],
) -> Landing | None:
    """Where a frame of the original goes on that has started, or stands at a loop's head.

    `offset` is the head's byte offset, None at the start; `values` are those of the slots that
    are bound, by index; in `stack` Ellipsis stands for NULL.
    """
    facts, versions = compiled.facts, compiled.versions
    if compiled.given_up or facts is None:
        return None
    at = facts.first if offset is None else facts.unit_at(offset)
    if at is None:
        return None
    if at not in versions.newest.landings and may_compile(compiled):
        with COMPILING, compiled.pace:
            compiled.knowledge.stops[-2 - at] = at
            compiled.knowledge.add_start(at, state_of_frame(facts, at, values, stack))
            compiled.compile()
    landing = versions.landing(at) if versions.count else None
    return None if landing is None else (landing[0], landing[1] + POP_TOP_SIZE)
