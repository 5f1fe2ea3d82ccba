"""CompiledCode: one code object with one globals dict, and all that dyntrace makes of it.

It starts as the original code with a stub that shows the arguments of the first call. From their
kinds it plans regions, weaves them in, and moves the running frame over; recorders in the woven
code learn what was unknown, and a later version uses it. Regions that meet other kinds of inputs
get more entries. Invariant: woven code holds its regions weakly; `CompiledCode`, owned by the
functions that run the code, holds them strongly. It keeps neither the user's code nor its globals
alive. Read `weaving.weave` next.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Mapping
from types import CodeType, FrameType, FunctionType
from typing import Any

from dyntrace.breaks import GIVEN_UP, NOT_WOVEN
from dyntrace.budget import UNLIMITED, Budget
from dyntrace.errors import AssemblyError
from dyntrace.functions import stages
from dyntrace.functions.full_graph import demand_full_graph
from dyntrace.functions.garbage import rare_collections
from dyntrace.functions.judging import JUDGED_CALLS, WATCHED_CALLS, all_retired, gains_nothing
from dyntrace.functions.pacing import COMPILING, Pace
from dyntrace.functions.profile import Profile
from dyntrace.functions.recorders import recorder
from dyntrace.functions.states import (
    contents_of,
    has_arrays,
    is_among,
    state_of_frame,
    with_arguments,
)
from dyntrace.functions.varying import varying_in
from dyntrace.graph.describe import describe
from dyntrace.graph.identity import Namespace
from dyntrace.record import replace
from dyntrace.runtime.containment import contained
from dyntrace.runtime.handles import NATIVE, Region
from dyntrace.trace.analysis import Analysis, FoundBreak
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.marks import remember_original
from dyntrace.trace.regions.builder import Varying
from dyntrace.trace.regions.paths import Path, RegionPlan, unaffected_paths
from dyntrace.trace.regions.worth import LeftAlone
from dyntrace.trace.semantics.optimised_copies import Copies
from dyntrace.trace.state import State
from dyntrace.weaving import weave
from dyntrace.weaving.bypasses import CLOSED, OPEN, Bypasses, state_of_bypass
from dyntrace.weaving.weave import RegionRecord, Regions, Woven

__all__ = ["CompiledCode"]

MAX_VERSIONS, MAX_ENTRIES, MAX_MISSES = 8, 16, 48
MISSES_FOR_OTHERS = 5  # that a miss counts for which another region at the place serves
MAX_STATES = 4
POP_TOP_SIZE = 2  # bytes; a frame that comes without a recorder's result has nothing to drop
NO_PATHS: Mapping[int, list[Path]] = {}

Landing = tuple[CodeType, int]


class CompiledCode:
    """See the module's text. `code` is what its functions run now."""

    def __init__(
        self,
        original: CodeType,
        namespace: dict[str, Any],
        *,
        compile_graph: Callable[..., Any],
        fullgraph: bool = False,
        copies: Copies,
        budget: Budget = UNLIMITED,
        on_new_code: Callable[[CodeType], None] | None = None,
    ) -> None:
        self._original = weakref.ref(original)
        self._copy = original.replace()
        self.name = original.co_qualname
        self.globals = Namespace(namespace)
        self.fullgraph = fullgraph
        self.copies = copies
        self.pace = Pace(budget, len(original.co_code))
        self.on_new_code = on_new_code
        self.functions: weakref.WeakSet[FunctionType] = weakref.WeakSet()
        self.callers: weakref.WeakSet[CompiledCode] = weakref.WeakSet()
        self.callees: weakref.WeakSet[CompiledCode] = weakref.WeakSet()
        self.profile = Profile()
        self.regions = Regions(compile_graph, self.on_miss, self.on_retire, self.on_rest)
        self.bypasses = Bypasses()
        self.starts: list[tuple[int, State]] = []
        self.paths: dict[int, list[Path]] = {}
        self.places: dict[int, int] = {}
        self.breaks: list[FoundBreak] = []
        self.left_alone: list[LeftAlone] = []
        self.notes: list[str] = []
        self.generation = 0
        self.version = 0
        self.visits = 0
        self.compiles = 0
        self.replacements = 0
        self.given_up = self.calls_stay = self.is_cold = False
        self.varying: Varying = frozenset()
        self.facts: CodeFacts | None = None
        self.woven = Woven(self._copy)
        self.woven = self._first_version()

    @property
    def code(self) -> CodeType:
        """What its functions run now."""
        return self.original if self.woven.is_idle() else self.woven.code

    @property
    def original(self) -> CodeType:
        """The user's code, which nothing here keeps alive, or an equal copy after its end."""
        return self._original() or self._copy

    def namespace(self) -> dict[str, Any] | None:
        """The globals: of the function that is running, of one optimised, or of their module."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and id(frame.f_globals) != self.globals.address:
            frame = frame.f_back
        if frame is not None:
            return frame.f_globals
        found = (function.__globals__ for function in list(self.functions))
        return self.globals.find(next(found, None))

    # versions ---------------------------------------------------------------------------------

    @contained(None)
    @rare_collections()
    def _first_stub(self) -> Woven | None:
        """The original with a stub that shows the arguments of the first call."""
        try:
            self.facts = CodeFacts.of(self._copy)
        except AssemblyError as error:
            self.given_up = True
            self.notes.append(f"{NOT_WOVEN.code}: {NOT_WOVEN.text} ({error})")
            return Woven(self._copy)
        return weave.first_version(self.facts, recorder(self, CompiledCode.enter, -1))

    def _first_version(self) -> Woven:
        """The first stub's code; the original where that fails."""
        return self._first_stub() or Woven(self._copy)

    @contained(None)
    def enter(self, point: int, values: tuple[Any, ...]) -> Landing | None:
        """The first stub of a call in the first code: learn its arguments and compile."""
        assert self.facts is not None
        if self.given_up or self.version:
            return self._landing(self.facts.first)
        if self.is_cold and not self.facts.heads:
            self.is_cold = False  # without a loop, one call alone gains less than compiling takes
            return None
        if not self.pace.is_free():
            return None  # the budget has been asked before the stub was put to use
        with COMPILING, self.pace:
            if not self.version:
                self.starts.append((self.facts.first, self._entry_state(values)))
                self.compile()
        return self._landing(self.facts.first)

    def _may_compile(self) -> bool:
        """Whether this is the moment; if there is no time, the original runs until there is.

        Regions at work stay at work, recorders are jumped over, and what was learnt is kept.
        """
        free, affords = self.pace.is_free(), self.pace.affords()
        if free and not affords and not self.pace.waits:
            self._move_recorders(CLOSED)
            if not self.woven.layouts and not self.woven.is_idle():
                self._run(Woven(self._copy))
            self.pace.wait()
        return free and affords

    def _move_recorders(self, state: int) -> None:
        """Have frames of every version pass by the recorders, or come to them again."""
        code = self.bypasses.move(None, state, self.woven.code)
        if code is not self.woven.code:
            self._run(replace(self.woven, code=code))

    def _wait_no_longer(self) -> None:
        """Frames that passed recorders by come to them again, and so to newer code."""
        if self.pace.waits:
            self.pace.waits = False
            self._move_recorders(OPEN)

    def go_on(self) -> None:
        """Have calls come to `enter` or to newer code, if that had to wait and can be now."""
        if self.pace.waits and not self.given_up and self._may_compile():
            self._wait_no_longer()
            if self.version:
                self.compile_now()
            else:
                self._run(self._first_version())

    @contained(None)
    def compile_now(self) -> None:
        with COMPILING, self.pace:
            self.compile()

    @contained(None)
    def serve(
        self, offset: int | None, values: Mapping[int, Any], stack: tuple[Any, ...]
    ) -> Landing | None:
        """Where a frame of the original goes on that has started, or stands at a loop's head.

        `offset` is the head's byte offset, None at the start; `values` are those of the slots that
        are bound, by index; in `stack` Ellipsis stands for NULL.
        """
        if self.given_up or self.facts is None:
            return None
        at = self.facts.first if offset is None else self.facts.unit_at(offset)
        if at is None:
            return None
        if at not in self.woven.landings and self._may_compile():
            with COMPILING, self.pace:
                self.places[-2 - at] = at
                self._add_start(at, state_of_frame(self.facts, at, values, stack))
                self.compile()
        landing = self._landing(at) if self.version else None
        return None if landing is None else (landing[0], landing[1] + POP_TOP_SIZE)

    def _add_start(self, at: int, state: State) -> None:
        same_place = [known for unit, known in self.starts if unit == at]
        if state not in same_place and len(same_place) < MAX_STATES:
            self.starts.append((at, state))

    @contained(None)
    def enter_again(self, point: int, values: tuple[Any, ...]) -> Landing | None:
        """A later call of a function without regions: other arguments may bring array work."""
        assert self.facts is not None
        self.visits += 1
        state = self._new_state(values) if self.visits <= WATCHED_CALLS else None
        due = state is not None or self.visits >= self._watched_calls()
        if self.given_up or not due or not self._may_compile():
            return None
        with COMPILING, self.pace:
            if state is not None:
                self.starts.append((self.facts.first, state))
            self.compile()
        return self._landing(self.facts.first)

    def _new_state(self, values: tuple[Any, ...]) -> State | None:
        """The state of a call that brings arrays of kinds not seen before, within limits."""
        state, known = self._entry_state(values), [start for _, start in self.starts]
        is_new = state not in known and len(known) < MAX_STATES and has_arrays(state)
        return state if is_new else None

    def _watched_calls(self) -> int:
        """How many calls of a function without regions are watched."""
        return JUDGED_CALLS if self.woven.recorders - {-1} else WATCHED_CALLS

    def _entry_state(self, values: tuple[Any, ...]) -> State:
        assert self.facts is not None
        slots = {
            index: contents_of(value) if is_cell else describe(value)
            for (index, is_cell), value in zip(self.facts.entry_slots, values, strict=True)
        }
        return State(slots, ())

    @contained(None)
    def note(self, point: int, values: tuple[Any, ...]) -> Landing | None:
        """A recorder's news; a second visit means that compiling again pays."""
        if self.given_up:
            return None
        count = self.profile.record(point, values)
        if count >= 2 and self._may_compile():
            with COMPILING, self.pace:
                if self.pace.waits or point in self.woven.recorders:
                    self.compile()
        woven = self.woven
        return None if point in woven.recorders else self._landing(self.places[point], woven)

    def _landing(self, unit: int, woven: Woven | None = None) -> Landing | None:
        """Where a frame that stands before `unit` goes on in the newest code."""
        woven = woven or self.woven
        if not NATIVE or unit not in woven.landings:
            return None
        return woven.code, woven.landings[unit]

    @rare_collections()
    def compile(self) -> None:
        """Analyse with everything known now, weave, and put the new code to use."""
        assert self.facts is not None
        namespace = self.namespace()
        if namespace is None:
            return  # nothing can be running
        analysis = self._analysis(namespace, self.paths)
        analysis.run(self.starts)
        stages.traced(self, analysis)
        self.paths = analysis.paths
        self.breaks = list(analysis.breaks.values())
        self.left_alone = list(analysis.left_alone.values())
        if self.fullgraph:
            demand_full_graph(self.original, self.facts.body, self.breaks)
        given_up = self.pace.gives_up(fruitful=bool(analysis.plans))
        if given_up or self.version >= MAX_VERSIONS:
            analysis.recorders.clear()
            note = f"{GIVEN_UP.code}: {GIVEN_UP.text}"
            if note not in self.notes:
                self.notes.append(note)
        self.places.update((point, found.at) for point, found in analysis.recorders.items())
        calls = JUDGED_CALLS if analysis.recorders else WATCHED_CALLS
        watched = not (given_up or analysis.finds_work()) and self.visits < calls
        self._install(
            weave.weave(
                self.facts,
                analysis,
                self.regions,
                lambda point: recorder(self, CompiledCode.note, point),
                recorder(self, CompiledCode.enter_again, -1) if watched else None,
                frozenset(self.places.values()),
            )
        )

    def _analysis(
        self, namespace: dict[str, Any], earlier: Mapping[int, list[Path]] = NO_PATHS
    ) -> Analysis:
        assert self.facts is not None
        seen = self.profile.results
        return Analysis(self.facts, namespace, seen, self.copies, self.varying, earlier)

    def _install(self, woven: Woven) -> None:
        """Put a version to use; `woven` changes in one step, whatever interrupts this."""
        self.version += 1
        self.compiles += 1
        self._wait_no_longer()
        self.profile.changed = False
        self.bypasses.add(woven.code, woven.bypasses)
        self._run(woven)
        stages.woven(self, woven)
        for layout in woven.layouts:
            known = self.regions.of_layout(layout)
            if known is not None and (known.region.retired or known.region.resting):
                self._move_bypasses(known, state_of_bypass(known.region))

    def _run(self, woven: Woven) -> None:
        """Have every function run `woven`, but those that the user has given other code."""
        old, self.woven = self.code, woven
        remember_original(woven.code, self.original)
        for function in list(self.functions):
            if function.__code__ is old:
                function.__code__ = self.code
        if self.on_new_code is not None:
            self.on_new_code(self.code)
        self._tell_callers()

    def _tell_callers(self) -> None:
        """Have calls of it stay as they are, if it has come to have nothing to gain."""
        self.calls_stay = self.has_nothing_to_gain()
        for caller in list(self.callers) if self.calls_stay else ():
            caller.call_plainly()

    def call_plainly(self) -> None:
        """Leave calls of functions without anything to gain as they are, in code that runs too."""
        plain = [one.original for one in list(self.callees) if one.has_nothing_to_gain()]
        for known in self.regions.all():
            if not known.does_work() and all(p.region.replaces(plain) for p in known.plans):
                self.regions.forget(known)
                self._move_bypasses(known, CLOSED)

    def give_up(self) -> None:
        """Run the original code from now on."""
        self.given_up = True
        self._run(Woven(self._copy))

    # misses -------------------------------------------------------------------------------------

    @contained(False)
    def on_miss(self, region: Region, args: tuple[Any, ...]) -> bool:
        """All entries of `region` refused `args`: trace its start again with their kinds."""
        if self.given_up or not self._may_compile():
            return False
        with COMPILING, self.pace:
            known = self.regions.record_of(region)
            if known is None:
                return False  # a reset has dropped it
            known.misses += 1
            if known.misses > MAX_MISSES or len(region.entries) >= MAX_ENTRIES:
                region.on_miss = None
                return False
            return not self._generalise(known) and self._retrace(known, args)

    def _generalise(self, known: RegionRecord) -> bool:
        """Compile again where a region has read too many values, so that none is read there."""
        news = varying_in(known) - self.varying
        if not news or self.facts is None or self.version > MAX_VERSIONS:
            return False
        self.varying |= news
        self.paths = unaffected_paths(self.paths, self.facts.body, news)
        self.regions.forget(known)
        self.bypasses.move(known.layout, CLOSED, self.woven.code)
        self.compile()
        return True

    def _retrace(self, known: RegionRecord, args: tuple[Any, ...]) -> bool:
        assert self.facts is not None
        start = known.layout.start
        state = with_arguments(known.state, known.layout.arguments, args)
        facts, namespace = self.facts, self.namespace()
        if namespace is None:
            return False
        analysis = self._analysis(namespace)
        ends = facts.heads | facts.merges & {known.layout.end}
        trace = analysis.trace(start, state, trim=False, ends=ends)
        plan = analysis.plan(trace)
        serving = None if plan is None else self.regions.of_layout(plan.layout)
        if plan is None or serving is None:
            self._note_start(start, state, by_value=plan is not None)
            return False
        known.misses += MISSES_FOR_OTHERS * (serving is not known)
        return self.regions.add_entry(serving, plan) and serving is known

    def _note_start(self, start: int, state: State, by_value: bool) -> None:
        """Other kinds, or values, lead to another region here: weave it in, for the next call."""
        same_place = [known for unit, known in self.starts if unit == start]
        is_full = self.version > MAX_VERSIONS or len(same_place) >= MAX_STATES
        if not is_full and not is_among(state, same_place, by_value):
            self.starts.append((start, state))
            self.paths.pop(start, None)  # they may be out of date
            self.compile()

    # retirement ---------------------------------------------------------------------------------

    @contained(None)
    def on_retire(self, region: Region) -> None:
        """Jump over the stubs of a region that has given up, in running code where that works."""
        known = self.regions.record_of(region)
        if known is not None and not self.given_up:
            self._move_bypasses(known, CLOSED)

    @contained(None)
    def on_rest(self, region: Region) -> None:
        """Have the stubs of a region that declines all calls ask first, or call it again."""
        known = self.regions.record_of(region)
        if known is not None and not self.given_up and not region.retired:
            self._move_bypasses(known, state_of_bypass(region))

    def _move_bypasses(self, known: RegionRecord, state: int) -> None:
        woven = self.woven
        stages.moved(self, known, state)
        code = self.bypasses.move(known.layout, state, woven.code)
        if woven is not self.woven:
            return
        if not woven.recorders and all_retired(self, woven):
            self._run(Woven(self._copy))
        elif code is not woven.code:
            self._run(replace(woven, code=code))
        else:
            self._tell_callers()

    def has_nothing_to_gain(self) -> bool:
        """Whether calls can stay as they are: neither it nor what it calls has a region."""
        return gains_nothing(self)

    def compile_pending(self) -> None:
        """Compile again if recorders brought news, so that a report shows all that is known."""
        if not self.given_up and self.version and self.profile.changed:
            self.compile_now()

    def reset(self) -> None:
        """Forget what was learnt; calls start again at the first code."""
        with COMPILING, self.pace:
            if self.given_up:
                return
            self.generation += 1
            self.varying = frozenset()
            self.profile = Profile()
            self.regions.clear()
            self.starts, self.breaks, self.notes, self.places = [], [], [], {}
            self.left_alone = []
            self.paths = {}
            self.version = self.visits = 0
            self._run(self._first_version())

    # reports ------------------------------------------------------------------------------------

    def local_names(self) -> tuple[str, ...]:
        """The names of the slots, for reports."""
        return self.facts.body.local_names if self.facts is not None else ()

    def used(self) -> list[RegionRecord]:
        """The regions in the newest code, in the order of the bytecode."""
        return self.regions.of_layouts(self.woven.layouts)

    def retired(self) -> list[RegionRecord]:
        """The regions that were given up."""
        return [known for known in self.regions.all() if known.region.retired and known.plans]

    def plans(self) -> list[tuple[RegionPlan, Region]]:
        """The regions in use in the newest code with what was traced for each at first."""
        return [(one.plans[0], one.region) for one in self.used() if not one.region.retired]
