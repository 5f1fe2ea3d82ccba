"""The comparison itself, and the operands: what one sees, and that the other is what it says."""

import numpy as np
import pytest

from dyntrace import incidents
from dyntrace.errors import InternalError
from tests.machine import capturing
from tests.machine.capturing import Proof, expression
from tests.machine.comparing import bit_differences, differences, memory_differences
from tests.machine.operands import (
    DATA,
    DTYPES,
    EMPTY,
    LAYOUTS,
    SHAPES,
    laid_out,
    misaligned,
    operand,
    overlapping,
)

A = np.arange(6.0).reshape(2, 3)


def frozen(array):
    array.flags.writeable = False
    return array


PAIRS = {
    "a type": (np.float64(1), 1.0),
    "a scalar and an array of no dimensions": (np.float64(1), np.array(1.0)),
    "a dtype": (A, A.astype("f")),
    "a C long and a C long long": (np.ones(2, "l"), np.ones(2, "q")),
    "a byte order": (A, A.astype(">f8")),
    "a shape": (A, A.reshape(3, 2)),
    "strides": (A.copy(), np.asfortranarray(A)),
    "strides of an axis of length one": (
        np.ones((1, 3)),
        np.asfortranarray(np.ones((1, 3)))[:, ::1][::-1],
    ),
    "the sign of zero": (np.zeros(3), -np.zeros(3)),
    "the sign of an imaginary zero": (np.array([1 + 0j]), np.conj(np.array([1 + 0j]))),
    "one unit in the last place": (np.float32(1), np.nextafter(np.float32(1), np.float32(2))),
    "a NaN and a number": (np.array([np.nan, 1]), np.array([1, np.nan])),
    "a bool of another bit": (np.array([True]), np.array([2], "B").view("?")),
    "the last bit of a long integer": (np.array([2**63 - 1]), np.array([2**63 - 2])),
    "the last bit of a longdouble": (
        np.ones(1, "g"),
        np.nextafter(np.ones(1, "g"), np.longdouble(2)),
    ),
    "writeability": (A.copy(), frozen(A.copy())),
    "ownership": (A.copy(), A.copy()[:]),
    "a view's offset": (np.ones(5)[1:4], np.ones(5)[2:5]),
    "a view's base": (np.ones(5)[1:4], np.ones(6)[1:4]),
    "alignment": (np.ones(3), misaligned(np.ones(3))),
    "the number of results": ((A, A), (A,)),
    "a Python number": (1, True),
    "a zero's sign in a Python number": (0.0, -0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_each_difference_is_seen_both_ways(name):
    one, other = PAIRS[name]
    assert differences(one, other) and differences(other, one)
    assert not differences(one, one) and not differences(other, other)


def test_payload_and_sign_of_a_nan_are_not_compared():
    payload = np.array([0x7FF8000000000001], "u8").view("d").copy()
    assert not differences(payload, np.array([-np.nan]))
    assert not differences(np.array([np.nan + 1j]), np.array([-np.nan + 1j]))


def test_being_an_input_or_an_earlier_result_is_seen():
    one, other = A.copy(), A.copy()
    assert not differences(one, other, [one], [other])
    assert differences(one, other, [one], [A.copy()])
    t = one + 1
    assert differences((t, t), (t, t.copy()))
    assert differences((t, t[:]), (t, t.copy()[:]))
    base = np.ones(8)
    assert differences(base[1:4], base[2:5], [base], [base])
    assert differences(one[:], other[:], [one], [A.copy()])


def test_bytes_beside_a_view_are_compared_afterwards():
    found, wanted = np.zeros(4), np.zeros(4)
    assert not memory_differences([found[1:]], [wanted[1:]])
    found[0] = 1
    assert memory_differences([found[1:]], [wanted[1:]])


def test_first_differing_place_is_named():
    (line,) = bit_differences(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    assert "1 of 2" in line and "(1,)" in line


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts_keep_values_and_shape(layout, dtype):
    for data in DATA:
        for shape in (*SHAPES[-2:], *EMPTY, (), (1,), (3, 4), (2, 3, 4)):
            found = operand(data, dtype, shape, layout)
            again = operand(data, dtype, shape, layout)
            assert (
                type(found) is np.ndarray
                and found.shape == shape
                and found.dtype == np.dtype(dtype)
            )
            assert not differences(found, again)
            if layout not in ("rows", "columns", "one item", "window"):
                values = DATA[data](shape, dtype)
                assert not bit_differences(found, values)
            assert found.dtype.itemsize == 1 or not found.size or (
                found.flags.aligned != layout.startswith("misaligned") or layout == "odd strides"
            )  # fmt: skip


def test_layouts_have_the_strides_they_are_named_after():
    values = np.ones((4, 6))
    strides = {name: laid_out(values, name).strides for name in LAYOUTS}
    assert strides["contiguous"] == (48, 8) and strides["fortran"] == (8, 32)
    assert strides["transposed"] == (8, 32) and strides["stride 2"] == (13 * 16, 16)
    assert strides["reversed"] == (-48, -8) and strides["reversed inner"] == (48, -8)
    assert strides["rows"] == (0, 8) and strides["columns"] == (8, 0)
    assert strides["one item"] == (0, 0) and strides["window"] == (8, 8)
    cube = laid_out(np.ones((2, 3, 4)), "permuted").strides
    assert sorted(cube) != list(cube)[::-1] and sorted(cube) != list(cube)
    one, other = overlapping(np.ones(5))
    assert np.shares_memory(one, other) and one.shape == other.shape == (5,)


def test_backend_that_declines_everything_or_errs_fails_the_proof():
    def proof(change):
        proof = Proof(backends=("numpy",))
        f = expression("x + y")

        def build():
            return np.ones(3), np.ones(3)

        proof.check(f, build)
        captured = proof.captures[f, ("d1", "d1")]
        captured.runs["numpy"] = change(captured.runs["numpy"])
        proof.check(f, build)
        proof.require()

    proof(lambda run: run)
    with pytest.raises(AssertionError, match="declines"):
        proof(lambda run: lambda *values: None)
    with pytest.raises(AssertionError, match="bits|items"):
        proof(lambda run: lambda *values: run(*values) * (1 + 2**-52))
    with pytest.raises(AssertionError, match="write"):
        proof(lambda run: lambda x, y: np.add(x, y, out=x))


def arrays():
    return np.ones(3), np.ones(3)


@pytest.mark.parametrize("error", [InternalError, TypeError])
@pytest.mark.parametrize("mode", ["ignore", "raise"])
def test_error_while_capturing_that_is_not_eagers_fails_the_check(monkeypatch, error, mode):
    def optimize(fn, backend):
        raise error("a fault")

    monkeypatch.setattr(capturing.dyntrace, "optimize", optimize)
    with pytest.raises(error, match="a fault"):
        Proof(allowed=1.0).check(expression("x + y"), arrays, mode)


def test_internal_error_that_was_contained_fails_the_proof(monkeypatch):
    monkeypatch.setattr(incidents, "_noted", incidents.Incidents())
    proof = Proof()
    proof.check(expression("x + y"), arrays)
    with pytest.raises(InternalError):
        incidents.note(ValueError("a fault"), "in a test", "nothing")
    with pytest.raises(AssertionError, match="internal errors"):
        proof.require()
