"""Trial: measure whether a region is faster than the original instructions it replaces.

Some calls run the region; others leave the work to the original instructions, behind which compiled
code calls a marker. A comparison takes four calls in the order region, original, original, region,
so that sizes that grow from call to call affect both sides alike. Inputs whose sizes are within a
factor of four form a bucket with a verdict of its own, which is measured again after some thousand
calls. Invariants: a comparison that was disturbed (a deopt, an exception, another thread) is
dropped; a region that cannot be compared is kept. This is the twin of `_native/region/trial.c`.
Read `runtime.region`, the caller, next.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from enum import Enum

from dyntrace.record import field, record

__all__ = ["Trial", "Turn", "set_clock"]

NEVER = sys.maxsize
FIRST_CALL = 3  # the first call to time: those before it compile the graph
LOOK_AGAIN = 256  # calls between two looks for inputs of a new size
HOLDS, HOLDS_AT_MOST = 4096, 1 << 20  # calls for which a verdict holds; it doubles each time
LARGE_BUCKET = 11  # inputs of a mebibyte; a region that is slower on these is retired
BUCKETS = 32
MAX_DROPS = 64  # dropped comparisons, after which no more are made
# A region is kept if all of at least FEW comparisons were clearly faster. It has lost if all of at
# least SOME were much slower. After MANY comparisons it has lost if at least MOST were slower.
FEW, SOME, MANY, MOST = 3, 4, 8, 6
DECLINE_TIME = 30  # nanoseconds that timing adds to the original instructions
LONG_TIME = 20_000_000  # nanoseconds of four calls, so long that one comparison is enough

_clock: list[Callable[[], int]] = [time.perf_counter_ns]


def set_clock(clock: Callable[[], int] | None) -> None:
    """Set the clock of all trials: a callable that returns nanoseconds; None: the real clock."""
    _clock[0] = clock or time.perf_counter_ns


class Turn(Enum):
    """What a call does: run the region, run and time it, time the original instructions, or LOST:
    leave it to the original instructions without timing them.
    """

    RUN = 0
    TIMED = 1
    ORIGINAL = 2
    LOST = 3


class Verdict(Enum):
    """Whether inputs of one size are KEPT for the region or LOST to the original instructions."""

    UNKNOWN = 0
    KEPT = 1
    LOST = 2


@record()
class _Bucket:
    """The results of the comparisons for inputs of about the same size.

    quads       finished comparisons; `faster`, `slower` and `much_slower` count by result
    due, holds  the call at which the verdict expires, and for how many calls the next one holds
    """

    quads: int = 0
    faster: int = 0
    slower: int = 0
    much_slower: int = 0
    verdict: Verdict = Verdict.UNKNOWN
    due: int = 0
    holds: int = HOLDS

    def judge(self, verdict: Verdict, call: int) -> None:
        self.verdict = verdict
        if verdict is not Verdict.UNKNOWN:
            self.due = call + self.holds
            self.holds = min(2 * self.holds, HOLDS_AT_MOST)

    def forget(self) -> None:
        """Start anew: the verdict has expired."""
        self.quads = self.faster = self.slower = self.much_slower = 0
        self.verdict = Verdict.UNKNOWN

    def judged(self) -> Verdict:
        if self.quads >= FEW and self.faster == self.quads:
            return Verdict.KEPT
        if self.quads >= SOME and self.much_slower == self.quads:
            return Verdict.LOST
        if self.quads < MANY:
            return Verdict.UNKNOWN
        return Verdict.LOST if self.slower >= MOST else Verdict.KEPT


@record()
class Trial:
    """The state of one region's comparisons.

    next                         the number of the next call that goes through `take_turn`
    bucket, turn                 the current comparison's bucket, and how many of its calls are done
    region, original             nanoseconds of either side so far
    slower_run, faster_original  the slower of the region's runs, the faster of the others
    started, running, owner      when the original instructions began, whether the region is being
                                 timed, and in which thread
    drops                        disturbed comparisons
    decided                      the last call's inputs had a verdict, so the next is not timed
    warm                         a comparison has been finished
    mixed                        some bucket was lost, so the size of each call matters
    """

    next: int = NEVER
    started: int = 0
    owner: int = 0
    region: int = 0
    original: int = 0
    slower_run: int = 0
    faster_original: int = 0
    turn: int = 0
    bucket: int = -1
    drops: int = 0
    running: bool = False
    decided: bool = False
    warm: bool = False
    mixed: bool = False
    buckets: dict[int, _Bucket] = field(default_factory=dict)

    def begin(self) -> None:
        self.next = FIRST_CALL

    def clock(self) -> int:
        return _clock[0]()

    def drop(self) -> None:
        """Forget a comparison that was disturbed."""
        self.started, self.running = 0, False
        if self.turn != 0:
            self.drops += 1
            if self.drops >= MAX_DROPS and not self.mixed:
                self.next = NEVER
        self.turn = self.region = self.original = 0

    def lost(self) -> tuple[int, ...]:
        """The buckets whose verdict is LOST, smallest inputs first."""
        found = self.buckets.items()
        return tuple(sorted(number for number, one in found if one.verdict is Verdict.LOST))

    def take_turn(self, call: int, size: int) -> Turn:
        """What call number `call`, with arrays of `size` bytes in all, is to do.

        If the trial was `decided`, the caller has not read the clock, so this call is not timed.
        """
        if self.started or self.running:
            self.drop()
        number = _bucket_of(size)
        bucket = self.buckets.setdefault(number, _Bucket())
        if bucket.verdict is not Verdict.UNKNOWN and call >= bucket.due:
            bucket.forget()
        decided = bucket.verdict is not Verdict.UNKNOWN or self.drops >= MAX_DROPS
        was_decided, self.decided = self.decided, decided
        if bucket.verdict is Verdict.LOST:
            return Turn.LOST
        if decided:
            self.next = call + (1 if self.mixed else LOOK_AGAIN)
            return Turn.RUN
        return Turn.RUN if was_decided else self._compared(number)

    def _compared(self, number: int) -> Turn:
        """The turn of a call that is part of a comparison."""
        if number != self.bucket:
            self.drop()
            self.bucket = number
        self.owner = threading.get_ident()
        self.running = self.turn in (0, 3)
        return Turn.TIMED if self.running else Turn.ORIGINAL

    def start_original(self) -> None:
        """Note that the original instructions begin."""
        self.started = self.clock()

    def end_original(self) -> None:
        """Note that the original instructions have come to the region's end."""
        if self.started and self.owner == threading.get_ident():
            time = self.clock() - self.started - DECLINE_TIME
            self.faster_original = time if self.turn == 1 else min(time, self.faster_original)
            self.original += time
            self.started = 0
            self.turn += 1

    def end_region(self, call: int, time: int) -> bool:
        """Note that the region ran for `time` nanoseconds; True if it is to be retired."""
        if not self.running or self.owner != threading.get_ident():
            return False
        self.running = False
        self.slower_run = time if self.turn == 0 else max(time, self.slower_run)
        self.region += time
        self.turn += 1
        if self.turn == 1:
            return False
        bucket = self.buckets[self.bucket]
        bucket.judge(self._compare(bucket), call)
        self.turn = self.region = self.original = 0
        if bucket.verdict is Verdict.LOST:
            self.mixed = True
            return self._is_lost_for_good()
        if bucket.verdict is Verdict.KEPT and not self.mixed:
            self.next = call + LOOK_AGAIN
        return False

    def _compare(self, bucket: _Bucket) -> Verdict:
        """Count a finished comparison, and return the bucket's verdict."""
        warm, self.warm = self.warm, True
        long = self.region + self.original >= LONG_TIME
        if long and self.slower_run < self.faster_original:
            return Verdict.KEPT  # even the slower run was faster, so interruptions do not matter
        if not warm:
            return Verdict.UNKNOWN  # CPython had not specialised the original instructions yet
        bucket.quads += 1
        bucket.faster += self.region * 10 < self.original * 9
        bucket.slower += self.region * 100 > self.original * 102
        bucket.much_slower += self.region * 4 > self.original * 5
        return bucket.judged()

    def _is_lost_for_good(self) -> bool:
        """Whether the region is to be retired: it lost on large inputs, or without any arrays.

        It is not if another bucket has won or is being measured.
        """
        for bucket in self.buckets.values():
            if bucket.verdict is not Verdict.LOST and (
                bucket.verdict is Verdict.KEPT or bucket.quads
            ):
                return False
        return self.bucket == 0 or self.bucket >= LARGE_BUCKET


def _bucket_of(size: int) -> int:
    """0 if there are no arrays, else a number that grows by one with each factor of four."""
    return min((size.bit_length() + 1) // 2, BUCKETS - 1)
