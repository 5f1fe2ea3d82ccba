"""Lower the operations of one stub to instructions of the running Python.

`_LOWER` has an encoder and a stack effect for each type of operation. Opcodes are named through the
version table, which `asm.versions.table.check` tests at import. Invariant: `Lowered.depth` is the
largest number of values that the stub has on top of its unit's stack. Read `assemble` next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from dyntrace.asm import emit
from dyntrace.asm.decode import CACHES, OPCODES
from dyntrace.asm.instructions import Location
from dyntrace.asm.versions import TABLE
from dyntrace.record import field, record

__all__ = ["JUMPS", "Constants", "Lowered", "OpenJump", "encode", "lower"]


class Constants:
    """co_consts with new objects appended; an object that is in it already is not added again.

    Objects compare by identity: 0.0 and -0.0 are two constants.
    """

    def __init__(self, original: tuple[Any, ...]) -> None:
        self.values = list(original)
        self._indexes = {id(value): index for index, value in enumerate(original)}

    def index(self, value: Any) -> int:
        found = self._indexes.setdefault(id(value), len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


@record()
class OpenJump:
    """A jump without its argument, which `assemble` computes once all addresses are known.

    `extended` counts its EXTENDED_ARGs; widening may add some, and never takes one away.
    """

    opcode: int
    target: emit.Label | emit.Original | int
    backward: bool
    extended: int = 0
    anchor: int = -1


@record()
class Lowered:
    """A stub's pieces in order: encoded bytes, jumps and labels, each with its location."""

    pieces: list[tuple[bytes | OpenJump | emit.Label, Location]] = field(default_factory=list)
    depth: int = 0


@lru_cache(maxsize=4096)
def encode(opcode: int, arg: int) -> bytes:
    """One instruction with its EXTENDED_ARGs and empty caches."""
    prefix = b""
    if arg > 255:
        size = (arg.bit_length() + 7) // 8
        high = arg.to_bytes(size, "big")[:-1]
        prefix = b"".join(bytes((OPCODES["EXTENDED_ARG"], byte)) for byte in high)
    return prefix + bytes((opcode, arg & 255)) + bytes(2 * CACHES[opcode])


def _plain(name: str, arg: int = 0) -> bytes:
    return encode(OPCODES[name], arg)


def _push_callable(operation: emit.PushCallable, constants: Constants) -> bytes:
    load = _plain("LOAD_CONST", constants.index(operation.obj))
    if not operation.null:
        return load
    null = _plain("PUSH_NULL")
    return null + load if TABLE.null_first else load + null


def _load_const(operation: emit.LoadConst, constants: Constants) -> bytes:
    return _plain("LOAD_CONST", constants.index(operation.obj))


def _call(operation: emit.Call, constants: Constants) -> bytes:
    return b"".join(_plain(name, operation.count) for name in TABLE.call)


def _to_bool(operation: emit.ToBool, constants: Constants) -> bytes:
    return b"".join(map(_plain, TABLE.to_bool))


def _with(name: str, field_name: str = "") -> Callable[[Any, Constants], bytes]:
    if not field_name:
        return lambda operation, constants: _plain(name)
    return lambda operation, constants: _plain(name, getattr(operation, field_name))


# For each operation: its encoder, and the function from it to (values popped, values pushed).
_LOWER: Mapping[
    type, tuple[Callable[[Any, Constants], bytes], Callable[[Any], tuple[int, int]]]
] = MappingProxyType(
    {
        emit.PushCallable: (_push_callable, lambda o: (0, 1 + o.null)),
        emit.LoadConst: (_load_const, lambda o: (0, 1)),
        emit.LoadFast: (_with("LOAD_FAST", "index"), lambda o: (0, 1)),
        emit.LoadCell: (_with(TABLE.load_cell, "index"), lambda o: (0, 1)),
        emit.StoreFast: (_with("STORE_FAST", "index"), lambda o: (1, 0)),
        emit.StoreDeref: (_with("STORE_DEREF", "index"), lambda o: (1, 0)),
        emit.Copy: (_with("COPY", "depth"), lambda o: (0, 1)),
        emit.Swap: (_with("SWAP", "depth"), lambda o: (0, 0)),
        emit.PopTop: (_with("POP_TOP"), lambda o: (1, 0)),
        emit.PushNull: (_with("PUSH_NULL"), lambda o: (0, 1)),
        emit.Call: (_call, lambda o: (o.count + 2, 1)),
        emit.UnpackSequence: (_with("UNPACK_SEQUENCE", "count"), lambda o: (1, o.count)),
        emit.BuildTuple: (_with("BUILD_TUPLE", "count"), lambda o: (o.count, 1)),
        emit.ToBool: (_to_bool, lambda o: (1, 1)),
        emit.Subscript: (_with("BINARY_SUBSCR"), lambda o: (2, 1)),
    }
)


def lower(
    unit: int, location: Location, stub: Sequence[emit.Emit], constants: Constants
) -> Lowered:
    """Lower the stub of `unit`; its instructions have `location` until an `At` changes it."""
    lowered = Lowered()
    depths: dict[emit.Label, int] = {}
    depth = 0
    plain: list[bytes] = []
    for operation in stub:
        rule = _LOWER.get(type(operation))
        if rule is not None:
            encoder, effect = rule
            plain.append(encoder(operation, constants))
            pops, pushes = effect(operation)
            depth += pushes - pops
            if depth > lowered.depth:
                lowered.depth = depth
            continue
        if plain:
            lowered.pieces.append((b"".join(plain), location))
            plain.clear()
        if isinstance(operation, emit.At):
            location = operation.location
        elif isinstance(operation, emit.Here):
            lowered.pieces.append((operation.label, location))
            depth = depths.get(operation.label, depth)
        elif isinstance(operation, JUMPS):
            lowered.pieces.append((_open_jump(unit, operation), location))
            depth -= not isinstance(operation, emit.Jump)
            if isinstance(operation.target, emit.Label):
                depths[operation.target] = depth
    if plain:
        lowered.pieces.append((b"".join(plain), location))
    return lowered


JUMPS = (emit.Jump, emit.PopJumpIfNone, emit.PopJumpIfTrue)
_CONDITIONAL = MappingProxyType(
    {
        emit.PopJumpIfNone: OPCODES[TABLE.pop_jump_if_none],
        emit.PopJumpIfTrue: OPCODES[TABLE.pop_jump_if_true],
    }
)


def _open_jump(
    unit: int, operation: emit.Jump | emit.PopJumpIfNone | emit.PopJumpIfTrue
) -> OpenJump:
    if not isinstance(operation, emit.Jump):
        return OpenJump(_CONDITIONAL[type(operation)], operation.target, backward=False)
    return unconditional_jump(operation.target, _is_backward(unit, operation.target))


def unconditional_jump(target: emit.Label | emit.Original | int, backward: bool) -> OpenJump:
    """An unconditional jump."""
    return OpenJump(OPCODES["JUMP_BACKWARD" if backward else "JUMP_FORWARD"], target, backward)


def _is_backward(unit: int, target: emit.Label | emit.Original | int) -> bool:
    if isinstance(target, emit.Original):
        return target.unit < unit
    return isinstance(target, int) and target <= unit
