"""Templates: the arguments of a call and the outputs of a program, with registers in them.

Each list, dict, tuple or slice among the outputs gets a number, by its identity, so that one that
occurs more than once is built once. Read `_native/vm/program/templates.c` next, which builds values
from templates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Protocol

from dyntrace.exec.lower.description import (
    ConstantTemplate,
    DictTemplate,
    ListTemplate,
    RegisterTemplate,
    SliceTemplate,
    Template,
    TupleTemplate,
)
from dyntrace.graph.node import Node
from dyntrace.graph.ownership import nodes_in


@cache
def of_register(reg: int) -> RegisterTemplate:
    """The template of this register; cached, since most programs use the same ones."""
    return RegisterTemplate(reg)


class Registers(Protocol):
    """The part of a lowering that templates read."""

    register_of: dict[Node, int]


def registers(lowering: Registers, values: Any) -> Iterator[int]:
    """The registers that occur in `values`."""
    for node in nodes_in(values):
        yield lowering.register_of[node]


def reads(templates: Iterable[Template]) -> list[int]:
    """The registers that occur in templates."""
    found: list[int] = []
    for template in templates:
        if isinstance(template, RegisterTemplate):
            found.append(template.reg)
        elif isinstance(template, _CONTAINERS):
            found += reads(template.items)
    return found


_CONTAINERS = (TupleTemplate, ListTemplate, DictTemplate, SliceTemplate)


def template(lowering: Registers, value: Any, numbers: dict[int, int] | None = None) -> Template:
    """The template of a value; with `numbers`, containers are numbered by identity."""
    if isinstance(value, Node):
        return of_register(lowering.register_of[value])
    kind = type(value)
    if kind not in (tuple, list, dict, slice):
        return ConstantTemplate(value)
    if kind is not list and kind is not dict and not any(True for _ in nodes_in(value)):
        if not _holds_mutable(value):
            return ConstantTemplate(value)
    number = None
    if numbers is not None:
        number = numbers.setdefault(id(value), len(numbers))
    items = tuple(template(lowering, part, numbers) for part in _parts(value))
    if kind is dict:
        return DictTemplate(items, number, tuple(value))
    if kind is tuple:
        return TupleTemplate(items, number)
    return ListTemplate(items, number) if kind is list else SliceTemplate(items, number)


def _parts(value: Any) -> list[Any]:
    if type(value) is slice:
        return [value.start, value.stop, value.step]
    return list(value.values() if type(value) is dict else value)


def _holds_mutable(value: Any) -> bool:
    """Whether the value holds a list or dict, of which each use needs a new one."""
    if type(value) in (list, dict):
        return True
    return type(value) in (tuple, slice) and any(map(_holds_mutable, _parts(value)))
