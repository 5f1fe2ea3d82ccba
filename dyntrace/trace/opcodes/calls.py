"""Handlers of the call instructions.

They take callable and arguments off the stack in the form that all Pythons share: two slots for the
callable, then the arguments (`asm.versions`). Invariant: a slot that may hold NULL breaks. Read
`trace.semantics.calling` for how a call is traced.
"""

from __future__ import annotations

from dyntrace.breaks import CALL_BINDING, UNKNOWN_CALLEE
from dyntrace.graph import kinds
from dyntrace.trace.frame import Break, Frame, is_null
from dyntrace.trace.semantics import calling
from dyntrace.trace.semantics.protocol import unpack, unsupported
from dyntrace.trace.stepping import opcode
from dyntrace.trace.values.base import MaybeNull, Value


def callee_on_stack(frame: Frame) -> tuple[Value, list[Value]]:
    """Pop the two slots of a callable; return the callable and a list with `self`, if it is there.

    Without a NULL, the slots are a method's function and object.
    """
    lower, upper = frame.stack[-2:]
    if isinstance(lower, MaybeNull) or isinstance(upper, MaybeNull):
        raise Break(UNKNOWN_CALLEE)
    frame.pop_many(2)
    if is_null(lower):
        return upper, []
    return lower, [] if is_null(upper) else [upper]


@opcode("CALL")
def call(frame: Frame, arg: tuple[int, tuple[str, ...]]) -> None:
    count, names = arg
    values = frame.pop_many(count)
    callee, first = callee_on_stack(frame)
    first_named = count - len(names)
    kwargs = dict(zip(names, values[first_named:], strict=True))
    frame.push(calling.call(frame, callee, [*first, *values[:first_named]], kwargs))


@opcode("CALL_FUNCTION_EX")
def call_function_ex(frame: Frame, arg: bool) -> None:
    mapping = frame.pop() if arg else None
    args = unpack(frame, frame.pop())
    named = {} if mapping is None else frame.pairs_of(mapping)
    if named is None and mapping is not None and kinds.has_unseen_items(mapping.kind):
        raise unsupported(mapping)
    if named is None or not all(type(key) is str for key in named):
        raise Break(CALL_BINDING)
    callee, first = callee_on_stack(frame)
    frame.push(calling.call(frame, callee, [*first, *args], named))
