"""States of what has been seen: a call's arguments, a frame's slots, a region's inputs, as kinds.

Invariant: a state holds kinds and no object of the user's. Read `trace.state` for the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import CellType
from typing import Any

from dyntrace.graph import kinds
from dyntrace.graph.describe import describe
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.sources import CellVariable, Local, StackItem
from dyntrace.trace.state import MAYBE_NULL, State

__all__ = ["entry_state", "has_arrays", "is_among", "state_of_frame", "with_arguments"]

_PLAIN = (kinds.PythonScalarKind, kinds.StringKind, kinds.KnownKind)


def _contents_of(cell: Any) -> kinds.Kind:
    """The kind of what a cell holds; unknown where it is empty."""
    try:
        return describe(cell.cell_contents)
    except ValueError:
        return kinds.UNKNOWN


def entry_state(facts: CodeFacts, values: tuple[Any, ...]) -> State:
    """The state of a call; `values` are those of `facts.entry_slots`."""
    slots = {
        index: _contents_of(value) if is_cell else describe(value)
        for (index, is_cell), value in zip(facts.entry_slots, values, strict=True)
    }
    return State(slots, ())


def state_of_frame(
    facts: CodeFacts, unit: int, values: Mapping[int, Any], stack: tuple[Any, ...]
) -> State:
    """The state of a frame that stands before `unit`; `stack` has Ellipsis for NULL."""
    live, cells = facts.live[unit], facts.body.cells
    slots = {
        index: _contents_of(value) if index in cells else describe(value)
        for index, value in values.items()
        # A comprehension inlined by CPython (PEP 709) may keep a value where another has a cell.
        if index in live and (index not in cells or type(value) is CellType)
    }
    held = tuple(MAYBE_NULL if item is Ellipsis else kinds.UNKNOWN for item in stack)
    return State(slots, held)


def has_arrays(state: State) -> bool:
    """Whether a slot holds anything but Python numbers, strings and constants."""
    found = (leaf for kind in state.slots.values() for leaf in kinds.leaves(kind))
    return any(not isinstance(leaf, _PLAIN) for leaf in found)


def is_among(state: State, others: list[State], by_value: bool) -> bool:
    """Whether `others` has an equal state; `by_value` compares numbers and strings, too."""
    equal = [other for other in others if other == state]
    return any(_examples(state) == _examples(other) for other in equal) if by_value else bool(equal)


def _examples(state: State) -> list[tuple[type, str]]:
    kept = [*(kind for _, kind in sorted(state.slots.items())), *state.stack]
    return [example for kind in kept for example in kinds.examples(kind)]


def with_arguments(base: State, sources: tuple[Any, ...], args: tuple[Any, ...]) -> State:
    """`base` with the kinds of what a region was called with."""
    slots, stack = dict(base.slots), list(base.stack)
    for source, value in zip(sources, args, strict=True):
        match source:
            case Local(index=index):
                slots[index] = describe(value)
            case CellVariable(index=index):
                slots[index] = _contents_of(value)
            case StackItem(position=position):
                stack[position] = describe(value)
    return State(slots, tuple(stack))
