"""What moves values about: where, astype, copy, clip, views as results, every way of reshaping."""

import pytest

from tests.machine.capturing import Proof, expression, function
from tests.machine.operands import DTYPES, EMPTY, LAYOUTS, operand, some

SHAPES = ((70,), (5, 6), (2, 3, 4), (), (1,), (1, 7), (33, 65), *EMPTY)


def assert_proved(
    texts, parameters, build, dtypes=DTYPES, layouts=4, shapes=2, missed=0, allowed=0.0, share=None
):
    """Check each text on arrays that `build(data, dtype, shape, layout)` gives."""
    proof = Proof(allowed=allowed)
    for text in texts:
        fn = function(text if "return" in text else f"return {text}", parameters)
        for dtype in dtypes if share is None else some(dtypes, share, text):
            for shape in some(SHAPES, shapes, text, dtype):
                for layout in some(LAYOUTS, layouts, text, dtype, shape):
                    for data, mode in (("odd", "ignore"), ("quiet", "raise")):
                        proof.check(
                            fn,
                            lambda: build(data, dtype, shape, layout),
                            mode,
                            (shape, layout, data),
                        )
    proof.require(missed=missed)


WHERES = ("np.where(m, x, y)", "np.where(x > y, x, y)", "np.where(m, x, 0)", "np.where(m, 1.5, x * y)",
          "np.where(x, x + y, y)", "t = np.where(m, x * x, y)\nreturn t, t + 1", "np.where(m, x, y[..., :1])",
          "np.where(m, np.float32(1), 2)", "np.where(m[..., ::-1], x[..., ::-1], y)", "np.where(~m, x, -x) * x")  # fmt: skip


@pytest.mark.parametrize("text", WHERES)
def test_where_has_eagers_bits_dtype_and_layout(text):
    def build(data, dtype, shape, layout):
        other = some(DTYPES, 1, text, dtype)[0]
        return (
            operand("odd", "?", shape, layout, 1),
            operand(data, dtype, shape, layout),
            operand(data, other, shape, start=2),
        )

    assert_proved([text], "m, x, y", build, missed=30)


CONDITIONS = "bilQefdgFD"


@pytest.mark.parametrize("dtype", CONDITIONS)
def test_where_takes_conditions_of_every_dtype(dtype):
    proof = Proof()
    for text in ("np.where(m, x, y)", "np.where(m * m, x, y) + x"):
        fn = expression(text, "m, x, y")
        for layout in LAYOUTS:
            for shape in ((70,), (5, 6), (2, 3, 4)):

                def build():
                    return (
                        operand("odd", dtype, shape, layout),
                        operand("odd", "d", shape),
                        operand("odd", "d", shape[-1:]),
                    )

                proof.check(fn, build, "ignore", (shape, layout))
    proof.require()


@pytest.mark.parametrize("target", DTYPES)
def test_astype_casts_as_eager_does(target):
    def build(data, dtype, shape, layout):
        return (operand(data, dtype, shape, layout),)

    texts = [f"x.astype({target!r})", f"(x + x).astype({target!r})", f"x.astype({target!r}) + 1",
             f"t = x.astype({target!r}, order='F')\nreturn t, t * t", f"x.astype({target!r}, copy=False)",
             f"x.astype({target!r}, order='C').T"]  # fmt: skip
    assert_proved(texts, "x", build, share=6, layouts=3, missed=30)


COPIES = ("x.copy()", "x.copy('K')", "x.copy('F')", "np.copy(x)", "(x + x).copy()", "x[..., ::-1].copy() * x",
          "np.ascontiguousarray(x)", "np.asfortranarray(x)", "np.array(x)", "np.array(x, copy=True, order='A')",
          "np.zeros_like(x) + x", "np.ones_like(x) * x", "np.full_like(x, 1) + x", "np.empty_like(x).shape",
          "t = x.copy()\nt[...] = 1\nreturn t, x", "np.positive(x)", "+x", "np.asarray(x), x.view()")  # fmt: skip


@pytest.mark.parametrize("text", COPIES)
def test_copies_have_eagers_layout_and_owner(text):
    def build(data, dtype, shape, layout):
        return (operand(data, dtype, shape, layout),)

    assert_proved([text], "x", build, missed=4)


CLIPS = ("np.clip(x, y, z)", "x.clip(y, z)", "np.clip(x, 0, 1)", "x.clip(1)", "np.clip(x * x, None, y)",
         "np.minimum(np.maximum(x, y), z)", "np.clip(x, y, z) + x", "np.clip(x, 0, 2).sum()", "x.clip(max=2)",
         "np.clip(x + x, y.min(), 3)")  # fmt: skip


@pytest.mark.parametrize("text", CLIPS)
def test_clip_has_eagers_bits(text):
    def build(data, dtype, shape, layout):
        return (
            operand(data, dtype, shape, layout),
            operand("quiet", dtype, shape, start=2),
            operand("odd", dtype, shape, layout, 3),
        )

    assert_proved([text], "x, y, z", build, missed=20)


VIEWS = ("x[::2]", "x[::-1]", "x[1:]", "x[:-1]", "x[-3:-1]", "x[5:2]", "x[100:]", "x[-100:2]", "x[...]",
         "x[None]", "x[..., None]", "x[0]", "x[-1]", "x[..., 0]", "x.T", "x.transpose()", "x.ravel()",
         "x.reshape(-1)", "x.reshape(x.shape)", "x.reshape(-1, 1)", "x.reshape(1, -1)", "x.flatten()",
         "x.swapaxes(0, -1)", "x.view()", "np.broadcast_to(x, (2, *x.shape))", "x.real", "x.imag",
         "np.atleast_2d(x)", "np.expand_dims(x, 0)", "np.moveaxis(x, 0, -1)", "np.flip(x)", "x[:, 1:]", "x[:, ::-2]",
         "x.reshape(-1, order='F')", "x.ravel('K')", "x.ravel('F')", "x.T.ravel()", "np.swapaxes(x, 0, 1)")  # fmt: skip
VIEW_FORMS = ("return {v}", "return {v}, {v}", "t = {v}\nreturn t, t + t", "return {v} + {v}",
              "x = x + x\nt = {v}\nreturn t, x", "t = {v}\nt = t[...]\nreturn t.T, t",
              "t = {v}\nreturn (t * t).T, t.T * t.T")  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_views_share_memory_as_eagers_do(view):
    def build(data, dtype, shape, layout):
        return (operand(data, dtype, shape, layout),)

    texts = [form.format(v=view) for form in VIEW_FORMS]
    assert_proved(texts, "x", build, share=3, layouts=3, shapes=2, missed=80, allowed=0.1)


BOUNDS = ((1, 5, 2), (None, None, -1), (-3, None, 1), (5, 2, 1), (100, -100, -3), (0, 0, 1), (2**62, None, 1), (-1, -5, -2))  # fmt: skip


@pytest.mark.parametrize("text", ("x[a:b:c]", "x[a:b:c] + x[a:b:c]", "(x * x)[a:b]", "x[:, a:b]", "x[..., a:b:c] * 2", "x[a:b:c, None] + x[0]", "x.T[a:b:c]"))  # fmt: skip
def test_bounds_known_only_when_called_are_clipped_as_python_clips_them(text):
    proof = Proof()
    fn = expression(text, "x, a, b, c")
    for shape in ((9, 4), (3, 3), (1, 8), (0, 4), (40, 2)):
        for layout in LAYOUTS:
            for a, b, c in BOUNDS:
                proof.check(fn, lambda: (operand("odd", "d", shape, layout), a, b, c), "ignore", (shape, layout, a, b, c))  # fmt: skip
    proof.require(ran=50, missed=8)


def test_index_out_of_range_is_declined():
    proof = Proof()
    for text in ("x[i]", "x[..., i]", "x[i] + x[0]", "(x + 1)[i]"):
        fn = expression(text, "x, i")
        for place in (1, 0, -1, -3, 3, -4, 100, 2**40):
            proof.check(fn, lambda: (operand("odd", "d", (3, 3)), place), "ignore", place)
    proof.require(ran=16)


def test_shapes_that_do_not_fit_are_declined():
    proof = Proof()
    for text in (
        "x + y",
        "x * y + x",
        "np.where(x > 0, x, y)",
        "(x * y).sum()",
        "x @ y",
        "np.maximum(x, y)[0]",
    ):
        fn = expression(text, "x, y")
        for one, other in (((3, 3), (3, 3)), ((3, 3), (4, 3)), ((3, 4), (4, 3)), ((0, 3), (3, 3)), ((1, 3), (3, 3)), ((2, 3), (3, 2))):  # fmt: skip
            proof.check(fn, lambda: (operand("quiet", "d", one), operand("quiet", "d", other)), "ignore", (one, other))  # fmt: skip
    proof.require(ran=10)
