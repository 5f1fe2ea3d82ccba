"""Segments that are split where a layout has no plan: NumPy runs the node, the machine goes on."""

import gc
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyntrace import config, incidents
from dyntrace.errors import InternalError
from dyntrace.exec.backends.names import get_backend
from dyntrace.exec.lower import choice, selftest
from tests.machine.capturing import Declined, Proof, capture, function
from tests.machine.comparing import differences
from tests.machine.drawing import bodies, operands
from tests.machine.operands import FULL, LAYOUTS, TIMES, operand

if not config.native:
    pytest.skip("there is no machine", allow_module_level=True)

from tests.machine.splitting import BACKENDS, EVERY, NEVER, split_program

EXAMPLES = 10_000 if FULL else 200 * TIMES


def programmed(body, parameters, *args):
    """The captured function, and its program."""
    captured = capture(function(body, parameters), *args)
    program = captured.runs["numpy"] = get_backend("numpy")(captured.graph)
    return captured, program


def same_as_eager(captured, *args):
    wanted = captured.fn(*args)
    assert not differences(captured.run("numpy", args), wanted, args, args)


# Which nodes NumPy runs ---------------------------------------------------------------------------
NUMBERS = np.random.default_rng(1).standard_normal((20, 24))
SPLIT = {
    "sum of a part": ("np.sqrt(abs(a)).sum() + a[:, ::2].sum() * 2.0", 1),
    "backwards": ("np.exp(a[:, ::-1]) * 2.0 + a", 1),
    "backwards twice": ("np.exp(np.exp(-abs(a[:, ::-1]))[:, ::-1]) + 1.0", 2),
    "sum of a transform": ("np.fft.fft(a).real.sum() + 1.0", 1),
    "part of a decomposition": ("np.linalg.svd(a)[0][:, ::2].sum() + a.sum()", 1),
    "mean of columns": ("(a[::2, ::3].mean() + a) * 2.0", 1),
    "too few for a variance": ("a[:1, :1].var(ddof=0) + a * 2.0", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", SPLIT)
def test_numpy_runs_the_node_without_a_plan_and_no_other(name):
    text, nodes = SPLIT[name]
    captured, program = programmed(text, "a", NUMBERS)
    calls = 5
    for _ in range(calls):
        same_as_eager(captured, NUMBERS)
    assert (program.runs, program.twin_runs) == (calls, 0)
    assert program.nodes_run <= nodes * calls


PLACES = {
    "a line": ("np.fmax(a[0] * 2.0, a[1]) + 1.0", False),
    "a whole array": ("np.fmin(a * 2.0, a) + 1.0", False),
    "every second item of a line": ("np.fmax(a[0, ::2], 0.5) * 2.0", False),
    "lines of parts": ("np.fmax(a[:, :7] * 2.0, a[:, 1:8]) + 1.0", True),
    "a row for all": ("np.fmin(a, a[0]) + 1.0", True),
    "sums of rows": ("np.fmax(a.max(axis=1), 0.0) + 1.0", True),
    "maximum of lines of parts": ("np.maximum(a[:, :7] * 2.0, a[:, 1:8]) + 1.0", False),
    "maximum with a row": ("np.clip(np.maximum(a, a[0]), 0.0, 1.0) + 1.0", False),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_loop_that_depends_on_places_stays_in_groups_of_one_line(name):
    text, splits = PLACES[name]
    captured, program = programmed(text, "a", NUMBERS)
    same_as_eager(captured, NUMBERS)
    depends = selftest.depends_on_place(np.fmax, "d") or selftest.depends_on_place(np.fmin, "d")
    assert (program.nodes_run, program.twin_runs) == (int(splits and depends), 0)


HEAVY = ("np.fft.fft(a).real.sum()", "np.linalg.svd(a)[0][:, ::2].sum() * 2.0", "np.linalg.qr(a)[0][::-1, ::2].sum(axis=1)",
         "np.exp(np.linalg.inv(a[:20, :20])[:, ::-1]).sum()", "np.sort(a, axis=0)[::2, 1:].max(axis=0) + 1.0")  # fmt: skip


@pytest.mark.parametrize("text", HEAVY)
def test_transforms_and_decompositions_run_once(text):
    captured = capture(function(text, "a"), NUMBERS)
    captured.runs["numpy"], ran = split_program(captured.graph, NEVER)
    for layout in ("contiguous", "fortran", "reversed", "stride 2", "misaligned"):
        a = LAYOUTS[layout](NUMBERS)
        del ran[:]
        same_as_eager(captured, a)
        assert ran
        assert len(set(ran)) == len(ran)


def test_misaligned_input_is_read_by_numpy_alone():
    captured, program = programmed("np.tanh(a * 2.0 + b).sum(axis=0) * b", "a, b", NUMBERS, NUMBERS + 1.0)  # fmt: skip
    odd = operand("quiet", "d", (20, 24), "misaligned")
    assert not odd.flags.aligned
    same_as_eager(captured, odd, abs(NUMBERS))
    assert (program.nodes_run, program.twin_runs) == (1, 0)


def test_layouts_that_take_turns_keep_their_plans():
    captured, program = programmed("np.exp(a * 2.0) + np.exp(b)", "a, b", NUMBERS, NUMBERS + 1.0)
    back = NUMBERS[:, ::-1]
    for _ in range(4):
        for args in ((NUMBERS, NUMBERS), (back, NUMBERS), (NUMBERS, back), (back, back)):
            same_as_eager(captured, *args)
    assert program.twin_runs == 0
    assert program.plans_made <= 12


def test_many_splits_are_bounded_and_agree():
    lines = "\n".join("a = np.sin(np.sin(a)[:, ::-1]) + 0.5" for _ in range(90))
    captured, program = programmed(f"{lines}\nreturn a", "a", NUMBERS)
    for _ in range(3):
        same_as_eager(captured, NUMBERS)
    assert program.plans_made <= 100
    assert program.twin_runs == 0


def test_keys_of_many_arrays_are_planned():
    names = ", ".join(f"a{i}" for i in range(60))
    terms = " + ".join(names.split(", "))
    args = [np.full((1, 2, 1, 3, 1, 2), float(i)) for i in range(60)]
    captured, program = programmed(f"return ({terms}).sum(), np.sqrt({terms})", names, *args)
    same_as_eager(captured, *args)
    assert (program.nodes_run, program.twin_runs) == (0, 0)


# Shapes -------------------------------------------------------------------------------------------
RESHAPED = {
    "column": ("a[:, 0].reshape((n, 1)) * 2.0", 0),
    "column of unknown length": ("a[:, 3].reshape(-1, 1) + a", 0),
    "transposed": ("a.T.reshape(-1) * 2.0", 0),
    "transposed twice": ("(a.T.reshape(-1, n) + 1.0).T.reshape(n, -1) * 2.0", 0),
    "part": ("a[:, ::2].reshape(2, -1, 3) - 1.0", 0),
    "part by part": ("a[:, :4].reshape(n, 2, 2).sum(axis=2) + 1.0", 1),
    "kept": ("t = a.T.reshape(-1)\nu = t * 2.0\nreturn t, u", 0),
    "backwards": ("a[::-1].reshape(-1) + 1.0", 0),
    "by itself": ("return a.T.reshape(-1), a[::2].reshape(n // 2, 4, 6), a.reshape(a.shape)", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", RESHAPED)
def test_reshape_is_a_view_where_numpys_is_and_else_of_a_copy(name):
    text, nodes = RESHAPED[name]
    captured, program = programmed(text, "a, n", NUMBERS, 20)
    for args in ((NUMBERS, 20), (np.asfortranarray(NUMBERS), 20), (NUMBERS[:, ::-1], 20)):
        same_as_eager(captured, *args)
        same_as_eager(captured, *args)
    assert program.twin_runs == 0
    assert program.nodes_run <= 6 * nodes


@pytest.mark.parametrize("dtype", tuple("?bhdFG"))
def test_reshapes_of_all_layouts_have_eagers_strides_and_bases(dtype):
    proof = Proof()
    for text in ("return x.reshape(-1, 2), x.reshape(2, -1) + x.reshape(2, -1)",
                 "return x.reshape(-1), x.reshape(1, -1, 1) * 2", "return x.T.reshape(-1, 2, 1)",
                 "return np.reshape(x[..., ::2], (-1,)), x[..., 1:].reshape(1, -1)"):  # fmt: skip
        fn = function(text, "x")
        for shape in ((6, 4), (2, 1, 6), (12,), (1, 2), (2, 3, 2, 2), (0, 2), (1, 1, 2)):
            for layout in LAYOUTS:
                proof.check(fn, lambda: (operand("quiet", dtype, shape, layout),), "ignore", (shape, layout))  # fmt: skip
    proof.require(ran=100, missed=20)


# Split at will ------------------------------------------------------------------------------------
COMMON = ("d", "d", "d", "f", "i", "l", "?", "e", "D")


@pytest.mark.parametrize("backend", BACKENDS)
def test_random_graphs_that_are_split_have_eagers_bits_layout_and_effects(backend):
    total = Proof(allowed=0.35)

    @settings(max_examples=EXAMPLES)
    @given(bodies(), st.lists(operands(tuple(LAYOUTS), COMMON), min_size=1, max_size=2))
    def checked(body, cases):
        proof = Proof(allowed=1.0, backends=(backend,))
        fn = function(body)
        for shape, first, second, layout, other, data, mode in cases:

            def build():
                return operand(data, first, shape, layout), operand(data, second, shape, other, 3)

            for way in dict.fromkeys(("ignore", mode)):
                proof.check(fn, build, way, (shape, layout, other, data))
        proof.require(ran=0, missed=100)
        total.ran += proof.ran
        total.declined += proof.declined

    checked()
    total.require(ran=EXAMPLES // 3)


LARGE = ("return (a * b) + b.T.copy().T, (b + a) * a", "t = a + b\nt += a\nt *= b\nreturn t - 1.0",
         "return a.mean(axis=0) - b, (a * b).std(axis=1), np.where(a > b, a, b)[:, ::-1]")  # fmt: skip


@pytest.mark.parametrize("text", LARGE)
@pytest.mark.parametrize("backend", BACKENDS)
def test_reuse_of_large_temporaries_is_eagers_across_splits(text, backend):
    proof = Proof(backends=(backend,))
    fn = function(text, "a, b")
    for shape in ((255, 128), (257, 128), (300, 300)):
        for orders in (("contiguous", "fortran"), ("fortran", "contiguous"), ("stride 2", "reversed")):  # fmt: skip
            proof.check(fn, lambda: tuple(operand("quiet", "d", shape, order, start) for start, order in enumerate(orders)), "ignore", orders)  # fmt: skip
    proof.require(ran=9)


WRITES = ("x[1:] = np.sqrt(y[1:]) * 2.0", "x += y * 2.0", "np.add(x, y, out=x)", "x[0] = x[1]",
          "t = y * 2.0\nx[...] = t.T.T\nreturn t", "t = y + 1.0\nx -= t\nreturn t", "x[0, 0] = y.sum()", "x.T.reshape(-1)[2:] = y.reshape(-1)[2:] * 2.0")  # fmt: skip


@pytest.mark.parametrize("text", WRITES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_effects_come_last_across_splits(text, backend):
    proof = Proof(backends=(backend,))
    fn = function(text + ("" if "return" in text else "\nreturn x"))
    for layout in ("contiguous", "fortran", "reversed", "stride 2", "misaligned"):
        for data, mode in (("quiet", "ignore"), ("odd", "raise"), ("odd", "ignore")):
            proof.check(fn, lambda: (operand(data, "d", (6, 7), layout), operand(data, "d", (6, 7), "contiguous", 3)), mode, layout)  # fmt: skip
    proof.require(ran=5)


@pytest.mark.parametrize("every", EVERY)
def test_nothing_is_emitted_where_a_flag_is_not_ignored(every):
    captured = capture(function("np.log(x * 1.0)[::-1] + y * 2.0"), np.ones(5), np.ones(5))
    captured.runs["numpy"], _ = split_program(captured.graph, every)
    for mode in ("warn", "raise", "call", "print"):
        with warnings.catch_warnings(), np.errstate(all=mode, call=pytest.fail):
            warnings.simplefilter("error")
            with pytest.raises(Declined):
                captured.run("numpy", (np.zeros(5), np.ones(5)))
            assert captured.run("numpy", (np.ones(5), np.ones(5))).tolist() == [2.0] * 5


# Lifetimes ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("every", (1, 2))
def test_results_are_let_go_when_eager_lets_go_of_them(every):
    body = "b = x + 1.0\nc = b[::2] * 2.0\nd = np.exp(c)\ne = d.reshape(-1, 5)\nf = e - d[0]\nreturn f.sum()"  # fmt: skip
    captured = capture(function(body, "x"), np.ones(20))
    living, most = [], []

    def look(number, result):
        if isinstance(result, np.ndarray) and result.base is None:
            living.append(weakref.ref(result))
        most.append(sum(ref() is not None for ref in living))

    captured.runs["numpy"], ran = split_program(captured.graph, every, look)
    found = captured.run("numpy", (np.ones(20),))
    assert found == captured.fn(np.ones(20))
    gc.collect()
    assert not any(ref() is not None for ref in living)
    assert len(ran) >= 3
    assert max(most) <= 2, most


def test_target_that_holds_an_element_twice_is_left_to_the_original():
    proof = Proof()
    for text in ("t = y * 2.0\nx[...] = t\nreturn t", "x[...] = y * 2.0\nreturn x", "t = y + 1.0\nx += t\nreturn t"):  # fmt: skip
        fn = function(text)

        def build(step):
            room = np.arange(48.0)
            return np.lib.stride_tricks.as_strided(room, (6, 7), (step, 8)), np.ones((6, 7))

        for step in (56, 16, 56):
            proof.check(fn, lambda: build(step), "ignore", step, may_decline=step == 16)
    proof.require(ran=6)
    assert proof.caused >= 3


# A fault ------------------------------------------------------------------------------------------
def test_internal_error_of_a_lowering_is_no_decline(monkeypatch):
    monkeypatch.setattr(incidents, "_noted", incidents.Incidents())
    proof = Proof(allowed=1.0, backends=("numpy",))
    monkeypatch.setattr(choice, "RULES", None)
    with pytest.raises(InternalError, match="AttributeError"):
        proof.check(function("x + y"), lambda: (np.ones(3), np.ones(3)))
