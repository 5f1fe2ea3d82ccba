"""Rules for index arithmetic: loop counters, lengths of ranges and arrays.

These numbers stay within 64 bits, so nothing here overflows except the length of a range whose
bounds are far apart, and the numbers of an enumerate, which leave the iteration. Read
`trace.loops.virtual` for what they are.
"""

from __future__ import annotations

from typing import Any

from dyntrace.exec.kernels.arithmetic import line_of
from dyntrace.exec.kernels.emission import Emission, rule
from dyntrace.graph.node import Node


@rule("index.add")
def add(emission: Emission, node: Node) -> Any:
    left, right = (emission.index(arg, line_of(node)) for arg in node.args)
    return (emission.writer.op(f"add i64 {left}, {right}"),)


@rule("index.next")
def following(emission: Emission, node: Node) -> Any:
    """The next number of an enumerate, whose start may be any."""
    number = emission.name(node.args[0])
    found, far = emission.writer.overflowing("sadd", "i64", number, "1")
    emission.check(far, "an integer of more than 64 bits", line_of(node))
    return (found,)


@rule("index.more")
def more(emission: Emission, node: Node) -> Any:
    left, right = (emission.name(arg) for arg in node.args)
    return (emission.writer.op(f"icmp slt i64 {left}, {right}"),)


@rule("index.positive")
def positive(emission: Emission, node: Node) -> Any:
    return (emission.writer.op(f"icmp sgt i64 {emission.name(node.args[0])}, 0"),)


@rule("index.both")
def both(emission: Emission, node: Node) -> Any:
    left, right = (emission.name(arg) for arg in node.args)
    return (emission.writer.op(f"and i1 {left}, {right}"),)


@rule("index.length")
def length(emission: Emission, node: Node) -> Any:
    return (emission.array(node.args[0]).dims[0],)


@rule("index.field")
def field(emission: Emission, node: Node) -> Any:
    """A part of the iterator that the loop consumes."""
    iterator, part = node.args
    found = emission.of(iterator)[part]
    return (found,) if isinstance(found, str) else found


@rule("index.count")
def count(emission: Emission, node: Node) -> Any:
    """The number of items of a range; leaves the iteration if the step is 0."""
    writer, lineno = emission.writer, line_of(node)
    start, stop, step = (emission.name(arg) for arg in node.args)
    if not step.lstrip("-").isdigit() or step == "0":
        emission.check(writer.op(f"icmp eq i64 {step}, 0"), "a range with step 0", lineno)
    up = writer.op(f"icmp sgt i64 {step}, 0")
    low = writer.op(f"select i1 {up}, i64 {start}, i64 {stop}")
    high = writer.op(f"select i1 {up}, i64 {stop}, i64 {start}")
    span, far = writer.overflowing("ssub", "i64", high, low)
    emission.check(far, "a range too long", lineno)
    negated = writer.op(f"sub i64 0, {step}")
    size = writer.op(f"select i1 {up}, i64 {step}, i64 {negated}")
    before = writer.op(f"sub i64 {span}, 1")
    steps = writer.op(f"udiv i64 {before}, {size}")
    found = writer.op(f"add i64 {steps}, 1")
    some = writer.op(f"icmp sgt i64 {span}, 0")
    return (writer.op(f"select i1 {some}, i64 {found}, i64 0"),)


@rule("index.last")
def last(emission: Emission, node: Node) -> Any:
    """The last item of a range, from its start, its length and its step."""
    writer = emission.writer
    start, number, step = (emission.name(arg) for arg in node.args)
    before = writer.op(f"sub i64 {number}, 1")
    return (writer.op(f"add i64 {start}, {writer.op(f'mul i64 {before}, {step}')}"),)
