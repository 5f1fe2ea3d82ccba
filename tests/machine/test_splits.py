"""Segments that are split where a layout has no plan: NumPy runs the node, the machine goes on."""

import gc
import itertools
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
from tests.machine.capturing import Declined, Proof, capture, function, functions_of, name_of
from tests.machine.comparing import differences
from tests.machine.drawing import bodies, operands
from tests.machine.operands import FULL, LAYOUTS, TIMES, operand

if not config.native:
    pytest.skip("there is no machine", allow_module_level=True)

from tests.machine.splitting import BACKENDS, EVERY, NEVER, split_program

EXAMPLES = 10_000 if FULL else 200 * TIMES


def programmed(fn, *args):
    """The captured function, and its program."""
    captured = capture(fn, *args)
    program = captured.runs["numpy"] = get_backend("numpy")(captured.graph)
    return captured, program


def same_as_eager(captured, *args):
    wanted = captured.fn(*args)
    assert not differences(captured.run("numpy", args), wanted, args, args)


# Which nodes NumPy runs ---------------------------------------------------------------------------
NUMBERS = np.random.default_rng(1).standard_normal((20, 24))
SPLIT = {
    "sum of a part": (lambda a: np.sqrt(abs(a)).sum() + a[:, ::2].sum() * 2.0, 1),
    "backwards": (lambda a: np.exp(a[:, ::-1]) * 2.0 + a, 1),
    "backwards twice": (lambda a: np.exp(np.exp(-abs(a[:, ::-1]))[:, ::-1]) + 1.0, 2),
    "sum of a transform": (lambda a: np.fft.fft(a).real.sum() + 1.0, 1),
    "part of a decomposition": (lambda a: np.linalg.svd(a)[0][:, ::2].sum() + a.sum(), 1),
    "mean of columns": (lambda a: (a[::2, ::3].mean() + a) * 2.0, 1),
    "too few for a variance": (lambda a: a[:1, :1].var(ddof=0) + a * 2.0, 0),
}


@pytest.mark.parametrize("name", SPLIT)
def test_numpy_runs_the_node_without_a_plan_and_no_other(name):
    fn, nodes = SPLIT[name]
    captured, program = programmed(fn, NUMBERS)
    calls = 5
    for _ in range(calls):
        same_as_eager(captured, NUMBERS)
    assert (program.runs, program.twin_runs) == (calls, 0)
    assert program.nodes_run <= nodes * calls


PLACES = {
    "a line": (lambda a: np.fmax(a[0] * 2.0, a[1]) + 1.0, False),
    "a whole array": (lambda a: np.fmin(a * 2.0, a) + 1.0, False),
    "every second item of a line": (lambda a: np.fmax(a[0, ::2], 0.5) * 2.0, False),
    "lines of parts": (lambda a: np.fmax(a[:, :7] * 2.0, a[:, 1:8]) + 1.0, True),
    "a row for all": (lambda a: np.fmin(a, a[0]) + 1.0, True),
    "sums of rows": (lambda a: np.fmax(a.max(axis=1), 0.0) + 1.0, True),
    "maximum of lines of parts": (lambda a: np.maximum(a[:, :7] * 2.0, a[:, 1:8]) + 1.0, False),
    "maximum with a row": (lambda a: np.clip(np.maximum(a, a[0]), 0.0, 1.0) + 1.0, False),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_loop_that_depends_on_positions_stays_in_groups_of_one_line(name):
    fn, splits = PLACES[name]
    captured, program = programmed(fn, NUMBERS)
    same_as_eager(captured, NUMBERS)
    depends = selftest.depends_on_position(np.fmax, "d") or selftest.depends_on_position(
        np.fmin, "d"
    )
    assert (program.nodes_run, program.twin_runs) == (int(splits and depends), 0)


HEAVY = (
    lambda a: np.fft.fft(a).real.sum(),
    lambda a: np.linalg.svd(a)[0][:, ::2].sum() * 2.0,
    lambda a: np.linalg.qr(a)[0][::-1, ::2].sum(axis=1),
    lambda a: np.exp(np.linalg.inv(a[:20, :20])[:, ::-1]).sum(),
    lambda a: np.sort(a, axis=0)[::2, 1:].max(axis=0) + 1.0,
)


@pytest.mark.parametrize("fn", HEAVY, ids=name_of)
def test_transforms_and_decompositions_run_once(fn):
    captured = capture(fn, NUMBERS)
    captured.runs["numpy"], ran = split_program(captured.graph, NEVER)
    for layout in ("contiguous", "fortran", "reversed", "stride 2", "misaligned"):
        a = LAYOUTS[layout](NUMBERS)
        del ran[:]
        same_as_eager(captured, a)
        assert ran
        assert len(set(ran)) == len(ran)


def test_misaligned_input_is_read_by_numpy_alone():
    def fn(a, b):
        return np.tanh(a * 2.0 + b).sum(axis=0) * b

    captured, program = programmed(fn, NUMBERS, NUMBERS + 1.0)
    odd = operand("quiet", "d", (20, 24), "misaligned")
    assert not odd.flags.aligned
    same_as_eager(captured, odd, abs(NUMBERS))
    assert (program.nodes_run, program.twin_runs) == (1, 0)


def test_layouts_that_take_turns_keep_their_plans():
    def fn(a, b):
        return np.exp(a * 2.0) + np.exp(b)

    captured, program = programmed(fn, NUMBERS, NUMBERS + 1.0)
    back = NUMBERS[:, ::-1]
    for _ in range(4):
        for args in ((NUMBERS, NUMBERS), (back, NUMBERS), (NUMBERS, back), (back, back)):
            same_as_eager(captured, *args)
    assert program.twin_runs == 0
    assert program.plans_made <= 12


def test_many_splits_are_bounded_and_agree():
    lines = "\n".join("a = np.sin(np.sin(a)[:, ::-1]) + 0.5" for _ in range(90))
    captured, program = programmed(function(f"{lines}\nreturn a", "a"), NUMBERS)
    for _ in range(3):
        same_as_eager(captured, NUMBERS)
    assert program.plans_made <= 100
    assert program.twin_runs == 0


def test_keys_of_many_arrays_are_planned():
    names = ", ".join(f"a{i}" for i in range(60))
    terms = " + ".join(names.split(", "))
    args = [np.full((1, 2, 1, 3, 1, 2), float(i)) for i in range(60)]
    captured, program = programmed(
        function(f"return ({terms}).sum(), np.sqrt({terms})", names), *args
    )
    same_as_eager(captured, *args)
    assert (program.nodes_run, program.twin_runs) == (0, 0)


# Shapes -------------------------------------------------------------------------------------------
RESHAPED = {
    "column": (lambda a, n: a[:, 0].reshape((n, 1)) * 2.0, 0),
    "column of unknown length": (lambda a, n: a[:, 3].reshape(-1, 1) + a, 0),
    "transposed": (lambda a, n: a.T.reshape(-1) * 2.0, 0),
    "transposed twice": (lambda a, n: (a.T.reshape(-1, n) + 1.0).T.reshape(n, -1) * 2.0, 0),
    "part": (lambda a, n: a[:, ::2].reshape(2, -1, 3) - 1.0, 0),
    "part by part": (lambda a, n: a[:, :4].reshape(n, 2, 2).sum(axis=2) + 1.0, 1),
    "kept": (function("t = a.T.reshape(-1)\nu = t * 2.0\nreturn t, u", "a, n"), 0),
    "backwards": (lambda a, n: a[::-1].reshape(-1) + 1.0, 0),
    "by itself": (
        lambda a, n: (a.T.reshape(-1), a[::2].reshape(n // 2, 4, 6), a.reshape(a.shape)),
        0,
    ),
}


@pytest.mark.parametrize("name", RESHAPED)
def test_reshape_is_a_view_where_numpys_is_and_else_of_a_copy(name):
    fn, nodes = RESHAPED[name]
    captured, program = programmed(fn, NUMBERS, 20)
    for args in ((NUMBERS, 20), (np.asfortranarray(NUMBERS), 20), (NUMBERS[:, ::-1], 20)):
        same_as_eager(captured, *args)
        same_as_eager(captured, *args)
    assert program.twin_runs == 0
    assert program.nodes_run <= 6 * nodes


class Reshapes:
    """Programs that reshape x, views of x and parts of it."""

    def two_columns(x):
        return x.reshape(-1, 2), x.reshape(2, -1) + x.reshape(2, -1)

    def flat(x):
        return x.reshape(-1), x.reshape(1, -1, 1) * 2

    def transpose(x):
        return x.T.reshape(-1, 2, 1)

    def parts(x):
        return np.reshape(x[..., ::2], (-1,)), x[..., 1:].reshape(1, -1)


@pytest.mark.parametrize("dtype", tuple("?bhdFG"))
def test_reshapes_of_all_layouts_have_eagers_strides_and_bases(dtype):
    proof = Proof()
    shapes = (6, 4), (2, 1, 6), (12,), (1, 2), (2, 3, 2, 2), (0, 2), (1, 1, 2)
    for fn, shape, layout in itertools.product(functions_of(Reshapes), shapes, LAYOUTS):

        def build():
            return (operand("quiet", dtype, shape, layout),)

        proof.check(fn, build, "ignore", (shape, layout))
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


class Large:
    """Programs whose large temporaries eager reuses."""

    def sum_and_product(a, b):
        return (a * b) + b.T.copy().T, (b + a) * a

    def in_place_on_a_temporary(a, b):
        t = a + b
        t += a
        t *= b
        return t - 1.0

    def means_and_a_choice(a, b):
        return a.mean(axis=0) - b, (a * b).std(axis=1), np.where(a > b, a, b)[:, ::-1]


LARGE = functions_of(Large)


ORDERS = (("contiguous", "fortran"), ("fortran", "contiguous"), ("stride 2", "reversed"))


@pytest.mark.parametrize("fn", LARGE, ids=name_of)
@pytest.mark.parametrize("backend", BACKENDS)
def test_reuse_of_large_temporaries_is_eagers_across_splits(fn, backend):
    proof = Proof(backends=(backend,))
    for shape, orders in itertools.product(((255, 128), (257, 128), (300, 300)), ORDERS):

        def build():
            return tuple(operand("quiet", "d", shape, order, s) for s, order in enumerate(orders))

        proof.check(fn, build, "ignore", orders)
    proof.require(ran=9)


class Writes:
    """Programs that end with a write to x."""

    def roots(x, y):
        x[1:] = np.sqrt(y[1:]) * 2.0
        return x

    def plus_doubled(x, y):
        x += y * 2.0
        return x

    def add_to_out(x, y):
        np.add(x, y, out=x)
        return x

    def row_from_a_row(x, y):
        x[0] = x[1]
        return x

    def transposed_twice(x, y):
        t = y * 2.0
        x[...] = t.T.T
        return t

    def minus_an_expression(x, y):
        t = y + 1.0
        x -= t
        return t

    def item_from_a_sum(x, y):
        x[0, 0] = y.sum()
        return x

    def flattened_transpose(x, y):
        x.T.reshape(-1)[2:] = y.reshape(-1)[2:] * 2.0
        return x


WRITES = functions_of(Writes)


@pytest.mark.parametrize("fn", WRITES, ids=name_of)
@pytest.mark.parametrize("backend", BACKENDS)
def test_effects_come_last_across_splits(fn, backend):
    proof = Proof(backends=(backend,))
    layouts = "contiguous", "fortran", "reversed", "stride 2", "misaligned"
    ways = ("quiet", "ignore"), ("odd", "raise"), ("odd", "ignore")
    for layout, (data, mode) in itertools.product(layouts, ways):

        def build():
            return operand(data, "d", (6, 7), layout), operand(data, "d", (6, 7), start=3)

        proof.check(fn, build, mode, layout)
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
    def fn(x):
        b = x + 1.0
        c = b[::2] * 2.0
        d = np.exp(c)
        e = d.reshape(-1, 5)
        f = e - d[0]
        return f.sum()

    captured = capture(fn, np.ones(20))
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


class Doubled:
    """Programs that write to x what they compute of y."""

    def value_with_a_name(x, y):
        t = y * 2.0
        x[...] = t
        return t

    def value(x, y):
        x[...] = y * 2.0
        return x

    def increase(x, y):
        t = y + 1.0
        x += t
        return t


def test_target_that_holds_an_element_twice_is_left_to_the_original():
    proof = Proof()
    for fn, step in itertools.product(functions_of(Doubled), (56, 16, 56)):

        def build():
            room = np.arange(48.0)
            return np.lib.stride_tricks.as_strided(room, (6, 7), (step, 8)), np.ones((6, 7))

        proof.check(fn, build, "ignore", step, may_decline=step == 16)
    proof.require(ran=6)
    assert proof.caused >= 3


# A fault ------------------------------------------------------------------------------------------
def test_internal_error_of_a_lowering_is_no_decline(monkeypatch):
    monkeypatch.setattr(incidents, "_noted", incidents.Incidents())
    proof = Proof(allowed=1.0, backends=("numpy",))
    monkeypatch.setattr(choice, "RULES", None)
    with pytest.raises(InternalError, match="AttributeError"):
        proof.check(function("x + y"), lambda: (np.ones(3), np.ones(3)))
