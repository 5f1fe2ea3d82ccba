"""Retirement: code that runs as if the stubs of a given-up region were not there.

A stub that may be closed begins with a gate: one code unit, exchanged for a jump behind the stub.
Invariant: frames that run the code, loops too, keep running it; where the native module cannot
exchange the unit in place, a new code object has the jump and is used from the next call on.
Read `runtime.stubs` for the gates, `_native/patch.c` for the exchange.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from types import CodeType

from dyntrace.asm.decode import OPCODES
from dyntrace.graph.identity import ByIdentity
from dyntrace.runtime.handles import patch_jump
from dyntrace.trace.flush import Layout

__all__ = ["Gate", "Gates", "bypassed", "is_in_stub"]

Gate = tuple[int, int]  # the byte offsets where a stub begins, and where a jump over it leads

_stubs: ByIdentity[tuple[Gate, ...]] = ByIdentity()  # of each code object


def is_in_stub(code: CodeType, offset: int) -> bool:
    """Whether a frame of `code` that stands at this byte is calling a region."""
    return any(begin <= offset < target for begin, target in _stubs.get(code) or ())


def bypassed(code: CodeType, gate: Gate) -> CodeType:
    """`code` with a jump over the gate's stub: the twin of `patch_jump`, which makes no copy."""
    begin, target = gate
    distance = (target - begin) // 2 - 1
    if not 0 <= distance <= 255:
        return code
    raw = bytearray(code.co_code)
    raw[begin : begin + 2] = bytes((OPCODES["JUMP_FORWARD"], distance))
    return code.replace(co_code=bytes(raw))


class Gates:
    """The gates of all versions of a unit that some frame or function may still run."""

    def __init__(self) -> None:
        self._versions: list[tuple[weakref.ref[CodeType], Mapping[Layout, Iterable[Gate]]]] = []

    def add(self, code: CodeType, gates: Mapping[Layout, Iterable[Gate]]) -> None:
        self._versions = [version for version in self._versions if version[0]() is not None]
        self._versions.append((weakref.ref(code), gates))
        _stubs.set(code, tuple(gate for found in gates.values() for gate in found))

    def close(self, layout: Layout, newest: CodeType) -> CodeType:
        """Jump over a layout's stubs everywhere; what to use instead of `newest` from now on."""
        for version, gates in list(self._versions):
            code = version()
            if code is None:
                continue
            closed = [gate for gate in gates.get(layout, ()) if not patch_jump(code, *gate)]
            if closed and code is newest:
                for gate in closed:
                    newest = bypassed(newest, gate)
                self.add(newest, gates)
        return newest
