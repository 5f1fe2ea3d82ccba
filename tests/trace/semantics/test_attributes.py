"""Attribute look-up: CPython's order for arrays, modules, classes and plain instances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from dyntrace.breaks import ATTRIBUTE_READ, UNKNOWN_METHOD
from tests.differential import check
from tests.trace.tracing import operations, steps, trace

A = np.arange(1.0, 7.0)


class Plain:
    factor = 2.0

    def __init__(self, weight):
        self.weight = weight

    def apply(self, a):
        return a * self.weight

    @property
    def doubled(self):
        return self.weight * 2

    @staticmethod
    def shifted(a):
        return a + 1

    @classmethod
    def scaled(cls, a):
        return a * cls.factor


class Slotted:
    __slots__ = ("weight",)

    def __init__(self, weight):
        self.weight = weight


class Falling:
    def __getattr__(self, name):
        return 2.0


class Watched:
    def __getattribute__(self, name):
        return object.__getattribute__(self, name)

    def __init__(self):
        self.weight = 2.0


class Data:
    def __get__(self, thing, owner):
        return 3.0

    def __set__(self, thing, value):
        raise AttributeError


class WithData:
    weight = Data()


@dataclass(frozen=True)
class Frozen:
    weight: float


def test_ndim_and_dtype_are_known_and_shape_is_computed():
    def program(a):
        return a * a.ndim, a.astype(a.dtype) + a.shape[0]

    found = trace(program, A)
    assert "ndarray.shape" in operations(found.region)
    assert "ndarray.ndim" not in operations(found.region)
    check(program, A, breaks=())


def test_an_own_attribute_is_read_from_the_instance_and_guarded():
    def program(thing, a):
        return a * thing.weight

    found = trace(program, Plain(3.0), A)
    assert ("Local", "plain") in steps(found.region)
    assert ("Attribute", "exact") in steps(found.region)
    check(program, Plain(3.0), A, captured=1, breaks=())


@pytest.mark.parametrize("make", [Slotted, Frozen])
def test_slots_and_dataclasses_are_plain_instances(make):
    def program(thing, a):
        return a * thing.weight + 1

    thing = make(weight=3.0)
    check(program, thing, A, breaks=())


def test_a_method_is_the_classes_only_while_the_instance_has_no_such_attribute():
    def program(thing, a):
        return thing.apply(a) + 1

    found = trace(program, Plain(3.0), A)
    assert operations(found.region) == ["operator.mul", "operator.add"]
    assert ("NoOwnAttribute", "none") in steps(found.region)

    def shadowed(a):
        thing = Plain(3.0)
        first = program(thing, a)
        thing.apply = lambda a: a - 1
        return first, program(thing, a)

    check(shadowed, A)


def test_properties_static_and_class_methods_are_inlined():
    def program(thing, a):
        return thing.shifted(a) * thing.doubled + thing.scaled(a)

    check(program, Plain(3.0), A, captured=5, breaks=())


def test_a_class_attribute_is_found_along_the_mro():
    class Derived(Plain):
        pass

    def program(thing, a):
        return a * thing.factor

    found = trace(program, Derived(1.0), A)
    assert ("ClassAttribute", "exact") in steps(found.region)
    check(program, Derived(1.0), A, captured=1, breaks=())


@pytest.mark.parametrize(
    "thing", [Falling(), Watched(), WithData()], ids=lambda thing: type(thing).__name__
)
def test_a_class_with_a_say_in_look_up_is_asked_by_cpython(thing):
    def program(thing, a):
        b = a * 2
        return b * thing.weight

    found = trace(program, thing, A)
    assert operations(found.region) == ["operator.mul"]
    assert found.stop is not None
    check(program, thing, A)


def test_an_attribute_that_is_missing_is_cpythons_error():
    def program(thing, a):
        b = a * 2
        return b * thing.missing

    found = trace(program, Plain(1.0), A)
    assert found.stop.reason is ATTRIBUTE_READ and found.stop.detail == "missing"
    check(program, Plain(1.0), A)


def test_a_modules_attribute_is_read_from_the_module_each_time():
    def program(a):
        return np.sin(a) * np.pi

    found = trace(program, A)
    assert ("GlobalName", "is") in steps(found.region)
    assert ("ModuleAttribute", "is") in steps(found.region)
    assert ("ModuleAttribute", "exact") in steps(found.region)


def test_a_method_that_no_record_knows_breaks_with_its_name():
    def program(a, n):
        return a * n.bit_length()

    found = trace(program, A, 3)
    assert found.stop.reason is UNKNOWN_METHOD and found.stop.detail == "bit_length"


def test_getattr_with_a_known_name_is_an_attribute_read():
    def program(thing, a):
        return getattr(a * thing.weight, "T") + getattr(thing, "weight")

    check(program, Plain(2.0), A.reshape(2, 3), breaks=())


def test_fields_of_named_results_are_items():
    def program(a):
        found = np.linalg.eigh(a @ a.T)
        return found.eigenvalues * 2

    check(program, A.reshape(2, 3), breaks=())
