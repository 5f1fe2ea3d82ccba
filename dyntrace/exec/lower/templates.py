"""Templates: the arguments of a call and the outputs of a program, with registers in them.

A template is a tuple (code, register, constant or items, number, keys); the number names a list,
dict, tuple or slice that occurs more than once and is then one object.
`_native/vm/program/templates.c` builds values from templates. Read `exec.lower.lowering`, the
user, next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from dyntrace.exec.lower.instruction_table import CODES
from dyntrace.graph.node import Node
from dyntrace.graph.ownership import nodes_in

_CODES = CODES["TEMPLATE"]
REGISTER, CONSTANT, TUPLE = _CODES["REGISTER"], _CODES["CONSTANT"], _CODES["TUPLE"]
LIST, DICT, SLICE = _CODES["LIST"], _CODES["DICT"], _CODES["SLICE"]


class Registers(Protocol):
    """What a template needs of a lowering."""

    register_of: dict[Node, int]


def registers(lowering: Registers, values: Any) -> Iterator[int]:
    """The registers that occur in `values`."""
    for node in nodes_in(values):
        yield lowering.register_of[node]


def reads(templates: Iterable[Any]) -> Iterator[int]:
    """The registers that occur in templates."""
    for code, content, *_ in templates:
        if code == REGISTER:
            yield content
        elif code != CONSTANT:
            yield from reads(content)


def template(lowering: Registers, value: Any, numbers: dict[int, int] | None = None) -> Any:
    """The template of a value; `numbers` of containers by identity, where sharing shows."""
    if isinstance(value, Node):
        return (REGISTER, lowering.register_of[value])
    kind = type(value)
    if kind not in (tuple, list, dict, slice):
        return (CONSTANT, value)
    if kind is not list and kind is not dict and not any(True for _ in nodes_in(value)):
        if not _holds_mutable(value):
            return (CONSTANT, value)
    number = None
    if numbers is not None:
        number = numbers.setdefault(id(value), len(numbers))
    parts = _parts(value)
    items = tuple(template(lowering, part, numbers) for part in parts)
    code = {tuple: TUPLE, list: LIST, dict: DICT, slice: SLICE}[kind]
    return (code, items, number, tuple(value) if kind is dict else None)


def _parts(value: Any) -> list[Any]:
    if type(value) is slice:
        return [value.start, value.stop, value.step]
    return list(value.values() if type(value) is dict else value)


def _holds_mutable(value: Any) -> bool:
    """Whether a fresh list or dict has to be made for each use."""
    if type(value) in (list, dict):
        return True
    return type(value) in (tuple, slice) and any(map(_holds_mutable, _parts(value)))
