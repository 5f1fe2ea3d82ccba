"""Transforms in parts: the bits, layout, errors and warnings of the whole; nothing left running."""

import itertools
import warnings

import numpy as np
import pytest

from dyntrace.exec import environment
from dyntrace.exec.backends import generated
from dyntrace.exec.jobs import parallel, threads, transforms
from dyntrace.ops.quiet import WouldWarn
from dyntrace.ops.registry import record_of
from tests.exec.comparing import same
from tests.machine.capturing import capture, function
from tests.machine.comparing import leaves

pytestmark = pytest.mark.skipif(
    not (environment.is_available() and transforms.SPLITS),
    reason="no jobs on this platform, or no parts",
)

LINES = "fft ifft rfft irfft hfft ihfft".split()
PLANES = "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn".split()
DTYPES = "?bBhHiIlLqQefdgFDG"
SHAPES = ((12, 9), (7, 13), (6, 5, 8), (31, 1), (64, 3), (1, 12, 6))
LAYOUTS = {
    "C": lambda x: x,
    "F": np.asfortranarray,
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "strided": lambda x: np.repeat(x, 2, -1)[..., ::2],
    "reversed": lambda x: np.ascontiguousarray(x[::-1, ..., ::-1])[::-1, ..., ::-1],
    "rolled": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
    "repeated": lambda x: np.broadcast_to(x[:1], x.shape),
    "unaligned": lambda x: _unaligned(x),
}


def _unaligned(x):
    memory = np.zeros(x.nbytes + 1, np.uint8)
    found = memory[1:].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


def drawn(dtype, shape, seed=0):
    """Numbers of every size that the dtype has."""
    random = np.random.default_rng(seed)
    found = random.standard_normal(shape) * 10.0 ** random.integers(-3, 4, shape)
    if dtype in "FDG":
        found = found + 1j * random.standard_normal(shape)
    with np.errstate(all="ignore"):
        return (found * 20).astype(dtype)


@pytest.fixture(autouse=True)
def begun(monkeypatch):
    """Three threads, arrays of any size are large; a list of the jobs begun."""
    before, submit, begun = threads.get_num_threads(), threads.submit, []

    def remembering(jobs, function, /, *arguments, **keywords):
        begun.append(function)
        return submit(jobs, function, *arguments, **keywords)

    monkeypatch.setattr(threads, "submit", remembering)
    monkeypatch.setattr(threads, "LARGE", 1)
    threads.set_num_threads(3)
    yield begun
    threads.set_num_threads(before)


def in_parts(whole):
    """What a node of the function `whole` calls."""
    found = transforms.target_of(record_of(whole).op)
    assert found is not record_of(whole).op.target
    return found


def outcome(function, *args, **kwargs):
    """The result, or the class and text of what is raised."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        try:
            return function(*args, **kwargs)
        except Exception as error:
            return type(error).__name__, str(error)


def assert_same(name, x, *args, **kwargs):
    whole = getattr(np.fft, name)
    before = x.tobytes()
    found = outcome(in_parts(whole), x, *args, **kwargs)
    wanted = outcome(whole, x, *args, **kwargs)
    same(found, wanted)
    if isinstance(wanted, np.ndarray) and wanted.dtype.char not in "gG":  # they have unused bytes
        assert found.tobytes() == wanted.tobytes()
    assert x.tobytes() == before


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LINES + PLANES)
def test_parts_have_the_bits_and_the_layout_of_the_whole(name, dtype, begun):
    every = 1 if dtype in "dfD" else 5
    for shape, layout in list(itertools.product(SHAPES, LAYOUTS))[::every]:
        x = LAYOUTS[layout](drawn(dtype, shape))
        if name in LINES:
            for axis in range(-1, x.ndim - 1):
                assert_same(name, x, axis=axis)
        else:
            assert_same(name, x)
    assert begun or dtype in "FDG" and name in ("rfft", "ihfft", "rfft2", "rfftn")


@pytest.mark.parametrize("name", LINES)
def test_lengths_and_norms_are_those_of_the_whole(name, begun):
    for dtype, n, norm in itertools.product(
        "dfD", (None, 1, 2, 5, 8, 17, 97), (None, "backward", "ortho", "forward")
    ):
        for axis in (0, 1, -1):
            assert_same(name, drawn(dtype, (16, 17)), n, axis, norm)
    assert begun


@pytest.mark.parametrize("name", PLANES)
def test_sizes_and_axes_are_those_of_the_whole(name, begun):
    x = drawn("d", (8, 9, 10))
    for axes in (None, (0,), (0, 1), (2, 0), (-1, 0, 1), [1, 2], (1, 1)):
        for s in (None, (5,), (5, 20), (7, 3, 12)):
            for norm in (None, "ortho"):
                if axes is not None or name in ("fftn", "ifftn", "rfftn", "irfftn"):
                    kwargs = {} if axes is None else {"axes": axes}
                    if s is None or axes is not None:
                        assert_same(name, x, s, norm=norm, **kwargs)
    assert begun


@pytest.mark.parametrize("dtype", "dfDg")
@pytest.mark.parametrize("shape", ((600, 257), (257, 600), (40, 50, 60), (1009, 33), (4, 65536)))
def test_large_arrays_have_the_bits_of_the_whole(dtype, shape, begun, monkeypatch):
    monkeypatch.undo()
    x = drawn(dtype, shape)
    for layout in ("C", "F", "strided"):
        for name, axis in (("fft", 0), ("ifft", -1), ("irfft", 0), ("hfft", -1)):
            assert_same(name, LAYOUTS[layout](x), axis=axis)
        assert_same("fftn", LAYOUTS[layout](x))


def test_zeros_infinities_and_not_a_number_stay_in_their_lines(begun):
    for value in (0.0, -0.0, np.inf, -np.inf, np.nan, 1e308, 5e-324):
        x = drawn("d", (12, 10))
        x[3, 4] = value
        for name in ("fft", "rfft", "irfft", "fft2", "ifftn"):
            with np.errstate(all="ignore"):
                transform = getattr(np.fft, name)
                found, wanted = in_parts(transform)(x), transform(x)
            np.testing.assert_array_equal(found, wanted)
            assert (np.signbit(found.real) == np.signbit(wanted.real))[~np.isnan(wanted)].all()
    assert begun


class Special(np.ndarray):
    """A subclass."""


UNUSUAL = {
    "too few lines": lambda: (drawn("d", (5, 100)),),
    "one line": lambda: (drawn("d", (100,)),),
    "a scalar": lambda: (np.float64(2),),
    "no dimension": lambda: (np.array(2.0),),
    "no items": lambda: (np.zeros((20, 0)),),
    "no lines": lambda: (np.zeros((0, 20)),),
    "another order of bytes": lambda: (drawn("d", (12, 10)).astype(">f8"),),
    "objects": lambda: (drawn("d", (12, 10)).astype(object),),
    "text": lambda: (np.full((12, 10), "x"),),
    "length 0": lambda: (drawn("d", (12, 10)), 0),
    "length of 8 bits": lambda: (drawn("d", (12, 10)), np.int8(4)),
    "length that is no integer": lambda: (drawn("d", (12, 10)), 2.5),
    "an axis too far": lambda: (drawn("d", (12, 10)), None, 2),
    "an axis that is no integer": lambda: (drawn("d", (12, 10)), None, 0.0),
    "a norm unknown": lambda: (drawn("d", (12, 10)), None, -1, "other"),
    "an output": lambda: (drawn("d", (12, 10)), None, -1, None, np.empty((12, 10), "D")),
}


@pytest.mark.parametrize("name", ("fft", "rfft", "ihfft"))
@pytest.mark.parametrize("case", UNUSUAL)
def test_what_is_unusual_is_numpys(name, case, begun):
    whole = getattr(np.fft, name)
    found = outcome(in_parts(whole), *UNUSUAL[case]())
    wanted = outcome(whole, *UNUSUAL[case]())
    same(found, wanted)
    assert not begun or case == "a norm unknown"


@pytest.mark.parametrize("name", LINES + PLANES)
def test_what_becomes_an_array_first_is_one_here(name):
    for x in ([[1.0, 2.0, 4.0]] * 12, drawn("d", (12, 10)).view(Special)):
        whole = getattr(np.fft, name)
        same(outcome(in_parts(whole), x), outcome(whole, x))


def test_small_arrays_and_one_thread_take_the_whole(begun, monkeypatch):
    monkeypatch.setattr(threads, "LARGE", 1000)
    assert_same("fft", np.ones((12, 10)))
    threads.set_num_threads(1)
    assert_same("fft", np.ones((120, 10)))
    assert not begun


def test_a_warning_is_raised_for_the_original_to_show(begun):
    with pytest.raises(WouldWarn):
        in_parts(np.fft.fftn)(drawn("d", (12, 10)), s=(5, 5))


def test_flags_are_met_as_the_callers_modes_say(begun):
    x = np.full((12, 64), 1e307)
    for place in (0, 5, 11):  # in the part of each thread
        x[:] = 1.0
        x[place] = 1e307
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            in_parts(np.fft.fft)(x)
        with np.errstate(all="raise"), pytest.raises(FloatingPointError):
            np.fft.fft(x)
        with np.errstate(over="ignore", invalid="ignore"):
            same(in_parts(np.fft.fft)(x), np.fft.fft(x))
    x.resize((3, 3))  # raises if a job still holds the array


@pytest.mark.parametrize("count", (2, 3, 5))
def test_regions_transform_in_parts_inside_jobs(count, begun):
    threads.set_num_threads(count)
    fn = function("""
        a = np.fft.fft2(x)
        b = np.fft.fft2(y, norm="ortho")
        return np.real(np.fft.ifft2(a * b)), np.fft.rfftn(y, axes=(0, 1))
    """)
    x, y = drawn("d", (40, 60)), drawn("d", (40, 60), 1)
    captured = capture(fn, x, y)
    twin = generated.compile_graph(captured.graph)
    for _ in range(5):
        wanted = leaves(fn(x, y))
        same(leaves(captured.run("numpy", (x, y))), wanted)
        same(leaves(twin(*((x, y)[place] for place in captured.order))), wanted)
    assert begun


@pytest.mark.parametrize(
    "call, moves",
    [
        ("np.fft.fft2(x)", True),
        ("np.fft.fftn(x, None, (0, 1), 'ortho')", True),
        ("np.fft.fftn(x, axes=())", False),
        ("np.fft.fftn(x, s=(), axes=())", False),
        ("np.fft.fftn(x, axes=(-1,), norm='forward')", True),
        ("np.fft.fft2(x, out=np.empty((40, 60), 'D'))", False),
    ],
)
def test_transforms_that_must_have_memory_of_their_own_are_begun_early(call, moves, begun):
    x = drawn("D", (40, 60))
    fn = function(f"return {call}, np.sort(x)", "x")
    captured = capture(fn, x)
    assert bool(parallel.joins(captured.graph.nodes)) == moves
    same(leaves(captured.run("numpy", (x,))), leaves(fn(x)))
