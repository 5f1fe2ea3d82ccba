"""LoopProgram: the words that machine code gets and leaves, trouble, iterators, and the counts."""

import ctypes
import gc
import itertools
import math
import platform
import struct
import sys
import threading
import time
import tracemalloc
import weakref

import numpy as np
import pytest

from tests.native.building import COMPILER, library

_native = pytest.importorskip("dyntrace._native")
pytestmark = pytest.mark.skipif(not COMPILER, reason="the machine code is compiled from C")

DTYPES = "?bBhHiIlLqQefdFD"
SITES = 3
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads MXCSR")


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return library("loop_code", tmp_path_factory.getbasetemp())


@pytest.fixture
def loop(code):
    """A program that runs a function of loop_code.c."""

    def make(name, inputs, outputs, functions=()):
        address = ctypes.cast(getattr(code, name), ctypes.c_void_p).value
        return _native.LoopProgram(address, inputs, outputs, SITES, functions, code)

    return make


def bits(value):
    """What the value is, to the bit, with its type."""
    if isinstance(value, complex | float) and not isinstance(value, np.generic):
        value = complex(value) if type(value) is complex else value
        parts = (value.real, value.imag) if type(value) is complex else (value,)
        return type(value), struct.pack(f"{len(parts)}d", *parts)
    if isinstance(value, np.generic):
        return type(value), value.dtype, value.tobytes()
    return type(value), value


def words_of(loop, code, value, count):
    """The words that machine code gets for `value`; None if the program declines it."""
    program = loop("repeat", ("i", "i", "i", code), ("i",) * count)
    result = program(1, 0, count, value)
    assert (program.calls, program.declined) == ((0, 1) if result is None else (1, 0))
    return result


def from_words(loop, code, *words):
    program = loop("repeat", ("i", "i", "i", *("i",) * len(words)), (code,))
    (value,) = program(1, 0, len(words), *words)
    return value


NAN = struct.unpack("d", struct.pack("Q", 0x7FF8_0000_DEAD_BEEF))[0]
FLOATS = (0.0, -0.0, 1.5, -math.inf, math.nan, -math.nan, NAN, 5e-324, sys.float_info.max)
VALUES = [
    *(("i", value) for value in (0, 1, -1, 2**62, 2**63 - 1, -(2**63), 2**31, -(2**31) - 1)),
    *(("f", value) for value in FLOATS),
    *(("b", value) for value in (False, True)),
    *(("c", complex(*parts)) for parts in itertools.product(FLOATS[:7], repeat=2)),
]


@pytest.mark.parametrize(("letter", "value"), VALUES)
def test_a_number_comes_back_as_it_went_in(loop, letter, value):
    program = loop("repeat", ("i", "i", "i", letter), (letter,))
    (result,) = program(1, 0, 2 if letter == "c" else 1, value)
    assert bits(result) == bits(value)


def scalars(char):
    """Scalars of the dtype with all kinds of bits."""
    dtype = np.dtype(char)
    patterns = (b"\x00", b"\xff", b"\x80", b"\x7f", b"\x01\x7f\xfe\xc0", b"\x00\x00\xf0\x7f")
    if char == "?":
        return [np.False_, np.True_]
    raw = [(pattern * 16)[: dtype.itemsize] for pattern in patterns]
    return [np.frombuffer(one, dtype)[0] for one in raw] + [dtype.type(3), dtype.type(1)]


@pytest.mark.parametrize("char", DTYPES)
def test_a_numpy_scalar_comes_back_as_it_went_in(loop, char):
    program = loop("repeat", ("i", "i", "i", f"s{char}"), (f"s{char}",))
    for value in scalars(char):
        (result,) = program(1, 0, 2 if char == "D" else 1, value)
        assert bits(result) == bits(value)


@pytest.mark.parametrize("char", DTYPES)
def test_the_words_of_a_scalar_are_filled_up_with_zeros(loop, char):
    count = 2 if char == "D" else 1
    for value in scalars(char):
        raw = value.tobytes().ljust(8 * count, b"\0")
        assert words_of(loop, f"s{char}", value, count) == struct.unpack(f"{count}q", raw)


def test_ints_and_bools_made_of_words_are_exact(loop):
    assert bits(from_words(loop, "b", 2)) == (bool, True)
    assert from_words(loop, "b", 0) is False
    assert from_words(loop, "s?", 1) is np.True_
    assert from_words(loop, "n") is None
    assert bits(from_words(loop, "sB", -1)) == bits(np.uint8(255))


@pytest.mark.parametrize(
    ("letter", "value"),
    [
        *(("i", value) for value in (2**63, -(2**63) - 1, 10**40, True, 1.0, np.int64(1), None)),
        *(("f", value) for value in (1, True, np.float64(1.0), 1j)),
        *(("b", value) for value in (1, 0, np.True_)),
        *(("c", value) for value in (1.0, np.complex128(1j))),
        *(("sd", value) for value in (1.0, np.float32(1), np.array(1.0))),
        *(("sl", value) for value in (1, np.int32(1), np.uint64(1))),
        *(("B", value) for value in (bytearray(b"1"), "1", memoryview(b"1"))),
        *(("ad1", value) for value in (1.0, np.ones((1, 1)), np.ones(1, "f"), np.ma.ones(1))),
        *(("ad1", value) for value in (np.ones(1, ">f8"), np.ones(1, "q"), [1.0])),
        *(("r", value) for value in (range(3), iter(range(2**70)), iter([1]), None)),
        *(("y", value) for value in (b"1", iter([1]), iter("1"), iter(bytearray(b"1")))),
        *(("qd1", value) for value in (iter(np.ones(3, "f")), iter(np.ones((1, 1))), iter(b"1"))),
        *(("qd1", value) for value in (np.ones(3), iter([1.0]), iter(np.ones(3, ">f8")))),
    ],
)
def test_another_kind_of_object_is_declined(loop, letter, value):
    assert words_of(loop, letter, value, 1) is None


def test_an_int_outside_of_64_bits_runs_no_code(loop):
    program = loop("repeat", ("i", "i", "i", "i"), ("i",))
    assert program(1, 0, 1, 2**63) is None
    assert (program.calls, program.iterations, program.declined) == (0, 0, 1)
    assert program.exits == (0, 0, 0, 0)


ARRAYS = {
    "contiguous": np.arange(24.0).reshape(2, 3, 4),
    "reversed": np.arange(24.0).reshape(2, 3, 4)[::-1, :, ::-2],
    "fortran": np.asfortranarray(np.ones((3, 5))),
    "empty": np.ones((3, 0)),
    "no axes": np.array(1.0),
    "broadcast": np.broadcast_to(np.ones(3), (4, 3)),
    "misaligned": np.zeros(33, "B")[1:].view("d"),
    "nine axes": np.ones((1, 2) * 4 + (1,)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_its_address_and_layout(loop, name):
    array = ARRAYS[name]
    words = words_of(loop, f"ad{array.ndim}", array, 2 + 2 * array.ndim)
    writeable = array.flags.writeable and name != "broadcast"
    assert words == (array.ctypes.data, writeable, *array.shape, *array.strides)


def test_an_array_that_warns_when_written_to_is_not_writeable(loop):
    array, _ = np.broadcast_arrays(np.ones(3), np.ones((4, 3)))
    assert words_of(loop, "ad2", array, 6)[1] == 0
    array = np.ones(3)
    array.flags.writeable = False
    assert words_of(loop, "ad1", array, 4)[1] == 0


@pytest.mark.parametrize("char", DTYPES)
def test_arrays_of_each_dtype_are_read(loop, char):
    array = np.zeros(3, char)
    assert words_of(loop, f"a{char}1", array, 4) == (array.ctypes.data, 1, 3, array.itemsize)


def test_bytes_are_their_address_and_length(loop):
    text = b"some\0text"
    address, length = words_of(loop, "B", text, 2)
    assert ctypes.string_at(address, length) == text
    assert words_of(loop, "B", b"", 2)[1] == 0


def test_an_output_may_be_an_input_itself(loop):
    held = object()
    program = loop("repeat", ("i", "i", "i", "i", "-", "-"), ("o",))
    before = sys.getrefcount(held)
    assert program(1, 0, 1, 5, None, held) == (held,)
    assert program(1, 0, 1, 4, None, held) == (None,)
    assert sys.getrefcount(held) == before
    for index in (6, -1, 2**62):
        with pytest.raises(SystemError, match="no input"):
            program(1, 0, 1, index, None, held)


def test_many_words_do_not_need_the_stack(loop):
    arrays = [np.ones((1,) * 9) for _ in range(40)]
    program = loop("repeat", ("i", "i", "i", *("ad9",) * 40), ("i",) * 800)
    words = program(1, 0, 800, *arrays)
    assert list(words[::20]) == [array.ctypes.data for array in arrays]


# Iterators


def consumed(iterator, count):
    for _ in range(count):
        next(iterator)
    return iterator


RANGES = [
    *(range(0), range(1), range(5), range(3, 20, 2), range(10, -10, -3), range(5, 0)),
    *(
        range(2**63 - 5, 2**63 - 1),
        range(-(2**63), -(2**63) + 9, 4),
        range(2**62, 2**63 - 1, 2**60),
    ),
]


@pytest.mark.parametrize("items", RANGES)
def test_a_range_goes_on_behind_the_iterations_that_are_done(loop, items):
    for before, done in itertools.product(range(4), range(5)):
        if before + done > len(items):
            continue
        iterator = consumed(iter(items), before)
        program = loop("repeat", ("i", "i", "i", "r"), ("i",) * 3)
        words = program(done, 0, 3, iterator)
        if type(iterator) is not type(iter(range(0))):  # CPython's iterator of large ints
            assert (words, program.declined) == (None, 1)
            done = 0
        elif done > 0:
            step, left = words[1:]
            assert left == len(items) - before and (step == items.step or len(items) < 2)
            assert words[0] == items[before]
        assert list(iterator) == list(items[before + done :])


def test_a_range_that_is_done_has_no_items_left(loop):
    program = loop("repeat", ("i", "i", "i", "r"), ("i",) * 3)
    iterator = consumed(iter(range(3)), 3)
    assert program(1, 0, 3, iterator)[2] == 0


def test_a_loop_over_a_range_stops_where_there_is_trouble(loop):
    program = loop("add_up", ("r", "i", "i"), ("i", "i"))
    iterator = iter(range(1, 10))
    assert program(iterator, 100, 5) == (110, 4)
    assert list(iterator) == [5, 6, 7, 8, 9]
    iterator = iter(range(1, 10))
    assert program(iterator, 100, 1) is None
    assert list(iterator) == list(range(1, 10))
    assert (program.calls, program.iterations, program.fruitless) == (2, 4, 1)
    assert program.exits == (0, 0, 2, 0)


@pytest.mark.parametrize(
    ("letter", "items", "count"),
    [("r", range(9), 3), ("qd1", np.arange(9.0), 5), ("y", b"012345678", 3)],
    ids=["range", "array", "bytes"],
)
def test_an_iterator_that_something_else_refers_to_is_left_alone(loop, letter, items, count):
    iterator = iter(items)
    assert words_of_two_holders(loop, letter, iterator, count) is None
    again = [iterator]
    program = loop("repeat", ("i", "i", "i", letter, letter), ("i",) * count)
    assert program(1, 0, count, iterator, again[0]) is None
    assert program.declined == 1
    assert list(iterator) == list(items)


def words_of_two_holders(loop, letter, iterator, count):
    program = loop("repeat", ("i", "i", "i", letter), ("i",) * count)
    return program(1, 0, count, iterator)


def test_an_array_goes_on_behind_the_iterations_that_are_done(loop):
    array = np.arange(12.0).reshape(4, 3)
    program = loop("repeat", ("i", "i", "i", "qd2"), ("i",) * 7)
    iterator = consumed(iter(array), 1)
    words = program(2, 0, 7, iterator)
    assert words == (1, array.ctypes.data, 1, *array.shape, *array.strides)
    assert [row.tolist() for row in iterator] == [array[3].tolist()]
    assert program(1, 0, 7, iterator) is None, "it has no array any more"


def test_bytes_go_on_behind_the_iterations_that_are_done(loop):
    program = loop("repeat", ("i", "i", "i", "y"), ("i",) * 3)
    iterator = consumed(iter(b"abcdef"), 2)
    index, address, length = program(3, 0, 3, iterator)
    assert (index, ctypes.string_at(address, length)) == (2, b"abcdef")
    assert list(iterator) == [ord("f")]
    assert program(1, 0, 3, iterator) is None


def test_an_enumerate_goes_on_behind_the_iterations_that_are_done(loop):
    program = loop("repeat", ("i", "i", "i", "er"), ("i",) * 4)
    for start in (0, 5, -3, 2**40):
        iterator = consumed(enumerate(range(10, 20, 2), start), 1)
        assert program(2, 0, 4, iterator) == (start + 1, 12, 2, 4)
        assert list(iterator) == [(start + 3, 16), (start + 4, 18)]
        assert program(1, 0, 4, iterator)[3] == 0, "it has no items any more"


@pytest.mark.parametrize("strict", [False, True])
def test_a_zip_goes_on_behind_the_iterations_that_are_done(loop, strict):
    array = np.arange(4.0)
    iterator = consumed(zip(range(5), iter(array), enumerate(b"abcd"), strict=strict), 1)
    program = loop("repeat", ("i", "i", "i", "z3rqd1ey"), ("i",) * 12)
    words = program(2, 0, 12, iterator)
    assert words[:3] == (1, 1, 4)
    assert words[3:8] == (1, array.ctypes.data, 1, 4, 8)
    assert (*words[8:10], words[11]) == (1, 1, 4)
    if strict:
        assert next(iterator) == (3, 3.0, (3, ord("d")))
        with pytest.raises(ValueError, match="longer|shorter"):
            next(iterator)
    else:
        assert list(iterator) == [(3, 3.0, (3, ord("d")))]


def test_iterators_in_iterators_go_on_together(loop):
    iterator = consumed(enumerate(zip(range(9), enumerate(range(5), 2)), 10), 1)
    program = loop("repeat", ("i", "i", "i", "ez2rer"), ("i",) * 8)
    assert program(2, 0, 8, iterator) == (11, 1, 1, 8, 3, 1, 1, 4)
    assert list(iterator) == [(13, (3, (5, 3))), (14, (4, (6, 4)))]


@pytest.mark.parametrize("start", [2**62, 2**63 - 1, 2**63, 2**70])
def test_numbers_near_the_end_of_64_bits_are_left_alone(loop, start):
    program = loop("repeat", ("i", "i", "i", "er"), ("i",) * 4)
    iterator = enumerate(range(3), start)
    assert program(1, 0, 4, iterator) is None
    assert list(iterator) == list(enumerate(range(3), start))


def test_an_inner_iterator_that_something_else_refers_to_is_left_alone(loop):
    for letter, make in (
        ("er", enumerate),
        ("z2rr", lambda inner: zip(range(3), inner)),
        ("ez1r", lambda inner: enumerate(zip(inner))),
    ):
        inner = iter(range(3))
        iterator = make(inner)
        program = loop("repeat", ("i", "i", "i", letter), ("i",) * 3)
        assert program(1, 0, 3, iterator) is None
        del inner
        assert program(1, 0, 3, iterator) is not None
    inner = iter(range(4))
    iterator = zip(inner, inner)
    del inner
    program = loop("repeat", ("i", "i", "i", "z2rr"), ("i",) * 6)
    assert program(1, 0, 6, iterator) is None
    assert list(iterator) == [(0, 1), (2, 3)]


def test_the_tuple_of_a_zip_that_something_else_refers_to_is_left_alone(loop):
    iterator = zip(range(3), range(3))
    inners = iterator.__reduce__()[1]
    program = loop("repeat", ("i", "i", "i", "z2rr"), ("i",) * 6)
    assert program(1, 0, 6, iterator) is None
    assert list(iterator) == [(0, 0), (1, 1), (2, 2)] and len(inners) == 2


@pytest.mark.parametrize("letter", ["er", "z2rr", "z1r", "ez1r", "z1er"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: enumerate([1, 2]),
        lambda: zip(range(2), "ab"),
        lambda: zip(range(2), range(2), range(2)),
        lambda: zip(),
        lambda: iter(range(2)),
        lambda: map(abs, range(2)),
        lambda: None,
    ],
)
def test_another_iterator_than_the_code_tells_is_declined(loop, letter, make):
    assert words_of(loop, letter, make(), 1) is None


def test_a_shared_enumerate_or_zip_is_left_alone(loop):
    for letter, iterator in (("er", enumerate(range(3))), ("z1r", zip(range(3)))):
        assert words_of_two_holders(loop, letter, iterator, 3) is None
        assert len(list(iterator)) == 3


def test_codes_of_iterators_that_are_no_codes_are_refused(loop):
    deep = "e" * 20 + "r"
    for code in ("e", "z", "z0", "z2r", "z1rr", "er1", "ei", "z1ad1", "z1q", "qx1", deep):
        with pytest.raises(ValueError, match="no value of code"):
            loop("repeat", ("i", code), ("i",))
    with pytest.raises(ValueError, match="on this side"):
        loop("repeat", ("i",), ("er",))


def test_iterators_stay_where_they_are_if_no_iteration_is_done(loop):
    program = loop("repeat", ("i", "i", "i", "r", "qd1", "y"), ("i",))
    iterators = [iter(range(3)), iter(np.arange(3.0)), iter(b"abc")]
    for site in range(SITES + 1):
        assert program(0, site, 1, *iterators) is None
    assert [list(iterator) for iterator in iterators] == [[0, 1, 2], [0.0, 1.0, 2.0], [97, 98, 99]]


def test_a_region_hands_its_iterator_on(loop):
    """As the stub of a loop: a holder, and the argument of the region."""
    program = loop("add_up", ("r", "i", "i"), ("i", "i"))
    steps = tuple(("argument", index, None, "none", None, None) for index in range(3))
    region = _native.Region([(steps, (0, 1, 2), program, False)])
    iterator = iter(range(5))
    assert region.handle(iterator, 0, -1) == (10, 4)
    assert next(iterator, None) is None
    program = loop("repeat", ("i", "i", "i", "r"), ("i",) * 3)
    steps = (*steps, ("argument", 3, None, "none", None, None))
    gathered = _native.Region([(steps, (1, 2, 3, 0), program, False)])
    iterator = iter(range(5))
    assert gathered.handle(iterator, 2, 0, 3) == (0, 1, 5)
    assert list(iterator) == [2, 3, 4]


# Trouble


def test_the_log_is_played_back_newest_first(loop):
    array = np.arange(16, dtype="B")
    program = loop("overwrite", ("aB1", "i", "i"), ())
    for site in (1, 2, SITES):
        assert program(array, 0, site) is None
        assert array.tolist() == list(range(16))
    assert program(array, 7, 1) == ()
    assert array.tolist() == list(range(16))


@pytest.mark.parametrize("length", [0, 1, 2, 3, 64, 1001])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_rows_in_the_log_are_played_back(loop, length, step):
    whole = np.random.default_rng(length).random(2 * length + 1)
    before, row = whole.copy(), whole[1:][::step][:length] if length else whole[:0]
    functions = (_native.loop_functions()["log_row"],)
    program = loop("overwrite_row", ("ad1", "i"), (), functions=functions)
    assert program(row, 1) is None
    assert whole.tobytes() == before.tobytes()


def test_the_log_of_a_loop_that_came_to_its_end_is_dropped(loop):
    array = np.arange(16, dtype="B")
    program = loop("overwrite", ("aB1", "i", "i"), ())
    assert program(array, 1, 0) == ()
    assert array.tolist() != list(range(16)) and array[11:].tolist() == list(range(11, 16))


def test_calls_iterations_and_exits_are_counted(loop):
    program = loop("repeat", ("i", "i", "i"), ())
    for iterations, site in ((3, 0), (4, 2), (0, 1), (0, 3), (0, 0), (5, 2), (0, 2)):
        assert program(iterations, site, 0) == (None if iterations == 0 else ())
    assert (program.calls, program.iterations, program.fruitless) == (7, 12, 1)
    assert program.exits == (2, 1, 3, 1)
    assert program.declined == 0


def test_fruitless_calls_are_counted_in_a_row(loop):
    program = loop("repeat", ("i", "i", "i"), ())
    counts = []
    for iterations in (0, 0, 0, 1, 0, 0):
        program(iterations, 1, 0)
        counts.append(program.fruitless)
    assert counts == [1, 2, 3, 0, 1, 2]
    assert program(2**63, 0, 0) is None
    assert program.fruitless == 2, "its code did not run"
    assert program(0, 0, 0) is None
    assert program.fruitless == 0, "a loop that has no iteration left is no failure"


@pytest.mark.parametrize(("iterations", "site"), [(1, SITES + 1), (1, -1), (-1, 0)])
def test_a_site_that_there_is_not_is_an_internal_error(loop, iterations, site):
    program = loop("repeat", ("i", "i", "i"), ())
    with pytest.raises(SystemError, match="no site"):
        program(iterations, site, 0)


# The context


WORDS = ("undo", "capacity", "count", "breaker", "flags", "functions", "scratch", "scratch_size")


@pytest.fixture
def context(loop):
    """The value of a word of the context."""
    program = loop("look", ("i",), ("i", "i"))
    return lambda name: program(WORDS.index(name))[0]


def test_the_context_has_what_machine_code_needs(loop, context):
    assert context("capacity") == 1 << 18
    assert context("count") == 0
    assert context("scratch_size") == 1024 * 1024
    assert context("scratch") % 64 == 0 and context("undo") % 8 == 0
    assert context("undo") and context("scratch") and context("breaker")
    program = loop("look", ("i",), ("i", "i"))
    assert [program(8 + index)[0] for index in range(4)] == [0] * 4


@pytest.mark.parametrize("mode", ["ignore", "warn", "raise", "print", "log", "call"])
@pytest.mark.parametrize("flag", ["invalid", "divide", "over", "under"])
def test_flags_are_trouble_unless_their_mode_is_ignore(context, flag, mode):
    bit = {"invalid": 1, "divide": 4, "over": 8, "under": 16}[flag]
    with np.errstate(all="ignore", **{flag: mode}):
        assert context("flags") == (0 if mode == "ignore" else bit)
    with np.errstate(all="raise", **{flag: mode}):
        assert context("flags") == 29 - (bit if mode == "ignore" else 0)


def test_the_flags_are_those_of_the_modes_at_each_call(context):
    assert context("flags") == 13, "NumPy ignores underflow by default"
    for _ in range(3):
        for modes in itertools.product(("ignore", "warn"), repeat=4):
            names = ("invalid", "divide", "over", "under")
            with np.errstate(**dict(zip(names, modes, strict=True))):
                wanted = zip((1, 4, 8, 16), modes, strict=True)
                assert context("flags") == sum(bit for bit, mode in wanted if mode == "warn")
    assert context("flags") == 13


def test_the_modes_of_another_thread_are_its_own(context):
    seen = []
    with np.errstate(all="ignore"):
        thread = threading.Thread(target=lambda: seen.append(context("flags")))
        thread.start()
        thread.join()
        assert context("flags") == 0
    assert seen == [13]


@on_x86
def test_flags_are_clear_inside_and_as_before_behind(loop, code):
    program = loop("raise_flags", (), ("i",))
    code.control.restype = ctypes.c_uint
    before = code.control()
    try:
        for flags in (0, 0x3F, 0x20, 0x1D):
            for modes in (0x1F80, 0x1F80 | 0x2000, 0x9FC0):  # default, downward, flush to zero
                code.set_control(modes | flags)
                result = program()
                after = code.control()
                assert (result, after) == ((modes,), modes | flags)
    finally:
        code.set_control(before)


def test_the_functions_are_called_by_address(loop):
    functions = _native.loop_functions()
    program = loop("call", ("f",), ("f",), (functions["math.sin"],))
    assert program(1.25) == (math.sin(1.25),)
    program = loop("call", ("f",), ("f",), (functions["round_to_even"], functions["math.cos"]))
    assert program(2.5) == (2.0,)


def test_a_thread_that_waits_ends_the_run(loop):
    """The byte that `breaker` points to is not zero while a thread waits for the interpreter."""
    program = loop("add_up", ("r", "i", "i"), ("i", "i"))
    go, stop = threading.Event(), threading.Event()

    def wait():
        go.set()
        while not stop.is_set():
            time.sleep(0.0001)

    thread = threading.Thread(target=wait)
    thread.start()
    go.wait()
    deadline = time.monotonic() + 60
    while program.exits[1] == 0 and time.monotonic() < deadline:
        iterator = iter(range(10**7))
        result = program(iterator, 0, -1)
        done = 0 if result is None else result[1] + 1
        assert next(iterator, 10**7) == done
    stop.set()
    thread.join()
    assert program.exits[1] > 0


# The object itself


def test_what_a_program_is_made_of_is_checked(code):
    address = ctypes.cast(code.repeat, ctypes.c_void_p).value
    for codes in (("x",), ("",), ("ii",), ("s",), ("sg",), ("sU",), ("sdd",), (1,), ("a",)):
        with pytest.raises(ValueError, match="code"):
            _native.LoopProgram(address, codes, (), 0, (), None)
    for codes in (("ad",), ("adx",), ("ad10",), ("aO1",), ("qd",), ("o",), ("n",)):
        with pytest.raises(ValueError, match="code"):
            _native.LoopProgram(address, codes, (), 0, (), None)
    for codes in (("ad1",), ("r",), ("-",), ("qd1",), ("y",), ("B",)):
        with pytest.raises(ValueError, match="this side"):
            _native.LoopProgram(address, (), codes, 0, (), None)
    with pytest.raises(ValueError, match="address"):
        _native.LoopProgram(0, (), (), 0, (), None)
    with pytest.raises(ValueError, match="address"):
        _native.LoopProgram(address, (), (), 0, (0,), None)
    with pytest.raises(ValueError, match="sites"):
        _native.LoopProgram(address, (), (), -1, (), None)
    with pytest.raises(TypeError):
        _native.LoopProgram("x", (), (), 0, (), None)


def test_inputs_come_by_position_and_all_of_them(loop):
    program = loop("repeat", ("i", "i", "i"), ())
    for values, names in (((1, 0), {}), ((1, 0, 0, 0), {}), ((1, 0), {"last": 0})):
        with pytest.raises(TypeError, match="by position"):
            program(*values, **names)


def test_a_program_is_quiet(loop):
    assert loop("repeat", ("i", "i", "i"), ()).quiet is True


def test_a_program_keeps_the_owner_of_its_code_alive(code):
    class Owner:
        pass

    address = ctypes.cast(code.repeat, ctypes.c_void_p).value
    program = _native.LoopProgram(address, ("i", "i", "i"), (), 0, (), Owner())
    alive = weakref.ref(program.owner)
    gc.collect()
    assert type(alive()) is Owner
    alive().program = program  # a cycle
    del program
    gc.collect()
    assert alive() is None


FIVE = np.ones(5)


def everything(loop):
    """Make a program and call it: fruitless, declined, successful; fail to make another one."""
    codes = ("i", "i", "i", "i", "i", "i", "i", "i", "ad1", "B", "r", "qd1", "y", "-")
    program = loop("repeat", codes, ("f", "c", "sd", "sD", "o", "n", "i"))
    values = (7, 1, 2, 3, 13, FIVE, b"text")
    held = object()
    one, two, three = iter(range(5)), iter(FIVE), iter(b"x")
    assert program(0, 1, 0, *values, one, two, three, held) is None
    assert program(2**63, 0, 0, *values, one, two, three, held) is None
    assert (program.fruitless, program.declined) == (1, 1)
    with pytest.raises(ValueError, match="code"):
        loop("repeat", ("sd", "ad1", "x"), ())
    program = loop("repeat", (*("i",) * 11, "-"), ("f", "c", "sd", "sD", "o", "n", "i"))
    result = program(2, 1, 8, 1, 2, 3, 4, 5, 6, 11, 8, held)
    assert result[4:] == (held, None, 8)


def test_programs_and_calls_leave_no_memory_behind(loop):
    def rounds(count):
        for _ in range(count):
            everything(loop)

    rounds(20)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    descr = sys.getrefcount(np.dtype("d"))
    rounds(500)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000
    assert abs(sys.getrefcount(np.dtype("d")) - descr) < 10
