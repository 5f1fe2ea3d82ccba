"""Assemble a decoded body and its stubs into a code object.

Original instructions are copied byte by byte; only jumps are encoded again, since inserted code may
lengthen them. A stub has the location and the exception handler of the unit it precedes.
Invariant: without stubs the result has the original's bytecode, constants, names, positions and
exception table. Read `lower` for the stubs, `tables` for the encodings.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from types import CodeType
from typing import Any

from dyntrace.asm.decode import BACKWARD, CACHES, END_FOR, OPCODES, extended_args
from dyntrace.asm.emit import Emit, Label, Original
from dyntrace.asm.instructions import Body, Location, Unit
from dyntrace.asm.lower import JUMPS, Constants, OpenJump, encode, lower
from dyntrace.asm.tables import encode_exceptions, encode_locations
from dyntrace.asm.versions import TABLE
from dyntrace.errors import AssemblyError
from dyntrace.record import field, record

__all__ = ["Assembled", "assemble"]

NO_LINE_EVENT = frozenset(OPCODES[name] for name in TABLE.no_line_event)
LOSES_LINE = frozenset(OPCODES[name] for name in TABLE.loses_line)
NOWHERE = Location(None, None, None, None)


@record(frozen=True)
class Assembled:
    """The new code object, the byte offset of each landing's pad, and that of each label."""

    code: CodeType
    landing_offsets: tuple[int, ...]
    label_offsets: dict[Label, int]


@record()
class _Layout:
    """The new code as a list of pieces: bytes, jumps, and anchors.

    An anchor is a position in the code, written as an index into `addresses`, where `_resolve` puts
    its address. Code around unit i has up to three anchors: `ends[i]`, where unit i - 1 ends and
    the tail of unit i begins; `before[i]`, where the stub begins; `behind[i]`, where it ends.
    """

    body: Body
    constants: Constants
    pieces: list[bytes | OpenJump | int] = field(default_factory=list)
    locations: list[Location | int] = field(default_factory=list)
    addresses: list[int] = field(default_factory=list)
    before: dict[int, int] = field(default_factory=dict)
    behind: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    labels: dict[Label, int] = field(default_factory=dict)
    depth: int = 0

    def anchor(self) -> int:
        """Add an anchor here, and return it."""
        self.addresses.append(0)
        self.add(len(self.addresses) - 1, -1)
        return len(self.addresses) - 1

    def add(self, piece: bytes | OpenJump | int, location: Location | int) -> None:
        """Append `piece`; an int `location` is the code unit of the original it was copied from."""
        self.pieces.append(piece)
        self.locations.append(location)


def assemble(
    body: Body,
    stubs: Mapping[int, Sequence[Emit]],
    *,
    tails: Mapping[int, Sequence[Emit]] | None = None,
    landings: Sequence[int] = (),
    slack: int = 0,
) -> Assembled:
    """The code of `body` with `stubs[i]` before unit i, and a pad at the end for each landing.

    `tails[i]` stands before `stubs[i]`. Jumps to unit i skip it: only unit i - 1, falling through,
    executes it. A pad is where a running frame is moved to: a call or two ``NOP``, then
    ``POP_TOP``, then a jump to the unit's stub. `slack` is added to co_stacksize.
    """
    layout = _Layout(body, Constants(body.code.co_consts))
    _lay_out(layout, stubs, tails or {}, landings)
    end, count = layout.anchor(), len(body.units)
    layout.before[count] = layout.behind[count] = layout.ends[count] = end
    pads = [(unit, *_add_pad(layout, body.units[unit])) for unit in landings]
    _resolve(layout)
    raw, runs = _finish(layout)
    code = body.code.replace(
        co_code=raw,
        co_consts=tuple(layout.constants.values),
        co_linetable=encode_locations(runs, body.code.co_firstlineno),
        co_exceptiontable=encode_exceptions(_exceptions(layout, pads)),
        co_stacksize=body.code.co_stacksize + max(layout.depth, PAD_DEPTH if pads else 0) + slack,
    )
    labels = {label: 2 * layout.addresses[anchor] for label, anchor in layout.labels.items()}
    landed = tuple(2 * layout.addresses[landing] for _, _, landing, _ in pads)
    return Assembled(code, landed, labels)


def _lay_out(
    layout: _Layout,
    stubs: Mapping[int, Sequence[Emit]],
    tails: Mapping[int, Sequence[Emit]],
    landings: Sequence[int],
) -> None:
    """Add the original in slices, cut wherever a stub, a jump or an anchor is needed."""
    units, raw = layout.body.units, layout.body.code.co_code
    targets = {*landings, *_targets(stubs)}
    inserted = {*targets, *tails, *stubs} - {-1}
    moved = _moved_jumps(layout.body, inserted)
    stops = _stops(layout.body, inserted, moved)
    copied = 0
    for index in stops:
        unit = units[index]
        if unit.offset > copied:
            layout.add(raw[copied : unit.offset], copied >> 1)
            copied = unit.offset
        layout.ends[index] = layout.anchor()
        parted = True
        if tail := tails.get(index):
            _add_stub(layout, units[index - 1], tail)
        elif index in targets and units[index - 1].opcode in LOSES_LINE:
            layout.add(encode(OPCODES["NOP"], 0), units[index - 1].location)
        else:
            parted = False
        layout.before[index] = layout.anchor() if parted else layout.ends[index]
        if stub := stubs.get(index):
            _add_stub(layout, unit, stub)
        layout.behind[index] = layout.anchor() if stub else layout.before[index]
        if index in moved:
            copied = _add_jump(layout, unit)
    layout.add(raw[copied:], copied >> 1)


def _moved_jumps(body: Body, inserted: set[int]) -> dict[int, int]:
    """The jumps that span an insertion, with their targets; all others keep their distance.

    A jump that spans an insertion may grow, so it counts as one for the jumps that span it.
    """
    moved: dict[int, int] = {}
    growing, left = sorted(inserted), body.jumps
    while growing:
        spanning, unmoved = {}, []
        for index, target in left:
            first = bisect_left(growing, min(index, target))
            if first < len(growing) and growing[first] <= max(index, target):
                spanning[index] = target
            else:
                unmoved.append((index, target))
        moved.update(spanning)
        growing, left = sorted(spanning), unmoved
    return moved


def _stops(body: Body, inserted: set[int], moved: Mapping[int, int]) -> list[int]:
    """The units before which the original is cut."""
    count = len(body.units)
    stops = {*inserted, *moved, *moved.values()}
    if any(not 0 <= index < count for index in stops):
        raise AssemblyError("a stub or landing stands before a unit that does not exist")
    for covered in body.ranges:
        stops |= {covered.start, covered.start + 1, covered.end, covered.end + 1, covered.handler}
    return sorted(index for index in stops if 0 <= index < count)


def _targets(stubs: Mapping[int, Sequence[Emit]]) -> set[int]:
    """The units that stubs jump to; -1 may be among them."""
    return {
        _target_unit(operation.target)
        for stub in stubs.values()
        for operation in stub
        if isinstance(operation, JUMPS)
    }


def _target_unit(target: Label | Original | int) -> int:
    if isinstance(target, Original):
        return target.unit
    return target if isinstance(target, int) else -1


def _add_stub(layout: _Layout, unit: Unit, stub: Sequence[Emit]) -> None:
    location = NOWHERE if unit.opcode in NO_LINE_EVENT else unit.location
    lowered = lower(unit.index, location, stub, layout.constants)
    layout.depth = max(layout.depth, lowered.depth)
    for piece, location in lowered.pieces:
        if isinstance(piece, Label):
            layout.labels[piece] = layout.anchor()
        else:
            layout.add(piece, location)


def _add_jump(layout: _Layout, unit: Unit) -> int:
    """Add the unit's jump, at least as long as it was; return the offset where copying goes on."""
    assert unit.target is not None
    raw = layout.body.code.co_code
    extended = extended_args(raw, unit.offset)
    target: Original | int = unit.target
    if layout.body.units[unit.target].opcode == END_FOR:
        target = Original(unit.target)
    layout.add(OpenJump(unit.opcode, target, unit.opcode in BACKWARD, extended), unit.offset >> 1)
    return unit.offset + 2 * extended + 2 + 2 * CACHES[unit.opcode]


def _pad_start() -> bytes:
    """The instructions before a pad's POP_TOP.

    On 3.11 they are a call: the sampler moves frames there with a callable on the stack.
    """
    if len(TABLE.call) == 1:
        return encode(OPCODES["NOP"], 0) * 2
    return b"".join(encode(OPCODES[name], 0) for name in TABLE.call)


PAD = _pad_start()
PAD_DEPTH = 2  # NULL and a callable


def _add_pad(layout: _Layout, unit: Unit) -> tuple[int, int, int]:
    """Add the unit's pad; return the anchors of its start, its POP_TOP and its end.

    A moved frame continues at POP_TOP when its callee returns. If the callee raises instead,
    CPython looks up the handler of an instruction one or two code units earlier, so the pad and its
    exception-table entry begin there. The jump checks for no interrupt, so no signal handler runs.
    """
    start = layout.anchor()
    layout.add(PAD, unit.location)
    landing = layout.anchor()
    layout.add(encode(OPCODES["POP_TOP"], 0), unit.location)
    layout.add(OpenJump(OPCODES["JUMP_BACKWARD_NO_INTERRUPT"], unit.index, True), unit.location)
    return start, landing, layout.anchor()


def _resolve(layout: _Layout) -> None:
    """Give each jump its anchor, then widen jumps until all distances fit."""
    jumps = [piece for piece in layout.pieces if isinstance(piece, OpenJump)]
    for jump in jumps:
        jump.anchor = _anchor_of(layout, jump.target)
    while _grow(layout):
        pass


def _anchor_of(layout: _Layout, target: Label | Original | int) -> int:
    try:
        if isinstance(target, Original):
            return layout.behind[target.unit]
        return layout.before[target] if isinstance(target, int) else layout.labels[target]
    except KeyError:
        raise AssemblyError("a stub jumps to a label or unit that does not exist") from None


def _grow(layout: _Layout) -> bool:
    """Compute all addresses; True if a jump had to be widened, which moves them again."""
    addresses = layout.addresses
    address, ends = 0, []
    for piece in layout.pieces:
        if type(piece) is bytes:
            address += len(piece) >> 1
        elif type(piece) is int:
            addresses[piece] = address
        elif type(piece) is OpenJump:
            address += 1 + piece.extended + CACHES[piece.opcode]
            ends.append((piece, address))
    grown = False
    for jump, end in ends:
        distance = _distance(jump, addresses[jump.anchor], end)
        needed = max(0, (distance.bit_length() - 1) // 8)
        if needed > jump.extended:
            jump.extended = needed
            grown = True
    return grown


def _distance(jump: OpenJump, target: int, end: int) -> int:
    distance = end - target if jump.backward else target - end
    if distance < 0:
        raise AssemblyError("a jump of a stub leads in a direction that its instruction cannot go")
    return distance


def _finish(layout: _Layout) -> tuple[bytes, list[tuple[Location, int]]]:
    """The bytecode, and its locations as (location, length in code units)."""
    chunks: list[bytes] = []
    runs: list[tuple[Location, int]] = []
    address = 0
    for piece, location in zip(layout.pieces, layout.locations, strict=True):
        if type(piece) is int:
            continue
        chunk = piece if type(piece) is bytes else _encode_jump(layout, piece, address)
        chunks.append(chunk)
        length = len(chunk) >> 1
        address += length
        if isinstance(location, Location):
            runs.append((location, length))
        else:
            _copy_runs(layout.body, location, length, runs, type(piece) is OpenJump)
    return b"".join(chunks), _merged(runs)


def _encode_jump(layout: _Layout, jump: Any, address: int) -> bytes:
    end = address + 1 + jump.extended + CACHES[jump.opcode]
    distance = _distance(jump, layout.addresses[jump.anchor], end)
    digits = distance.to_bytes(jump.extended + 1, "big")
    extended = OPCODES["EXTENDED_ARG"]
    prefix = b"".join(bytes((extended, digit)) for digit in digits[:-1])
    return prefix + bytes((jump.opcode, digits[-1])) + bytes(2 * CACHES[jump.opcode])


def _copy_runs(
    body: Body, start: int, length: int, runs: list[tuple[Location, int]], whole: bool
) -> None:
    """Append the locations of `length` code units of the original, from `start` on.

    If `whole`, all of them get the location of the first.
    """
    original = body.runs
    position = bisect_right(original, start, key=_FIRST_UNIT) - 1
    if whole:
        runs.append((original[position][1], length))
        return
    end = start + length
    last = bisect_left(original, end, key=_FIRST_UNIT)
    for (_, location), (stop, _) in pairwise(original[position:last]):
        runs.append((location, stop - start))
        start = stop
    runs.append((original[last - 1][1], end - start))


_FIRST_UNIT = itemgetter(0)


def _merged(runs: list[tuple[Location, int]]) -> list[tuple[Location, int]]:
    merged: list[tuple[Location, int]] = []
    last: Location | None = None
    for run in runs:
        if run[0] == last:
            merged[-1] = (last, merged[-1][1] + run[1])
        else:
            merged.append(run)
            last = run[0]
    return merged


def _exceptions(
    layout: _Layout, pads: Sequence[tuple[int, int, int, int]]
) -> list[tuple[int, int, int, int, bool]]:
    """The original entries, which cover a stub as they cover its unit, then those of the pads."""
    addresses, before = layout.addresses, layout.before
    entries = []
    for start, start_delta, end, end_delta, handler, depth, lasti in layout.body.ranges:
        first, last = _boundary(layout, start, start_delta), _boundary(layout, end, end_delta)
        entries.append((first, last, addresses[before[handler]], depth, lasti))
    for index, first_anchor, _, last_anchor in pads:
        unit = layout.body.units[index]
        if unit.handler is not None:
            handler = addresses[before[unit.handler]]
            first, last = addresses[first_anchor], addresses[last_anchor]
            entries.append((first, last, handler, unit.handler_depth, unit.handler_lasti))
    return entries


def _boundary(layout: _Layout, unit: int, delta: int) -> int:
    """The address `delta` bytes into `unit`.

    Inside a unit it is counted back from the unit's end: a jump grows at its start.
    """
    if not delta:
        return layout.addresses[layout.before[unit]]
    return layout.addresses[layout.ends[unit + 1]] - (layout.body.units[unit].size - delta) // 2
