"""Writes: assignments, in-place operators, out=, every overlap; refusals leave all untouched."""

import itertools
import mmap
import tempfile
import warnings
from typing import NamedTuple

import numpy as np
import pytest

from tests.differential.harness import check, optimised
from tests.machine import writes
from tests.machine.capturing import Proof, function, functions_of, name_of, text_of
from tests.machine.comparing import memory, memory_differences
from tests.machine.operands import DTYPES, LAYOUTS, WRITEABLE, Draw, drawn, operand, some

SHAPES = ((70,), (9, 7), (3, 4, 5), (1,), (0, 3), (2, 300))


MODES = (("quiet", "raise"), ("odd", "ignore"), ("odd", "raise"))


class Drawn(NamedTuple):
    """How many dtypes, shapes of each and layouts of each are drawn for a text."""

    dtypes: int = 5
    shapes: int = 2
    layouts: int = 4


def assert_written(programs, drawn_of=Drawn(), second=None, ran=1):
    """Check each program on arrays x and y; `second` says y's dtype if it is not x's."""
    proof = Proof(allowed=1.0)
    for fn in programs:
        levels = (
            Draw(DTYPES, drawn_of.dtypes),
            Draw(SHAPES, drawn_of.shapes),
            Draw(WRITEABLE, drawn_of.layouts),
        )
        for case in drawn(*levels, key=(text_of(fn),)):
            dtype, shape, layout = case
            other = some(LAYOUTS, 1, text_of(fn), *case)[0]
            for data, mode in MODES:

                def build():
                    return (
                        operand(data, dtype, shape, layout),
                        operand(data, second or dtype, shape, other, 3),
                    )

                proof.check(fn, build, mode, (shape, layout, other, data))
    proof.require(ran=ran, missed=90)


def square(data, dtype, shape, layouts):
    """A builder of x and y of one shape and dtype, in two layouts."""
    return lambda: (
        operand(data, dtype, shape, layouts[0]),
        operand(data, dtype, shape, layouts[1], 3),
    )


IN_PLACE = "+= -= *= /= //= %= **= &= |= ^= <<= >>=".split()


FORMS = (
    *("x {op} y", "x {op} 2", "x {op} y[..., :1]", "x {op} y + y", "x {op} x"),
    *("x[1:] {op} y[1:]", "x[::-1] {op} y", "x {op} 0.5", "x {op} y[0]"),
)


def in_place(symbol, forms=FORMS):
    """A function for each form of statement with the operator."""
    return [function(form.format(op=symbol) + "\nreturn x") for form in forms]


@pytest.mark.parametrize("symbol", IN_PLACE)
def test_in_place_operator_writes_what_eager_writes(symbol):
    assert_written(in_place(symbol), Drawn(layouts=2))


@pytest.mark.parametrize("symbol", IN_PLACE)
@pytest.mark.parametrize("second", tuple("?bBilQefdD"))
def test_in_place_operator_casts_or_refuses_as_eager_does(symbol, second):
    assert_written(in_place(symbol, FORMS[:1]), Drawn(shapes=1, layouts=1), second, ran=0)


@pytest.mark.parametrize("fn", functions_of(writes.Stencils), ids=name_of)
def test_assignment_to_a_part_reads_all_before_it_writes(fn):
    assert_written([fn], Drawn(layouts=3))


@pytest.mark.parametrize("fn", functions_of(writes.Planes), ids=name_of)
def test_assignment_in_a_plane_reads_all_before_it_writes(fn):
    proof = Proof(allowed=1.0)
    levels = Draw(DTYPES, 5), ((7, 7), (40, 40), (1, 1)), Draw(WRITEABLE, 3)
    for dtype, shape, layout in drawn(*levels, key=(text_of(fn),)):
        for data, mode in MODES[:2]:
            build = square(data, dtype, shape, (layout, layout))
            proof.check(fn, build, mode, (shape, layout))
    proof.require(ran=0, missed=60)


OUTS = (
    lambda x, y: np.add(x, y, out=x),
    lambda x, y: np.add(x[:-1], y[1:], out=x[1:]),
    lambda x, y: np.add(x, y, out=x[::-1]),
    lambda x, y: np.multiply(x[1:], y[1:], out=x[:-1]),
    lambda x, y: np.exp(y, out=x),
    lambda x, y: np.sqrt(x, x),
    lambda x, y: np.maximum(x, y, out=y),
    lambda x, y: np.subtract(x.T, y.T, out=x.T),
    lambda x, y: np.negative(x, out=x[::-1]),
    lambda x, y: np.add(x, 1, out=x, where=y > 0),
    lambda x, y: np.cumsum(x, out=x),
    lambda x, y: x.cumsum(out=x[...]),
    lambda x, y: np.clip(x, 0, 1, out=x),
    lambda x, y: np.sum(x, axis=0, out=y[0]),
    lambda x, y: np.floor_divide(x, y, out=x),
    lambda x, y: np.power(x, 2, out=x),
    lambda x, y: np.divide(x, y, out=y),
    lambda x, y: np.sin(x, out=y),
    lambda x, y: np.abs(x, out=x),
    lambda x, y: np.add(x, y, x),
    lambda x, y: np.matmul(x, y, out=x),
    lambda x, y: np.less(x, y, out=x),
)


@pytest.mark.parametrize("call", OUTS, ids=name_of)
def test_out_that_is_an_operand_or_overlaps_one_is_written_as_eager_writes_it(call):
    text = text_of(call)
    proof, fn = Proof(allowed=1.0), function(f"{text}\nreturn x, y")
    for dtype, layout in drawn(DTYPES, Draw(WRITEABLE, 4), key=(text,)):
        for data, mode in MODES[:2]:
            build = square(data, dtype, (7, 7), (layout, "contiguous"))
            proof.check(fn, build, mode, layout)
    proof.require(ran=4 * ("cumsum" not in text), missed=60)


OVERLAPS = {
    "shifted": lambda b: (b[1:], b[:-1]),
    "shifted back": lambda b: (b[:-1], b[1:]),
    "reversed": lambda b: (b, b[::-1]),
    "itself": lambda b: (b, b[...]),
    "interleaved": lambda b: (b[::2], b[1::2]),
    "stretched": lambda b: (b[: len(b) // 2], b[::2]),
    "across": lambda b: (b[::2], b[: len(b) // 2]),
    "repeated": lambda b: (b, np.broadcast_to(b[:1], b.shape)),
}


def assert_overlapped(programs, overlap, left=False):
    proof = Proof(allowed=1.0 if left else 0.5)
    for fn, dtype in itertools.product(programs, ("d", "f", "i", "B", "D", "e")):
        proof.check(fn, lambda: (operand("quiet", dtype, (9,)), operand("quiet", dtype, (9,))))
        for size, (data, mode) in itertools.product((8, 65, 5000), MODES[:2]):

            def build():
                return OVERLAPS[overlap](operand(data, dtype, (size,)))

            proof.check(fn, build, mode, size)
    # A repeated operand cannot be written, so only its reads count.
    proof.require(ran=24 if left else 40, missed=12)


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_arguments_that_overlap_are_met_as_eager_meets_them(overlap):
    assert_overlapped(functions_of(writes.Computing), overlap)


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_values_that_overlap_their_target_are_moved_as_eager_moves_them(overlap):
    # Between two lines of one base that go the same way in unlike steps NumPy reads what it has
    # written; that is left to NumPy.
    assert_overlapped(
        functions_of(writes.Assigning), overlap, left=overlap in ("stretched", "across", "repeated")
    )


def test_two_inputs_that_overlap_are_only_read():
    proof = Proof()
    for fn, overlap in itertools.product(functions_of(writes.Reading), OVERLAPS.values()):
        proof.check(fn, lambda: overlap(operand("odd", "d", (64,))))
    proof.require(ran=24)


@pytest.mark.parametrize("fn", functions_of(writes.Flagged), ids=name_of)
@pytest.mark.parametrize("size", (5, 64, 1000, 20011))
def test_flag_in_the_middle_of_a_write_leaves_eagers_partial_state(fn, size):
    """A decline leaves the target alone; the original instruction then writes and raises."""

    def build(bad):
        x, y = (operand("quiet", "d", (size,), start=s) for s in (0, 3))
        if bad:
            x[size // 2], y[size // 2] = 1e300, 0.0
        return x, y

    proof = Proof(allowed=1.0)
    for mode in ("ignore", "raise"):
        for bad in (False, True):
            proof.check(fn, lambda: build(bad), mode, bad)
    proof.require(ran=2)
    text = text_of(fn).removesuffix("\nreturn x")
    raising = function(f"with np.errstate(all='raise'):\n    x = x\n    {text}\nreturn x")
    for program, action in itertools.product((fn, raising), ("always", "error")):
        check(program, make=lambda: build(True), calls=2, action=action)
        check(program, make=lambda: build(False), calls=2, action=action)


@pytest.mark.parametrize("fn", functions_of(writes.Failing), ids=name_of)
def test_read_only_targets_and_misfits_raise_eagers_error(fn):
    for layout in ("contiguous", "read-only", "rows", "one item"):
        make = square("quiet", "d", (9,), (layout, "contiguous"))
        check(fn, make=make, calls=3)
    check(fn, np.ones(9), np.ones(8), calls=3)
    check(fn, np.ones((3, 9)), np.ones((4, 9)), calls=2)


def test_writes_change_with_the_arguments_of_each_call():
    """One region, called with read-only, overlapping and short arguments in turn."""
    fn = function("x[1:] = y[:-1] * 2\nreturn x")
    fast = optimised(fn)

    def builds():
        base = operand("quiet", "d", (40,))
        yield operand("quiet", "d", (40,)), operand("quiet", "d", (40,), start=3)
        yield base, base
        yield base[::-1], base
        yield operand("quiet", "d", (40,), "read-only"), base
        yield base, base[:30]
        yield base[:1], base[:1]
        yield base[::2], base[1::2]
        yield base[:0], base[:0]

    for one, other in zip([*builds()] * 3, [*builds()] * 3, strict=True):
        outcomes = []
        for run, args in ((fn, one), (fast, other)):
            try:
                outcomes.append(run(*args) is args[0])
            except ValueError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]
        assert not memory_differences(other, one)


def test_two_arrays_over_one_file_are_written_in_program_order():
    """Neither addresses nor bases tell that two maps of a file are the same memory."""
    with tempfile.TemporaryFile() as file:
        file.truncate(mmap.PAGESIZE * 2)

        def build():
            maps = mmap.mmap(file.fileno(), 0), mmap.mmap(file.fileno(), 0)
            x, y = (np.frombuffer(m, "d") for m in maps)
            x[:] = np.arange(x.size)
            return x, y

        for fn in functions_of(writes.TwoMaps):
            fast = optimised(fn)
            for call in range(4):
                args = build()
                wanted = fn(*args), memory(args)
                args = build()
                found = fast(*args), memory(args)
                assert repr(found[0]) == repr(wanted[0]), (name_of(fn), call)
                assert all(np.array_equal(a, b) for a, b in zip(found[0], wanted[0], strict=True))
                assert found[1] == wanted[1], (name_of(fn), call)


def test_warning_of_a_write_comes_once_and_from_the_users_line():
    fn = function("x /= y\nreturn x")
    fast = optimised(fn)
    for make in (lambda: (np.ones(5), np.ones(5)), lambda: (np.ones(5), np.zeros(5))) * 2:
        seen = []
        for run in (fn, fast):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                run(*make())
            seen.append([(str(w.message), w.filename, w.lineno) for w in caught])
        assert seen[0] == seen[1]
