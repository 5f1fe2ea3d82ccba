"""Heavy operations on other threads: same results, same errors, same modes, nothing left behind."""

import contextvars
import os
import sys
import threading
import time

import numpy as np
import pytest

from dyntrace.exec import environment
from dyntrace.exec.backends import generated, generation
from dyntrace.exec.jobs import parallel, threads
from dyntrace.record import replace
from tests.exec.comparing import same
from tests.trace.captured import captured, claiming_exact, with_operations

BIG = np.random.default_rng(0).standard_normal(threads.LARGE // 8)
np.fft.fft(BIG[:1])  # `np.fft` is an attribute that is computed when it is first read


def sorts(x, y):
    a = np.sort(x)
    b = np.sort(y)
    c = np.fft.fft(x + 1)
    return a + b, c, b


def two_sorts(x, y):
    return np.sort(x), np.sort(y)


@pytest.fixture(autouse=True)
def three_threads():
    before = threads.get_num_threads()
    threads.set_num_threads(3)
    yield
    threads.set_num_threads(before)


def compiled(fn, *values):
    """The generated function of the graph of all of `fn`: called as `fn` is, it gives the same."""
    return giving_all(captured(fn, *values), generated.compile_graph)


def giving_all(program, compile_graph):
    region = program.compiled(compile_graph)

    def run(*values):
        (result,) = region(*values)
        return result

    return run


def started(fn, *values, exact=None, run_on=None):
    """How many jobs the region begins on values like those it was captured for, and its result."""
    program = captured(fn, *values)
    program.graph = claiming_exact(program.graph, exact)
    region = giving_all(program, generated.compile_graph)
    count = 0

    def counting(*args, **kwargs):
        nonlocal count
        count += 1
        return threads.submit(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "_GLOBALS", {**generation._GLOBALS, "submit": counting})
        result = region(*(run_on or values))
    return count, result


def test_independent_heavy_operations_run_beside_each_other():
    count, result = started(sorts, BIG, BIG, run_on=(BIG, BIG[::-1]))
    assert count == 2
    same(result, sorts(BIG, BIG[::-1]))


def test_small_arrays_stay_on_the_calling_thread():
    count, result = started(sorts, BIG, BIG, run_on=(BIG[:100], BIG[:100]))
    assert count == 0
    same(result, sorts(BIG[:100], BIG[:100]))


class Bodies:
    """Functions of two large arrays, each annotated with the number of jobs it begins."""

    def two_sorts(x, y) -> 1:
        return np.sort(x), np.sort(y)

    def a_sort_of_a_sort(x, y) -> 0:
        return np.sort(np.sort(x)), y

    def sorts_around_a_sum(x, y) -> 0:
        a = np.sort(x)
        s = a.sum()
        b = np.sort(y)
        return s, b

    def sorts_around_a_write(x, y) -> 0:
        t = x + 1
        a = np.sort(t)
        t += 1
        b = np.sort(t)
        return a, b

    def sorts_around_a_product(x, y) -> 1:
        a = np.sort(x)
        b = x @ y
        c = np.sort(y)
        return a, b, c

    def heavy_operations_of_three_kinds(x, y) -> 2:
        a = np.sort(x, axis=0)
        return a, np.argsort(y, axis=-1), np.fft.rfft(y)

    def a_sort_whose_result_is_dropped(x, y) -> 1:
        np.sort(x)
        return np.sort(y), 0


@pytest.mark.parametrize("name", [name for name in vars(Bodies) if name[0] != "_"])
@pytest.mark.parametrize("exact", [True, False, None])
def test_only_what_nothing_depends_on_is_begun_early(name, exact):
    fn = getattr(Bodies, name)
    count, result = started(fn, BIG, BIG, exact=exact)
    assert count == fn.__annotations__["return"]
    same(result, fn(BIG, BIG))


def test_blas_never_leaves_the_calling_thread():
    graph = captured(two_sorts, BIG, BIG).graph
    assert parallel.joins(graph.nodes)
    blas = with_operations(graph, lambda op: replace(op, blas=True))
    assert parallel.joins(blas.nodes) == {}


def test_error_of_a_job_is_the_regions_error_and_no_job_outlives_it():
    def program(x, y):
        a = np.sort(x, axis=1)
        return np.sort(y), a

    region = compiled(program, BIG.reshape(-1, 2), BIG)
    with pytest.raises(np.exceptions.AxisError):
        region(BIG, BIG)
    for one in (BIG.reshape(-1, 2), BIG.copy()):
        with pytest.raises(np.exceptions.AxisError):
            region(one, np.float64(1))
    x, y = BIG.copy(), BIG.copy()
    try:
        region(x.reshape(-1, 1), y[0])
    except np.exceptions.AxisError:
        failed = True
    assert failed
    x.resize(3)  # raises if a job still holds the array


def sorting_by(function):
    """The region of two sorts, `function` in their place."""
    program = captured(two_sorts, BIG, BIG)
    program.graph = with_operations(program.graph, lambda op: replace(op, target=function))
    return giving_all(program, generated.compile_graph)


def test_modes_of_the_caller_hold_in_the_worker():
    def divide(x, zero):
        modes.append((threading.get_ident(), np.geterr()["divide"], variable.get()))
        return x / zero

    variable = contextvars.ContextVar("variable", default=None)
    modes = []
    region = sorting_by(lambda x: divide(x, np.abs(x).min() * 0))
    variable.set("mine")
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        region(BIG, BIG)
    with np.errstate(divide="ignore"):
        region(BIG, BIG)
    assert {mode for _, mode, _ in modes} == {"raise", "ignore"}
    assert {value for *_, value in modes} == {"mine"}


@pytest.mark.skipif(
    not environment.is_available(), reason="no access to the floating-point environment"
)
def test_rounding_mode_of_the_caller_holds_in_the_worker():
    upward = 0x800
    threads.set_num_threads(2)
    seen = []

    def third(x):
        time.sleep(0.01)
        seen.append((threading.get_ident(), x / 3.0))
        return x

    region = sorting_by(third)
    ones = np.ones_like(BIG)
    region(ones, ones)
    library = environment._library()
    before = library.fegetround()
    if library.fesetround(upward):
        pytest.skip("no directed rounding here")
    try:
        region(ones, ones)
        wanted = ones / 3.0
    finally:
        library.fesetround(before)
    assert len({ident for ident, _ in seen}) == 2
    assert (seen[0][1] < wanted).all() and (seen[1][1] < wanted).all()
    assert (seen[2][1] == wanted).all() and (seen[3][1] == wanted).all()


def test_jobs_nobody_has_begun_are_run_by_whoever_waits():
    threads.set_num_threads(2)
    release = threading.Event()
    jobs = []
    blocking = threads.submit(jobs, release.wait, 10)
    late = threads.submit(jobs, sum, [1, 2])
    time.sleep(0.05)
    assert late.wait() == 3
    release.set()
    assert blocking.wait()


def test_one_thread_means_none_but_the_callers():
    threads.set_num_threads(1)
    assert threads.submit([], sum, [1, 2]) == 3


def test_number_of_threads_is_checked():
    assert threads.get_num_threads() == 3
    with pytest.raises(TypeError, match="must be an int, not float"):
        threads.set_num_threads(2.0)
    with pytest.raises(TypeError, match="not bool"):
        threads.set_num_threads(True)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        threads.set_num_threads(0)


def test_fewer_threads_means_fewer_workers():
    def workers():
        return sum(thread.name == "dyntrace" for thread in threading.enumerate())

    jobs = []
    for _ in range(4):
        threads.submit(jobs, time.sleep, 0.01)
    threads.drain(jobs)
    assert workers() == 2
    threads.set_num_threads(1)
    for _ in range(100):
        if not workers():
            break
        time.sleep(0.01)
    assert workers() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_pool_works_in_a_forked_child():
    region = compiled(sorts, BIG, BIG)
    wanted = region(BIG, BIG)
    child = os.fork()
    if not child:
        try:
            same(region(BIG, BIG), wanted)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_many_callers_share_the_pool():
    region = compiled(sorts, BIG, BIG)
    wanted = sorts(BIG, BIG)
    failures = []

    def call():
        for _ in range(5):
            try:
                same(region(BIG, BIG), wanted)
            except BaseException as error:
                failures.append(error)

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not failures
