"""Handlers of loads and stores (constants, locals, cells, globals, attributes) and stack moves.

Invariant: a name that CPython would look up is read by the region even if its value is not used,
since a missing one is an error. Stores into globals, attributes and cells of callees break. Read
`trace.semantics.attributes` for how attributes are found.
"""

from __future__ import annotations

from types import CodeType, ModuleType
from typing import Any

from dyntrace.asm.versions import TABLE
from dyntrace.breaks import ATTRIBUTE_STORE, CHANGE_IN_PLACE, MAYBE_UNBOUND, STATE_DEPENDENT
from dyntrace.graph.kinds import ArrayKind, FunctionKind, KnownKind
from dyntrace.trace.frame import Break, Flush, Frame
from dyntrace.trace.semantics.attributes import get_attribute
from dyntrace.trace.semantics.changes import new_tuple, stored
from dyntrace.trace.semantics.protocol import constant, unpack
from dyntrace.trace.sources import GlobalName
from dyntrace.trace.stepping import opcode
from dyntrace.trace.values.base import METHOD_NULL, NULL, Constant, MaybeNull, Null, Outside, Value

CLOSURE = 0x08  # MAKE_FUNCTION: the tuple of cells is on the stack


@opcode("LOAD_CONST")
def load_const(frame: Frame, arg: Any) -> None:
    frame.push(Constant(arg))


@opcode("LOAD_FAST")
def load_fast(frame: Frame, arg: int) -> None:
    frame.push(frame.load(arg))


@opcode("LOAD_FAST_CHECK")
def load_fast_check(frame: Frame, arg: int) -> None:
    if arg not in frame.slots:
        raise Break(MAYBE_UNBOUND, frame.body.local_names[arg])
    frame.push(frame.slots[arg])


@opcode("LOAD_FAST_AND_CLEAR")
def load_fast_and_clear(frame: Frame, arg: int) -> None:
    raise Flush


@opcode("STORE_FAST")
def store_fast(frame: Frame, arg: int) -> None:
    frame.store(arg, frame.pop())


@opcode("DELETE_FAST")
def delete_fast(frame: Frame, arg: int) -> None:
    if not frame.depth or arg not in frame.slots:
        raise Break(STATE_DEPENDENT)
    del frame.slots[arg]


@opcode("LOAD_DEREF")
def load_deref(frame: Frame, arg: int) -> None:
    frame.push(frame.load(arg))


@opcode("STORE_DEREF")
def store_deref(frame: Frame, arg: int) -> None:
    if frame.depth:
        raise Break(ATTRIBUTE_STORE)
    frame.store(arg, frame.pop())
    frame.region.store_cell()


@opcode("LOAD_CLOSURE")
def load_closure(frame: Frame, arg: int) -> None:
    raise Flush


@opcode("LOAD_GLOBAL")
def load_global(frame: Frame, arg: str) -> None:
    frame.push(global_value(frame, arg))


def global_value(frame: Frame, name: str) -> Value:
    """A global or built-in, with the kind that it has now; each call of the region reads it."""
    kind = frame.region.global_kind(frame.namespace, name)
    if kind is None:
        raise Break(STATE_DEPENDENT, name)
    source = GlobalName(name, frame.globals_source)
    frame.region.read(source)  # even if the value is not used: a missing name raises NameError
    return Outside(source, kind)


@opcode("LOAD_NAME")
def load_name(frame: Frame, arg: str) -> None:
    raise Break(STATE_DEPENDENT, arg)


@opcode("STORE_NAME")
def store_name(frame: Frame, arg: str) -> None:
    raise Break(ATTRIBUTE_STORE, arg)


@opcode("STORE_GLOBAL")
def store_global(frame: Frame, arg: str) -> None:
    raise Break(ATTRIBUTE_STORE, arg)


@opcode("LOAD_ATTR")
def load_attr(frame: Frame, arg: str) -> None:
    frame.push(get_attribute(frame, frame.pop(), arg))


@opcode("LOAD_METHOD")
def load_method(frame: Frame, arg: str) -> None:
    """Push the attribute and a NULL.

    CPython does so too, except for methods: for these it pushes function and object. The region
    need not tell the two apart, but what follows it must: hence `METHOD_NULL`.
    """
    owner = frame.pop()
    found = get_attribute(frame, owner, arg)
    kind = owner.kind
    plain = isinstance(kind, KnownKind) and isinstance(kind.value, (type, ModuleType))
    null = NULL if plain else METHOD_NULL
    for value in (null, found) if TABLE.null_first else (found, null):
        frame.push(value)


@opcode("STORE_ATTR")
def store_attr(frame: Frame, arg: str) -> None:
    is_array = isinstance(frame.stack[-1].kind, ArrayKind)
    raise Break(CHANGE_IN_PLACE if is_array else ATTRIBUTE_STORE, arg)


@opcode("PUSH_NULL")
def push_null(frame: Frame, arg: Any) -> None:
    frame.push(NULL)


@opcode("COPY")
def copy(frame: Frame, arg: int) -> None:
    if isinstance(frame.stack[-arg], (MaybeNull, Null)):
        raise Flush
    frame.push(stored(frame.stack[-arg]))


@opcode("SWAP")
def swap(frame: Frame, arg: int) -> None:
    stack = frame.stack
    if any(isinstance(stack[-position], (MaybeNull, Null)) for position in (1, arg)):
        raise Flush
    stack[-1], stack[-arg] = stack[-arg], stack[-1]


@opcode("POP_TOP")
def pop_top(frame: Frame, arg: Any) -> None:
    frame.pop()


@opcode("NOP")
def nop(frame: Frame, arg: Any) -> None:
    return


@opcode("MAKE_FUNCTION")
def make_function(frame: Frame, arg: int) -> None:
    """End the region; the kind that CPython's function will have follows from its code.

    A function with defaults is of unknown kind.
    """
    if frame.depth:
        raise Break(STATE_DEPENDENT)
    code = constant(frame, frame.stack[-1])
    if not isinstance(code, CodeType) or arg & ~CLOSURE:
        raise Flush
    names = frame.body.local_names
    cells = tuple(frame.load(names.index(name)).kind for name in code.co_freevars)
    raise Flush(FunctionKind(code, frame.namespace, closure=cells))


@opcode("LIST_TO_TUPLE")
def list_to_tuple(frame: Frame, arg: Any) -> None:
    frame.push(new_tuple(unpack(frame, frame.pop())))
