"""Trial: is a region faster than the original instructions that it stands for?

Some of the first calls run the region, some leave the work to the original instructions, whose end
a marker shows. Four calls make a comparison, in the order region, original, original, region, so
that sizes that grow from call to call weigh on both sides alike. Inputs of about the same size form
a bucket with a verdict of its own, which holds for a number of calls and is then looked at again.
Invariant: a comparison that was disturbed (a deopt, an exception, another thread) is dropped, and
a region that cannot be compared is kept. This is the twin of `_native/region/trial.c`.
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
FIRST_CALL = 3  # the first calls compile the graph
LOOK_AGAIN = 256  # calls between two looks for inputs of a new size
HOLDS, HOLDS_AT_MOST = 4096, 1 << 20  # calls for which a verdict holds, doubled each time
LARGE_BUCKET = 11  # a mebibyte: what is slower there is slower for good
BUCKETS = 32
MAX_DROPS = 64
FEW, SOME, MANY, MOST = 3, 4, 8, 6  # comparisons
DECLINE_TIME = 30  # nanoseconds of a comparison that the original instructions do not cost
LONG_TIME = 20_000_000  # nanoseconds that leave no doubt

_clock: list[Callable[[], int]] = [time.perf_counter_ns]


def set_clock(clock: Callable[[], int] | None) -> None:
    """What regions are measured with: a callable that gives nanoseconds; None: the real clock."""
    _clock[0] = clock or time.perf_counter_ns


class Turn(Enum):
    """What a call is to do. LOST: the original instructions, unmeasured."""

    RUN = 0
    TIMED = 1
    ORIGINAL = 2
    LOST = 3


class Verdict(Enum):
    """Of the inputs of one size."""

    UNKNOWN = 0
    KEPT = 1
    LOST = 2


@record()
class _Bucket:
    """How the comparisons for inputs of about the same size ended."""

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
        """The verdict is old."""
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
    """The state of one region's comparison; `next` is the call to look at next."""

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
        """The numbers of the buckets that lost, smallest inputs first."""
        found = self.buckets.items()
        return tuple(sorted(number for number, one in found if one.verdict is Verdict.LOST))

    def take_turn(self, call: int, size: int) -> Turn:
        """What the call that is number `call`, on arrays of `size` bytes, is to do.

        While the trial is `decided` the clock has not been read before the call.
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
        """The turn of a call in a comparison."""
        if number != self.bucket:
            self.drop()
            self.bucket = number
        self.owner = threading.get_ident()
        self.running = self.turn in (0, 3)
        return Turn.TIMED if self.running else Turn.ORIGINAL

    def start_original(self) -> None:
        """The original instructions begin."""
        self.started = self.clock()

    def end_original(self) -> None:
        """The original instructions have come to the region's end."""
        if self.started and self.owner == threading.get_ident():
            time = self.clock() - self.started - DECLINE_TIME
            self.faster_original = time if self.turn == 1 else min(time, self.faster_original)
            self.original += time
            self.started = 0
            self.turn += 1

    def end_region(self, call: int, time: int) -> bool:
        """The region has run; whether it is lost for good."""
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
        """Count a finished comparison; the bucket's verdict."""
        warm, self.warm = self.warm, True
        long = self.region + self.original >= LONG_TIME
        if long and self.slower_run < self.faster_original:
            return Verdict.KEPT  # also if other programs had the CPU in one of the calls
        if not warm:
            return Verdict.UNKNOWN  # the original instructions were not specialised yet
        bucket.quads += 1
        bucket.faster += self.region * 10 < self.original * 9
        bucket.slower += self.region * 100 > self.original * 102
        bucket.much_slower += self.region * 4 > self.original * 5
        return bucket.judged()

    def _is_lost_for_good(self) -> bool:
        """Lost where size is not the reason: large inputs, or no arrays, and nowhere better."""
        for bucket in self.buckets.values():
            if bucket.verdict is not Verdict.LOST and (
                bucket.verdict is Verdict.KEPT or bucket.quads
            ):
                return False
        return self.bucket == 0 or self.bucket >= LARGE_BUCKET


def _bucket_of(size: int) -> int:
    """0 where there are no arrays, else a number that grows by one with each factor of four."""
    return min((size.bit_length() + 1) // 2, BUCKETS - 1)
