"""Liveness and bindings of fast locals, against the compiler's own knowledge."""

from __future__ import annotations

from collections.abc import Callable

from dyntrace.asm.bindings import bound_before
from dyntrace.asm.decode import decode
from dyntrace.asm.flow import stack_depths
from dyntrace.asm.instructions import Body, MicroOp
from dyntrace.asm.liveness import live_before

from .sources import code_objects


def loads(body: Body) -> list[tuple[int, MicroOp]]:
    """The loads that no store of the same unit precedes."""
    found = []
    for unit in body.units:
        stored = set()
        for step in unit.micro:
            if step.name in ("LOAD_FAST", "LOAD_FAST_CHECK") and step.arg not in stored:
                found.append((unit.index, step))
            if step.name == "STORE_FAST":
                stored.add(step.arg)
    return found


def names_at(
    program: Callable[..., object], marker: str, sets: Callable[[Body], list[frozenset[int]]]
) -> set[str]:
    """The names in the set before the global `marker` is loaded."""
    body = decode(program.__code__)
    (index,) = (u.index for u in body.units if MicroOp("LOAD_GLOBAL", marker) in u.micro)
    return {body.local_names[i] for i in sets(body)[index]}


def test_every_load_that_the_compiler_left_unchecked_is_bound_and_live() -> None:
    checked = 0
    for code in code_objects():
        body = decode(code)
        bound, live, depths = bound_before(body), live_before(body), stack_depths(body)
        for index, step in loads(body):
            if depths[index] is None:
                continue
            assert step.arg in live[index], (code, body.units[index])
            if step.name == "LOAD_FAST":
                assert step.arg in bound[index], (code, body.units[index])
            else:
                checked += 1
                assert step.arg not in bound[index], (code, body.units[index])
    assert checked


def test_loads_of_the_locals_that_the_compiler_does_not_follow_are_known_to_be_bound() -> None:
    names = [f"v{number}" for number in range(70)]
    lines = ["def program(flag, x):", *(f"    {name} = x" for name in names)]
    lines += ["    if flag:", "        del v69", f"    return {names[67]}, {names[68]}, v69"]
    namespace: dict[str, Callable[..., object]] = {}
    exec("\n".join(lines), namespace)
    body = decode(namespace["program"].__code__)
    ends = [body.local_names[step.arg] for _, step in loads(body) if step.name == "LOAD_FAST"]
    unsure = [body.local_names[step.arg] for _, step in loads(body) if "CHECK" in step.name]
    assert ends[-2:] == ["v67", "v68"] and unsure == ["v69"]


def test_a_local_is_dead_before_it_is_stored_again() -> None:
    def program(a, b):
        a = HERE(b)  # noqa: F821
        return a

    assert names_at(program, "HERE", live_before) == {"b"}


def test_a_handler_keeps_alive_what_it_reads() -> None:
    def program(a, b):
        try:
            a = HERE()  # noqa: F821
        except ValueError:
            pass
        return a

    assert names_at(program, "HERE", live_before) == {"a"}


def test_a_deleted_local_is_live_and_then_unbound() -> None:
    def program(a):
        BEFORE  # noqa: B018, F821
        del a
        AFTER  # noqa: B018, F821

    assert names_at(program, "BEFORE", live_before) == {"a"}
    assert names_at(program, "BEFORE", bound_before) == {"a"}
    assert names_at(program, "AFTER", bound_before) == set()


def test_a_local_bound_on_one_path_is_not_bound_behind_the_join() -> None:
    def program(flag):
        if flag:
            x = 1
        HERE  # noqa: B018, F821
        return x

    assert names_at(program, "HERE", bound_before) == {"flag"}


def test_a_handler_does_not_count_on_what_the_try_block_binds() -> None:
    def program(f, *rest, key=1, **more):
        try:
            x = f()
            y = f()
        except ValueError:
            HERE  # noqa: B018, F821
            return x, y

    assert names_at(program, "HERE", bound_before) == {"f", "rest", "key", "more"}


def test_cells_count_as_bound_and_live() -> None:
    def program(a):
        HERE  # noqa: B018, F821
        return lambda: a + b_free

    b_free = 1
    assert names_at(program, "HERE", live_before) >= {"a", "b_free"}
    assert names_at(program, "HERE", bound_before) >= {"a", "b_free"}


def test_a_comprehension_gives_back_an_unbound_local_unbound() -> None:
    def program(values, flag):
        [x for x in values]
        HERE  # noqa: B018, F821
        if flag:
            x = 1
        return x

    assert names_at(program, "HERE", bound_before) == {"values", "flag"}


def test_a_comprehension_gives_back_a_bound_local_bound() -> None:
    def program(values, x):
        [x for x in values]
        HERE  # noqa: B018, F821
        return x

    assert names_at(program, "HERE", bound_before) == {"values", "x"}
