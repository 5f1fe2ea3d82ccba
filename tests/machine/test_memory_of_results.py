"""Memory of results: an array's own as eager's is, recycled when its last reference dies.

Invariant: nothing but addresses and page faults tells such an array from one that NumPy made.
"""

import contextvars
import ctypes
import pickle
import resource
import threading
import tracemalloc

import numpy as np
import pytest
from numpy._core import multiarray

import dyntrace
from dyntrace import config

if not config.native:
    pytest.skip("NumPy makes all memory itself", allow_module_level=True)

KIB, MIB = 1 << 10, 1 << 20
SIZES = [8, 4 * KIB, 32 * KIB - 8, 32 * KIB, 100 * KIB, 5 * MIB, 32 * MIB, 32 * MIB + 8]
RECYCLED = 512 * KIB
PAGES = RECYCLED // resource.getpagesize()


def affine(x):
    return x * 2.0 + 1.0


def warm(function, *arguments):
    """The optimised function, past its comparisons with the original instructions."""
    optimised = dyntrace.optimize(function)
    for _ in range(60):
        optimised(*arguments)
    return optimised


def faults_of(function, *arguments, calls=20):
    """Page faults of this thread in `calls` calls."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(calls):
        function(*arguments)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def numbers(size):
    return np.random.default_rng(7).random(size // 8)


@pytest.mark.parametrize("size", SIZES)
def test_a_result_owns_its_memory_under_the_name_eager_tells(size):
    x = numbers(size)
    result, wanted = warm(affine, x)(x), affine(x)
    assert result.flags.num == wanted.flags.num and result.base is None
    assert multiarray.get_handler_name(result) == multiarray.get_handler_name(wanted)
    assert result.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("to", SIZES)
def test_a_result_can_be_resized_across_all_sizes(size, to):
    x = numbers(size)
    result, wanted = dyntrace.optimize(affine)(x), affine(x)
    for array in (result, wanted):
        array.resize(to // 8, refcheck=False)
    assert np.array_equal(result, wanted)


def test_memory_of_a_dead_result_is_that_of_the_next():
    x = numbers(RECYCLED)
    optimised = warm(affine, x)
    address = optimised(x).ctypes.data
    assert optimised(x).ctypes.data == address


def test_memory_is_not_recycled_while_a_view_lives():
    x = numbers(RECYCLED)
    optimised = warm(affine, x)
    view = optimised(x)[1::2]
    kept = view.copy()
    others = [optimised(x + k) for k in range(4)]
    assert not any(np.shares_memory(view, other) for other in others)
    assert np.array_equal(view, kept)


def test_results_that_die_in_a_loop_cost_no_page_faults():
    x = numbers(RECYCLED)
    assert faults_of(warm(affine, x), x) < PAGES


def test_results_of_numpy_functions_cost_no_page_faults_either():
    def smooth(x, weights):
        return np.fft.irfft(np.fft.rfft(x) * weights, x.size) + x

    x = numbers(RECYCLED)
    optimised = warm(smooth, x, np.ones(x.size // 2 + 1))
    assert faults_of(optimised, x, np.ones(x.size // 2 + 1)) < PAGES


def test_tracemalloc_counts_a_result_as_eagers():
    x = numbers(RECYCLED)
    optimised = warm(affine, x)

    def counted(function):
        tracemalloc.start()
        try:
            result = function(x)
            held = tracemalloc.get_traced_memory()[0]
            del result
            return held, tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    for held, left in (counted(optimised), counted(affine)):
        assert RECYCLED <= held < RECYCLED + 16 * KIB and left < 16 * KIB


def test_pickled_results_and_those_of_other_threads_die_anywhere():
    x = numbers(RECYCLED)
    optimised, results = warm(affine, x), []
    threads = [threading.Thread(target=lambda: results.append(optimised(x))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in (*results, pickle.loads(pickle.dumps(results[0]))):
        assert np.array_equal(result, affine(x))
    del result, results
    assert np.array_equal(optimised(x), affine(x))


def test_context_variables_are_afterwards_as_before():
    def smooth(x):
        return np.fft.fft(x).real + x

    x = numbers(RECYCLED)
    optimised = warm(smooth, x)
    before = dict(contextvars.copy_context())
    optimised(x)
    assert dict(contextvars.copy_context()) == before
    assert multiarray.get_handler_name() == "default_allocator"


# A handler of the program's own ------------------------------------------------------------------


class Handler(ctypes.Structure):
    """PyDataMem_Handler of NumPy's C API."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("routines", ctypes.c_void_p * 5),
    )


def of_numpys_table(place, *types):
    """A function of NumPy's C API that gives an object."""
    table = ctypes.cast(pointer_in(multiarray._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    return ctypes.PYFUNCTYPE(ctypes.py_object, *types)(table[place])


def pointer_in(capsule, name):
    """The address in a capsule."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return get(capsule, name)


@pytest.fixture
def named_handler():
    """NumPy's own routines under another name, set as a program's handler may be."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = (
        ctypes.py_object,
        (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p),
    )
    set_handler, get_handler = of_numpys_table(304, ctypes.py_object), of_numpys_table(305)
    usual = ctypes.string_at(pointer_in(get_handler(), b"mem_handler"), ctypes.sizeof(Handler))
    handler = Handler.from_buffer_copy(usual)
    handler.name = b"the_programs_own"
    before = set_handler(new(ctypes.addressof(handler), b"mem_handler", None))
    yield handler
    set_handler(before)


def test_the_programs_own_handler_makes_the_memory(named_handler):
    def smooth(x):
        return np.fft.fft(x).real + x

    x = numbers(RECYCLED)
    for function in (affine, smooth):
        result = warm(function, x)(x)
        assert multiarray.get_handler_name(result) == "the_programs_own"
        assert np.array_equal(result, function(x))
    assert multiarray.get_handler_name() == "the_programs_own"
