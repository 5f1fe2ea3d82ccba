"""Instances are looked into without making a dict for them, which would slow their code down."""

import gc
from dataclasses import dataclass

import numpy as np
import pytest

import dyntrace
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import InstanceKind
from dyntrace.programs.glance import meets_arrays
from dyntrace.runtime.handles import NATIVE

if NATIVE:
    from dyntrace._native import own_attributes

needs_native = pytest.mark.skipif(not NATIVE, reason="only C reads attributes without a dict")


class Layer:
    def __init__(self, weights):
        self.scale = 2.0
        self.weights = weights


class Deep(Layer):
    pass


@dataclass
class Settings:
    scale: float = 0.25
    rate: float = 0.5
    size: int = 3


def has_dict(instance):
    """Whether a dict was made for it: then it is what is found, not a new one each time."""
    from dyntrace._native import own_attributes

    first = own_attributes(instance)
    return own_attributes(instance) is first


def names_in(kind):
    return [name for name, _ in kind.attributes]


@pytest.mark.parametrize("cls", [Layer, Deep])
def test_attributes_are_the_same_with_and_without_a_dict(cls):
    bare, with_dict = cls(np.ones(3)), cls(np.ones(3))
    assert list(with_dict.__dict__) == ["scale", "weights"]
    for instance in (bare, with_dict):
        kind = describe(instance)
        assert isinstance(kind, InstanceKind) and names_in(kind) == ["scale", "weights"]
    del bare.scale
    assert names_in(describe(bare)) == ["weights"]
    bare.scale = 1.0
    assert sorted(names_in(describe(bare))) == ["scale", "weights"]


def test_instance_with_slots_and_a_dict_shows_both():
    class Both(Layer):
        __slots__ = ("extra",)

    both = Both(np.ones(2))
    both.extra = 1
    assert sorted(names_in(describe(both))) == ["extra", "scale", "weights"]


def test_more_attributes_than_names_are_shared():
    class Many(Layer):
        pass

    many, few = Many(np.ones(2)), Many(np.ones(2))
    for place in range(40):
        setattr(many, f"a{place}", place)
    assert len(names_in(describe(many))) == 42 and len(names_in(describe(few))) == 2


@needs_native
def test_a_dict_is_noticed():
    layer = Layer(np.ones(3))
    assert layer.__dict__ and has_dict(layer)


@needs_native
def test_description_makes_no_dict():
    layer = Layer(np.ones(3))
    assert not has_dict(layer)
    describe(layer)
    describe([layer])
    assert meets_arrays(has_dict.__code__, {}, [layer])
    assert not has_dict(layer)


@needs_native
def test_optimised_code_makes_no_dict():
    def step(layer, settings, u):
        layer.scale = settings.rate * layer.scale
        return np.sqrt(layer.weights * u * u + settings.rate) * settings.size

    fast = dyntrace.optimize(step)
    layer, settings, u = Layer(np.ones(4)), Settings(), np.arange(4.0)
    expected = step(layer, settings, u).tobytes()
    for _ in range(40):
        assert fast(layer, settings, u).tobytes() == expected
    assert dyntrace.stats(fast).graph_calls
    assert not has_dict(layer) and not has_dict(settings)


@needs_native
def test_a_finalizer_may_replace_the_dict_of_the_instance_that_is_described():
    class Finalized:
        def __del__(self):
            layer.__dict__ = {"other": 1.0}
            self.room = [bytearray(240) for _ in range(50)]

    threshold = gc.get_threshold()
    try:
        for _ in range(300):
            layer = Layer([1])
            garbage = Finalized()
            garbage.itself = garbage
            del garbage
            held = [{} for _ in range(100)]  # so that the next dict has to be allocated
            gc.set_threshold(1)
            found = own_attributes(layer)
            gc.set_threshold(*threshold)
            assert len(held) == 100
            assert found in ({"scale": 2.0, "weights": [1]}, {"other": 1.0})
    finally:
        gc.set_threshold(*threshold)
