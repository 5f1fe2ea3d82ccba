"""Every way to say a dtype, in every place that takes one: the shape and the dtype that eager gives."""

import numpy as np
import pytest

import dyntrace
from tests.differential import check, optimised
from tests.machine.operands import some

DTYPES = {
    "subarray": ("2i", "2f", "1f", "(2,)i4", "(2, 3)f8", ("f8", 2), ("f8", (2,)), np.dtype("2f"), "2?", "(1,)f", ("f8", ())),
    "structured": ("f8,i4", [("a", "i4")], [("a", "2i4")], {"names": ["a"], "formats": ["f8"]}, "i4, (2,3)f8"),
    "flexible": ("S", "U", "S3", "U4", "S0", "V4", bytes, str),
    "time": ("M8[s]", "m8[s]", "M8"),
    "byte order": (">f8", "<f8", "=f4", ">i4"),
    "plain": (None, float, int, bool, complex, np.float32, np.dtype("f4"), np.dtypes.Float32DType, "longdouble"),
    "other": ("O", object, np.generic, np.floating, "nonsense", [], (), 3, np.void, np.dtype("f8", metadata={"unit": "m"})),
}  # fmt: skip
FORMS = """
    x.astype(d) | x.astype(dtype=d) | x.astype(d, copy=False) | (x * 2).astype(d) | x[:, 0].astype(d)
    np.array(x, dtype=d) | np.array([1, 2], d) | np.asarray(x, d) | np.asarray([1, 2], d) | np.array(1.5, d)
    np.zeros(3, d) | np.zeros((2, 2), dtype=d) | np.ones(3, d) | np.empty(0, d) | np.full(2, 7, d)
    np.zeros_like(x, d) | np.full_like(x, 1, dtype=d) | x.view(d) | np.fromiter(range(4), d)
    np.frombuffer(b"12345678" * 6, d) | np.arange(3, dtype=d) | np.linspace(0, 1, 3, dtype=d)
    np.add(x, x, dtype=d) | np.exp(x, dtype=d) | x.sum(dtype=d) | np.sum(x, 0, d) | np.mean(x, dtype=d)
    x.cumsum(dtype=d) | np.add.reduce(x, dtype=d) | np.eye(2, dtype=d) | np.ascontiguousarray(x, dtype=d)
    np.concatenate([x, x], dtype=d, casting="unsafe") | np.float64(1.0).astype(d) | x.mean().astype(d)
    np.dtype(d) | np.result_type(x, d) | np.add(x, x, signature=(d, None, None))
"""
EXPRESSIONS = [text.strip() for line in FORMS.strip().split("\n") for text in line.split("|")]


def program_of(text):
    """A function that says the dtype by its second argument."""
    space = {"np": np}
    exec(f"def program(x, d):\n    y = x * 1\n    z = {text}\n    return y, z\n", space)
    return space["program"]


@pytest.mark.parametrize("family", DTYPES)
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_dtype_of_any_form_gives_eagers_result(text, family):
    x = np.array([[1.5, 2.0, -3.0], [4.0, 0.0, 1.0]])
    for dtype in some(DTYPES[family], 3, text, family):
        check(program_of(text), x, dtype, calls=2)


def test_a_cast_to_a_subarray_adds_its_axes():
    def program(x):
        y = x * 2
        return y.astype("2f"), y.astype("(2, 1)f8").sum(axis=0), y.astype("1d")

    fast = optimised(program)
    for _ in range(3):
        assert [part.shape for part in fast(np.ones(4))] == [(4, 2), (2, 1), (4, 1)]
    check(program, np.arange(4.0))


def test_out_with_none_among_its_places_is_eagers():
    def work(x, out):
        first, second = np.frexp(x, out=(None, out))
        return first, second is out, np.add(x, 1.0, out=(None,))

    fast = dyntrace.optimize(work)
    for _ in range(3):
        mine, its = np.empty(3, np.intc), np.empty(3, np.intc)
        first, same, total = fast(np.arange(3.0), mine)
        expected, also, wanted = work(np.arange(3.0), its)
        assert same == also and mine.tolist() == its.tolist()
        assert first.tolist() == expected.tolist() and total.tolist() == wanted.tolist()
