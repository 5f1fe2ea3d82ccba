"""Every ufunc, every dtype, every layout: alone, and in the chains where a machine would fuse.

The product is sampled by a hash of the case: DYNTRACE_PROOF=full runs all of it, DYNTRACE_PROOF=10
ten times the sample.
"""

import itertools

import numpy as np
import pytest

from tests.machine.capturing import Proof, function
from tests.machine.operands import (
    DTYPES,
    EMPTY,
    LAYOUTS,
    Draw,
    chance,
    drawn,
    operand,
    some,
    swapped,
)

UFUNCS = sorted(
    name
    for name in dir(np)
    if isinstance(getattr(np, name), np.ufunc)
    and getattr(np, name).signature is None
    and getattr(np, name).__name__ == name  # its other names are the same object
    and name != "isnat"  # takes no numbers
)
UNARY = [name for name in UFUNCS if getattr(np, name).nin == 1]
BINARY = [name for name in UFUNCS if getattr(np, name).nin == 2]
FORMS = {
    "alone": "return {call}",
    "before": "t = {call}\nreturn t + {x}",
    "before a temporary": "return {call} + {x}",
    "after": "x = x * x\nreturn {call}",
    "after a temporary": "return {late}",
    "beside": "return {call}, x * x",
    "kept": "t = {call}\nreturn t, t == t, {x} + t",
    "twice": "t = {call}\nu = {call}\nreturn t, u, t != u",
    "on a view": "t = x[::-1]\nx = t\nreturn {call}, t",
    "in the middle": "t = {call}\nu = np.maximum(t, {x})\nv = np.add(u, 1)\nreturn v, x",
}
SHAPES = ((70,), (9, 5), (2, 3, 4), (131,), (), (1,), (1, 1), (3, 1), (1, 17), (33, 65), *EMPTY)
WAYS = (("odd", "ignore"), ("quiet", "raise"), ("odd", "raise"), ("wide", "ignore"))
INTEGERS = ("gcd", "lcm", "ldexp", "invert", "bitwise_count")  # take few dtypes or none twice
# NumPy with AVX-512 leaves places of a strided `out` unwritten: eager's bits are not defined.
UNDEFINED_OUT = ("isnan", "isinf", "isfinite", "signbit")


def program(name, form):
    ufunc = getattr(np, name)
    parts = "" if ufunc.nout == 1 else "[0]"
    rest = {1: "", 2: ", y", 3: ", y, y"}[ufunc.nin]
    texts = {
        "x": "x" if ufunc.nin == 1 else "y",
        "call": f"np.{name}(x{rest}){parts}",
        "late": f"np.{name}(x * x{rest}){parts}",
    }
    return function(FORMS[form].format(**texts))


def dtypes_for(name, dtype):
    """The dtype of the second operand: mostly the same, otherwise any."""
    place = chance(name, dtype)
    return dtype if place % 3 else DTYPES[place // 3 % len(DTYPES)]


@pytest.mark.parametrize("name", UFUNCS)
def test_ufunc_has_eagers_bits_in_every_dtype_and_layout(name):
    proof = Proof()
    for dtype in DTYPES:
        second = dtypes_for(name, dtype)
        for form, shape in drawn(Draw(FORMS, 1), Draw(SHAPES, 2), key=(name, dtype)):
            fn = program(name, form)
            check_layouts(proof, fn, (name, dtype, form), (dtype, second), shape)
    proof.require(missed=40)


def check_layouts(proof, fn, place, dtypes, shape):
    """Draw layouts of both operands, alike in half of the cases, and the data."""
    for layout in some(LAYOUTS, 2, place, shape):
        others = some(LAYOUTS, 1, place, shape, layout, "other")
        other = others[0] if chance(place, layout) % 2 else layout
        for data, mode in some(WAYS, 2, place, shape, layout):
            build = pair(data, dtypes, (shape, shape), (layout, other))
            proof.check(fn, build, mode, (shape, layout, other, data))


def pair(data, dtypes, shapes, layouts):
    """A builder of two operands, each with its dtype, shape and layout."""
    return lambda: (
        operand(data, dtypes[0], shapes[0], layouts[0]),
        operand(data, dtypes[1], shapes[1], layouts[1], 3),
    )


LAYOUT_PAIRS = list(itertools.product(LAYOUTS, LAYOUTS))
BACKWARDS = ("reversed", "reversed inner", "reversed outer", "reversed stride 2")


@pytest.mark.parametrize("name", UFUNCS)
def test_ufunc_on_negative_strides_has_eagers_bits(name):
    """Vector code is skipped on negative strides: transcendental functions have other bits."""
    proof = Proof()
    shapes = (300,), (40, 33), (2, 9, 40)
    levels = Draw("efdgFDil", 4), Draw(FORMS, 1), Draw(shapes, 2), BACKWARDS
    programs = {form: program(name, form) for form in FORMS}
    for dtype, form, shape, layout in drawn(*levels, key=("negative", name)):
        build = pair("quiet", (dtype, dtype), (shape, shape), (layout, layout))
        proof.check(programs[form], build, "ignore", (shape, layout))
    proof.require(missed=24, ran=0 if name in INTEGERS else 1)


BROADCAST = [
    *(((5, 1), (1, 7)), ((4, 1, 3), (2, 1)), ((70,), (3, 70)), ((70,), ()), ((), (2, 3))),
    *(((3, 1), (0,)), ((1,), (130,)), ((2, 1, 1), (1, 3, 9)), ((1, 9), (6, 1))),
]


@pytest.mark.parametrize("name", BINARY)
def test_operands_that_broadcast_have_eagers_bits_and_layout(name):
    proof = Proof()
    programs = {form: program(name, form) for form in FORMS}
    for dtype, form in drawn(Draw(DTYPES, 5), Draw(FORMS, 1), key=("broadcast", name)):
        levels = Draw(BROADCAST, 3), Draw(LAYOUT_PAIRS, 3)
        for shapes, layouts in drawn(*levels, key=(name, dtype)):
            build = pair("odd", (dtype, dtype), shapes, layouts)
            proof.check(programs[form], build, "ignore", (*shapes, layouts))
    proof.require(missed=40)


OPTIONS = (
    *("out=o", "out=o, where=m", "dtype='d'", "dtype='f', casting='same_kind'", "casting='no'"),
    *("out=o, casting='unsafe'", "out=(o,)", "dtype=np.complex128", "out=x", "out=x[::-1]"),
    *("out=o[::-1]", "order='F'", "subok=False"),
)


def is_undefined(name, given, layout):
    """Whether NumPy's loop leaves places of the output unwritten."""
    plain = layout == "contiguous" and "::" not in given
    return name in UNDEFINED_OUT and "out" in given and not plain


@pytest.mark.parametrize("name", UFUNCS)
def test_out_where_dtype_and_casting_have_eagers_bits(name):
    ufunc = getattr(np, name)
    if ufunc.nout > 1:
        pytest.skip("two outputs are two targets")
    proof, rest = Proof(allowed=1.0), {1: "", 2: ", y", 3: ", y, y"}[ufunc.nin]
    for dtype, given in drawn(Draw(DTYPES, 6), Draw(OPTIONS, 5), key=("out", name)):
        fn = function(f"t = np.{name}(x{rest}, {given})\nreturn t", "x, y, o, m")
        levels = Draw(((130,), (9, 8), (3, 3, 3)), 1), Draw(LAYOUTS, 3)
        for shape, layout in drawn(*levels, key=(name, dtype, given)):
            if is_undefined(name, given, layout):
                continue

            def build():
                return (
                    operand("quiet", dtype, shape, layout),
                    operand("quiet", dtype, shape, "contiguous", 3),
                    output(ufunc, dtype, shape, layout),
                    operand("odd", "?", shape),
                )

            proof.check(fn, build, "raise", (shape, layout))
    proof.require(missed=60, ran=0)


def output(ufunc, dtype, shape, layout):
    """A target of the dtype that the ufunc gives for these operands, or of their own."""
    try:
        found = ufunc.resolve_dtypes((np.dtype(dtype),) * ufunc.nin + (None,))[-1]
    except TypeError:
        found = dtype
    return operand("quiet", np.dtype(found).char, shape, layout, 7)


@pytest.mark.parametrize("name", UFUNCS)
def test_byte_swapped_operands_are_declined_or_eagers(name):
    proof = Proof(allowed=1.0)
    fn = program(name, "before")
    for dtype, turn in drawn(Draw(DTYPES, 4), ("first", "second", "both"), key=("swapped", name)):

        def build(turn=turn):
            x, y = (operand("odd", dtype, (40,), start=s) for s in (0, 3))
            x = swapped(x) if turn in ("first", "both") else x
            return x, swapped(y) if turn in ("second", "both") else y

        proof.check(fn, lambda: build("none"), "ignore", "native to capture")
        proof.check(fn, build, "ignore", turn, may_decline=True)
    proof.require(ran=0, missed=12)


CORES = {
    "matmul": [
        *(((5, 7), (7, 3)), ((2, 5, 7), (7, 3)), ((7,), (7, 3)), ((5, 7), (7,))),
        *(((0, 7), (7, 2)), ((40, 50), (50, 60))),
    ],
    "vecdot": [((5, 7), (5, 7)), ((5, 7), (7,)), ((0, 7), (7,)), ((2, 3, 9), (3, 9))],
    "matvec": [((5, 7), (7,)), ((2, 5, 7), (2, 7)), ((5, 7), (3, 7))],
    "vecmat": [((7,), (7, 5)), ((2, 7), (2, 7, 5))],
}


@pytest.mark.parametrize("name", CORES)
def test_ufuncs_with_core_dimensions_have_eagers_bits(name):
    if not hasattr(np, name):
        pytest.skip("not in this NumPy")
    proof = Proof()
    for form in ("alone", "before a temporary" if name == "vecdot" else "twice"):
        fn = program(name, form)
        for dtype, shapes in itertools.product(DTYPES, CORES[name]):
            for layouts in some(LAYOUT_PAIRS, 3, name, dtype, shapes[0]):
                build = pair("quiet", (dtype, dtype), shapes, layouts)
                proof.check(fn, build, "ignore", (*shapes, layouts))
    proof.require(missed=8)


@pytest.mark.parametrize("dtype", "bhilBHIL")
@pytest.mark.parametrize(
    "body", ["return y / (x - x), x << 3", "t = x % (y - y)\nreturn t << y, t"]
)
def test_flags_that_are_up_stay_up_when_integers_are_shifted(body, dtype):
    """NumPy's loops that shift to the left clear the flags for some integers."""
    proof = Proof(allowed=0.0)
    fn = function(body, "x, y")
    for mode in ("ignore", "raise"):
        proof.check(
            fn, lambda: (operand("quiet", dtype, (60,)), operand("quiet", dtype, (60,))), mode
        )
    proof.require()
