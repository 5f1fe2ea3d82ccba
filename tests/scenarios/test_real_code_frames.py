"""Shapes of code that other people's packages hold: frames, globals and stacks under the hook."""

import gc
import sys

import numpy as np
import pytest

import dyntrace
from dyntrace.api import explanations
from dyntrace.runtime import handles
from tests.differential import check_calls

ARRAY = np.arange(1.0, 5.0)
native = pytest.mark.skipif(not handles.NATIVE, reason="the extension is not in use")
SCALED = compile(
    "def scaled(x):\n    y = x * scale + 1.0\n    return y - scale\n", "<scaled>", "exec"
)


class Holder:
    """As a masked array: the data are behind a property with a body of its own."""

    def __init__(self, data):
        self.hidden = data

    @property
    def data(self):
        with np.errstate(all="ignore"):
            return self.hidden


def delegated(holder, name, *args, **options):
    result = getattr(holder.data, name)(*args, **options)
    return result + 1.0


def test_callable_computed_behind_a_break_with_spread_arguments():
    for name, args in (("copy", ()), ("repeat", (2,)), ("reshape", (2, 2))):
        check_calls(delegated, [(Holder(ARRAY), name, *args)] * 4)


def scaled_in(**names):
    exec(SCALED, names)
    return names["scaled"]


@native
def test_one_code_object_in_several_namespaces_under_the_hook():
    plain = [scaled_in(scale=float(number))(ARRAY) for number in range(12)]
    functions = [scaled_in(scale=float(number), __name__="scales") for number in range(12)]
    with dyntrace.optimize():
        for _ in range(3):
            for function, expected in zip(functions, plain, strict=True):
                np.testing.assert_array_equal(function(ARRAY), expected)


@native
def test_frames_are_optimised_again_after_a_reset():
    def work(x):
        return np.sqrt(x) * 2.0 + 1.0

    gc.collect()  # functions of other tests, which may have the same name
    expected = work(ARRAY)
    for _ in range(3):
        with dyntrace.optimize():
            for _ in range(3):
                np.testing.assert_array_equal(work(ARRAY), expected)
        found = [one for one in explanations() if "work" in one.name]
        assert sum(one.graph_count for one in found) == 1
        dyntrace.reset()
        gc.collect()


def without(x, part):
    return np.delete(x, part), (x + 1.0)[part]


def test_slices_from_outside_are_arguments_and_indices():
    check_calls(without, [(ARRAY, slice(start, 3)) for start in range(4)])


def laid_out(x):
    with np.errstate(all="ignore"):
        return np.array(x, copy=True)


class Operation:
    def __init__(self, function):
        self.function = function

    def outer(self, one, other):
        return self.function.outer(laid_out(one), laid_out(other)).sum()


def module_level(one, other):
    return np.maximum.outer(laid_out(one), laid_out(other)) * 2.0


def test_methods_of_known_objects_with_arguments_behind_a_break():
    operation = Operation(np.maximum)
    check_calls(Operation.outer, [(operation, ARRAY, ARRAY), (operation, ARRAY, ARRAY[:2])] * 3)
    check_calls(module_level, [(ARRAY, ARRAY), (ARRAY, ARRAY[:2])] * 3)


def descending():
    """New functions each time: all is compiled in the deepest frames."""
    names = {"ARRAY": ARRAY}
    source = (
        "def leaf(x): return x * 2 + 1\ndef down(n): return down(n - 1) if n else leaf(ARRAY)\n"
    )
    exec(source, names)
    return names["down"]


def deepest(run):
    for depth in range(sys.getrecursionlimit(), 0, -1):
        try:
            run(descending(), depth)
        except RecursionError:
            continue
        return depth


def hooked(function, depth):
    with dyntrace.optimize():
        return function(depth)


@native
def test_first_calls_near_the_recursion_limit_are_left_alone():
    # A callee inside a region takes no frame, so the optimised one may come further.
    eager = deepest(lambda function, depth: function(depth))
    assert deepest(lambda function, depth: dyntrace.optimize(function)(depth)) >= eager
    assert deepest(hooked) >= eager


def line_numbers(code):
    return [position[0] for position in code.co_positions()]


def test_instances_of_static_types_that_are_not_readied():
    check_calls(line_numbers, [(SCALED,)] * 4)
