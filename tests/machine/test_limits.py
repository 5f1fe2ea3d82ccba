"""The machine at its limits: very large results, many dimensions, huge bounds and long groups.

Invariant: what is beyond a limit is declined or left to the twin, as everything is that the machine
cannot do; it never reads or writes outside of its arrays.
"""

import numpy as np
import pytest

import dyntrace
from dyntrace.exec.backends.names import get_backend
from dyntrace.exec.lower import choice, lowering
from tests.machine.capturing import Proof, capture, function


def check(fn, *arrays, may_decline=False, ran=1):
    """Compare on copies of the arrays; of views, on the views themselves."""
    proof = Proof(backends=("numpy",))
    proof.check(fn, lambda: arrays, may_decline=may_decline)
    proof.require(ran=ran)


def test_result_past_the_caches_beside_a_sum_in_parts():
    fn = function("u = x * 2.0\nreturn u, (x + y).sum()")
    x = np.linspace(0.0, 1.0, 3_200_000)
    check(fn, x, x[::-1].copy())


def test_bounds_and_steps_at_the_ends_of_the_machine_word():
    x = np.arange(10.0)
    for bounds in (
        "2**62 - 1:",
        ":-2**62 + 1",
        "::2**62 - 1",
        "::-2**62 + 1",
        "5::2**62 - 1",
        "-2**62 + 1::3",
    ):
        fn = function(
            f"return x[{bounds}] * 2.0, x[None, {bounds}].T + 1.0, x[{bounds}] + x[{bounds}]", "x"
        )
        check(fn, x)


@pytest.mark.parametrize("ndim", [8, 9, 10, 20, 23, 24, 25, 33, 60])
def test_any_number_of_dimensions(ndim):
    x = np.arange(2.0**8).reshape((2,) * 8 + (1,) * (ndim - 8))
    check(function("return x[..., ::-1] + x.T, x.sum(axis=(0, 1)), x[:, 0] * 2.0", "x"), x)
    check(function("return (x + 1.0)[None], (x * 2.0)[:, None].sum()", "x"), x)
    check(function("return x * y"), x, x[None])
    check(function("x[...] = y * 2.0"), x, x + 1.0)
    check(function("x[0] = x[1] * 2.0", "x"), x)
    check(function("t = x * 2.0\nt += x\nreturn t, t.reshape(256), t.mean(axis=3)", "x"), x)


def test_as_many_dimensions_as_numpy_has():
    x = np.ones((1,) * 64)
    check(function("return x * 2.0 + 1.0, x.T.sum(axis=0), x[0]", "x"), x)
    check(function("return (x * 2.0)[None]", "x"), x, may_decline=True, ran=0)


def test_whole_state_of_ten_qubits_is_one_program():
    gate = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)

    def apply(state, gate):
        turned = np.moveaxis(np.tensordot(gate, state, axes=([1], [3])), 0, 3)
        return turned, abs(turned) ** 2

    fast = dyntrace.optimize(apply)
    state = np.zeros((2,) * 10)
    state[(0,) * 10] = 1.0
    for _ in range(4):
        for got, wanted in zip(fast(state, gate), apply(state, gate), strict=True):
            assert np.array_equal(got, wanted)
            assert got.strides == wanted.strides
    found = dyntrace.stats(fast)
    assert (found.graphs, found.graph_calls, found.deopts) == (1, 4, 0)


def test_program_with_too_many_registers_is_left_to_the_twin(monkeypatch):
    monkeypatch.setattr(lowering, "MAX_REGISTERS", 3)
    graph = capture(function("return x * 2.0 + 1.0, x.sum()", "x"), np.ones(3)).graph
    assert choice.lowered(graph) is None


def test_shapes_whose_product_overflows_are_eagers_to_refuse():
    one = np.ones(1)
    x = np.lib.stride_tricks.as_strided(one, (2**33, 1), (0, 0))
    y = np.lib.stride_tricks.as_strided(one, (1, 2**31 + 1), (0, 0))
    fn = function("return (x + y)[0, :3] * 2.0")
    sample = np.ones((2, 2))
    run = get_backend("numpy")(capture(fn, sample, sample + 1).graph)
    assert run(x, y) is None


def test_hundreds_of_operations_casts_and_constants_in_one_group():
    lines = ["t = x"] + [f"t = (t + {i}.5) * y" if i % 3 else "t = t - k" for i in range(90)]
    fn = function("\n".join([*lines, "return t, t.sum()"]), "x, y, k")
    check(fn, np.linspace(0, 1, 100), np.ones(100), np.arange(100))


def test_many_results_more_than_stand_on_the_stack():
    lines = [f"a{i} = x[{i}:] + {i}.0\nb{i} = a{i}.sum()" for i in range(90)]
    names = ", ".join(f"a{i}, b{i}" for i in range(90))
    check(function("\n".join([*lines, f"return {names}"]), "x"), np.arange(100.0))


def test_key_that_is_too_long_is_left_to_the_twin():
    names = [f"x{i}" for i in range(60)]
    fn = function("return " + " + ".join(names), ", ".join(names))
    check(fn, *(np.full((2,) * 8, float(i)) for i in range(60)), ran=0, may_decline=True)


def test_sizes_of_zero_everywhere():
    x = np.empty((0, 3))
    fn = function(
        "t = x * 2.0\nreturn t, t.T + 1.0, t[:, 1:], t.reshape(3, 0), t.sum(axis=0), t.any()", "x"
    )
    check(fn, x)
    check(function("x[...] = y + 1.0"), x, x.copy())
