"""CompiledCode: one code object with one globals dict, and all that dyntrace makes of it.

It starts as the original code with a stub that shows the arguments of the first call. From their
kinds regions are planned and woven in, and the running frame moves over; recorders in the woven
code learn what was unknown, and a later version uses it. Regions that meet other kinds of inputs
get more entries. Invariant: woven code holds its regions weakly; `CompiledCode`, owned by the
functions that run the code, holds them strongly. It keeps neither the user's code nor its globals
alive. Read `functions.recording` for what starts a compilation, `compile` for what it does.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from dyntrace.breaks import NOT_WOVEN
from dyntrace.budget import UNLIMITED, Budget
from dyntrace.compile import compile_code
from dyntrace.errors import AssemblyError
from dyntrace.functions import misses, recording, retirement, stages, waiting
from dyntrace.functions.garbage import rare_collections
from dyntrace.functions.hot_loops import Loops
from dyntrace.functions.judging import gains_nothing
from dyntrace.functions.knowledge import Knowledge
from dyntrace.functions.pacing import COMPILING, Pace
from dyntrace.functions.versions import Versions
from dyntrace.graph.identity import Namespace
from dyntrace.runtime.containment import contained
from dyntrace.runtime.handles import Region
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.regions.paths import RegionPlan
from dyntrace.trace.regions.tracer import RegionTracer
from dyntrace.trace.semantics.optimised_copies import Copies
from dyntrace.weaving import weave
from dyntrace.weaving.regions import RegionRecord, Regions
from dyntrace.weaving.weave import Woven

__all__ = ["CompiledCode"]


class CompiledCode:
    """See the module's text.

    versions    the code objects that its functions have run
    knowledge   what was learnt, until a reset
    regions     those of all versions
    loops       its loops, and what became of them
    facts       of the original; None if it cannot be decoded
    generation  counts resets, so that recorders from before one say nothing
    given_up    the original runs from now on
    calls_stay  callers call the function itself, since there is nothing to gain
    is_cold     the next call compiles nothing, since it may be the only one
    """

    def __init__(
        self,
        original: CodeType,
        namespace: dict[str, Any],
        *,
        compile_graph: Callable[..., Any],
        fullgraph: bool = False,
        copies: Copies,
        budget: Budget = UNLIMITED,
    ) -> None:
        self.name = original.co_qualname
        self.globals = Namespace(namespace)
        self.fullgraph = fullgraph
        self.copies = copies
        self.pace = Pace(budget, len(original.co_code))
        self.callers: weakref.WeakSet[CompiledCode] = weakref.WeakSet()
        self.callees: weakref.WeakSet[CompiledCode] = weakref.WeakSet()
        self.versions = Versions(original)
        self.knowledge = Knowledge()
        self.regions = Regions(compile_graph, self)
        self.loops = Loops(self)
        self.generation = 0
        self.given_up = self.calls_stay = self.is_cold = False
        self.facts: CodeFacts | None = None
        self.versions.newest = self._first_version()

    @property
    def code(self) -> CodeType:
        """What its functions run now."""
        return self.versions.code

    @property
    def original(self) -> CodeType:
        """The user's code, or an equal copy after its end."""
        return self.versions.original

    def namespace(self) -> dict[str, Any] | None:
        """The globals: of the function that is running, of one optimised, or of their module."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and id(frame.f_globals) != self.globals.address:
            frame = frame.f_back
        if frame is not None:
            return frame.f_globals
        found = (function.__globals__ for function in list(self.versions.functions))
        return self.globals.find(next(found, None))

    def tracer(self) -> RegionTracer | None:
        """What traces regions of the code; None if its globals are gone, and nothing runs."""
        namespace = self.namespace()
        if namespace is None or self.facts is None:
            return None
        return RegionTracer(self.facts, namespace, self.copies, self.knowledge.varying)

    # versions ---------------------------------------------------------------------------------

    @contained(None)
    @rare_collections()
    def _first_stub(self) -> Woven | None:
        """The original with a stub that shows the arguments of the first call."""
        try:
            self.facts = CodeFacts.of(self.versions.copy)
        except AssemblyError as error:
            self.given_up = True
            self.knowledge.note(f"{NOT_WOVEN.code}: {NOT_WOVEN.text} ({error})")
            return Woven(self.versions.copy)
        return weave.first_version(self.facts, recording.first_recorder(self))

    def _first_version(self) -> Woven:
        """The first stub's code; the original where that fails."""
        return self._first_stub() or Woven(self.versions.copy)

    def start(self) -> None:
        """Have calls show their arguments, as in the beginning."""
        self.use(self._first_version())

    @contained(None)
    def compile_now(self) -> None:
        with COMPILING, self.pace:
            self.compile()

    @rare_collections()
    def compile(self) -> None:
        """Make a version with everything known now, and put it to use."""
        tracer = self.tracer()
        if tracer is not None:
            learnt, review = self.knowledge, functools.partial(recording.review, self)
            profile, earlier = learnt.profile.results, learnt.paths
            loops = self.loops.records()
            made = compile_code(
                tracer, learnt.starts, profile, earlier, self.regions, review, loops
            )
            self._install(made)

    def _install(self, woven: Woven) -> None:
        self.versions.count_one(woven)
        waiting.end_wait(self)
        self.knowledge.profile.changed = False
        self.use(woven)
        stages.woven(self, woven)
        retirement.follow_all(self, woven)

    def use(self, woven: Woven) -> None:
        """Have every function run `woven`, and tell callers if that has nothing to gain."""
        self.versions.use(woven)
        retirement.tell_callers(self)

    def give_up(self) -> None:
        """Run the original code from now on."""
        self.given_up = True
        self.use(Woven(self.versions.copy))

    def compile_pending(self) -> None:
        """Compile again if recorders brought news, so that a report shows all that is known."""
        if not self.given_up and self.versions.count and self.knowledge.profile.changed:
            self.compile_now()

    def reset(self) -> None:
        """Forget what was learnt; calls start again at the first code."""
        with COMPILING, self.pace:
            if self.given_up:
                return
            self.generation += 1
            self.knowledge = Knowledge()
            self.regions.clear()
            self.loops.forget()
            self.versions.count = 0
            self.start()

    def has_nothing_to_gain(self) -> bool:
        """Whether calls can stay as they are: neither it nor what it calls has a region."""
        return gains_nothing(self)

    # what becomes of regions ----------------------------------------------------------------------

    @contained(False)
    def on_miss(self, region: Region, args: tuple[Any, ...]) -> bool:
        loop = self.loops.of(region)
        if loop is not None:
            return self.loops.visited(loop, args)
        return misses.learn_from_miss(self, region, args)

    @contained(None)
    def on_retire(self, region: Region) -> None:
        retirement.follow(self, region)

    @contained(None)
    def on_rest(self, region: Region) -> None:
        if not region.retired:
            retirement.follow(self, region)

    # reports ------------------------------------------------------------------------------------

    def local_names(self) -> tuple[str, ...]:
        """The names of the slots."""
        return self.facts.body.local_names if self.facts is not None else ()

    def used(self) -> list[RegionRecord]:
        """The regions in the newest version, in the order of the bytecode."""
        return self.regions.of_layouts(self.versions.newest.layouts)

    def retired(self) -> list[RegionRecord]:
        """The regions that were given up."""
        return [record for record in self.regions.all() if record.region.retired and record.plans]

    def plans(self) -> list[tuple[RegionPlan, Region]]:
        """The regions in use in the newest version, with what was traced for each at first."""
        return [(one.plans[0], one.region) for one in self.used() if not one.region.retired]
