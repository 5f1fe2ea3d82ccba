"""Reductions: every axis, option, dtype and layout, and fused with what comes before and after.

Wide-range data make the order of summation show, so a sum that is split otherwise than eager's
has other bits. Each rule of NumPy's order has a test of its own below.
"""

import numpy as np
import pytest

from tests.machine.capturing import Proof, expression, function
from tests.machine.operands import DTYPES, LAYOUTS, operand, some

NAMES = ("sum", "prod", "mean", "var", "std", "min", "max", "any", "all", "argmin", "argmax", "ptp",
         "nansum", "nanmean", "nanmax", "nanmin", "nanstd", "nanprod", "nanvar", "nanargmax",
         "count_nonzero", "cumsum", "cumprod", "median", "linalg.norm", "average")  # fmt: skip
AXES = ("", ", axis=0", ", axis=1", ", axis=-1", ", axis=(0, 1)", ", axis=-2", ", axis=None",
        ", axis=(0, -1)", ", axis=2", ", axis=(1, 2)", ", axis=()", ", axis=0, keepdims=True",
        ", axis=-1, keepdims=True", ", keepdims=True")  # fmt: skip
OPTIONS = (", dtype='d'", ", dtype='g'", ", dtype='f'", ", dtype='D'", ", initial=3", ", initial=-0.0",
           ", where=m", ", axis=0, where=m", ", axis=-1, where=m, initial=2", ", axis=-1, dtype='d'",
           ", axis=0, dtype='f'", ", axis=1, ddof=1", ", ddof=1", ", dtype='i'")  # fmt: skip
FORMS = ("return np.{name}(x{rest})", "return np.{name}(x * x{rest})", "t = np.{name}(x{rest})\nreturn t, t + 1",
         "t = x + x\nreturn np.{name}(t{rest}), t", "return np.{name}(x.T{rest})", "return np.{name}(x[..., ::2]{rest}) * 2")  # fmt: skip
SHAPES = ((5, 7), (3, 4, 5), (130,), (2, 1000), (1000, 2), (1, 9), (9, 1), (8, 129), (2, 3, 70), (64, 3), (0, 3), (3, 0), ())  # fmt: skip
CALLS = [(name, rest) for name in NAMES for rest in (*AXES, *OPTIONS)]


@pytest.mark.parametrize("name", NAMES)
def test_reduction_has_eagers_bits_over_every_axis(name):
    proof = Proof(allowed=0.05)
    for rest in (*AXES, *some(OPTIONS, 7, name)):
        for form in some(FORMS, 1, name, rest):
            fn = function(form.format(name=name, rest=rest), "x, m" if "m" in rest else "x")
            for dtype in some(DTYPES, 2, name, rest, form):
                for shape in some(SHAPES, 2, name, rest, form, dtype):
                    for layout in some(LAYOUTS, 2, name, rest, form, dtype, shape):
                        check(proof, fn, rest, dtype, shape, layout)
    proof.require(missed=150)


def check(proof, fn, rest, dtype, shape, layout):
    for data, mode in (("wide", "ignore"), ("odd", "ignore"), ("quiet", "raise")):
        length = shape[-1] if shape else 1

        def build():
            x = operand(data, dtype, shape, layout)
            return (x, operand("odd", "?", (length,))) if "m" in rest else (x,)

        proof.check(fn, build, mode, (shape, layout, data))


METHODS = ("x.sum()", "x.mean(0)", "x.max(axis=-1)", "x.std(ddof=1)", "x.argmax()", "x.any(axis=0)", "x.prod(-1)",
           "x.cumsum()", "x.min(keepdims=True)", "x.trace()", "x.var(axis=(0, 1))", "(x * x).all()", "x.T.sum(0)",
           "np.add.reduce(x)", "np.add.reduce(x, axis=None)", "np.maximum.reduce(x, axis=-1)", "np.logical_or.reduce(x)",
           "np.multiply.accumulate(x, axis=1)", "np.subtract.reduce(x)", "np.hypot.reduce(x, axis=-1)", "np.fmax.reduce(x)",
           "np.add.reduceat(x, [0, 1])", "np.bitwise_xor.reduce(x, axis=None)", "x.dot(x.T)", "np.ptp(x, -1)")  # fmt: skip


@pytest.mark.parametrize("text", METHODS)
def test_method_and_ufunc_reductions_have_eagers_bits(text):
    proof, fn = Proof(), expression(text, "x")
    for dtype in DTYPES:
        for shape in some(((5, 7), (2, 1000), (70, 3), (1, 9), (8, 129)), 2, text, dtype):
            for layout in some(LAYOUTS, 2, text, dtype, shape):
                check(proof, fn, "", dtype, shape, layout)
    proof.require(missed=20)


LENGTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 127, 128, 129, 255, 256, 1023, 1024, 1025, 8191, 8192, 8193, 16384, 16385, 20011)  # fmt: skip
FULL_SUMS = ("x.sum()", "np.mean(x)", "(x * x).sum()", "x.max()", "(x + x).min()", "x.std()", "np.prod(x)",
             "np.sum(x + 1)", "(x * x).mean()", "x.argmin()", "np.linalg.norm(x)", "x.sum(dtype='d')", "(x > 0).sum()", "(x[1:] * x[:-1]).sum()", "x.sum() + (x - x).sum()")  # fmt: skip

# What eager refuses, or warns of: a loss of the imaginary part.
REFUSED = {
    "F": ("x.sum(dtype='d')",),
    "D": ("x.sum(dtype='d')",),
    "?": ("x.sum() + (x - x).sum()",),
}


@pytest.mark.parametrize("text", FULL_SUMS)
@pytest.mark.parametrize("dtype", tuple("efdgFDilB?"))
def test_full_reduction_keeps_the_tree_of_every_length(text, dtype):
    proof, fn = Proof(), expression(text, "x")
    for length in LENGTHS:
        for layout in some(("contiguous", "stride 2", "reversed", "misaligned", "one item", "read-only"), 2, text, dtype, length):  # fmt: skip
            proof.check(fn, lambda: (operand("wide", dtype, (length,), layout),), "ignore", (length, layout))  # fmt: skip
    proof.require(ran=20 * (text not in REFUSED.get(dtype, ())), missed=1)


# -- the rules of NumPy's order of summation, one by one --------------------------------------------


def assert_summed(texts, builds, dtypes="fd", allowed=0.0):
    proof = Proof(allowed=allowed)
    for text in texts:
        fn = expression(text, "x")
        for dtype in dtypes:
            for label, build in builds.items():
                proof.check(fn, lambda: (build(dtype),), "ignore", label)
    proof.require(ran=len(texts) * len(dtypes))


def wide(dtype, *shape):
    return operand("wide", dtype, shape)


def test_full_sums_go_in_memory_order():
    builds = {
        layout: lambda d, layout=layout: operand("wide", d, (300, 40), layout) for layout in LAYOUTS
    }
    builds["cube"] = lambda d: operand("wide", d, (20, 30, 40), "permuted")
    assert_summed(("x.sum()", "(x * x).sum()", "(x.T + 1).sum()", "np.mean(x)"), builds, "fdFDg")


def test_sum_of_negative_zeros_and_of_nothing_is_eagers():
    builds = {n: lambda d, n=n: np.full(n, -0.0, d) for n in (0, 1, 7, 8, 9, 100, 8193)}
    assert_summed(("x.sum()", "(x * 1).sum()", "x.sum(0)", "x.sum(initial=-0.0)", "x.prod()"), builds, "efdgFD")  # fmt: skip


@pytest.mark.parametrize("columns", (1, 2, 3, 7, 97, 100, 8191, 8192))
def test_arrays_that_do_not_coalesce_are_summed_in_whole_rows(columns):
    rows = 300 if columns < 1000 else 5
    builds = {
        "sliced": lambda d: wide(d, rows, columns + 3)[:, :columns],
        "sliced cube": lambda d: wide(d, 3, rows // 3, columns + 1)[:, :, :columns],
        "sliced both": lambda d: wide(d, 4, rows // 3 + 2, columns + 1)[1:, 1:, 1:],
        "rows reversed": lambda d: wide(d, rows, columns + 3)[::-1, :columns],
    }
    texts = ("x.sum()", "(x * x).sum()", "x.mean()", "x.sum(-1)", "x.sum(0)", "x.max()", "x.var()")
    assert_summed(texts, builds, "fdF")


def test_long_rows_are_summed_in_eagers_chunks():
    builds = {
        "rows": lambda d: wide(d, 3, 9001),
        "sliced": lambda d: wide(d, 3, 16500)[:, :16400],
        "two": lambda d: wide(d, 2, 2, 8200)[..., 1:],
    }
    assert_summed(("x.sum()", "x.sum(-1)", "x.sum(0)", "(x + x).sum(-1)", "x.mean(1)", "x.sum(axis=(0, -1))"), builds)  # fmt: skip


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
    texts = ("x.sum(dtype='d')", "x.mean()", "x.mean(dtype='d')", "x.std()", "x.sum(dtype='f')", "x.sum(dtype='g')", "x.sum(dtype='D')", "(x * x).mean()")  # fmt: skip
    assert_summed(texts, builds, dtype)
    cubes = {(n, m): lambda d, n=n, m=m: wide(d, n, m) for n, m in ((40, 30), (3, 9001), (9001, 3))}
    assert_summed(
        ("x.sum(1, dtype='d')", "x.mean(0)", "x.mean(1)", "x.std(0)", "x.var(1)"), cubes, dtype
    )


def test_misaligned_rows_are_summed_in_buffers():
    builds = {
        shape: lambda d, shape=shape: operand("wide", d, shape, "misaligned")
        for shape in ((30, 40), (3, 9001), (9001, 3), (20011,), (5, 6, 7))
    }
    assert_summed(("x.sum()", "x.sum(0)", "x.sum(-1)", "x.mean(-1)", "(x * x).sum(-1)", "x.var(0)"), builds, "efdF")  # fmt: skip


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
    texts = ("x.sum(0)", "x.mean(0)", "(x * x).sum(0)", "x.T.sum(1)", "(x.T * 2).sum(-1)", "x.std(0)", "x.prod(0)", "x.max(0)", "(x - x.mean(0)).sum(0)")  # fmt: skip
    assert_summed(texts, builds, "efdD")


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
        )  # fmt: skip
    }
    texts = ("(x + 1).sum(0)", "(x + 1).sum(1)", "(x.T + x.T).sum(0)", "(x * x).std(0)", "(x * x).std(1)", "(x + x).mean(axis=1)", "(x + x).prod(0)", "np.sqrt(np.abs(x)).sum()", "((x * 2).T + 1).sum(1)")  # fmt: skip
    assert_summed(texts, builds, "efdFil")


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
    texts = (f"x.sum(axis={axes})", f"(x * x).sum(axis={axes})", f"x.mean(axis={axes})", f"x.max(axis={axes}, keepdims=True)", f"x.var(axis={axes})")  # fmt: skip
    assert_summed(texts, builds, "fdF")


def test_masked_sums_run_over_stretches_of_true():
    proof = Proof()
    for text in ("x.sum(where=m)", "x.mean(where=m)", "x.sum(where=m, initial=1)", "(x * x).sum(where=m)", "x.max(where=m, initial=0)", "x.sum(where=x > 0)", "x.sum(axis=-1, where=m)"):  # fmt: skip
        fn = expression(text, "x, m")
        for dtype in "efdFil":
            for shape in ((50,), (1000,), (30, 40), (9001,)):
                for period in (2, 7, 200):
                    proof.check(fn, lambda: (wide(dtype, *shape), np.arange(np.prod(shape)).reshape(shape) % period > 0), "ignore", (shape, period))  # fmt: skip
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


def test_extremes_of_zeros_and_nans_are_eagers():
    proof = Proof()
    for text in ("x.max()", "x.min()", "(x * 1).max()", "np.fmax.reduce(x)", "np.fmin.reduce(x + 0)", "x.argmax()", "x.argmin()", "np.nanmax(x * 1)", "x[::-1].max()", "np.maximum(x, -x).min()", "x.any()", "(x * 1).all()"):  # fmt: skip
        fn = expression(text, "x")
        for dtype in "efdgFD":
            for values in ZEROS:
                for length in (1, 2, 3, 8, 9, 63, 64, 65, 1000, 5000):
                    proof.check(fn, lambda: (np.resize(np.array(values, dtype), length),), "ignore", (values, length))  # fmt: skip
    proof.require(ran=1000, missed=6)


FUSED = {
    "dot by hand": "return np.sum(x * y)",
    "square sum": "return (x * x).sum(axis=1), (x * x).sum(axis=0)",
    "mean square error": "return np.mean((x - y) ** 2)",
    "softmax": "t = np.exp(x - x.max(axis=-1, keepdims=True))\nreturn t / t.sum(axis=-1, keepdims=True)",
    "softmax over rows": "t = np.exp(x - np.max(x, axis=0))\nreturn t / np.sum(t, axis=0)",
    "layer norm": "m = x.mean(axis=-1, keepdims=True)\nv = x.var(axis=-1, keepdims=True)\nreturn (x - m) / np.sqrt(v + 1e-5) * y[0] + y[-1]",
    "logsumexp": "m = x.max(axis=1, keepdims=True)\nreturn np.log(np.exp(x - m).sum(axis=1, keepdims=True)) + m",
    "row distances": "return np.sqrt(((x[:, None] - y) ** 2).sum(-1))",
    "distances to one": "return np.sqrt(((x - y[0]) ** 2).sum(axis=1))",
    "standardise": "return (x - x.mean(axis=0)) / (x.std(axis=0) + 1)",
    "argmax of a sum": "return np.argmax(x + y, axis=1), (x * y).argmin()",
    "norms": "return x / (np.linalg.norm(x, axis=1, keepdims=True) + 1), np.linalg.norm(y)",
    "two sums of one array": "t = x * y\nreturn t.sum(), t.sum(0), t.sum(1), t.max()",
    "centred": "t = x - x.mean()\nreturn (t * t).mean(), t",
    "counts": "return (x > y).sum(), np.count_nonzero(x > 0), (x > y).mean(axis=0), np.any(x > y, axis=1)",
    "fortran intermediate": "t = x.T * 2\nu = t + y.T\nreturn u.sum(0), u.sum(1), u.sum()",
    "cosine": "return (x * y).sum(1) / (np.sqrt((x * x).sum(1)) * np.sqrt((y * y).sum(1)))",
    "sum then broadcast": "s = x.sum(axis=0)\nreturn x * s + s, s",
    "running": "return np.cumsum(x, axis=1) - x, np.cumsum(x * y)",
    "logistic": "p = 1 / (1 + np.exp(-(x @ y[0])))\nreturn x.T @ (p - y[:, 0].mean())",
}  # fmt: skip


@pytest.mark.parametrize("name", FUSED)
def test_reduction_fused_with_its_neighbours_has_eagers_bits(name):
    proof, fn = Proof(allowed=0.02), function(FUSED[name])
    for dtype in "fdeg" if name != "logistic" else "fd":
        for shape in ((9, 7), (130, 33), (2, 9001), (3, 1), (1, 5), (257, 2)):
            if "distances" in name and shape[1] > 1000:
                continue
            for layout in some(LAYOUTS, 2, name, dtype, shape):
                for data in ("wide", "quiet", "odd"):

                    def build():
                        return operand(data, dtype, shape, layout), operand(
                            data, dtype, shape, start=5
                        )

                    proof.check(fn, build, "ignore", (shape, layout, data))
    proof.require(ran=50, missed=2)
