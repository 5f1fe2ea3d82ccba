"""Which dtypes are plain: those that a kind says everything about, so that no result differs."""

import copy
import ctypes
import pickle

import numpy as np
import pytest

from dyntrace import optimize
from dyntrace.graph.describe import describe
from dyntrace.graph.kinds import NUMERIC_CHARS, ArrayKind, is_plain_dtype

HALVES = np.dtype((np.int32, {"real": (np.int16, 0), "imag": (np.int16, 2)}))
PLAIN = {
    **{char: np.dtype(char) for char in NUMERIC_CHARS},
    "unpickled": pickle.loads(pickle.dumps(np.dtype("d"))),
    "copied": copy.deepcopy(np.dtype("d")),
    "memory of ctypes": np.asarray(memoryview((ctypes.c_double * 2)())).dtype,
    "subclass of a scalar type": np.dtype(type("Number", (np.float64,), {})),
}
OTHERS = {
    **{char: np.dtype(char) for char in ("S3", "U3", "V3", "O", "M8[s]", "m8[s]", "d,i")},
    "swapped": np.dtype("d").newbyteorder("S"),
    "metadata": np.dtype("d", metadata={"unit": "m"}),
    "no metadata, but a dict for it": np.dtype("d", metadata={}),
    "strings": np.dtypes.StringDType(),
    "items of two numbers": np.dtype(("d", (2,))),
    "a number with fields": HALVES,
}


@pytest.mark.parametrize("dtype", PLAIN.values(), ids=PLAIN)
def test_numpys_numbers_and_their_copies_are_plain(dtype):
    assert is_plain_dtype(dtype)


@pytest.mark.parametrize("dtype", OTHERS.values(), ids=OTHERS)
def test_dtypes_that_results_carry_on_are_not_plain(dtype):
    assert not is_plain_dtype(dtype)


def test_dtypes_of_others_are_not_plain():
    rational = pytest.importorskip("numpy._core._rational_tests").rational
    assert not is_plain_dtype(np.dtype(rational))


def test_an_array_is_of_a_kind_only_if_its_dtype_is_plain():
    for dtype in (*PLAIN.values(), *OTHERS.values()):
        array = np.zeros(2, dtype)
        assert isinstance(describe(array), ArrayKind) == is_plain_dtype(array.dtype), dtype


@pytest.mark.parametrize("dtype", [HALVES, OTHERS["metadata"], OTHERS["swapped"]], ids=str)
@pytest.mark.parametrize("first", ["plain", "other"])
def test_results_carry_on_fields_metadata_and_byte_order(dtype, first):
    def fn(x):
        return x[1:] * 1, x.astype(x.dtype), x.view(x.dtype), x.copy(), x + x

    fast = optimize(fn)
    arrays = [np.arange(4).astype(np.dtype(dtype.char)), np.zeros(4, dtype)]
    for x in (arrays if first == "plain" else arrays[::-1]) * 3:
        for found, wanted in zip(fast(x), fn(x), strict=True):
            assert found.dtype == wanted.dtype
            assert found.dtype.names == wanted.dtype.names
            assert found.dtype.metadata == wanted.dtype.metadata
            assert found.tobytes() == wanted.tobytes()
