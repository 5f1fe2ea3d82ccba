"""Python source for operations; `graph.show` and the numpy backend both write it with this module.

Invariant: an operand's text is an atom (a name, a literal, or parenthesised), so texts combine
whatever the precedence of operators. The caller says how functions are named: `graph.show` spells
them as a reader would, `exec.backends.generation` binds them to local names. Read `graph.show`
next.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dyntrace.graph.node import Node, Op

INFIX: Mapping[Any, str] = MappingProxyType(
    {
        operator.add: "+",
        operator.sub: "-",
        operator.mul: "*",
        operator.truediv: "/",
        operator.floordiv: "//",
        operator.mod: "%",
        operator.pow: "**",
        operator.matmul: "@",
        operator.and_: "&",
        operator.or_: "|",
        operator.xor: "^",
        operator.lshift: "<<",
        operator.rshift: ">>",
        operator.lt: "<",
        operator.le: "<=",
        operator.gt: ">",
        operator.ge: ">=",
        operator.eq: "==",
        operator.ne: "!=",
        operator.is_: "is",
        operator.is_not: "is not",
    }
)
PREFIX: Mapping[Any, str] = MappingProxyType(
    {
        operator.neg: "-",
        operator.pos: "+",
        operator.invert: "~",
        operator.not_: "not ",
        operator.abs: "abs",
    }
)
INPLACE: Mapping[Any, str] = MappingProxyType(
    {
        operator.iadd: "+=",
        operator.isub: "-=",
        operator.imul: "*=",
        operator.itruediv: "/=",
        operator.ifloordiv: "//=",
        operator.imod: "%=",
        operator.ipow: "**=",
        operator.imatmul: "@=",
        operator.iand: "&=",
        operator.ior: "|=",
        operator.ixor: "^=",
        operator.ilshift: "<<=",
        operator.irshift: ">>=",
    }
)
_LITERALS = (int, float, str, bool, type(None))

Write = Callable[[Any], str]
NameFunction = Callable[[Op], str]


def literal(value: Any) -> str | None:
    """The source of a small constant, as an atom; None if the object must be bound to a name."""
    if value is Ellipsis:
        return "..."
    kind = type(value)
    if kind not in _LITERALS:
        return None
    if kind is int and not -(2**63) <= value < 2**64:
        return None
    if kind is float and (value != value or value in (float("inf"), float("-inf"))):
        return None
    text = repr(value)
    return f"({text})" if kind in (int, float) else text


def last_name(op: Op) -> str:
    """The operation's name behind its last dot: "sum" for `ndarray.sum`."""
    return op.name.rpartition(".")[2]


def expression(node: Node, write: Write, function: NameFunction) -> str:
    """The source of the expression or statement that computes `node`. It is not an atom."""
    return _STYLES.get(node.op.style, _call)(node, write, function)


def arguments(node: Node, write: Write, start: int = 0) -> str:
    """The text between the parentheses of a call, from argument `start` on."""
    texts = [_bare(write(value)) for value in node.args[start:]]
    texts += [f"{name}={_bare(write(value))}" for name, value in node.kwargs]
    return ", ".join(texts)


def _bare(text: str) -> str:
    """`text` without parentheses if it is a parenthesised number."""
    return text[1:-1] if text[:1] == "(" and _is_number(text[1:-1]) else text


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "").replace("e-", "").replace("e+", "").isdigit()


def _call(node: Node, write: Write, function: NameFunction) -> str:
    return f"{function(node.op)}({arguments(node, write)})"


def _infix(node: Node, write: Write, function: NameFunction) -> str:
    symbol = INFIX.get(node.op.target)
    if symbol is None or len(node.args) != 2 or node.kwargs:
        return _call(node, write, function)
    return f"{_bare_left(write(node.args[0]))} {symbol} {_bare_left(write(node.args[1]))}"


def _bare_left(text: str) -> str:
    """`text` without parentheses if it is a positive number, which needs none by an operator."""
    bare = _bare(text)
    return text if bare.startswith("-") else bare


def _prefix(node: Node, write: Write, function: NameFunction) -> str:
    symbol = PREFIX.get(node.op.target)
    if symbol is None or len(node.args) != 1:
        return _call(node, write, function)
    return f"{symbol}{write(node.args[0])}"


def _method(node: Node, write: Write, function: NameFunction) -> str:
    return f"{write(node.args[0])}.{last_name(node.op)}({arguments(node, write, 1)})"


def _attribute(node: Node, write: Write, function: NameFunction) -> str:
    return f"{write(node.args[0])}.{last_name(node.op)}"


def _item(node: Node, write: Write, function: NameFunction) -> str:
    return f"{write(node.args[0])}[{subscript(node.args[1], write)}]"


def _setitem(node: Node, write: Write, function: NameFunction) -> str:
    target, index, value = node.args
    return f"{write(target)}[{subscript(index, write)}] = {_bare(write(value))}"


def _inplace(node: Node, write: Write, function: NameFunction) -> str:
    symbol = INPLACE.get(node.op.target)
    if symbol is None:
        return _call(node, write, function)
    return f"{write(node.args[0])} {symbol} {_bare(write(node.args[1]))}"


_STYLES = MappingProxyType(
    {
        "call": _call,
        "infix": _infix,
        "prefix": _prefix,
        "method": _method,
        "attribute": _attribute,
        "item": _item,
        "setitem": _setitem,
        "inplace": _inplace,
    }
)


def subscript(index: Any, write: Write) -> str:
    """The text between the brackets: slices in colon form, a tuple without parentheses."""
    if type(index) is tuple and index:
        texts = [_subscript_item(item, write) for item in index]
        return ", ".join(texts) + ("," if len(texts) == 1 else "")
    return _subscript_item(index, write)


def _subscript_item(item: Any, write: Write) -> str:
    if type(item) is not slice:
        return _bare(write(item))
    start, stop, step = (_bound(part, write) for part in (item.start, item.stop, item.step))
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


def _bound(part: Any, write: Write) -> str:
    return "" if part is None else _bare(write(part))


def container(value: Any, write: Write) -> str | None:
    """The source of a tuple, list, dict or slice; None for a value of any other type."""
    kind = type(value)
    if kind is tuple:
        texts = [_bare(write(item)) for item in value]
        return "(" + ", ".join(texts) + (",)" if len(texts) == 1 else ")")
    if kind is list:
        return "[" + ", ".join(_bare(write(item)) for item in value) + "]"
    if kind is dict:
        pairs = (f"{_bare(write(key))}: {_bare(write(item))}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if kind is slice:
        parts = (_bare(write(part)) for part in (value.start, value.stop, value.step))
        return f"slice({', '.join(parts)})"
    return None
