"""Reductions: every axis, option, dtype and layout, and fused with what comes before and after.

Wide-range data make the order of summation show, so a sum that is split otherwise than eager's
has other bits. Each rule of NumPy's order has a test of its own below.
"""

import itertools

import numpy as np
import pytest

from tests.machine.capturing import Proof, expression, function, functions_of, name_of, text_of
from tests.machine.operands import DTYPES, LAYOUTS, Draw, drawn, operand, some

NAMES = (
    "sum",
    "prod",
    "mean",
    "var",
    "std",
    "min",
    "max",
    "any",
    "all",
    "argmin",
    "argmax",
    "ptp",
    "nansum",
    "nanmean",
    "nanmax",
    "nanmin",
    "nanstd",
    "nanprod",
    "nanvar",
    "nanargmax",
    "count_nonzero",
    "cumsum",
    "cumprod",
    "median",
    "linalg.norm",
    "average",
)
AXES = (
    "",
    ", axis=0",
    ", axis=1",
    ", axis=-1",
    ", axis=(0, 1)",
    ", axis=-2",
    ", axis=None",
    ", axis=(0, -1)",
    ", axis=2",
    ", axis=(1, 2)",
    ", axis=()",
    ", axis=0, keepdims=True",
    ", axis=-1, keepdims=True",
    ", keepdims=True",
)
OPTIONS = (
    ", dtype='d'",
    ", dtype='g'",
    ", dtype='f'",
    ", dtype='D'",
    ", initial=3",
    ", initial=-0.0",
    ", where=m",
    ", axis=0, where=m",
    ", axis=-1, where=m, initial=2",
    ", axis=-1, dtype='d'",
    ", axis=0, dtype='f'",
    ", axis=1, ddof=1",
    ", ddof=1",
    ", dtype='i'",
)
FORMS = (
    "return np.{name}(x{rest})",
    "return np.{name}(x * x{rest})",
    "t = np.{name}(x{rest})\nreturn t, t + 1",
    "t = x + x\nreturn np.{name}(t{rest}), t",
    "return np.{name}(x.T{rest})",
    "return np.{name}(x[..., ::2]{rest}) * 2",
)
SHAPES = (
    (5, 7),
    (3, 4, 5),
    (130,),
    (2, 1000),
    (1000, 2),
    (1, 9),
    (9, 1),
    (8, 129),
    (2, 3, 70),
    (64, 3),
    (0, 3),
    (3, 0),
    (),
)
CALLS = [(name, rest) for name in NAMES for rest in (*AXES, *OPTIONS)]


@pytest.mark.parametrize("name", NAMES)
def test_reduction_has_eagers_bits_over_every_axis(name):
    proof = Proof(allowed=0.05)
    for rest in (*AXES, *some(OPTIONS, 7, name)):
        for (form,) in drawn(Draw(FORMS, 1), key=(name, rest)):
            fn = function(form.format(name=name, rest=rest), "x, m" if "m" in rest else "x")
            levels = Draw(DTYPES, 2), Draw(SHAPES, 2), Draw(LAYOUTS, 2)
            for case in drawn(*levels, key=(name, rest, form)):
                check(proof, fn, case, masked="m" in rest)
    proof.require(missed=150)


def check(proof, fn, case, masked=False):
    """Three kinds of data in one dtype, shape and layout; a masked reduction takes a mask, too."""
    dtype, shape, layout = case
    for data, mode in (("wide", "ignore"), ("odd", "ignore"), ("quiet", "raise")):
        length = shape[-1] if shape else 1

        def build():
            x = operand(data, dtype, shape, layout)
            return (x, operand("odd", "?", (length,))) if masked else (x,)

        proof.check(fn, build, mode, (shape, layout, data))


METHODS = (
    lambda x: x.sum(),
    lambda x: x.mean(0),
    lambda x: x.max(axis=-1),
    lambda x: x.std(ddof=1),
    lambda x: x.argmax(),
    lambda x: x.any(axis=0),
    lambda x: x.prod(-1),
    lambda x: x.cumsum(),
    lambda x: x.min(keepdims=True),
    lambda x: x.trace(),
    lambda x: x.var(axis=(0, 1)),
    lambda x: (x * x).all(),
    lambda x: x.T.sum(0),
    lambda x: np.add.reduce(x),
    lambda x: np.add.reduce(x, axis=None),
    lambda x: np.maximum.reduce(x, axis=-1),
    lambda x: np.logical_or.reduce(x),
    lambda x: np.multiply.accumulate(x, axis=1),
    lambda x: np.subtract.reduce(x),
    lambda x: np.hypot.reduce(x, axis=-1),
    lambda x: np.fmax.reduce(x),
    lambda x: np.add.reduceat(x, [0, 1]),
    lambda x: np.bitwise_xor.reduce(x, axis=None),
    lambda x: x.dot(x.T),
    lambda x: np.ptp(x, -1),
)


@pytest.mark.parametrize("fn", METHODS, ids=name_of)
def test_method_and_ufunc_reductions_have_eagers_bits(fn):
    proof = Proof()
    shapes = (5, 7), (2, 1000), (70, 3), (1, 9), (8, 129)
    for case in drawn(DTYPES, Draw(shapes, 2), Draw(LAYOUTS, 2), key=(text_of(fn),)):
        check(proof, fn, case)
    proof.require(missed=20)


LENGTHS = (
    1,
    2,
    3,
    7,
    8,
    9,
    15,
    16,
    17,
    127,
    128,
    129,
    255,
    256,
    1023,
    1024,
    1025,
    8191,
    8192,
    8193,
    16384,
    16385,
    20011,
)
FULL_SUMS = (
    lambda x: x.sum(),
    lambda x: np.mean(x),
    lambda x: (x * x).sum(),
    lambda x: x.max(),
    lambda x: (x + x).min(),
    lambda x: x.std(),
    lambda x: np.prod(x),
    lambda x: np.sum(x + 1),
    lambda x: (x * x).mean(),
    lambda x: x.argmin(),
    lambda x: np.linalg.norm(x),
    lambda x: x.sum(dtype="d"),
    lambda x: (x > 0).sum(),
    lambda x: (x[1:] * x[:-1]).sum(),
    lambda x: x.sum() + (x - x).sum(),
)

# What eager refuses, or warns of: a loss of the imaginary part.
REFUSED = {
    "F": ("x.sum(dtype='d')",),
    "D": ("x.sum(dtype='d')",),
    "?": ("x.sum() + (x - x).sum()",),
}


LINES = ("contiguous", "stride 2", "reversed", "misaligned", "one item", "read-only")


@pytest.mark.parametrize("fn", FULL_SUMS, ids=name_of)
@pytest.mark.parametrize("dtype", tuple("efdgFDilB?"))
def test_full_reduction_keeps_the_tree_of_every_length(fn, dtype):
    proof, text = Proof(), text_of(fn)
    for length, layout in drawn(LENGTHS, Draw(LINES, 2), key=(text, dtype)):

        def build():
            return (operand("wide", dtype, (length,), layout),)

        proof.check(fn, build, "ignore", (length, layout))
    proof.require(ran=20 * (text not in REFUSED.get(dtype, ())), missed=1)


# -- the rules of NumPy's order of summation, one by one -------------------------------------------


def assert_summed(programs, builds, dtypes="fd"):
    """Each program adds up, as eager does, what each of the named `builds` makes of each dtype."""
    proof = Proof()
    for fn, dtype, (label, build) in itertools.product(programs, dtypes, builds.items()):
        proof.check(fn, lambda: (build(dtype),), "ignore", label)
    proof.require(ran=len(programs) * len(dtypes))


def wide(dtype, *shape):
    return operand("wide", dtype, shape)


def test_full_sums_go_in_memory_order():
    builds = {
        layout: lambda d, layout=layout: operand("wide", d, (300, 40), layout) for layout in LAYOUTS
    }
    builds["cube"] = lambda d: operand("wide", d, (20, 30, 40), "permuted")
    assert_summed(
        (
            lambda x: x.sum(),
            lambda x: (x * x).sum(),
            lambda x: (x.T + 1).sum(),
            lambda x: np.mean(x),
        ),
        builds,
        "fdFDg",
    )


def test_sum_of_negative_zeros_and_of_nothing_is_eagers():
    builds = {n: lambda d, n=n: np.full(n, -0.0, d) for n in (0, 1, 7, 8, 9, 100, 8193)}
    assert_summed(
        (
            lambda x: x.sum(),
            lambda x: (x * 1).sum(),
            lambda x: x.sum(0),
            lambda x: x.sum(initial=-0.0),
            lambda x: x.prod(),
        ),
        builds,
        "efdgFD",
    )


@pytest.mark.parametrize("columns", (1, 2, 3, 7, 97, 100, 8191, 8192))
def test_arrays_that_do_not_coalesce_are_summed_in_whole_rows(columns):
    rows = 300 if columns < 1000 else 5
    builds = {
        "sliced": lambda d: wide(d, rows, columns + 3)[:, :columns],
        "sliced cube": lambda d: wide(d, 3, rows // 3, columns + 1)[:, :, :columns],
        "sliced both": lambda d: wide(d, 4, rows // 3 + 2, columns + 1)[1:, 1:, 1:],
        "rows reversed": lambda d: wide(d, rows, columns + 3)[::-1, :columns],
    }
    programs = (
        lambda x: x.sum(),
        lambda x: (x * x).sum(),
        lambda x: x.mean(),
        lambda x: x.sum(-1),
        lambda x: x.sum(0),
        lambda x: x.max(),
        lambda x: x.var(),
    )
    assert_summed(programs, builds, "fdF")


def test_long_rows_are_summed_in_eagers_chunks():
    builds = {
        "rows": lambda d: wide(d, 3, 9001),
        "sliced": lambda d: wide(d, 3, 16500)[:, :16400],
        "two": lambda d: wide(d, 2, 2, 8200)[..., 1:],
    }
    assert_summed(
        (
            lambda x: x.sum(),
            lambda x: x.sum(-1),
            lambda x: x.sum(0),
            lambda x: (x + x).sum(-1),
            lambda x: x.mean(1),
            lambda x: x.sum(axis=(0, -1)),
        ),
        builds,
    )


@pytest.mark.parametrize("dtype", tuple("efbhil?B"))
def test_casts_inside_a_sum_are_summed_in_buffers(dtype):
    lengths = (100, 8192, 8193, 20011)
    builds = {n: lambda d, n=n: wide(d, n) for n in lengths}
    builds |= {
        f"{n} misaligned": lambda d, n=n: operand("wide", d, (n,), "misaligned") for n in lengths
    }
    builds |= {
        "rows": lambda d: wide(d, 2, 9001)[0],
        "many rows": lambda d: wide(d, 40, 30).ravel(),
    }
    programs = (
        lambda x: x.sum(dtype="d"),
        lambda x: x.mean(),
        lambda x: x.mean(dtype="d"),
        lambda x: x.std(),
        lambda x: x.sum(dtype="f"),
        lambda x: x.sum(dtype="g"),
        lambda x: x.sum(dtype="D"),
        lambda x: (x * x).mean(),
    )
    assert_summed(programs, builds, dtype)
    cubes = {(n, m): lambda d, n=n, m=m: wide(d, n, m) for n, m in ((40, 30), (3, 9001), (9001, 3))}
    assert_summed(
        (
            lambda x: x.sum(1, dtype="d"),
            lambda x: x.mean(0),
            lambda x: x.mean(1),
            lambda x: x.std(0),
            lambda x: x.var(1),
        ),
        cubes,
        dtype,
    )


def test_misaligned_rows_are_summed_in_buffers():
    builds = {
        shape: lambda d, shape=shape: operand("wide", d, shape, "misaligned")
        for shape in ((30, 40), (3, 9001), (9001, 3), (20011,), (5, 6, 7))
    }
    assert_summed(
        (
            lambda x: x.sum(),
            lambda x: x.sum(0),
            lambda x: x.sum(-1),
            lambda x: x.mean(-1),
            lambda x: (x * x).sum(-1),
            lambda x: x.var(0),
        ),
        builds,
        "efdF",
    )


@pytest.mark.parametrize("width", (1, 2, 3, 4, 5, 8, 63, 64, 65, 97, 130))
def test_kept_axes_of_every_width_are_added_row_by_row(width):
    """A kept axis of width one is summed pairwise, any wider one row by row."""
    builds = {
        "C": lambda d: wide(d, 500, width),
        "F": lambda d: np.asarray(wide(d, 500, width), order="F"),
        "sliced": lambda d: wide(d, 500, width + 1)[:, 1:],
        "reversed": lambda d: wide(d, 500, width)[:, ::-1],
        "rows reversed": lambda d: wide(d, 500, width)[::-1],
        "broadcast": lambda d: np.broadcast_to(wide(d, 500, 1), (500, width)),
    }
    programs = (
        lambda x: x.sum(0),
        lambda x: x.mean(0),
        lambda x: (x * x).sum(0),
        lambda x: x.T.sum(1),
        lambda x: (x.T * 2).sum(-1),
        lambda x: x.std(0),
        lambda x: x.prod(0),
        lambda x: x.max(0),
        lambda x: (x - x.mean(0)).sum(0),
    )
    assert_summed(programs, builds, "efdD")


def test_reductions_keep_the_order_of_strides_of_computed_arrays():
    builds = {
        layout: lambda d, layout=layout: operand("wide", d, (60, 70), layout)
        for layout in (
            "contiguous",
            "fortran",
            "transposed",
            "reversed",
            "stride 2",
            "rows",
            "columns",
        )
    }
    programs = (
        lambda x: (x + 1).sum(0),
        lambda x: (x + 1).sum(1),
        lambda x: (x.T + x.T).sum(0),
        lambda x: (x * x).std(0),
        lambda x: (x * x).std(1),
        lambda x: (x + x).mean(axis=1),
        lambda x: (x + x).prod(0),
        lambda x: np.sqrt(np.abs(x)).sum(),
        lambda x: ((x * 2).T + 1).sum(1),
    )
    assert_summed(programs, builds, "efdFil")


@pytest.mark.parametrize("axes", ((0, 2), (0, 1), (1, 2), (2, 0), (0,), (1,), (2,), (0, 1, 2)))
def test_several_axes_are_nested_as_eager_nests_them(axes):
    builds = {
        layout: lambda d, layout=layout: operand("wide", d, (13, 14, 15), layout)
        for layout in (
            "contiguous",
            "fortran",
            "permuted",
            "permuted other",
            "reversed",
            "stride 3",
        )
    }
    programs = (
        expression(f"x.sum(axis={axes})", "x"),
        expression(f"(x * x).sum(axis={axes})", "x"),
        expression(f"x.mean(axis={axes})", "x"),
        expression(f"x.max(axis={axes}, keepdims=True)", "x"),
        expression(f"x.var(axis={axes})", "x"),
    )
    assert_summed(programs, builds, "fdF")


MASKED = (
    lambda x, m: x.sum(where=m),
    lambda x, m: x.mean(where=m),
    lambda x, m: x.sum(where=m, initial=1),
    lambda x, m: (x * x).sum(where=m),
    lambda x, m: x.max(where=m, initial=0),
    lambda x, m: x.sum(where=x > 0),
    lambda x, m: x.sum(axis=-1, where=m),
)


def test_masked_sums_run_over_stretches_of_true():
    proof = Proof()
    shapes = (50,), (1000,), (30, 40), (9001,)
    for fn, dtype, shape, period in itertools.product(MASKED, "efdFil", shapes, (2, 7, 200)):

        def build():
            mask = np.arange(np.prod(shape)).reshape(shape) % period > 0
            return wide(dtype, *shape), mask

        proof.check(fn, build, "ignore", (shape, period))
    proof.require(ran=100)


ZEROS = (
    [0.0, -0.0],
    [-0.0, 0.0],
    [np.nan, 0.0],
    [0.0, np.nan, -0.0],
    [-np.nan, np.nan],
    [-np.inf, np.nan],
    [-0.0],
)


EXTREMES = (
    lambda x: x.max(),
    lambda x: x.min(),
    lambda x: (x * 1).max(),
    lambda x: np.fmax.reduce(x),
    lambda x: np.fmin.reduce(x + 0),
    lambda x: x.argmax(),
    lambda x: x.argmin(),
    lambda x: np.nanmax(x * 1),
    lambda x: x[::-1].max(),
    lambda x: np.maximum(x, -x).min(),
    lambda x: x.any(),
    lambda x: (x * 1).all(),
)


def test_extremes_of_zeros_and_nans_are_eagers():
    proof = Proof()
    lengths = (1, 2, 3, 8, 9, 63, 64, 65, 1000, 5000)
    for fn, dtype, values, length in itertools.product(EXTREMES, "efdgFD", ZEROS, lengths):

        def build():
            return (np.resize(np.array(values, dtype), length),)

        proof.check(fn, build, "ignore", (values, length))
    proof.require(ran=1000, missed=6)


class Fused:
    """Reductions fused with what comes before and after."""

    def dot_by_hand(x, y):
        return np.sum(x * y)

    def square_sum(x, y):
        return (x * x).sum(axis=1), (x * x).sum(axis=0)

    def mean_square_error(x, y):
        return np.mean((x - y) ** 2)

    def softmax(x, y):
        t = np.exp(x - x.max(axis=-1, keepdims=True))
        return t / t.sum(axis=-1, keepdims=True)

    def softmax_over_rows(x, y):
        t = np.exp(x - np.max(x, axis=0))
        return t / np.sum(t, axis=0)

    def layer_norm(x, y):
        m = x.mean(axis=-1, keepdims=True)
        v = x.var(axis=-1, keepdims=True)
        return (x - m) / np.sqrt(v + 1e-5) * y[0] + y[-1]

    def logsumexp(x, y):
        m = x.max(axis=1, keepdims=True)
        return np.log(np.exp(x - m).sum(axis=1, keepdims=True)) + m

    def row_distances(x, y):
        return np.sqrt(((x[:, None] - y) ** 2).sum(-1))

    def distances_to_one(x, y):
        return np.sqrt(((x - y[0]) ** 2).sum(axis=1))

    def standardise(x, y):
        return (x - x.mean(axis=0)) / (x.std(axis=0) + 1)

    def argmax_of_a_sum(x, y):
        return np.argmax(x + y, axis=1), (x * y).argmin()

    def norms(x, y):
        return x / (np.linalg.norm(x, axis=1, keepdims=True) + 1), np.linalg.norm(y)

    def two_sums_of_one_array(x, y):
        t = x * y
        return t.sum(), t.sum(0), t.sum(1), t.max()

    def centred(x, y):
        t = x - x.mean()
        return (t * t).mean(), t

    def counts(x, y):
        return (x > y).sum(), np.count_nonzero(x > 0), (x > y).mean(axis=0), np.any(x > y, axis=1)

    def fortran_intermediate(x, y):
        t = x.T * 2
        u = t + y.T
        return u.sum(0), u.sum(1), u.sum()

    def cosine(x, y):
        return (x * y).sum(1) / (np.sqrt((x * x).sum(1)) * np.sqrt((y * y).sum(1)))

    def sum_then_broadcast(x, y):
        s = x.sum(axis=0)
        return x * s + s, s

    def running(x, y):
        return np.cumsum(x, axis=1) - x, np.cumsum(x * y)

    def logistic(x, y):
        p = 1 / (1 + np.exp(-(x @ y[0])))
        return x.T @ (p - y[:, 0].mean())


FUSED = functions_of(Fused)


@pytest.mark.parametrize("fn", FUSED, ids=name_of)
def test_reduction_fused_with_its_neighbours_has_eagers_bits(fn):
    proof, name = Proof(allowed=0.02), fn.__name__
    shapes = [(9, 7), (130, 33), (2, 9001), (3, 1), (1, 5), (257, 2)]
    if "distances" in name:
        shapes.remove((2, 9001))
    dtypes = "fdeg" if name != "logistic" else "fd"
    for dtype, shape, layout in drawn(dtypes, shapes, Draw(LAYOUTS, 2), key=(name,)):
        for data in ("wide", "quiet", "odd"):

            def build():
                return (
                    operand(data, dtype, shape, layout),
                    operand(data, dtype, shape, start=5),
                )

            proof.check(fn, build, "ignore", (shape, layout, data))
    proof.require(ran=50, missed=2)
