"""`describe` names the kind of any value and runs none of the user's code."""

from __future__ import annotations

import types

import numpy as np
import pytest

from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import (
    ArrayKind,
    DictKind,
    InstanceKind,
    KnownKind,
    NumpyScalarKind,
    ObjectKind,
    PythonScalarKind,
    SequenceKind,
    SliceKind,
    StringKind,
    UnseenKind,
)


class Point:
    def __init__(self):
        self.x = 1
        self.data = np.ones(3)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a = 2.0


class Nosy:
    seen = []

    def __getattr__(self, name):
        self.seen.append(name)
        raise AttributeError(name)


class Meta(type):
    def __hash__(cls):
        raise RuntimeError("hashed")

    def __eq__(cls, other):
        raise RuntimeError("compared")


class WithMeta(metaclass=Meta):
    pass


class FakeArray(np.ndarray):
    pass


def test_arrays_and_scalars():
    assert describe(np.ones((2, 3), "f4")) == ArrayKind(np.dtype("f4"), 2)
    assert describe(np.float32(1)) == NumpyScalarKind(np.dtype("f4"))
    assert describe(np.bool_(True)) == NumpyScalarKind(np.dtype("?"))
    for value in (1, 1.5, 2j, True):
        assert describe(value) == PythonScalarKind(type(value), value)
        assert describe(value).example == value
    assert describe("abc") == StringKind("abc")


@pytest.mark.parametrize(
    "array",
    [
        np.array([None]),
        np.array(["a"]),
        np.array([1.0], ">f8"),
        np.zeros(2, "i4,f4"),
        np.zeros(1, "M8[s]"),
        np.zeros(1, np.dtype("f8", metadata={"a": 1})),
    ],
    ids=lambda a: str(a.dtype),
)
def test_other_arrays_are_opaque(array):
    assert describe(array) == ObjectKind(np.ndarray)


def test_subclasses_are_opaque():
    assert describe(np.ones(2).view(FakeArray)) == ObjectKind(FakeArray)
    assert describe(np.ma.array([1])) == ObjectKind(np.ma.MaskedArray)
    assert isinstance(describe(type("Int", (int,), {})(3)), ObjectKind)


def test_an_unpickled_dtype_counts_as_the_plain_one():
    import pickle

    array = pickle.loads(pickle.dumps(np.ones(3)))
    assert describe(array).dtype is np.dtype("f8")


@pytest.mark.parametrize(
    "value",
    [
        None,
        Ellipsis,
        np.dtype("f4"),
        np,
        np.add,
        np.sum,
        len,
        Point,
        np.float64,
        np.zeros,
        describe,
    ],
)
def test_objects_without_state_are_known_by_identity(value):
    assert describe(value) == KnownKind(value)


def test_what_is_wide_is_described_less_deeply():
    wide = [[(1, [2])] for _ in range(17)]
    assert describe(wide[:16]).items[0].items[0].type is tuple
    assert describe(wide).items[0].items[0] == UnseenKind(tuple)
    assert describe([wide]).items[0].items[0] == UnseenKind(list)
    widest = [[number] for number in range(65)]
    assert describe(widest[:64]).items[0].type is list
    assert describe(widest).items[0] == UnseenKind(list)
    table = {f"k{number}": [[number]] for number in range(65)}
    assert describe(table).items[0][1].items == (UnseenKind(list),)


def test_how_much_is_looked_at_depends_on_the_depth():
    for count in (256, 257):
        seen = count <= 256
        assert isinstance(describe((0,) * count), SequenceKind) is seen
        assert isinstance(describe(dict.fromkeys(map(str, range(count)))), DictKind) is seen
        assert isinstance(describe([(0,) * count]).items[0], SequenceKind) is seen
    assert isinstance(describe([[(0,) * 64]]).items[0].items[0], SequenceKind)
    assert describe([[(0,) * 65]]).items[0].items[0] == UnseenKind(tuple)


def test_containers_are_described_item_by_item():
    assert describe((1, "a")) == SequenceKind(tuple, (PythonScalarKind(int), StringKind("a")))
    assert describe([]) == SequenceKind(list, ())
    assert describe([[[[1]]]]).items[0].items[0].items[0] == UnseenKind(list)
    assert describe({"a": 1, 2: None}).items[1] == (2, KnownKind(None))
    assert describe({(1,): 1}) == ObjectKind(dict)
    assert isinstance(describe({"a": 1}), DictKind)
    assert isinstance(describe(slice(1, None)), SliceKind)
    svd = describe(np.linalg.svd(np.eye(2)))
    assert svd.type.__name__ == "SVDResult" and len(svd.items) == 3


def test_instances_show_their_dict_and_slots():
    kind = describe(Point())
    assert isinstance(kind, InstanceKind)
    assert dict(kind.attributes)["data"] == ArrayKind(np.dtype("f8"), 1)
    assert dict(describe(Slotted()).attributes) == {"a": PythonScalarKind(float)}


def test_users_code_never_runs():
    assert describe(Nosy()) == ObjectKind(Nosy)
    assert Nosy.seen == []
    assert type(describe(WithMeta())) in (ObjectKind, InstanceKind)
    assert describe(WithMeta).value is WithMeta


def test_other_objects_are_described_by_their_type():
    for value in (object(), types.SimpleNamespace(a=1), (1).__add__, b"a"):
        assert describe(value) == ObjectKind(type(value))
