"""Proof of the stack effects, and the shape of the control flow."""

from __future__ import annotations

from types import CodeType

from dyntrace.asm.decode import decode
from dyntrace.asm.flow import blocks, effect, loop_heads, merge_points, stack_depths, successors
from dyntrace.asm.instructions import Body

from .sources import code_objects


def deepest(body: Body, depths: list[int | None]) -> int:
    """The greatest depth on any path; a RETURN_CONST never puts its constant on the stack."""
    greatest = 0
    for unit, depth in zip(body.units, depths, strict=True):
        if depth is None or [s.name for s in unit.micro] == ["LOAD_CONST", "RETURN_VALUE"]:
            continue
        for step in unit.micro:
            pops, pushes = effect(step)
            assert pops <= depth, (unit, depth)
            depth += pushes - pops
            greatest = max(greatest, depth)
    return greatest


def check_depths(code: CodeType) -> bool:
    """Depths agree at every join and handler and with co_stacksize; True if that is reached."""
    body = decode(code)
    depths = stack_depths(body)
    for unit, depth in zip(body.units, depths, strict=True):
        if depth is not None and unit.micro and unit.micro[-1].name == "RETURN_VALUE":
            assert depth == (0 if len(unit.micro) == 2 else 1), unit
        if depth is not None and unit.handler is not None:
            assert depth >= unit.handler_depth
    greatest = deepest(body, depths)
    assert greatest <= code.co_stacksize
    return greatest == code.co_stacksize


def test_stack_effects_reproduce_the_compilers_stack_sizes() -> None:
    exact = [check_depths(code) for code in code_objects()]
    assert sum(exact) > 0.8 * len(exact)


def test_blocks_tile_the_units_and_begin_where_jumps_lead() -> None:
    def program(values):
        for value in values:
            if value:
                continue
            try:
                value()
            except ValueError:
                break
        return value

    body = decode(program.__code__)
    graph = blocks(body)
    assert [b.start for b in graph[1:]] == [b.end for b in graph[:-1]]
    starts = {block.start for block in graph}
    for block in graph:
        assert set(block.successors) | set(block.handlers) <= starts


def test_an_exhausted_loop_goes_on_behind_it_without_the_iterator() -> None:
    def program(values):
        for value in values:
            pass
        return 5

    body = decode(program.__code__)
    depths = stack_depths(body)
    (loop,) = (u for u in body.units if u.micro and u.micro[-1].name == "FOR_ITER")
    into, out = successors(body, loop.index)
    assert (depths[loop.index], depths[into], depths[out]) == (1, 2, 0)
    assert body.units[out].micro[0].name != "END_FOR"
    assert loop_heads(body) == {loop.index}


def test_a_while_loop_has_one_head() -> None:
    def program(value):
        while value:
            value = value - 1
        return value

    body = decode(program.__code__)
    assert len(loop_heads(body)) == 1


def test_paths_merge_behind_branches_and_at_loop_heads_only() -> None:
    def straight(value):
        return value + 1

    def program(value, other):
        if value:
            other = 1
        for item in other:
            value = item if value else other
        return value

    assert not merge_points(decode(straight.__code__))
    body = decode(program.__code__)
    merges = merge_points(body)
    assert loop_heads(body) <= merges
    for merge in merges:
        leading = [u for u in body.units if merge in successors(body, u.index)]
        assert len(leading) > 1
    for unit in body.units:
        leading = [u for u in body.units if unit.index in successors(body, u.index)]
        assert (len(leading) > 1) == (unit.index in merges)
