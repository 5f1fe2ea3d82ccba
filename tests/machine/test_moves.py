"""What moves values about: where, astype, copy, clip, views as results, every way of reshaping."""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import pytest

from tests.machine.capturing import Proof, function, functions_of, name_of, text_of
from tests.machine.operands import DTYPES, EMPTY, LAYOUTS, Draw, drawn, operand, some

SHAPES = ((70,), (5, 6), (2, 3, 4), (), (1,), (1, 7), (33, 65), *EMPTY)


WAYS = (("odd", "ignore"), ("quiet", "raise"))


class Drawn(NamedTuple):
    """How many dtypes (None: all), shapes of each and layouts of each are drawn for a text."""

    dtypes: int | None = None
    shapes: int = 2
    layouts: int = 4


def assert_proved(programs, build, drawn_of=Drawn(), missed=0, allowed=0.0):
    """Check each program on arrays that `build(data, dtype, shape, layout)` gives."""
    proof = Proof(allowed=allowed)
    dtypes = DTYPES if drawn_of.dtypes is None else Draw(DTYPES, drawn_of.dtypes)
    levels = dtypes, Draw(SHAPES, drawn_of.shapes), Draw(LAYOUTS, drawn_of.layouts)
    for fn in programs:
        for dtype, shape, layout in drawn(*levels, key=(text_of(fn),)):
            for data, mode in WAYS:
                make = functools.partial(build, data, dtype, shape, layout)
                proof.check(fn, make, mode, (shape, layout, data))
    proof.require(missed=missed)


def one_array(data, dtype, shape, layout):
    return (operand(data, dtype, shape, layout),)


class Wheres:
    """Choices by a condition."""

    def mask(m, x, y):
        np.where(m, x, y)

    def comparison(m, x, y):
        np.where(x > y, x, y)

    def number_for_the_rest(m, x, y):
        np.where(m, x, 0)

    def number_where_true(m, x, y):
        np.where(m, 1.5, x * y)

    def numbers_as_condition(m, x, y):
        np.where(x, x + y, y)

    def with_square_kept(m, x, y):
        t = np.where(m, x * x, y)
        return t, t + 1

    def column_for_the_rest(m, x, y):
        np.where(m, x, y[..., :1])

    def numbers_only(m, x, y):
        np.where(m, np.float32(1), 2)

    def reversed_parts(m, x, y):
        np.where(m[..., ::-1], x[..., ::-1], y)

    def inverted_mask_times_x(m, x, y):
        np.where(~m, x, -x) * x


WHERES = functions_of(Wheres)


@pytest.mark.parametrize("fn", WHERES, ids=name_of)
def test_where_has_eagers_bits_dtype_and_layout(fn):
    def build(data, dtype, shape, layout):
        other = some(DTYPES, 1, text_of(fn), dtype)[0]
        return (
            operand("odd", "?", shape, layout, 1),
            operand(data, dtype, shape, layout),
            operand(data, other, shape, start=2),
        )

    assert_proved([fn], build, missed=30)


CONDITIONS = "bilQefdgFD"


@pytest.mark.parametrize("dtype", CONDITIONS)
def test_where_takes_conditions_of_every_dtype(dtype):
    proof = Proof()
    programs = lambda m, x, y: np.where(m, x, y), lambda m, x, y: np.where(m * m, x, y) + x
    shapes = (70,), (5, 6), (2, 3, 4)
    for fn, layout, shape in itertools.product(programs, LAYOUTS, shapes):

        def build():
            return (
                operand("odd", dtype, shape, layout),
                operand("odd", "d", shape),
                operand("odd", "d", shape[-1:]),
            )

        proof.check(fn, build, "ignore", (shape, layout))
    proof.require()


CASTS = (
    *("return x.astype({to})", "return (x + x).astype({to})", "return x.astype({to}) + 1"),
    "t = x.astype({to}, order='F')\nreturn t, t * t",
    *("return x.astype({to}, copy=False)", "return x.astype({to}, order='C').T"),
)


@pytest.mark.parametrize("target", DTYPES)
def test_astype_casts_as_eager_does(target):
    programs = [function(text.format(to=repr(target)), "x") for text in CASTS]
    assert_proved(programs, one_array, Drawn(dtypes=6, layouts=3), missed=30)


class Copies:
    """Copies of x."""

    def copy(x):
        x.copy()

    def copy_in_order_k(x):
        x.copy("K")

    def copy_in_order_f(x):
        x.copy("F")

    def copy_function(x):
        np.copy(x)

    def copy_of_a_sum(x):
        (x + x).copy()

    def copy_of_a_reverse(x):
        x[..., ::-1].copy() * x

    def contiguous(x):
        np.ascontiguousarray(x)

    def fortran(x):
        np.asfortranarray(x)

    def array_function(x):
        np.array(x)

    def array_in_order_a(x):
        np.array(x, copy=True, order="A")

    def zeros_like(x):
        np.zeros_like(x) + x

    def ones_like(x):
        np.ones_like(x) * x

    def full_like(x):
        np.full_like(x, 1) + x

    def empty_like(x):
        np.empty_like(x).shape

    def copy_overwritten(x):
        t = x.copy()
        t[...] = 1
        return t, x

    def positive_function(x):
        np.positive(x)

    def positive_operator(x):
        +x

    def asarray_and_view(x):
        np.asarray(x), x.view()


COPIES = functions_of(Copies)


@pytest.mark.parametrize("fn", COPIES, ids=name_of)
def test_copies_have_eagers_layout_and_owner(fn):
    assert_proved([fn], one_array, missed=4)


CLIPS = (
    lambda x, y, z: np.clip(x, y, z),
    lambda x, y, z: x.clip(y, z),
    lambda x, y, z: np.clip(x, 0, 1),
    lambda x, y, z: x.clip(1),
    lambda x, y, z: np.clip(x * x, None, y),
    lambda x, y, z: np.minimum(np.maximum(x, y), z),
    lambda x, y, z: np.clip(x, y, z) + x,
    lambda x, y, z: np.clip(x, 0, 2).sum(),
    lambda x, y, z: x.clip(max=2),
    lambda x, y, z: np.clip(x + x, y.min(), 3),
)


@pytest.mark.parametrize("fn", CLIPS, ids=name_of)
def test_clip_has_eagers_bits(fn):
    def build(data, dtype, shape, layout):
        return (
            operand(data, dtype, shape, layout),
            operand("quiet", dtype, shape, start=2),
            operand("odd", dtype, shape, layout, 3),
        )

    assert_proved([fn], build, missed=20)


VIEWS = (
    lambda x: x[::2],
    lambda x: x[::-1],
    lambda x: x[1:],
    lambda x: x[:-1],
    lambda x: x[-3:-1],
    lambda x: x[5:2],
    lambda x: x[100:],
    lambda x: x[-100:2],
    lambda x: x[...],
    lambda x: x[None],
    lambda x: x[..., None],
    lambda x: x[0],
    lambda x: x[-1],
    lambda x: x[..., 0],
    lambda x: x.T,
    lambda x: x.transpose(),
    lambda x: x.ravel(),
    lambda x: x.reshape(-1),
    lambda x: x.reshape(x.shape),
    lambda x: x.reshape(-1, 1),
    lambda x: x.reshape(1, -1),
    lambda x: x.flatten(),
    lambda x: x.swapaxes(0, -1),
    lambda x: x.view(),
    lambda x: np.broadcast_to(x, (2, *x.shape)),
    lambda x: x.real,
    lambda x: x.imag,
    lambda x: np.atleast_2d(x),
    lambda x: np.expand_dims(x, 0),
    lambda x: np.moveaxis(x, 0, -1),
    lambda x: np.flip(x),
    lambda x: x[:, 1:],
    lambda x: x[:, ::-2],
    lambda x: x.reshape(-1, order="F"),
    lambda x: x.ravel("K"),
    lambda x: x.ravel("F"),
    lambda x: x.T.ravel(),
    lambda x: np.swapaxes(x, 0, 1),
)
VIEW_FORMS = (
    "return {v}",
    "return {v}, {v}",
    "t = {v}\nreturn t, t + t",
    "return {v} + {v}",
    "x = x + x\nt = {v}\nreturn t, x",
    "t = {v}\nt = t[...]\nreturn t.T, t",
    "t = {v}\nreturn (t * t).T, t.T * t.T",
)


@pytest.mark.parametrize("view", VIEWS, ids=name_of)
def test_views_share_memory_as_eagers_do(view):
    programs = [function(form.format(v=text_of(view)), "x") for form in VIEW_FORMS]
    assert_proved(programs, one_array, Drawn(dtypes=3, layouts=3), missed=80, allowed=0.1)


BOUNDS = (
    *((1, 5, 2), (None, None, -1), (-3, None, 1), (5, 2, 1), (100, -100, -3)),
    *((0, 0, 1), (2**62, None, 1), (-1, -5, -2)),
)
SLICED = (
    lambda x, a, b, c: x[a:b:c],
    lambda x, a, b, c: x[a:b:c] + x[a:b:c],
    lambda x, a, b, c: (x * x)[a:b],
    lambda x, a, b, c: x[:, a:b],
    lambda x, a, b, c: x[..., a:b:c] * 2,
    lambda x, a, b, c: x[a:b:c, None] + x[0],
    lambda x, a, b, c: x.T[a:b:c],
)


@pytest.mark.parametrize("fn", SLICED, ids=name_of)
def test_bounds_known_only_when_called_are_clipped_as_python_clips_them(fn):
    proof = Proof()
    shapes = (9, 4), (3, 3), (1, 8), (0, 4), (40, 2)
    for shape, layout, bounds in itertools.product(shapes, LAYOUTS, BOUNDS):

        def build():
            return operand("odd", "d", shape, layout), *bounds

        proof.check(fn, build, "ignore", (shape, layout, *bounds))
    proof.require(ran=50, missed=8)


ITEMS = (
    lambda x, i: x[i],
    lambda x, i: x[..., i],
    lambda x, i: x[i] + x[0],
    lambda x, i: (x + 1)[i],
)


def test_index_out_of_range_is_declined():
    proof = Proof()
    for fn, place in itertools.product(ITEMS, (1, 0, -1, -3, 3, -4, 100, 2**40)):
        proof.check(fn, lambda: (operand("odd", "d", (3, 3)), place), "ignore", place)
    proof.require(ran=16)


OF_TWO = (
    lambda x, y: x + y,
    lambda x, y: x * y + x,
    lambda x, y: np.where(x > 0, x, y),
    lambda x, y: (x * y).sum(),
    lambda x, y: x @ y,
    lambda x, y: np.maximum(x, y)[0],
)
PAIRS = (
    *(((3, 3), (3, 3)), ((3, 3), (4, 3)), ((3, 4), (4, 3))),
    *(((0, 3), (3, 3)), ((1, 3), (3, 3)), ((2, 3), (3, 2))),
)


def test_shapes_that_do_not_fit_are_declined():
    proof = Proof()
    for fn, shapes in itertools.product(OF_TWO, PAIRS):

        def build():
            return tuple(operand("quiet", "d", shape) for shape in shapes)

        proof.check(fn, build, "ignore", shapes)
    proof.require(ran=10)
