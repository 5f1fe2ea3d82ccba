"""Rules for lists and tuples of numbers: items that are read and replaced, lengths.

A list is held as the address of its items and its length, which stay the same while machine code
runs. Invariant: an item's type is checked when it is read; an item is replaced after all checks of
its node. Read `_native/ahead/items.c` for the functions that make and release objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.exec.kernels.arithmetic import Names, line_of
from dyntrace.exec.kernels.elements import view_of
from dyntrace.exec.kernels.emission import Emission, rule
from dyntrace.exec.kernels.held import ArrayParts, NoRule, kind_of
from dyntrace.graph.kinds import PythonScalarKind
from dyntrace.graph.loop_graph import LoopGraph
from dyntrace.graph.node import Node

__all__ = ["changes_lists"]

TYPE, PAYLOAD = 8, 16  # offsets of an object's type and of a float's value
_SETTERS: Mapping[type, tuple[str, str]] = MappingProxyType(
    {
        bool: ("items_set_bool", "i64"),
        int: ("items_set_int", "i64"),
        float: ("items_set_float", "double"),
    }
)


def changes_lists(loop: LoopGraph) -> bool:
    """Whether an iteration replaces items of lists."""
    return any(node.op.name == "list.store" for block in loop.blocks for node in block.nodes)


def _place(emission: Emission, node: Node) -> str:
    """The address at which the list has the pointer to an item."""
    items, length = emission.of(node.args[0])
    whole = ArrayParts(items, "false", (length,), ("8",), "-1")
    view = view_of(emission, whole, node.args[1], line_of(node))
    if view.dims:
        raise NoRule("a slice of a list")
    return view.pointer


@rule("list.length")
def length(emission: Emission, node: Node) -> Names:
    return (emission.of(node.args[0])[1],)


@rule("list.item")
def item(emission: Emission, node: Node) -> Names:
    assert isinstance(node.kind, PythonScalarKind)
    writer, place = emission.writer, _place(emission, node)
    pointer = writer.op(f"load ptr, ptr {place}, align 8")
    bad, name = _READERS[node.kind.type](emission, pointer)
    emission.check(bad, "an item of another type", line_of(node))
    if node.kind.type is float:
        payload = writer.op(f"getelementptr i8, ptr {pointer}, i64 {PAYLOAD}")
        name = writer.op(f"load double, ptr {payload}, align 8")
    elif node.kind.type is int:
        name = writer.op("load i64, ptr %pair, align 8")
    return (name,)


def _float(emission: Emission, pointer: str) -> tuple[str, str]:
    writer = emission.writer
    place = writer.op(f"getelementptr i8, ptr {pointer}, i64 {TYPE}")
    found = writer.op(f"load ptr, ptr {place}, align 8")
    wanted = emission.call_table("object.float")
    return writer.op(f"icmp ne ptr {found}, {wanted}"), ""


def _bool(emission: Emission, pointer: str) -> tuple[str, str]:
    writer = emission.writer
    true, false = (emission.call_table(f"object.{name}") for name in ("true", "false"))
    is_true = writer.op(f"icmp eq ptr {pointer}, {true}")
    not_false = writer.op(f"icmp ne ptr {pointer}, {false}")
    is_neither = writer.op(f"xor i1 {is_true}, {not_false}")
    return is_neither, is_true


def _int(emission: Emission, pointer: str) -> tuple[str, str]:
    writer, function = emission.writer, emission.call_table("items_int")
    good = writer.op(f"call i64 {function}(ptr {pointer}, ptr %pair)")
    return writer.op(f"icmp eq i64 {good}, 0"), ""


_READERS = MappingProxyType({float: _float, bool: _bool, int: _int})


@rule("list.store")
def store(emission: Emission, node: Node) -> Any:
    value, lineno, writer = node.args[2], line_of(node), emission.writer
    kind, place = kind_of(value), _place(emission, node)
    if not isinstance(kind, PythonScalarKind) or kind.type not in _SETTERS:
        raise NoRule("an item that is no number")
    function, held = _SETTERS[kind.type]
    name = emission.name(value)
    if kind.type is bool:
        name = writer.op(f"zext i1 {name} to i64")
    if emission.unlogged:
        emission.check_flags(lineno)
    logged = "0" if emission.unlogged else "1"
    address = emission.call_table(function)
    good = writer.op(f"call i64 {address}(ptr {place}, {held} {name}, i64 {logged})")
    bad = writer.op(f"icmp eq i64 {good}, 0")
    emission.check(bad, "an item that cannot be replaced", lineno)
    return ()
