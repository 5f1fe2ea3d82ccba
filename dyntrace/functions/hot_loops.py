"""Loops of one code object: which are hot, what they are compiled to, and when they are given up.

The head of each loop has a stub that rests. Now and then a visit is let through, and tells how
much time has passed. A loop that has taken long enough is traced with the kinds at hand, and
compiled on a thread of its own; then its stub is opened, in code that runs too, and iterations run
in machine code. Loops around a hot one are hot as well. Invariant: until its code is there a loop
runs as it did, and a loop that cannot be compiled has no stub. Read `trace.loops.loop_tracer` and
`exec.kernels.loop_text` for how a loop becomes code.
"""

from __future__ import annotations

import weakref
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from dyntrace import config
from dyntrace.breaks import LOOP_KINDS, LOOP_SHORT, LOOP_STATE, BreakReason
from dyntrace.functions import stages
from dyntrace.functions.pacing import COMPILING
from dyntrace.record import field, record
from dyntrace.runtime.handles import Region
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.frame import Break
from dyntrace.trace.state import State
from dyntrace.weaving.regions import RegionRecord

if TYPE_CHECKING:
    from dyntrace.exec.kernels.outcome import KeptText
    from dyntrace.functions.compiled_code import CompiledCode
    from dyntrace.trace.loops.loop_frames import LoopFacts
    from dyntrace.trace.loops.sites import LoopSite

__all__ = ["LoopRecord", "Loops"]

FIRST_VISIT = 48  # visits before a loop is looked at for the first time
SAMPLED, MAX_SAMPLED = 256, 4096  # one visit in so many is let through
HOT = 1_500_000  # nanoseconds that a loop has taken before it is compiled
MAX_ATTEMPTS = 4
MAX_UNSETTLED = 2  # attempts that are given up if a variable changes its type in an iteration
MAX_ENTRIES = 6
_OF_KINDS = (LOOP_KINDS, LOOP_STATE)  # other kinds may be better


@record(eq=False)
class LoopRecord:
    """A loop, and what became of it.

    seen      when a visit was first let through, in nanoseconds; 0: not yet
    hot       whether it is to be compiled at its next visit
    pending   whether it is being compiled
    attempts  how often it was traced in vain
    patience  the visits from one that is let through to the next, while it is not hot
    obstacle  why it is not compiled, with a detail and the user's line
    programs  its machine code, by combination of kinds
    texts     what that was made of, and where iterations are left
    """

    site: LoopSite
    known: RegionRecord
    seen: int = 0
    hot: bool = False
    pending: bool = False
    attempts: int = 0
    patience: int = SAMPLED
    obstacle: tuple[BreakReason, str, int] | None = None
    programs: list[Any] = field(default_factory=list)
    texts: list[KeptText] = field(default_factory=list)


class Loops:
    """The loops of one code object."""

    def __init__(self, owner: CompiledCode) -> None:
        self._owner = weakref.ref(owner)
        self._by_head: dict[int, LoopRecord] | None = None
        self._facts: LoopFacts | None = None
        self.at_once = False

    def records(self) -> list[RegionRecord]:
        """The regions of the loops, whose stubs are to be woven in."""
        return [loop.known for loop in self.all()]

    def all(self) -> list[LoopRecord]:
        """The loops; none if there is no compiler for them."""
        owner = self._owner()
        if self._by_head is None:
            self._by_head = {}
            if config.jit and owner is not None and owner.facts is not None and owner.facts.heads:
                self._find(owner, owner.facts)
        return list(self._by_head.values())

    def known(self) -> list[LoopRecord]:
        """The loops, if they have been looked for: for reports, which change nothing."""
        return list((self._by_head or {}).values())

    def programs(self) -> list[Any]:
        """The machine code of all loops."""
        return [program for loop in self.known() for program in loop.programs]

    def _find(self, owner: CompiledCode, facts: CodeFacts) -> None:
        # Only a program with loops, and a compiler for them, imports this.
        from dyntrace.trace.loops.loop_frames import LoopFacts
        from dyntrace.trace.loops.sites import loop_sites

        sites = loop_sites(facts)
        self._facts = LoopFacts.of(facts, sites)
        self._by_head = {head: self._new(owner, site) for head, site in sites.items()}

    def _new(self, owner: CompiledCode, site: LoopSite) -> LoopRecord:
        known = owner.regions.of_loop(site.layout, State({}, ()))
        known.region.resting = True
        known.region.countdown = 0 if self._is_hasty() else FIRST_VISIT
        known.region.retired = site.obstacle is not None
        return LoopRecord(site, known, obstacle=site.obstacle)

    def _is_hasty(self) -> bool:
        return self.at_once or config.loops_at_once

    def lose_patience(self) -> None:
        """Have loops compiled when they are next visited, while the program waits: for reports."""
        self.at_once = True
        for loop in self.known():
            loop.known.region.countdown = 0

    def forget(self) -> None:
        """Begin anew, after a reset."""
        self._by_head = None

    def of(self, region: Region) -> LoopRecord | None:
        """The loop that `region` runs, if it is one's."""
        return next((loop for loop in self.known() if loop.known.region is region), None)

    def may_gain(self) -> bool:
        """Whether a loop is compiled, or may still be.

        Once one of the loops is given up, those that are not hot yet count no more: calls of code
        that has nothing else would go on paying for them.
        """
        found = list((self._by_head or {}).values())
        given_up = any(
            loop.attempts or loop.programs for loop in found if loop.known.region.retired
        )
        return any(
            loop.hot or loop.pending or bool(loop.programs) or not given_up
            for loop in found
            if not loop.known.region.retired
        )

    # heat ---------------------------------------------------------------------------------------

    def visited(self, loop: LoopRecord, args: tuple[Any, ...]) -> bool:
        """A visit of the head was let through, and no machine code fits; whether some does now."""
        region = loop.known.region
        if loop.pending:
            self._go_on()
            return False
        if len(loop.programs) >= MAX_ENTRIES:
            return False
        region.sampled = SAMPLED
        if self._is_hasty():
            before = len(loop.programs)
            self._compile(loop, args)
            return len(loop.programs) > before
        if not (loop.hot or loop.programs or self._is_hot(loop)):
            loop.patience = min(2 * loop.patience, MAX_SAMPLED)
            region.sampled = loop.patience
            return False
        self._heat_around(loop)
        self._compile(loop, args)
        return False

    def _is_hot(self, loop: LoopRecord) -> bool:
        now = perf_counter_ns()
        if not loop.seen:
            loop.seen = now
            return False
        return now - loop.seen >= HOT

    def _heat_around(self, loop: LoopRecord) -> None:
        """Have the loops around a hot one compiled when they are next visited."""
        assert self._facts is not None and self._by_head is not None
        for around in self._by_head.values():
            outer = around.site
            if loop.site.head in outer.units and around is not loop and not around.hot:
                around.hot = True
                around.known.region.countdown = 0

    @staticmethod
    def _go_on() -> None:
        # What is pending has imported it already.
        from dyntrace.exec.kernels.loop_programs import go_on

        go_on()

    # compiling ----------------------------------------------------------------------------------

    def _compile(self, loop: LoopRecord, args: tuple[Any, ...]) -> None:
        # Only a program with a hot loop imports the tracer of loops and the writer of machine code.
        from dyntrace.functions.loop_compiler import compile_prepared, prepare, program_now

        owner = self._owner()
        namespace = None if owner is None else owner.namespace()
        if owner is None or namespace is None or self._facts is None:
            return
        try:
            settles = loop.attempts < MAX_UNSETTLED or bool(loop.programs)
            prepared = prepare(self._facts, namespace, loop.site, args, settles)
        except Break as found:
            self._failed(owner, loop, found)
            return
        stages.loop_hot(owner, loop)
        if self._is_hasty():
            self._put_to_use(owner, loop, prepared, program_now(prepared))
            return
        loop.pending = True
        delivered, generation = weakref.WeakMethod(self._deliver), owner.generation

        def deliver(program: Any) -> None:
            method = delivered()
            if method is not None:
                method(loop, prepared, program, generation)

        loop.pending = compile_prepared(prepared, deliver)

    def _failed(self, owner: CompiledCode, loop: LoopRecord, found: Break) -> None:
        """A combination of kinds that cannot be compiled; the loop is given up after a few."""
        loop.attempts += 1 if found.reason in _OF_KINDS else 2
        loop.obstacle = found.reason, found.detail, found.lineno or loop.site.lineno
        stages.loop_failed(owner, loop)
        region = loop.known.region
        if loop.attempts < MAX_ATTEMPTS:
            region.sampled = 1  # the next iteration may begin with other kinds
            return
        region.on_miss = None
        if not loop.programs:
            region.retired = True
            owner.on_retire(region)

    def _deliver(self, loop: LoopRecord, prepared: Any, program: Any, generation: int) -> None:
        """Machine code is there: put it to use. Called on the thread that compiles."""
        owner = self._owner()
        with COMPILING:
            loop.pending = False
            if owner is not None and owner.generation == generation:
                self._put_to_use(owner, loop, prepared, program)

    def _put_to_use(self, owner: CompiledCode, loop: LoopRecord, prepared: Any, code: Any) -> None:
        """Give the region an entry for the kinds that `code` was made for."""
        region = loop.known.region
        if not region.retired:
            loop.programs.append(code)
            given_up = weakref.WeakMethod(self._given_up)
            code.on_useless = lambda: _call(given_up, loop)
            loop.texts.append(prepared.text.kept())
            stages.loop_compiled(owner, loop, prepared.text)
            region.add((prepared.steps, prepared.uses, code, False))
            region.resting = False
            owner.on_rest(region)

    def _given_up(self, loop: LoopRecord) -> None:
        """Machine code does few iterations a call, or none: the loop is CPython's from now on."""
        owner, region = self._owner(), loop.known.region
        if owner is not None and not region.retired:
            loop.obstacle = LOOP_SHORT, "", loop.site.lineno
            region.retired = True
            owner.on_retire(region)


def _call(method: weakref.WeakMethod[Any], *args: Any) -> None:
    found = method()
    if found is not None:
        found(*args)
