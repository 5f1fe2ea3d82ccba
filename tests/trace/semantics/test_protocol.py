"""CPython's algorithms on symbolic values: what becomes a node, a constant, a guard or a break."""

from __future__ import annotations

import numpy as np
import pytest

from dyntrace.breaks import BRANCH_ON_DATA, UNKNOWN_VALUE, UNSUPPORTED_OPERANDS
from dyntrace.graph.kinds import UNKNOWN
from dyntrace.trace.semantics.protocol import unsupported
from dyntrace.trace.sources import Local
from dyntrace.trace.values.base import Constant, Outside
from tests.differential import check
from tests.trace.tracing import line_of_end, operations, steps, trace

A = np.arange(1.0, 7.0)


class Opaque:
    def __radd__(self, other):
        return "added"


# operators ----------------------------------------------------------------------------------------


def test_an_operator_on_arrays_is_a_node_and_guards_both_operands():
    def program(a, b):
        return a + b

    found = trace(program, A, A > 1)
    assert operations(found.region) == ["operator.add"]
    assert steps(found.region) == [("Local", "array"), ("Local", "array")]


def test_an_inplace_operator_on_a_number_makes_a_new_one():
    def program(a, n):
        n += 2
        return a * n

    found = trace(program, A, 3)
    assert operations(found.region) == ["operator.add", "operator.mul"]
    assert found.region.graph.effect is None
    check(program, A, 3, captured=["operator.mul"], breaks=())


def test_operators_on_constants_of_the_code_leave_no_node():
    def program(a):
        width = 2
        height = width + 1
        return a * (width * height - 1)

    found = trace(program, A)
    assert operations(found.region) == ["operator.mul"]
    assert found.region.graph.nodes[0].args[1] == 5


def test_a_folded_operation_that_would_raise_is_left_to_cpython():
    def program(a):
        zero = 0
        try:
            return a * (1 // zero)
        except ZeroDivisionError:
            return a + 1

    found = trace(program, A)
    assert line_of_end(found) == 3
    check(program, A)


def test_an_operand_with_code_of_its_own_breaks():
    def program(a, thing):
        b = a * 2
        return b, 1 + thing

    found = trace(program, A, Opaque())
    assert found.stop.reason is UNSUPPORTED_OPERANDS
    assert found.stop.detail == "int, Opaque"
    assert operations(found.region) == ["operator.mul"]
    check(program, A, Opaque())


def test_tuples_and_lists_are_joined_and_repeated():
    def program(a):
        pair = (a, 1) + (a * 2,)
        row = [a] * 2 + [3]
        return pair[2] + row[1] + len(row)

    check(program, A, captured=3, breaks=())


def test_an_array_with_a_list_of_numbers_is_one_operation():
    def program(a, n):
        return a[:3] * [1.5, 2.0, n]

    check(program, A, 3.0, captured=["operator.mul"], breaks=())
    check(program, A, 3)


# comparison, identity, containment ----------------------------------------------------------------


@pytest.mark.parametrize("symbol", ["<", "<=", "==", "!=", ">", ">="])
def test_each_comparison_is_a_node(symbol):
    space = {}
    exec(f"def program(a, n):\n    return a {symbol} n", space)
    assert operations(trace(space["program"], A, 3).region)[0].startswith("operator.")
    check(space["program"], A, 3, captured=1)


def test_identity_with_none_is_decided_by_the_kind():
    def program(a, mask=None):
        if mask is not None:
            a = a * mask
        if a is None:
            return 0
        return a + 1

    assert operations(trace(program, A, None).region) == ["operator.add"]
    assert operations(trace(program, A, A).region) == ["operator.mul", "operator.add"]
    check(program, A, None, captured=1, breaks=())


def test_identity_of_an_unknown_value_is_not_decided():
    def program(a):
        b = a * 2
        if MAYBE[0] is None:
            b = b + 1
        return b

    check(program, A)


MAYBE = [None]


def test_texts_are_compared_by_value_and_guarded():
    def program(a, mode):
        if mode == "double":
            return a * 2
        return a + 1

    found = trace(program, A, "double")
    assert operations(found.region) == ["operator.mul"]
    assert ("Local", "value") in steps(found.region)
    check(program, A, "double")
    check(program, A, "other")


def test_a_constant_in_a_tuple_of_constants_is_decided():
    def program(a):
        kind = "f"
        if kind in ("f", "d"):
            return a * 2
        return a

    assert operations(trace(program, A).region) == ["operator.mul"]


# truth --------------------------------------------------------------------------------------------


def test_a_branch_on_a_computed_value_is_a_break_with_its_reason():
    def program(a):
        b = a * 2
        if b.sum():
            return b
        return a

    found = trace(program, A)
    assert found.stop.reason is BRANCH_ON_DATA
    assert line_of_end(found) == 2


def test_the_truth_of_a_container_is_its_length():
    def program(a, rest):
        if rest:
            return a + rest[0]
        return a * 2

    assert operations(trace(program, A, (1,)).region) == ["operator.add"]
    assert operations(trace(program, A, ()).region) == ["operator.mul"]
    check(program, A, [1], captured=1)
    check(program, A, [], captured=1)


def test_not_and_bool_of_numbers_are_computed():
    def program(a, n):
        return a * (not n), a + bool(n)

    check(program, A, 3)
    check(program, A, 0.0)


# subscripts ---------------------------------------------------------------------------------------


def test_a_basic_index_is_a_view_and_an_advanced_one_a_copy():
    def view(a):
        return a[1:3]

    def copied(a, where):
        return a[where]

    assert trace(view, A).region.graph.nodes[-1].op.aliases
    assert not trace(copied, A, A > 2).region.graph.nodes[-1].op.aliases


def test_items_of_a_tuple_and_a_dict_from_outside_are_read_by_the_region():
    def program(pair, named):
        return pair[0] * named["scale"] + pair[-1]

    found = trace(program, (A, 2), {"scale": 3.0})
    assert ("Item", "array") in steps(found.region) and ("Item", "exact") in steps(found.region)
    check(program, (A, 2), {"scale": 3.0}, captured=2, breaks=())


def test_an_index_beyond_the_end_is_cpythons_error():
    def program(a):
        pair = (a, a * 2)
        return pair[2]

    found = trace(program, A)
    assert line_of_end(found) == 2
    check(program, A)


def test_a_key_that_is_missing_is_cpythons_error():
    def program(a, named):
        b = a * 2
        return b + named["missing"]

    check(program, A, {"here": 1})


# unpacking ----------------------------------------------------------------------------------------


def test_an_array_is_unpacked_into_its_rows():
    def program(a):
        x, y = a * 2
        return x * y

    check(program, A.reshape(2, 3), captured=["operator.mul", "builtins.tuple"], breaks=())
    check(program, A.reshape(3, 2))


def test_starred_targets_take_the_middle():
    def program(a):
        first, *middle, last = (a, a + 1, a * 2, 3)
        return first * last + middle[0] - middle[1]

    check(program, A, captured=5, breaks=())


def test_a_value_of_unknown_kind_stops_the_region_where_it_is_used():
    def program(a):
        b = a * 2
        for item in [object, None]:
            c = item
        return b + 1 if c is None else c

    check(program, A)


def test_the_break_for_operands_names_their_types():
    assert unsupported(Outside(Local(0), UNKNOWN)).reason is UNKNOWN_VALUE
    assert unsupported(Constant("x"), Constant(1)).detail == "str, int"
