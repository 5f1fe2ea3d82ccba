"""Bypasses: code runs as if the stubs of a given-up or resting region were not there.

Recorders whose news the budget refuses are left out in the same way, until there is room. A stub
begins with a bypass: one code unit, a jump that leads into the stub, over it, or, while the region
rests, to a question that costs little and now and then lets a call through. Invariant: frames that
run the code, loops too, keep running it; where the native module cannot exchange the unit in place,
a new code object has the jump and is used from the next call on. Read `weaving.stubs` for stubs,
`_native/cpython/patch.c` for the exchange.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from types import CodeType
from typing import Any

from dyntrace.asm.decode import OPCODES
from dyntrace.asm.emit import Label
from dyntrace.graph.identity import ByIdentity
from dyntrace.record import record
from dyntrace.runtime.handles import Region, patch_jump
from dyntrace.trace.regions.flush import Layout

__all__ = [
    "CLOSED",
    "OPEN",
    "RESTING",
    "Bypass",
    "Bypasses",
    "is_in_stub",
    "jumping",
    "state_of_bypass",
]

OPEN, RESTING, CLOSED = 1, 2, 3


@record(frozen=True, eq=False)
class Bypass:
    """The jump at the head of a stub: labels before the code is assembled, then byte offsets.

    begin    where it stands
    open     where it leads while the stub is called: into the stub
    resting  where it leads while the region rests: to a question, or behind the stub
    closed   where it leads from then on: behind the stub, by a second jump if that is far
    end      the end of the stub
    """

    begin: Any
    open: Any
    resting: Any
    closed: Any
    end: Any

    def with_offsets(self, offsets: Mapping[Label, int]) -> Bypass:
        """The bypass with the byte offset of each label."""
        labels = self.begin, self.open, self.resting, self.closed, self.end
        return Bypass(*(offsets[label] for label in labels))

    def target(self, state: int) -> Any:
        """Where it leads in a state."""
        return (self.open, self.resting, self.closed)[state - OPEN]


BypassesOf = Mapping[Layout | None, Iterable[Bypass]]
_stubs: ByIdentity[tuple[Bypass, ...]] = ByIdentity()  # of each code object


def is_in_stub(code: CodeType, offset: int) -> bool:
    """Whether a frame of `code` that stands at this byte is calling a region."""
    return any(bypass.begin <= offset < bypass.end for bypass in _stubs.get(code) or ())


def state_of_bypass(region: Region) -> int:
    """The state in which the bypasses of a region's stubs should be."""
    return CLOSED if region.retired else RESTING if region.resting else OPEN


def jumping(code: CodeType, begin: int, target: int) -> CodeType:
    """`code` with a jump at `begin`: the twin of `patch_jump`, which makes no copy."""
    distance = (target - begin) // 2 - 1
    if not 0 <= distance <= 255:
        return code
    raw = bytearray(code.co_code)
    raw[begin : begin + 2] = bytes((OPCODES["JUMP_FORWARD"], distance))
    return code.replace(co_code=bytes(raw))


class Bypasses:
    """The bypasses in those versions of a code object that are still alive."""

    def __init__(self) -> None:
        self._versions: list[tuple[weakref.ref[CodeType], BypassesOf]] = []

    def add(self, code: CodeType, bypasses: BypassesOf) -> None:
        self._versions = [version for version in self._versions if version[0]() is not None]
        self._versions.append((weakref.ref(code), bypasses))
        stubs = (
            bypass for layout, found in bypasses.items() if layout is not None for bypass in found
        )
        _stubs.set(code, tuple(stubs))

    def codes(self) -> list[CodeType]:
        """The versions that are still alive."""
        found = [version() for version, _ in self._versions]
        return [code for code in found if code is not None]

    def move(self, layout: Layout | None, state: int, newest: CodeType) -> CodeType:
        """Bring a layout's bypasses to a state in every version; None stands for the recorders.

        Returns `newest`, or the code to use instead where a jump could not be patched in place.
        """
        for version, bypasses in list(self._versions):
            code = version()
            if code is None:
                continue
            jumps = [(bypass.begin, bypass.target(state)) for bypass in bypasses.get(layout, ())]
            left = [jump for jump in jumps if not patch_jump(code, *jump)]
            if left and code is newest:
                for jump in left:
                    newest = jumping(newest, *jump)
                self.add(newest, bypasses)
        return newest
