"""Writes: assignments, in-place operators, out=, with every overlap; refusals leave all untouched."""

import mmap
import tempfile
import warnings

import numpy as np
import pytest

from tests.differential.harness import check, optimised
from tests.machine.capturing import Proof, function
from tests.machine.comparing import memory, memory_differences
from tests.machine.operands import DTYPES, LAYOUTS, WRITEABLE, operand, some

SHAPES = ((70,), (9, 7), (3, 4, 5), (1,), (0, 3), (2, 300))


def assert_written(texts, dtypes, layouts=4, shapes=2, allowed=1.0, second=None, ran=1, missed=90):
    """Check each text on arrays x and y; `second` says y's dtype if it is not x's."""
    proof = Proof(allowed=allowed)
    for text in texts:
        fn = function(text + "\nreturn x")
        for dtype in some(dtypes, 5, text):
            for shape in some(SHAPES, shapes, text, dtype):
                for layout in some(WRITEABLE, layouts, text, dtype, shape):
                    other = some(LAYOUTS, 1, text, dtype, shape, layout)[0]
                    for data, mode in (("quiet", "raise"), ("odd", "ignore"), ("odd", "raise")):

                        def build():
                            return (
                                operand(data, dtype, shape, layout),
                                operand(data, second or dtype, shape, other, 3),
                            )

                        proof.check(fn, build, mode, (shape, layout, other, data))
    proof.require(ran=ran, missed=missed)


IN_PLACE = "+= -= *= /= //= %= **= &= |= ^= <<= >>=".split()


@pytest.mark.parametrize("symbol", IN_PLACE)
def test_in_place_operator_writes_what_eager_writes(symbol):
    texts = [f"x {symbol} y", f"x {symbol} 2", f"x {symbol} y[..., :1]", f"x {symbol} y + y", f"x {symbol} x",
             f"x[1:] {symbol} y[1:]", f"x[::-1] {symbol} y", f"x {symbol} 0.5", f"x {symbol} y[0]"]  # fmt: skip
    assert_written(texts, DTYPES, layouts=2)


@pytest.mark.parametrize("symbol", IN_PLACE)
@pytest.mark.parametrize("second", tuple("?bBilQefdD"))
def test_in_place_operator_casts_or_refuses_as_eager_does(symbol, second):
    assert_written([f"x {symbol} y"], DTYPES, layouts=1, shapes=1, second=second, ran=0)


STENCILS = ("x[1:-1] = x[2:] + x[:-2]", "x[1:] = x[:-1] * 2", "x[:-1] = x[1:] * 2", "x[::-1] = x", "x[:] = x[::-1]",
            "x[1:] = x[:-1]", "x[1:] += x[:-1]", "x[:-1] += x[1:]", "x[::2] = x[::2] * 2",
            "x[1:-1] = 0.25 * x[:-2] + 0.5 * x[1:-1] + 0.25 * x[2:]", "x[...] = y", "x[:] = y * 2 + x", "x[0] = x[-1]",
            "x[2:] = y[2:] - y[:-2]", "x[-1] += y[0]", "x[:] = 3", "x[1:] = 0.5", "x[:] = x.sum()", "x[0] = y.max() - x[1]",
            "x[None, 1:] = y[1:]", "t = x[1:]\nv = t[1:]\nv += 2", "t = x[::-1]\nt[1:] = y[1:] + 1", "x[1:][1:][...] = y[:-2]",
            "x[..., ::-1] -= y", "x[...] = y[..., ::-1]", "x[:] = x + x", "x[:] = np.where(x > y, x, y)", "x[1:] -= x[1:] * y[:-1]",
            "x.fill(2)", "np.copyto(x, y)", "x[:] = np.sqrt(np.abs(y))", "x[:] = -x", "x[:2] = x[-2:]")  # fmt: skip


@pytest.mark.parametrize("text", STENCILS)
def test_assignment_to_a_part_reads_all_before_it_writes(text):
    assert_written([text], DTYPES, layouts=3, shapes=2)


PLANES = ("x[:] = x.T", "x[1:-1, 1:-1] = (x[2:, 1:-1] + x[:-2, 1:-1] + x[1:-1, 2:] + x[1:-1, :-2]) * 0.25", "x[:] = x.T + x",
          "x += x.T", "x[:, 1:] = x[:, :-1]", "x[1:, 1:] = x[:-1, :-1]", "x[::-1, ::-1] = x", "x[:, ::-1] *= x", "x[0] = x[:, 0]",
          "x[:, 0] = x[0] * 2", "x.T[...] = y", "x.T[1:] = y[:-1]", "x[:] = y[0]", "x[:] = y[:, :1]", "x += x[0]", "x += x[:, :1]",
          "x *= x[1]", "x -= x.mean(axis=0)", "x /= x.sum(axis=1, keepdims=True)", "x[:] = x @ y", "x[2] -= x[1] * x[0, 2]",
          "x[1:, 1] = x[:-1, 2]", "x[:] = np.sort(x, axis=0)", "x.T.T[0] += y[0]", "x.reshape(-1)[::2] = 1", "x[np.arange(2)] = 0.5",
          "x.diagonal()", "x[x > y] = 0", "x[1:, 1:] += y[:-1, :-1] * x[1:, 1:] - x[:-1, 1:]")  # fmt: skip


@pytest.mark.parametrize("text", PLANES)
def test_assignment_in_a_plane_reads_all_before_it_writes(text):
    proof, fn = Proof(allowed=1.0), function(text + "\nreturn x")
    for dtype in some(DTYPES, 5, text):
        for shape in ((7, 7), (40, 40), (1, 1)):
            for layout in some(WRITEABLE, 3, text, dtype, shape):
                for data, mode in (("quiet", "raise"), ("odd", "ignore")):
                    proof.check(fn, lambda: (operand(data, dtype, shape, layout), operand(data, dtype, shape, layout, 3)), mode, (shape, layout))  # fmt: skip
    proof.require(ran=0, missed=60)


OUTS = ("np.add(x, y, out=x)", "np.add(x[:-1], y[1:], out=x[1:])", "np.add(x, y, out=x[::-1])", "np.multiply(x[1:], y[1:], out=x[:-1])",
        "np.exp(y, out=x)", "np.sqrt(x, x)", "np.maximum(x, y, out=y)", "np.subtract(x.T, y.T, out=x.T)", "np.negative(x, out=x[::-1])",
        "np.add(x, 1, out=x, where=y > 0)", "np.cumsum(x, out=x)", "x.cumsum(out=x[...])", "np.clip(x, 0, 1, out=x)", "np.sum(x, axis=0, out=y[0])",
        "np.floor_divide(x, y, out=x)", "np.power(x, 2, out=x)", "np.divide(x, y, out=y)", "np.sin(x, out=y)", "np.abs(x, out=x)",
        "np.add(x, y, x)", "np.matmul(x, y, out=x)", "np.less(x, y, out=x)")  # fmt: skip


@pytest.mark.parametrize("text", OUTS)
def test_out_that_is_an_operand_or_overlaps_one_is_written_as_eager_writes_it(text):
    shape = (7, 7)
    proof, fn = Proof(allowed=1.0), function(text + "\nreturn x, y")
    for dtype in DTYPES:
        for layout in some(WRITEABLE, 4, text, dtype):
            for data, mode in (("quiet", "raise"), ("odd", "ignore")):
                proof.check(fn, lambda: (operand(data, dtype, shape, layout), operand(data, dtype, shape, "contiguous", 3)), mode, layout)  # fmt: skip
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


ASSIGNING = ("x[:] = y", "x[1:] = y[:-1]", "x[...] = y", "y[1:] = x[:-1]")
COMPUTING = ("x += y", "x[:] = y * 2 + 1", "x[...] = x * y", "np.add(y, 1, out=x)", "np.sin(y, out=x)",
             "x *= y + 1", "np.multiply(x, y, out=y)", "x[:] = np.exp(y)", "t = x + y\nx[:] = t")  # fmt: skip


def assert_overlapped(texts, overlap, left=False):
    proof = Proof(allowed=1.0 if left else 0.5)
    for text in texts:
        fn = function(text + "\nreturn x, y")
        for dtype in ("d", "f", "i", "B", "D", "e"):
            proof.check(fn, lambda: (operand("quiet", dtype, (9,)), operand("quiet", dtype, (9,))))
            for size in (8, 65, 5000):
                for data, mode in (("quiet", "raise"), ("odd", "ignore")):

                    def build():
                        return OVERLAPS[overlap](operand(data, dtype, (size,)))

                    proof.check(fn, build, mode, size)
    # A repeated operand cannot be written, so only its reads count.
    proof.require(ran=24 if left else 40, missed=12)


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_arguments_that_overlap_are_met_as_eager_meets_them(overlap):
    assert_overlapped(COMPUTING, overlap)


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_values_that_overlap_their_target_are_moved_as_eager_moves_them(overlap):
    # Between two lines of one base that go the same way in unlike steps NumPy reads what it has
    # written; that is left to NumPy.
    assert_overlapped(ASSIGNING, overlap, left=overlap in ("stretched", "across", "repeated"))


def test_two_inputs_that_overlap_are_only_read():
    proof = Proof()
    for text in (
        "return x + y, x * y",
        "t = x - y\nreturn t * t, t.sum()",
        "return np.where(x > y, x, y)",
    ):
        for overlap in OVERLAPS.values():
            proof.check(function(text), lambda: overlap(operand("odd", "d", (64,))))
    proof.require(ran=27)


FLAGGED = ("x *= 1e200", "x /= y", "x[1:] = x[:-1] / y[1:]", "np.divide(1.0, y, out=x)", "x -= y * 1e999", "x **= 400",
           "x[:] = np.log(y - 2)", "np.sqrt(-y, out=x)", "x += y * 1e308 * 10", "x[::2] = 1 / (y[::2] - y[::2])", "x //= y - y")  # fmt: skip


@pytest.mark.parametrize("text", FLAGGED)
@pytest.mark.parametrize("size", (5, 64, 1000, 20011))
def test_flag_in_the_middle_of_a_write_leaves_eagers_partial_state(text, size):
    """Declining leaves the target alone; the original instruction then writes and raises as ever."""

    def build(bad):
        x, y = (operand("quiet", "d", (size,), start=s) for s in (0, 3))
        if bad:
            x[size // 2], y[size // 2] = 1e300, 0.0
        return x, y

    proof, fn = Proof(allowed=1.0), function(text + "\nreturn x")
    for mode in ("ignore", "raise"):
        for bad in (False, True):
            proof.check(fn, lambda: build(bad), mode, bad)
    proof.require(ran=2)
    raising = function(f"with np.errstate(all='raise'):\n    x = x\n    {text}\nreturn x")
    for program in (fn, raising):
        for action in ("always", "error"):
            check(program, make=lambda: build(True), calls=2, action=action)
            check(program, make=lambda: build(False), calls=2, action=action)


@pytest.mark.parametrize("text", ("x += y", "x[:] = y", "x[1:] = x[:-1]", "np.add(x, y, out=x)", "x[0] = 1", "x.fill(3)", "x[::2] *= 2"))  # fmt: skip
def test_read_only_targets_and_misfits_raise_eagers_error(text):
    fn = function(text + "\nreturn x")
    for layout in ("contiguous", "read-only", "rows", "one item"):
        make = lambda: (operand("quiet", "d", (9,), layout), operand("quiet", "d", (9,)))  # noqa: E731
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

        texts = ("x[1:] = y[:-1]\nreturn x.copy()", "x += y\nreturn y.copy()", "t = y * 2\nx[:] = 0\nu = y + 1\nreturn t, u",
                 "x[::-1] = y\nreturn x + y", "x[:] = y[::-1] * 2 + 1\nreturn y + 0", "np.add(y[1:], 1, out=x[:-1])\nreturn x * 1")  # fmt: skip
        for text in texts:
            fn = function(text)
            fast = optimised(fn)
            for call in range(4):
                args = build()
                wanted = fn(*args), memory(args)
                args = build()
                found = fast(*args), memory(args)
                assert repr(found[0]) == repr(wanted[0]), (text, call)
                assert all(np.array_equal(a, b) for a, b in zip(found[0], wanted[0], strict=True))
                assert found[1] == wanted[1], (text, call)


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
