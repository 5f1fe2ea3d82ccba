"""What an index selects: a view, for every value of its kinds, or perhaps something else."""

import numpy as np
import pytest

from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind, PythonScalarKind, SliceKind
from dyntrace.graph.node import INPUT, Node, Origin
from dyntrace.graph.subscripts import index_items, is_basic, is_integer


def node(kind):
    return Node(INPUT, (0,), (), kind, Origin("", 1))


INT = node(PythonScalarKind(int))
INTP = node(NumpyScalarKind(np.dtype(np.intp)))
SLICE = node(SliceKind(Kind(), Kind(), Kind()))
BASIC = [0, None, ..., slice(1, None), INT, INTP, SLICE, (), (0, ..., INT, None, SLICE)]
OTHER = [
    True, 1.0, [0], ((0, 1),), (0, [1]), (0, False), node(PythonScalarKind(bool)),
    node(NumpyScalarKind(np.dtype(bool))), node(ArrayKind(np.dtype(int), 0)), np.array(0),
]  # fmt: skip


@pytest.mark.parametrize("index", BASIC, ids=repr)
def test_an_index_of_integers_slices_none_and_ellipsis_is_basic(index):
    assert is_basic(index)


@pytest.mark.parametrize("index", OTHER, ids=repr)
def test_bools_lists_nested_tuples_and_arrays_are_not_basic(index):
    assert not is_basic(index)


@pytest.mark.parametrize("index", [i for i in BASIC if not isinstance(i, Node)], ids=repr)
def test_a_basic_index_selects_a_view(index):
    x = np.ones((2, 3, 4))
    real = tuple(1 if item is INT else slice(1) if item is SLICE else item
                 for item in index_items(index))  # fmt: skip
    assert np.shares_memory(x[real], x)


def test_a_bool_is_no_integer():
    assert is_integer(3) and is_integer(INT) and is_integer(INTP)
    assert not is_integer(True) and not is_integer(OTHER[6])
