"""What surrounds a graph: rounding mode, floating-point modes, other threads, memory."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from dyntrace.exec.jobs import threads
from tests.differential.harness import check
from tests.machine import floating
from tests.machine.capturing import Declined, Proof, capture, function
from tests.machine.comparing import differences
from tests.machine.operands import operand

WORK = {
    "arithmetic": "return (x * y + x) / (y + 3) - x * 0.1",
    "transcendental": "return np.exp(x) * np.sin(y) + np.log1p(y), np.sqrt(x)",
    "sums": "t = x * y\nreturn t.sum(), t.sum(0), t.mean(-1), t.std()",
    "softmax": "t = np.exp(x - x.max())\nreturn t / t.sum()",
    "casts": "return (x * 1e3).astype('f') + y.astype('f'), np.rint(x * 10)",
    "sorts": "t = y * x\nreturn np.sort(x, axis=None), np.sort(t, axis=None), np.fft.fft(x)",
}
needs_modes = pytest.mark.skipif(not floating.AVAILABLE, reason="x86-64 Linux only")


def beside(text, build, block):
    """Eager's and each backend's results, all computed inside `block()`."""
    fn = function(text)
    captured = capture(fn, *build())
    with np.errstate(all="ignore"):
        for backend in ("numpy", "reference"):
            captured.run(backend, build())  # threads that a backend keeps exist from here on
            args, others = build(), build()
            with block():
                wanted = fn(*others)
                found = captured.run(backend, args)
            yield differences(found, wanted, args, others), captured, wanted


@needs_modes
@pytest.mark.parametrize("mode", floating.MODES)
@pytest.mark.parametrize("work", WORK)
def test_rounding_mode_set_after_threads_exist_holds_on_all_of_them(work, mode):
    for size in (10, 70_000):

        def build():
            shape = size // 10, 10
            return operand("quiet", "d", shape), operand("quiet", "d", shape, start=3)

        changed = 0
        for lines, captured, wanted in beside(WORK[work], build, lambda: floating.rounding(mode)):
            assert not lines, lines
            changed += bool(differences(function(WORK[work])(*build()), wanted))
        assert changed or work == "sorts" or size < 100


@needs_modes
@pytest.mark.parametrize("work", ("arithmetic", "sums", "transcendental"))
def test_subnormal_numbers_are_flushed_where_eager_flushes_them(work):
    for dtype in "df":

        def build():
            tiny = np.finfo(dtype).smallest_subnormal
            return tuple(
                operand("quiet", dtype, (9_000, 10), start=s) * 1000 * tiny for s in (0, 3)
            )

        for lines, *_ in beside(WORK[work], build, floating.flushing):
            assert not lines, lines


FLAGS = {
    "divide": "y / (x - x)",
    "over": "(x + 1) * 1e308 * 10",
    "under": "(x + 1) * 1e-308 * 1e-10",
    "invalid": "(x - x) / (y - y)",
}
HANDLERS = {
    "ignore": "",
    "warn": "",
    "raise": "",
    "print": "",
    "call": ", call=lambda *why: log.append(why)",
    "log": ", call=writer",
}


FLAG_FORMS = (
    "t = {flag} + 1\n    return t",
    "x += {flag}\n    return x",
    "t = x * 2\n    return ({flag}).sum(), t",
)


@pytest.mark.parametrize("mode", HANDLERS)
@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_in_each_mode_does_what_eager_does(flag, mode):
    class Writer:
        def __init__(self, log):
            self.log = log

        def write(self, text):
            self.log.append(text)

    quiet = {name: "ignore" for name in FLAGS} | {flag: mode}
    modes = ", ".join(f"{name}={how!r}" for name, how in quiet.items())
    head = "writer = Writer(log)\n" if mode == "log" else ""
    for form in FLAG_FORMS:
        text = form.format(flag=FLAGS[flag])
        body = f"{head}with np.errstate({modes}{HANDLERS[mode]}):\n    {text}"
        fn = function(body, "x, y, log", Writer=Writer)
        for size in (5, 3000):

            def make():
                return operand("quiet", "d", (size,)), operand("quiet", "d", (size,), start=3), []

            check(fn, make=make, calls=4)


@pytest.mark.parametrize("flag", FLAGS)
def test_ignored_flags_do_not_decline(flag):
    proof = Proof()
    fn = function(f"return {FLAGS[flag]} + 1, x * y")
    for size in (1, 5, 3000, 70_000):
        proof.check(
            fn, lambda: (operand("quiet", "d", (size,)), operand("quiet", "d", (size,), start=3))
        )
    proof.require(ran=4)


def test_flags_left_by_others_are_neither_seen_nor_lost():
    """A flag that was up before the call is not the region's."""
    fn = function("return x * y + 1")
    captured = capture(fn, np.ones(4), np.ones(4))
    for size in (4, 50_000):
        with np.errstate(all="ignore"):
            np.ones(3) / np.zeros(3)
        with contextlib.suppress(ZeroDivisionError):
            1e308 * 10
        with np.errstate(all="raise"):
            found = captured.run("numpy", (np.ones(size), np.ones(size)))
        assert (np.asarray(found) == 2).all()


# -- other threads ---------------------------------------------------------------------------------


@pytest.mark.parametrize("work", WORK)
def test_many_python_threads_call_one_graph_with_shapes_of_their_own(work):
    fn = function(WORK[work])
    captured = capture(fn, *(operand("quiet", "d", (4, 3), start=s) for s in (0, 3)))
    captured.run("numpy", tuple(operand("quiet", "d", (4, 3), start=s) for s in (0, 3)))
    barrier, failures = threading.Barrier(8), []

    def body(number):
        try:
            shape = 7 + 60 * number, 5 + number
            args = tuple(operand("quiet", "d", shape, start=number + s) for s in (0, 3))
            wanted = fn(*args)
            barrier.wait(20)
            with np.errstate(all="ignore" if number % 2 else "raise", under="ignore"):
                for _ in range(12):
                    failures.extend(differences(captured.run("numpy", args), wanted, args, args))
        except Exception as error:
            failures.append(repr(error))

    workers = [threading.Thread(target=body, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not failures, failures[:5]
    assert not any(worker.is_alive() for worker in workers)


def test_thread_that_raises_a_flag_does_not_disturb_the_others():
    fn = function("return x / y + 1")
    captured = capture(fn, np.ones(4), np.ones(4))
    captured.run("numpy", (np.ones(4), np.ones(4)))
    outcomes = {True: set(), False: set()}

    def body(bad):
        x, y = np.ones(30_000), np.ones(30_000)
        y[20_000] = 0.0 if bad else 1.0
        with np.errstate(all="raise"):
            for _ in range(30):
                try:
                    captured.run("numpy", (x, y))
                    outcomes[bad].add("ran")
                except Declined:
                    outcomes[bad].add("declined")

    workers = [threading.Thread(target=body, args=(bad,)) for bad in (True, False) * 3]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert outcomes == {True: {"declined"}, False: {"ran"}}


def test_input_that_another_thread_tries_to_resize_is_held():
    """NumPy refuses to resize what is referenced; the graph must hold its inputs as eager does."""
    fn = function("t = np.exp(x) * x\nreturn t.sum(), t", "x")
    captured = capture(fn, np.ones(4))
    box, stop, refused = [operand("quiet", "d", (200_000,))], threading.Event(), []

    def resizing():
        while not stop.is_set():
            for size in (100, 1_000_000):
                try:
                    box[0].resize(size)
                except ValueError:
                    refused.append(size)

    wanted = fn(box[0])
    other = threading.Thread(target=resizing)
    kept = box[0]
    other.start()
    try:
        for _ in range(30):
            assert not differences(captured.run("numpy", (kept,)), wanted)
    finally:
        stop.set()
        other.join(30)
    assert refused and kept.size == 200_000


@pytest.mark.parametrize("count", (1, 2, 3, 8))
def test_number_of_threads_does_not_change_bits(count):
    before = threads.get_num_threads()
    threads.set_num_threads(count)
    try:
        proof = Proof()
        for text in WORK.values():
            fn = function(text)
            shapes = (7, 3), (500, 401), (3, 30_000), (30_000, 3)
            for shape, data in itertools.product(shapes, ("quiet", "wide")):

                def build():
                    return operand(data, "d", shape), operand(data, "d", shape, start=3)

                proof.check(fn, build, "ignore", (shape, data))
        proof.require(ran=40)
    finally:
        threads.set_num_threads(before)


def test_heavy_operations_on_values_of_the_stack_are_not_declined():
    proof = Proof()
    fn = function("return np.sort(x, axis=None), np.sort(y * x, axis=None), np.fft.fft(x)")
    proof.check(fn, lambda: (operand("quiet", "d", (7, 3)), operand("quiet", "d", (7, 3), start=3)))
    proof.require(ran=2)


# -- memory ----------------------------------------------------------------------------------------

MIB = 1 << 20
HUNGRY = {
    "chain": "return (x * y + x) / (y + 2) - x * 3 + y",
    "names": "a = x + y\nb = a * x\nc = b - y\nd = c / 2\nreturn d",
    "sum": "return ((x - y) ** 2).sum()",
    "several": "t = x * y\nreturn t + 1, t - 1, t.sum()",
    "views": "t = x[::2] * y[1::2]\nu = t[1:] - t[:-1]\nreturn u * u",
    "row sums": "a = x.reshape(-1, 1000)\nreturn a.sum(1) / (a * a).sum(1)",
    "in place": "x += y * 2",
    "own memory": "t = x * 2\nt += y\nt *= x\nt[1:] -= 1\nreturn t",
}


def peak(run):
    """The most memory that Python and NumPy held during the second of two calls."""
    run()
    tracemalloc.start()
    try:
        result = run()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", HUNGRY)
def test_peak_of_memory_is_eagers_and_the_inputs_and_tiles(name):
    size = 400_000

    def build():
        return operand("quiet", "d", (size,)), operand("quiet", "d", (size,), start=3)

    fn, args = function(HUNGRY[name]), build()
    captured = capture(fn, *build())
    captured.run("numpy", build())
    # The values are outside the chain's reach: the memory of arguments is counted on neither side.
    eager, _ = peak(lambda: fn(*args))
    found, _ = peak(lambda: captured.run("numpy", args))
    allowed = eager + sum(value.nbytes for value in args) + 2 * MIB * threads.get_num_threads()
    # The harness keeps the bytes of all arguments before and after, to see what was written.
    allowed += 2 * sum(value.nbytes for value in args)
    assert found <= allowed, (found / MIB, eager / MIB, allowed / MIB)


RESIDENT = """
import sys
import numpy as np
from tests.machine.capturing import capture, function

def high():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

way, body, size = sys.argv[1], sys.argv[2], 1_500_000
fn = function(body)
captured = capture(fn, np.ones(10), np.ones(10))
small = np.ones(10_000), np.ones(10_000)
captured.run("numpy", small)
run = captured.runs["numpy"] if way == "numpy" else fn
args = np.ones(size), np.ones(size)
args = tuple(args[place] for place in captured.order)
before = high()
for _ in range(3):
    result = run(*args)
    del result
print(high() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("name", ("chain", "sum"))
def test_resident_memory_stays_below_eagers_and_the_tiles(name):
    """The same rule for memory that tracemalloc does not see."""

    def grown(way):
        command = [sys.executable, "-c", RESIDENT, way, HUNGRY[name]]
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
        return int(run.stdout) / 1024

    eager, found = grown("eager"), grown("numpy")
    inputs = 2 * 1_500_000 * 8 / MIB
    assert found <= eager + inputs + 2 * threads.get_num_threads() + 4, (found, eager)
