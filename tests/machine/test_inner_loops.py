"""What the bits of NumPy's inner loops depend on, by trial on all ufuncs; what is fused then.

`exec.lower.inner_loops` says it of each loop; here every ufunc is called on a whole and on its
parts. Invariant: where that table lets a tile begin and end, the part has the bits of the whole.
"""

import numpy as np
import pytest

from dyntrace.exec.lower import inner_loops
from dyntrace.ops import facts
from tests.machine.capturing import Proof, function
from tests.machine.comparing import bit_differences
from tests.machine.operands import laid_out, some
from tests.machine.patterns import patterns

SIZE = 320
UFUNCS = list(facts.UFUNCS)
PAIRS = [(start, size) for size in range(1, 71) for start in range(70)]
ANYWHERE = PAIRS[:70] + some(PAIRS[70:], 220, "places")
AT_64 = [(start, size) for start in (0, 64, 128, 256) for size in (64, 128, SIZE)]
BODIES = (
    "return np.{f}(x, y)",
    "return np.{f}(x * 1, y), np.{f}(1.0, x)",
    "return np.{f}(x[..., ::2], y[..., ::2])",
    "return np.{f}(x, y[..., :1])",
    "return np.{f}(x, y[..., :1, :]) * x",
    "return np.{f}(x, y) + x.mean(axis=-1, keepdims=True), x * 2",
    "return np.{f}(x, y).sum(), np.{f}(x, y).sum(axis=0), np.{f}(x, y).max(axis=-1)",
    "return np.{f}(x.max(axis=-1), y.max(axis=-1)) * 2, np.{f}(x.max(axis=0), y.max(axis=0)) * 2",
    "return np.{f}(x.astype('d'), y), x[..., :1] + np.{f}(x * 1, y * 1)",
    "x[...] = np.{f}(y, 1.0)",
    "np.{f}(x, y, out=x)",
    "np.{f}(y, y, out=x)",
)
SHAPES = ((70,), (9000,), (9, 13), (70, 64), (5, 7, 9), (3, 3001), (130, 3))


def operands_of(ufunc, dtype, layout):
    """Pairs of all patterns of the dtype, and a third operand; the last may be a single number."""
    pool = patterns((15,), dtype)
    made = [np.resize(pool, SIZE), np.resize(np.repeat(pool, 15), SIZE), np.resize(pool[:13], SIZE)]
    made = [laid_out(item, "stride 2" if layout == "strided" else "contiguous") for item in made]
    if layout == "number" and ufunc.nin > 1:
        made[ufunc.nin - 1] = made[ufunc.nin - 1][:1]
    return made[: ufunc.nin]


def results(ufunc, operands):
    with np.errstate(all="ignore"):
        found = ufunc(*operands)
    return found if isinstance(found, tuple) else (found,)


def differing_parts(ufunc, operands, parts):
    whole = results(ufunc, operands)
    return [
        (start, size)
        for start, size in parts
        for found, wanted in zip(
            results(ufunc, [x[start : start + size] if x.size > 1 else x for x in operands]),
            whole,
            strict=True,
        )
        if bit_differences(found, np.ascontiguousarray(wanted[start : start + size]))
    ]


def has_loop(ufunc, dtype):
    """Whether there is a loop of numbers of this dtype."""
    return any(signature.startswith(dtype * ufunc.nin + "->") for signature in ufunc.types)


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
def test_parts_that_a_loop_may_be_cut_into_have_the_bits_of_the_whole(ufunc):
    for dtype in "efdgFDG":
        if not has_loop(ufunc, dtype):
            continue
        exact = inner_loops.exactness(ufunc, np.dtype(dtype))
        parts = AT_64 + (ANYWHERE if exact >= inner_loops.STRIDED else [])
        for layout in ("contiguous", "strided", "number"):
            operands = operands_of(ufunc, dtype, layout)
            assert not differing_parts(ufunc, operands, parts), (dtype, layout)


@pytest.mark.parametrize("name", ["fmax", "fmin"])
@pytest.mark.parametrize("dtype", "efdg")
def test_a_loop_that_depends_on_positions_is_known_and_others_stay_fused_as_they_were(name, dtype):
    ufunc = getattr(np, name)
    differ = any(
        differing_parts(ufunc, operands_of(ufunc, dtype, layout), ANYWHERE)
        for layout in ("contiguous", "strided", "number")
    )
    wanted = inner_loops.WHOLE_LOOP if differ else inner_loops.OFFSET_BOUND
    assert inner_loops.exactness(ufunc, np.dtype(dtype)) == wanted


@pytest.mark.parametrize("body", BODIES)
def test_signalling_nans_are_passed_over_where_eager_passes_over_them(body):
    proof = Proof(allowed=0.5)
    for name in ("fmax", "fmin"):
        fn = function(body.format(f=name))
        for dtype, shape in [(dtype, shape) for dtype in "fd" for shape in SHAPES]:
            for layout in ("contiguous", "stride 2", "reversed", "fortran"):

                def build():
                    first, second = patterns(shape, dtype), np.sort(patterns(shape, dtype), axis=-1)
                    return laid_out(first, layout), np.roll(second, 1)

                proof.check(fn, build, "ignore", (shape, layout))
    proof.require(ran=40)
