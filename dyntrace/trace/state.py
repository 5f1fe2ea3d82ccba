"""State: the expected kinds in a frame between two regions, and how instructions change them.

A trace starts from a state. Invariants: a state holds kinds and never values. It is an expectation:
a region guards each kind that it uses. Stack slots that may hold NULL have kinds of their own,
because a stub must not copy or pass a NULL. Read `trace.interpreter` next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dyntrace.asm.flow import effect
from dyntrace.asm.instructions import MicroOp, Unit
from dyntrace.asm.versions import TABLE
from dyntrace.breaks import SUPER
from dyntrace.graph import kinds
from dyntrace.graph.kinds import Kind
from dyntrace.record import record
from dyntrace.trace.frame import Frame
from dyntrace.trace.sources import StackItem
from dyntrace.trace.values.base import METHOD_NULL, MaybeNull, Null, Outside, Value

__all__ = [
    "MAYBE_NULL",
    "NULL_SLOT",
    "State",
    "pushed_values",
    "snapshot",
    "snapshot_of",
    "stack_kinds",
    "stack_values",
    "state_after",
]


@record(frozen=True)
class NullSlot(Kind):
    """A stack slot that certainly holds NULL."""


@record(frozen=True)
class MaybeNullSlot(Kind):
    """A stack slot that may hold NULL."""


NULL_SLOT = NullSlot()
MAYBE_NULL = MaybeNullSlot()


@record(frozen=True)
class State:
    """The kinds of the slots (locals and cell contents) and of the stack, deepest first.

    States share dicts of slots, so nobody may change one.
    """

    slots: Mapping[int, Kind]
    stack: tuple[Kind, ...]

    def is_same(self, other: State) -> bool:
        """Whether `other` is equal and its kinds have the same values of numbers and strings."""
        if self.slots.keys() != other.slots.keys() or len(self.stack) != len(other.stack):
            return False
        theirs = map(other.slots.__getitem__, self.slots)
        same = all(map(kinds.is_same, self.slots.values(), theirs))
        return same and all(map(kinds.is_same, self.stack, other.stack))

    def only(self, live: frozenset[int]) -> State:
        """The state with the slots in `live` only."""
        if self.slots.keys() <= live:
            return self
        return State({i: kind for i, kind in self.slots.items() if i in live}, self.stack)


def stack_values(state: State) -> list[Value]:
    """The symbolic stack that a trace from `state` starts with."""
    return [_value(position, kind) for position, kind in enumerate(state.stack)]


def _value(position: int, kind: Kind) -> Value:
    if isinstance(kind, NullSlot):
        return Null()
    if isinstance(kind, MaybeNullSlot):
        return MaybeNull()
    return Outside(StackItem(position), kind)


def snapshot(frame: Frame, native: bool = True) -> State:
    """The state of `frame` now.

    `native` tells that CPython, and not a region, ran the instructions before. It may have pushed a
    method's function and object where the trace has a NULL and a bound method.
    """
    return snapshot_of(frame.expected_kinds, frame.slots, frame.stack, native)


def snapshot_of(
    expected_kinds: Mapping[int, Kind],
    slots: Mapping[int, Value],
    stack: Sequence[Value],
    native: bool = True,
) -> State:
    """The state of these slots and this stack; slots without a value have their expected kind."""
    changed = {
        index: value.kind
        for index, value in slots.items()
        if not isinstance(value, Outside) or expected_kinds.get(index) is not value.expected
    }
    kinds_now = {**expected_kinds, **changed} if changed else expected_kinds
    return State(kinds_now, stack_kinds(stack, native))


def stack_kinds(stack: Sequence[Value], native: bool = True) -> tuple[Kind, ...]:
    """The kinds on a stack; `native` as for `snapshot`."""
    found = [_stack_kind(value) for value in stack]
    if native:
        for position, value in enumerate(stack):
            if value is METHOD_NULL:
                found[position] = found[_partner(stack, position)] = MAYBE_NULL
    return tuple(found)


def _partner(stack: Sequence[Value], position: int) -> int:
    return position + 1 if TABLE.null_first else position - 1


def _stack_kind(value: Value) -> Kind:
    if isinstance(value, Null):
        return NULL_SLOT
    return MAYBE_NULL if isinstance(value, MaybeNull) else value.kind


def state_after(state: State, unit: Unit, results: Sequence[Kind] = ()) -> State:
    """The state after CPython ran `unit`, which did not jump.

    `results` are the kinds of the last values that it pushed, deepest first, as far as known.
    """
    stores = any(step.name in _STORES for step in unit.micro)
    slots = dict(state.slots) if stores else state.slots
    stack = list(state.stack)
    for step in unit.micro:
        _apply(step, slots, stack)
    for depth, kind in zip(reversed(pushed_values(unit)), reversed(results), strict=False):
        if type(stack[-depth]) is Kind:
            stack[-depth] = kind
    return State(slots, tuple(stack))


def pushed_values(unit: Unit) -> tuple[int, ...]:
    """The depths of the values that `unit` pushes, deepest first; 1 is the top of the stack.

    Slots that hold NULL, or may, are left out: on 3.13 LOAD_GLOBAL pushes a NULL above its value.
    """
    pushed: list[Kind] = []
    for step in unit.micro:
        pops, pushes = effect(step)
        del pushed[max(0, len(pushed) - pops) :]
        pushed.extend([_pushed(step)] * pushes)
    count = len(pushed)
    return tuple(count - position for position, kind in enumerate(pushed) if kind is kinds.UNKNOWN)


_STORES = frozenset({"STORE_FAST", "STORE_DEREF", "DELETE_FAST"})


def _apply(step: MicroOp, slots: Any, stack: list[Kind]) -> None:
    """Apply one step to `slots` and `stack`; steps outside `_STORES` leave `slots` alone."""
    if step.name in ("STORE_FAST", "STORE_DEREF"):
        kind = stack.pop()
        slots[step.arg] = kinds.UNKNOWN if isinstance(kind, (NullSlot, MaybeNullSlot)) else kind
    elif step.name == "DELETE_FAST":
        slots.pop(step.arg, None)
    elif step.name in ("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_DEREF"):
        stack.append(slots.get(step.arg, kinds.UNKNOWN))
    elif step.name == "SWAP":
        stack[-1], stack[-step.arg] = stack[-step.arg], stack[-1]
    elif step.name == "COPY":
        stack.append(stack[-step.arg])
    else:
        _apply_generic(step, stack)


_PUSHED: Mapping[str, Kind] = MappingProxyType(
    {
        "PUSH_NULL": NULL_SLOT,
        "LOAD_METHOD": MAYBE_NULL,
        "LOAD_FAST_AND_CLEAR": MAYBE_NULL,
    }
)


def _apply_generic(step: MicroOp, stack: list[Kind]) -> None:
    pops, pushes = effect(step)
    if pops:
        del stack[-pops:]
    stack.extend([_pushed(step)] * pushes)


def _pushed(step: MicroOp) -> Kind:
    if step.name == "BREAK" and step.arg[0] == SUPER.code:
        return MAYBE_NULL if step.arg[2] == 2 else kinds.UNKNOWN
    return _PUSHED.get(step.name, kinds.UNKNOWN)
