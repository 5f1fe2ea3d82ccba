"""Stubs: the instructions that call a region or a recorder.

A region's stub passes the inputs. If the region answers None, the stub falls through to that of
another region that begins here, or to the original instructions. Otherwise it drops what the region
took from the stack, stores and pushes the outputs, calls the commit of an effect (a region without
outputs has called it itself) and jumps to the region's end. Stubs and markers begin with a bypass
(`weaving.bypasses`).
Invariant: a stub never copies or drops a stack slot that may hold NULL; a slot that certainly holds
NULL leaves the stack together with its callable, through a call that takes both. Read
`weaving.weave` next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dyntrace.asm.emit import (
    BuildTuple,
    Call,
    Copy,
    Emit,
    Here,
    Jump,
    Label,
    LoadCell,
    LoadConst,
    LoadFast,
    Original,
    PopJumpIfNone,
    PopJumpIfTrue,
    PopTop,
    PushCallable,
    PushNull,
    StoreDeref,
    StoreFast,
    Subscript,
    Swap,
    ToBool,
    UnpackSequence,
)
from dyntrace.asm.versions import TABLE
from dyntrace.trace.regions.flush import Layout
from dyntrace.trace.sources import CellVariable, Local, Source, StackItem
from dyntrace.weaving.bypasses import Bypass

__all__ = [
    "entry_stub",
    "marker_stub",
    "may_rest",
    "recorder_stub",
    "region_stub",
    "with_bypass",
]

FAR = 40  # operations; a jump over less fits one code unit


def with_bypass(stub: list[Emit]) -> tuple[Bypass, list[Emit]]:
    """A stub with a bypass that leads into the stub or, resting or closed, behind it."""
    begin, inside, closed, behind = Label(), Label(), Label(), Label()
    if len(stub) <= FAR:
        return (
            Bypass(begin, inside, behind, behind, behind),
            [Here(begin), Jump(inside), Here(inside), *stub, Here(behind)],
        )
    head: list[Emit] = [Here(begin), Jump(inside), Here(closed), Jump(behind), Here(inside)]
    return Bypass(begin, inside, closed, closed, behind), [*head, *stub, Here(behind)]


def may_rest(handle: Callable[..., Any], stub: list[Emit]) -> tuple[Bypass, list[Emit]]:
    """A stub with a bypass that, at rest, leads into the stub only when the handle is true."""
    begin, inside, asks, closed, behind = Label(), Label(), Label(), Label(), Label()
    head: list[Emit] = [
        *(Here(begin), Jump(inside)),
        *(Here(asks), LoadConst(handle), ToBool(), PopJumpIfTrue(inside)),
        *(Here(closed), Jump(behind), Here(inside)),
    ]
    shut = behind if len(stub) <= FAR else closed
    return Bypass(begin, inside, asks, shut, behind), [*head, *stub, Here(behind)]


def marker_stub(marker: Callable[..., Any]) -> list[Emit]:
    """Tell a region that the original instructions have come to its end."""
    return [PushCallable(marker), Call(0), PopTop()]


def region_stub(layout: Layout, handle: Callable[..., Any]) -> list[Emit]:
    """Call the region behind `handle` as `layout` says."""
    declined = Label()
    stub: list[Emit] = [PushCallable(handle)]
    for pushed, source in enumerate(layout.arguments):
        stub.append(_load(source, layout.depth + 2 + pushed))
    stub += [Call(len(layout.arguments)), Copy(1), PopJumpIfNone(declined)]
    stub += _unload(layout)
    behind: int | Original = layout.end if layout.end != layout.start else Original(layout.end)
    stub += [Jump(behind), Here(declined), PopTop()]
    return stub


def _load(source: Source, height: int) -> Emit:
    match source:
        case Local(index=index):
            return LoadFast(index)
        case CellVariable(index=index):
            return LoadCell(index)
        case StackItem(position=position):
            return Copy(height - position)
    raise AssertionError(f"a stub cannot load {source}")


def _unload(layout: Layout) -> list[Emit]:
    """Turn the region's result on the stack into the state at the region's end."""
    stub: list[Emit] = []
    bare, done = layout.bare, layout.effect_only
    if (bare or done) and (any(layout.dropped) or any(layout.pushes)):
        stub.append(BuildTuple(1))
        bare = False
    stub += _drop(layout.dropped)
    if done:
        stub.append(PopTop())
    elif bare:
        stub += [_store(slot) for slot in layout.stores]
    else:
        stub += _unpack(layout)
    for index in layout.cleared:
        stub += [LoadConst(None), StoreFast(index)]
    return stub


def _store(slot: tuple[int, bool]) -> Emit:
    index, is_cell = slot
    return StoreDeref(index) if is_cell else StoreFast(index)


def _drop(dropped: tuple[bool, ...]) -> list[Emit]:
    """Remove the slots below the result, topmost first."""
    stub: list[Emit] = []
    rest = list(dropped)
    while rest:
        pair = rest[:2]
        if TABLE.null_first and pair == [False, True]:
            stub += [LoadConst(tuple), Swap(3), PopTop(), Call(1)]
            del rest[:2]
        elif not TABLE.null_first and pair == [True, False]:
            stub += [LoadConst(tuple), Swap(4), PopTop(), Call(1)]
            del rest[:2]
        elif rest[0]:
            stub += _drop_null()
            del rest[0]
        else:
            stub += [Swap(2), PopTop()]
            del rest[0]
    return stub


def _drop_null() -> list[Emit]:
    """Remove the NULL below the result; the callable that belongs to it is not computed yet."""
    assert TABLE.null_first
    return [LoadConst(tuple), Swap(2), Call(1)]


def _unpack(layout: Layout) -> list[Emit]:
    """Store and push the items of the result tuple."""
    stub: list[Emit] = []
    nulls = [position for position, is_null in enumerate(layout.pushes) if is_null]
    head = layout.pushes[: nulls[-1] + 1] if nulls else ()
    taken = 0
    for is_null in head:
        if is_null:
            stub += [PushNull(), Swap(2)]
        else:
            number = len(layout.stores) + taken
            stub += [Copy(1), LoadConst(number), Subscript(), Swap(2)]
            taken += 1
    tail = len(layout.pushes) - len(head)
    stub.append(UnpackSequence(len(layout.stores) + taken + tail + layout.commit))
    stub += [_store(slot) for slot in layout.stores]
    stub += [PopTop()] * taken
    if layout.commit:
        stub += _commit(tail)
    return stub


def _commit(above: int) -> list[Emit]:
    """Call the commit that lies below `above` values, and restore their order."""
    stub: list[Emit] = [Swap(above + 1)] if above else []
    stub += [PushNull(), Swap(2)] if TABLE.null_first else [PushNull()]
    stub += [Call(0), PopTop()]
    stub += [Swap(depth) for depth in range(2, above + 1)]
    return stub


def recorder_stub(
    gate: Callable[[], Any], record: Callable[..., Any], values: tuple[int, ...]
) -> list[Emit]:
    """Show the values at these depths to `record`, unless `gate` says not now."""
    return _guarded(gate, record, [Copy(2 + n + depth) for n, depth in enumerate(values)])


def entry_stub(
    gate: Callable[[], Any], record: Callable[..., Any], slots: Iterable[tuple[int, bool]]
) -> list[Emit]:
    """Show the arguments, and the cells of cell and free variables, to `record`."""
    loads: list[Emit] = [LoadCell(i) if is_cell else LoadFast(i) for i, is_cell in slots]
    return _guarded(gate, record, loads)


def _guarded(gate: Callable[[], Any], record: Callable[..., Any], loads: list[Emit]) -> list[Emit]:
    skip = Label()
    return [
        PushCallable(gate),
        Call(0),
        PopJumpIfNone(skip),
        PushCallable(record),
        *loads,
        Call(len(loads)),
        PopTop(),
        Here(skip),
    ]
