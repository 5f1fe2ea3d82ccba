"""Probing leaves no trace, and its rules hold where stand-ins alone would not do."""

from __future__ import annotations

import copy
import operator
import warnings

import numpy as np
import pytest

import dyntrace
from dyntrace.graph.kinds import ArrayKind, NumpyScalarKind, ObjectKind, SequenceKind
from dyntrace.ops import probe, registry
from dyntrace.ops.call import NumpyCall, Refused, Sample

F8, I8 = np.dtype("f8"), np.dtype(np.intp)
V, M = np.arange(10.0), np.ones((3, 10))


def infer(record, *args, **kwargs):
    call = NumpyCall(tuple(Sample(a) for a in args), {k: Sample(v) for k, v in kwargs.items()})
    return record.infer(call)


def call(function, *args, **kwargs):
    return infer(registry.record_of(function), *args, **kwargs)


def test_probing_shows_no_warning_and_changes_no_filter():
    before = list(warnings.filters)
    version = getattr(warnings, "_filters_version", None)
    with pytest.raises(Refused) as caught:
        infer(registry.operator_record("setitem"), V, 0, np.array(1j))
    assert caught.value.reason.code == "DT206"
    assert warnings.filters == before
    assert getattr(warnings, "_filters_version", None) == version


def test_probing_never_calls_the_users_function():
    called = []
    with pytest.raises(Refused):
        call(np.apply_along_axis, called.append, 0, V)
    with pytest.raises(Refused):
        call(np.piecewise, V, [V > 1], [called.append])
    assert called == []


def test_splits_have_as_many_parts_as_sections():
    assert call(np.split, V, 5) == SequenceKind(list, (ArrayKind(F8, 1),) * 5)
    assert call(np.split, V, [2, 7]) == SequenceKind(list, (ArrayKind(F8, 1),) * 3)
    assert call(np.array_split, M, 7, axis=1) == SequenceKind(list, (ArrayKind(F8, 2),) * 7)
    assert call(np.hsplit, M, 2).items[0] == ArrayKind(F8, 2)


def test_lengths_do_not_matter_to_shapes():
    assert infer(registry.method("reshape"), V, 2, -1) == ArrayKind(F8, 2)
    assert infer(registry.method("reshape"), V, (1, 2, 5)) == ArrayKind(F8, 3)
    assert call(np.reshape, V, (5, 2), order="F") == ArrayKind(F8, 2)
    assert call(np.broadcast_to, V, (4, 10)) == ArrayKind(F8, 2)
    assert call(np.zeros, (3, 4, 5), np.int8) == ArrayKind(np.dtype("i1"), 3)
    assert call(np.take, V, 7) == NumpyScalarKind(F8)
    assert call(np.unstack, M) == ObjectKind(tuple) if hasattr(np, "unstack") else True


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        (7, NumpyScalarKind(F8)),
        (slice(2, 90, -3), ArrayKind(F8, 1)),
        (None, ArrayKind(F8, 2)),
        ((Ellipsis, 7), ArrayKind(F8, 0)),
        (V > 3, ArrayKind(F8, 1)),
        ([1, 5, 9], ArrayKind(F8, 1)),
        ([True] * 10, ArrayKind(F8, 1)),
        (np.array([[1, 2], [3, 4]]), ArrayKind(F8, 2)),
        (np.array(4), NumpyScalarKind(F8)),
        (np.int64(4), NumpyScalarKind(F8)),
        (np.array(True), ArrayKind(F8, 2)),
    ],
    ids=str,
)
def test_kind_of_a_subscript_is_inferred(index, kind):
    assert infer(registry.operator_record("getitem"), V, index) == kind


def test_kind_of_an_index_object_is_inferred():
    record = registry.subscript_record(np.mgrid)
    assert infer(record, np.mgrid, (slice(0, 5), slice(0, 3))) == ArrayKind(I8, 3)
    assert infer(record, np.mgrid, slice(0, 1, 5j)) == ArrayKind(F8, 1)
    record = registry.subscript_record(np.r_)
    assert infer(record, np.r_, (0.0, V, slice(1, 3))) == ArrayKind(F8, 1)
    assert infer(registry.subscript_record(np.c_), np.c_, (V, V)) == ArrayKind(F8, 2)
    assert infer(registry.subscript_record(np.ogrid), np.ogrid, (slice(0, 2),) * 2).type is tuple
    assert registry.subscript_record(V) is None


def test_kind_of_a_copy_is_inferred():
    assert call(copy.copy, V) == ArrayKind(F8, 1)
    assert call(copy.deepcopy, M) == ArrayKind(F8, 2)
    with pytest.raises(Refused):
        call(copy.deepcopy, [V])


def test_c_long_and_c_long_long_are_told_apart():
    for char in "lq":
        kind = call(np.negative, np.ones(3, char))
        assert kind.dtype.char == char


def test_operators_refuse_what_could_run_python_code():
    add = registry.operator_record("add")
    for other in (None, "a", {}, object(), np.array([None]), (1, "a"), [None]):
        with pytest.raises(Refused):
            infer(add, V, other)
    with pytest.raises(KeyError):
        registry.operator_record("add_up")
    assert registry.record_of(operator.add) is add


def test_scipy_ufuncs_by_rule():
    special = pytest.importorskip("scipy.special")
    assert call(special.erf, np.ones(3, "f4")) == ArrayKind(np.dtype("f4"), 1)
    assert call(special.gammaln, 3.0) == NumpyScalarKind(F8)
    assert call(special.jv, 1, V) == ArrayKind(F8, 1)
    assert registry.record_of(special.erf).op.target is special.erf


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0",
    reason="the shortcut was another; kinds only deopt",
)
@pytest.mark.parametrize("power", (0, 1, 2, 3, 2.0, 0.5, -0.5, True, np.int64(2), np.float32(2)))
@pytest.mark.parametrize("char", "?bBhHiIlLqQefdgFDG")
def test_powers_have_the_kind_of_numpys_shortcut(char, power):
    for value in (np.ones(3, char), np.ones((), char), np.ones((2, 2), char)):
        found = infer(registry.operator_record("pow"), value, power)
        assert found.dtype.char == (value**power).dtype.char


def test_stand_ins_of_many_dimensions_are_small_and_masks_fit_them():
    for ndim in (0, 1, 2, 6, 7, 30, 64):
        array = probe.stand_in_array(np.dtype(float), ndim, 3)
        mask = probe.zeros_or_true(np.dtype(bool), ndim, 3)
        assert array.ndim == mask.ndim == ndim
        assert array.shape == mask.shape and array.size <= 3**6


@pytest.mark.parametrize("ndim, count", [(64, 64), (63, 64), (32, 40), (64, 32)])
@pytest.mark.parametrize("index", [True, False, 0, [0]])
def test_subscripts_of_arrays_with_many_dimensions_are_eagers(ndim, count, index):
    def pick(a, i):
        try:
            return a[(i,) * count].shape
        except IndexError as error:
            return str(error)

    fast = dyntrace.optimize(pick)
    array = np.ones((1,) * ndim)
    for _ in range(3):
        assert fast(array, index) == pick(array, index)
