"""Lists and tuples in LoopProgram: their words, their iterators, and items that are replaced."""

import ctypes
import sys

import numpy as np
import pytest

from tests.native.building import COMPILER
from tests.native.test_loop_programs import bits, code, consumed, loop, words_of

_native = pytest.importorskip("dyntrace._native")
pytestmark = pytest.mark.skipif(not COMPILER, reason="the machine code is compiled from C")
FIXTURES = (code, loop)  # they are used by name


@pytest.mark.parametrize(("letter", "make"), [("l", list), ("t", tuple)])
def test_a_list_is_the_address_and_the_number_of_its_items(loop, letter, make):
    items = make([0.5, "x", None])
    address, length = words_of(loop, letter, items, 2)
    assert length == 3
    pointers = (ctypes.c_void_p * 3).from_address(address)
    assert list(pointers) == [id(item) for item in items]
    assert words_of(loop, letter, make([]), 2)[1] == 0


@pytest.mark.parametrize("letter", ["l", "t", "m", "u"])
def test_what_is_no_list_or_iterator_of_one_is_declined(loop, letter):
    class Items(list):
        pass

    for value in (Items([1]), iter(Items([1])), np.ones(2), iter(range(2)), reversed([1]), "ab"):
        if letter != "m" or type(value) is not type(iter([])):
            assert words_of(loop, letter, value, 1) is None


@pytest.mark.parametrize(("letter", "make"), [("m", list), ("u", tuple)])
def test_an_iterator_over_a_list_goes_on_behind_the_iterations_that_are_done(loop, letter, make):
    program = loop("repeat", ("i", "i", "i", letter), ("i",) * 3)
    iterator = consumed(iter(make(range(5))), 1)
    index, _, length = program(3, 0, 3, iterator)
    assert (index, length) == (1, 5)
    assert list(iterator) == [4]
    assert program(1, 0, 3, iterator) is None, "it has no list any more"


def item_function(name, *argument_types):
    return ctypes.PYFUNCTYPE(ctypes.c_int64, *argument_types)(_native.loop_functions()[name])


class TestItems:
    """The functions that machine code reads and replaces items with."""

    @pytest.mark.parametrize("value", [0, 1, -1, 2**30, 2**62, 2**63 - 1, -(2**63)])
    def test_an_int_is_read(self, value):
        read = item_function("items_int", ctypes.py_object, ctypes.POINTER(ctypes.c_int64))
        word = ctypes.c_int64(5)
        assert read(value, ctypes.byref(word)) == 1
        assert word.value == value

    @pytest.mark.parametrize("value", [2**63, -(2**63) - 1, True, 1.0, None, np.int64(1)])
    def test_another_object_is_trouble(self, value):
        read = item_function("items_int", ctypes.py_object, ctypes.POINTER(ctypes.c_int64))
        assert read(value, ctypes.byref(ctypes.c_int64())) == 0

    @pytest.mark.parametrize(
        ("name", "kind", "value"),
        [
            ("items_set_bool", ctypes.c_int64, True),
            ("items_set_bool", ctypes.c_int64, False),
            ("items_set_int", ctypes.c_int64, -(2**63)),
            ("items_set_int", ctypes.c_int64, 7),
            ("items_set_float", ctypes.c_double, -0.0),
        ],
    )
    def test_an_item_is_replaced(self, name, kind, value):
        keep = ctypes.PYFUNCTYPE(None)(_native.loop_functions()["items_keep"])
        replace = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, kind, ctypes.c_int64)(
            _native.loop_functions()[name]
        )
        old = float("1e100")
        items = [old, None, True, 5, 1.5]
        before = sys.getrefcount(old)
        for index in range(5):
            place = place_of(items) + 8 * index
            assert replace(place, value, index % 2) == 1
            assert bits(items[index]) == bits(value)
        assert sys.getrefcount(old) == before - 1
        keep()
        assert items == [value] * 5

    @pytest.mark.parametrize("old", ["x", [], 1j, np.float64(1.0), object()])
    def test_an_item_of_another_type_stays(self, old):
        replace = ctypes.PYFUNCTYPE(
            ctypes.c_int64, ctypes.c_void_p, ctypes.c_double, ctypes.c_int64
        )(_native.loop_functions()["items_set_float"])
        items = [old]
        for logged in (0, 1):
            assert replace(place_of(items), 1.5, logged) == 0
            assert items[0] is old


def place_of(items):
    """The address of the pointer to a list's first item."""
    return ctypes.c_void_p.from_address(id(items) + 24).value
