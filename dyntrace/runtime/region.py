"""Regions in Python: the twin of `_native/region/`, used without the extension.

A region has entries. An entry has guard steps, the indexes of the steps whose values the graph
takes, and a callable that executes the graph. A stub calls the region's `Handle`; None as the
result means "run the original instructions". Invariants: guards only read, run no user code and
never raise. A region raises only what was thrown into it (`runtime.failures`). A handle refers to
its region weakly, since the garbage collector does not look into code objects, which hold handles.
Tests compare the two implementations. Read `runtime.steps` next.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np

from dyntrace.errors import DyntraceError
from dyntrace.runtime.causes import Cause
from dyntrace.runtime.failures import callback_failed, run_failed
from dyntrace.runtime.floating import STATE, raising_state
from dyntrace.runtime.interruption import tracing_active
from dyntrace.runtime.steps import CompiledStep, Miss, compile_step
from dyntrace.runtime.trial import Trial, Turn
from dyntrace.trace.regions.builder import MAX_STEPS

WINDOW = 512  # calls among which failures are counted, at most
SHARE = 8  # a region is retired only if at least one call in eight failed
MISS_LIMIT = 64  # misses before which a region is not retired for misses
REST_AFTER = 256  # calls declined in a row, after which a region rests
SAMPLED = 256  # while a region rests, one call in this many is let through
STUB_TIME = 20  # nanoseconds that a stub takes outside the call of its handle
Entry = (
    tuple[tuple[tuple[Any, ...], ...], tuple[int, ...], Callable[..., Any], bool]
    | tuple[tuple[tuple[Any, ...], ...], tuple[int, ...], Callable[..., Any], bool, tuple[int, ...]]
)


def _empty_handle() -> Any:
    """A handle without a region, which is what a pickled or copied handle becomes."""
    from dyntrace.runtime.handles import Handle

    return Handle()


class Handle:
    """A weak, callable reference to a region: the constant in compiled code that stubs call.

    Calling it gives the region's result, or None if the region declines or no longer exists. The
    truth of a handle tells the stub of a resting region whether to call it this time.
    """

    __slots__ = ("__weakref__", "_region")

    def __init__(self) -> None:
        self._region: Callable[[], Region | None] = _no_region

    def __call__(self, *args: Any) -> Any:
        region = self._region()
        return None if region is None else region._call(args)

    def __bool__(self) -> bool:
        region = self._region()
        return region is not None and region._wants_a_call()

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return (_empty_handle, ())


class Marker(Handle):
    """What compiled code calls behind the original instructions, so that they can be timed."""

    __slots__ = ()

    def __call__(self, *args: Any) -> None:
        region = self._region()
        if region is not None:
            region._trial.end_original()


def _no_region() -> None:
    return None


class _CompiledEntry:
    """An entry, each of whose steps has the functions that read and check."""

    __slots__ = ("fallible", "run", "runs", "sized", "steps", "uses")

    def __init__(self, entry: Entry) -> None:
        steps, uses, run, fallible, *sized = _checked(entry)
        self.steps: tuple[CompiledStep, ...] = tuple(
            compile_step(step, position) for position, step in enumerate(steps)
        )
        self.uses = uses
        self.sized = sized[0] if sized else uses
        self.run = run
        self.runs = 0
        self.fallible = bool(fallible) and getattr(run, "quiet", False) is not True

    def values(self, args: tuple[Any, ...]) -> list[Any] | None:
        """The values of all steps, or None if a guard fails."""
        values: list[Any] = []
        for read, a, b, check, c, d in self.steps:
            try:
                value = read(args, values, a, b)
            except Miss:
                return None
            if not check(value, c, d):
                return None
            values.append(value)
        return values

    def size(self, values: list[Any]) -> int:
        """The bytes of the arrays that the entry works on as wholes."""
        found = (values[position] for position in self.sized)
        return sum(value.nbytes for value in found if type(value) is np.ndarray)

    def execute(self, steps: list[Any]) -> Any:
        values = [steps[position] for position in self.uses]
        state = raising_state() if self.fallible else None
        if state is None or state is STATE.get():
            return self.run(*values)
        token = STATE.set(state)
        try:
            return self.run(*values)
        finally:
            STATE.reset(token)


def _checked(entry: Entry) -> Entry:
    if type(entry) is not tuple or len(entry) not in (4, 5):
        raise TypeError("an entry is a tuple (steps, uses, run, fallible[, sized])")
    steps, uses, run = entry[:3]
    sized = entry[4] if len(entry) == 5 else ()
    if type(steps) is not tuple or type(uses) is not tuple or type(sized) is not tuple:
        raise TypeError("the steps and the uses of an entry are tuples")
    if not callable(run):
        raise TypeError("the third item of an entry must be callable")
    if len(steps) > MAX_STEPS or len(uses) > MAX_STEPS or len(sized) > MAX_STEPS:
        raise ValueError("an entry has too many steps")
    for position in (*uses, *sized):
        if type(position) is not int:
            raise TypeError("the uses of an entry are step indexes")
        if not 0 <= position < len(steps):
            raise ValueError("an entry uses a step that does not exist")
    return entry


class Region:
    """A polymorphic inline cache: entries by kinds of inputs. The last one that hit is tried first.

    calls        calls that reached the guards
    runs         for each entry, the runs that gave a result
    deopts       runs that failed; `replays` counts them by cause
    misses       calls that no entry accepted at first
    learnt       misses after which `on_miss` added an entry that accepted the call
    skips        calls left to the original instructions on purpose
    compared     skips that timed the original instructions; the others had a size in `lost`
    deopt_limit  n > 0: retire once n runs have failed for one cause and one recent call in eight
                 did, or once nearly all calls miss
    retired      the region always returns None; `cause` tells why
    countdown    while it rests: calls to skip until one is let through
    sampled      what `countdown` starts from
    resting      many calls in a row were declined, so the stub skips most calls; `on_rest` is
                 called when this begins and when it ends
    commits      the region has only an effect: it performs the effect and returns True
    stub_time    nanoseconds that the stub takes outside the call

    Unless a call was interrupted, calls = sum(runs) + deopts + (misses - learnt) + skips.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.handle = Handle()
        self.marker = Marker()
        self.handle._region = self.marker._region = weakref.ref(self)
        self.entries: tuple[Entry, ...] = ()
        self._compiled: tuple[_CompiledEntry, ...] = ()
        self._last = 0
        self.calls = 0
        self.deopts = 0
        self.misses = 0
        self.learnt = 0
        self.skips = 0
        self.compared = 0
        self.cause = Cause.NONE
        self.deopt_limit = 0
        self.commits = False
        self.retired = False
        self.on_miss: Callable[[Region, tuple[Any, ...]], Any] | None = None
        self.on_retire: Callable[[Region], Any] | None = None
        self.on_rest: Callable[[Region], Any] | None = None
        self.stub_time = STUB_TIME
        self.resting = False
        self._declined = 0
        self.countdown = 0
        self.sampled = SAMPLED
        self._window = 0
        self._replays = dict.fromkeys(Cause, 0)
        self._failures = dict.fromkeys(Cause, 0)
        self._trial = Trial()
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Add an entry; TypeError or ValueError if it is malformed."""
        compiled = _CompiledEntry(entry)
        self._compiled = (*self._compiled, compiled)
        self.entries = (*self.entries, entry)
        self._last = len(self._compiled) - 1

    @property
    def runs(self) -> tuple[int, ...]:
        return tuple(entry.runs for entry in self._compiled)

    @property
    def replays(self) -> tuple[int, ...]:
        return tuple(self._replays[cause] for cause in Cause)

    @property
    def lost(self) -> tuple[int, ...]:
        return self._trial.lost()

    def measure(self) -> None:
        """Time the region and the original instructions from now on.

        Compiled code must call `marker` behind the original instructions.
        """
        self._trial.begin()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot pickle {type(self).__qualname__!r} object")

    def _find(self, args: tuple[Any, ...]) -> tuple[_CompiledEntry, list[Any]] | None:
        entries = self._compiled
        last = self._last
        order = [last, *(i for i in range(len(entries)) if i != last)] if entries else []
        for position in order:
            values = entries[position].values(args)
            if values is not None:
                self._last = position
                return entries[position], values
        return None

    def _call(self, args: tuple[Any, ...]) -> Any:
        if self.retired or tracing_active():
            return None
        self.calls += 1
        if self.calls >= self._trial.next:
            return self._call_in_trial(args)
        found = self._accept(args)
        return None if found is None else self._run(*found)

    def _accept(self, args: tuple[Any, ...]) -> tuple[_CompiledEntry, list[Any]] | None:
        found = self._find(args)
        if found is None:
            self.misses += 1
            found = self._find(args) if self._missed(args) else None
            self.learnt += found is not None
        if found is None:
            if self.on_miss is None:
                self._retire_after_miss()
            if not self.retired:
                self._rest_after_decline()
        return found

    def _call_in_trial(self, args: tuple[Any, ...]) -> Any:
        """A call that may be timed, or left to the original instructions to time those."""
        trial = self._trial
        began = 0 if trial.decided else trial.clock()
        found = self._accept(args)
        if found is None:
            return None
        entry, values = found
        turn = trial.take_turn(self.calls, entry.size(values))
        if turn is Turn.LOST:
            self.skips += 1
            self._rest_after_decline()
            return None
        if turn is Turn.RUN:
            return self._run(*found)
        if turn is Turn.TIMED:
            return self._timed(*found, began)
        self.skips += 1
        self.compared += 1
        self._end_rest()
        trial.start_original()
        return None

    def _rest_after_decline(self) -> None:
        """Count a declined call; the region rests after many in a row."""
        self.countdown = self.sampled
        if self.resting:
            return
        self._declined += 1
        if self._declined >= REST_AFTER:
            self._rest(True)

    def _rest(self, resting: bool) -> None:
        self.resting = resting
        self._notify(self.on_rest)

    def _end_rest(self) -> None:
        """Note a call that was not declined, which ends a rest."""
        self._declined = 0
        if self.resting:
            self._rest(False)

    def _wants_a_call(self) -> bool:
        """Whether this call is let through although the region rests."""
        self.countdown -= 1
        return self.countdown <= 0

    def _timed(self, entry: _CompiledEntry, values: list[Any], began: int) -> Any:
        """Run the region and report its time; `began` is when the call did."""
        trial = self._trial
        result = self._run(entry, values)
        if result is None:
            trial.drop()
        elif trial.end_region(self.calls, trial.clock() - began + self.stub_time):
            self._retire(Cause.SLOWER)
        return result

    def _missed(self, args: tuple[Any, ...]) -> bool:
        if self.on_miss is None:
            return False
        try:
            return self.on_miss(self, args) is True
        except BaseException as error:
            if callback_failed(error, self.on_miss, self):
                raise
            return False

    def _run(self, entry: _CompiledEntry, values: list[Any]) -> Any:
        cause = Cause.DECLINED
        if self._declined:
            self._end_rest()
        try:
            result = entry.execute(values)
        except BaseException as error:
            if run_failed(error, entry.run, self):
                raise
            result = None
            cause = _cause_of(error)
        if result is None:
            self._retire_after_deopt(cause)
            return None
        entry.runs += 1
        return _commit(result) if self.commits else result

    def _retire_after_deopt(self, cause: Cause) -> None:
        self.deopts += 1
        self._replays[cause] += 1
        span = self.calls - self._window
        if span > WINDOW:  # scale old failures down, as if half a window held all of them
            for each in Cause:
                self._failures[each] = self._failures[each] * (WINDOW // 2) // span
            self._window = self.calls - WINDOW // 2
        self._failures[cause] = failures = self._failures[cause] + 1
        share = failures * SHARE >= self.calls - self._window
        if 0 < self.deopt_limit <= failures and share and not self.retired:
            self._retire(cause)

    def _retire_after_miss(self) -> None:
        """Retire after many misses; only called once no entry can be added. A miss costs little."""
        too_many = (self.calls - self.misses) * SHARE <= self.misses >= MISS_LIMIT
        if self.deopt_limit > 0 and too_many and not self.retired:
            self._retire(Cause.MISSES)

    def _retire(self, cause: Cause) -> None:
        self.retired = True
        self.cause = cause
        self._notify(self.on_retire)

    def _notify(self, callback: Callable[[Region], Any] | None) -> None:
        if callback is None:
            return
        try:
            callback(self)
        except BaseException as error:
            if callback_failed(error, callback, self):
                raise


def _cause_of(error: BaseException) -> Cause:
    if isinstance(error, DyntraceError):
        return Cause.DECLINED
    return Cause.FLOATING if isinstance(error, FloatingPointError) else Cause.ERRORS


def _commit(result: Any) -> bool:
    """Perform the effect of a region without outputs, which is prepared so that it cannot fail."""
    if result is not True:
        if type(result) is not tuple or len(result) != 1:
            raise TypeError("a graph with an effect only returns (commit,) or True")
        result[0]()
    return True
