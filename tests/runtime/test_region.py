"""Regions and handles: the native ones and their twin are held to the same behaviour."""

import contextvars
import copy
import ctypes
import gc
import pickle
import signal
import sys
import threading
import weakref

import numpy as np
import pytest

from dyntrace import incidents
from dyntrace.errors import DyntraceWarning, InternalError

f8 = np.dtype("f8")
FIRST = ("argument", 0, None, "none", None, None)


def argument(guard, c=None, d=None, index=0):
    return ("argument", index, None, guard, c, d)


# The call ----------------------------------------------------------------------------------------
def test_call_runs_the_entry_whose_guards_hold(runtime):
    region = runtime.Region()
    region.add(((argument("exact", int),), (0,), lambda x: ("int", x), False))
    region.add(((argument("exact", str),), (0,), lambda x: ("str", x), False))
    assert region.handle(1) == ("int", 1)
    assert region.handle("a") == ("str", "a")
    assert region.handle(1.0) is None
    assert (region.calls, region.misses, region.deopts) == (3, 1, 0)


def test_uses_pick_and_order_the_inputs(runtime):
    steps = (argument("none"), argument("none", index=1), ("type", 0, None, "none", None, None))
    region = runtime.Region([(steps, (2, 1, 1), lambda *values: values, False)])
    assert region.handle("x", 5) == (str, 5, 5)


def test_region_without_entries_declines(runtime):
    region = runtime.Region()
    assert region.handle(1) is None
    assert region.entries == ()


def test_entries_are_kept_as_they_were_given(runtime):
    entry = ((argument("exact", int),), (0,), print, True)
    region = runtime.Region([entry])
    assert region.entries == (entry,)
    assert region.entries[0] is entry


def test_missing_argument_is_a_miss(runtime):
    region = runtime.Region([((argument("none", index=3),), (0,), lambda x: x, False)])
    assert region.handle(1, 2, 3) is None
    assert region.handle(1, 2, 3, 4) == 4


def test_retired_region_declines_uncounted(runtime):
    region = runtime.Region([((), (), lambda: 1, False)])
    assert region.handle() == 1
    region.retired = True
    assert region.handle() is None
    assert region.retired is True
    assert region.calls == 1


def test_region_retires_after_too_many_failures(runtime):
    region = runtime.Region([((), (), lambda: None, False)])
    region.deopt_limit = 3
    answers = [region.handle() for _ in range(5)]
    assert answers == [None] * 5
    assert (region.deopts, region.calls, region.retired) == (3, 3, True)


def test_rare_failures_do_not_retire(runtime):
    region = runtime.Region([((FIRST,), (0,), lambda x: None if x == 0 else x, False)])
    region.deopt_limit = 1
    for i in range(1, 30):
        region.handle(i)
    assert region.handle(0) is None
    assert not region.retired


# Misses ------------------------------------------------------------------------------------------
def test_miss_is_reported_and_tried_once_more(runtime):
    region = runtime.Region()
    seen = []

    def on_miss(missed, args):
        seen.append((missed is region, args))
        missed.add(((argument("exact", int),), (0,), lambda x: x + 1, False))
        return True

    region.on_miss = on_miss
    assert region.on_miss is on_miss
    assert region.handle(1) == 2
    assert region.handle(2) == 3
    assert region.handle("a") is None
    assert seen == [(True, (1,)), (True, ("a",))]
    assert region.misses == 2


def test_miss_answered_with_anything_but_true_declines(runtime):
    region = runtime.Region()

    def on_miss(missed, args):
        missed.add(((), (), lambda: 1, False))
        return 1

    region.on_miss = on_miss
    assert region.handle() is None
    assert region.handle() == 1
    region.on_miss = None
    assert region.on_miss is None


def test_failing_on_miss_declines_and_is_reported(runtime, generated, lenient):
    region = runtime.Region()
    region.on_miss = generated("def run(region, args): raise ValueError")
    with pytest.warns(DyntraceWarning, match="ValueError"):
        assert region.handle() is None
    assert len(incidents.lines_of(region)) == 1


def test_failing_on_miss_raises_in_strict_mode(runtime, generated, strict):
    region = runtime.Region()
    region.on_miss = generated("def run(region, args): raise ValueError")
    with pytest.raises(InternalError, match="ValueError"):
        region.handle()


def test_interrupt_in_on_miss_propagates(runtime, generated):
    region = runtime.Region()
    region.on_miss = generated("def run(region, args): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        region.handle()


# Failures ----------------------------------------------------------------------------------------
def test_exception_of_the_region_declines(runtime, generated):
    run = generated("def run(a, b): return np.add(a, b)", np=np)
    region = runtime.Region([((FIRST, argument("none", index=1)), (0, 1), run, False)])
    handled = sys.exc_info()
    assert region.handle(np.ones(3), np.ones(4)) is None
    assert region.deopts == 1
    assert sys.exc_info() == handled


def test_exception_inside_numpy_code_declines(runtime, generated):
    run = generated("def run(a): return np.linalg.inv(a)", np=np)
    region = runtime.Region([((FIRST,), (0,), run, False)])
    assert region.handle(np.zeros((2, 2))) is None
    assert region.handle(np.zeros(2)) is None
    assert region.deopts == 2


def test_exception_out_of_the_callable_itself_declines(runtime):
    def run():
        raise ValueError

    region = runtime.Region([((), (), run, False)])
    assert region.handle() is None
    assert region.deopts == 1


def test_base_exception_propagates(runtime, generated):
    run = generated("def run(): raise SystemExit(3)")
    region = runtime.Region([((), (), run, False)])
    with pytest.raises(SystemExit):
        region.handle()
    assert region.deopts == 0


def test_exception_of_a_foreign_class_propagates(runtime, generated):
    class Timeout(Exception):
        pass

    run = generated("def run(): raise Timeout", Timeout=Timeout)
    region = runtime.Region([((), (), run, False)])
    with pytest.raises(Timeout):
        region.handle()


def test_exception_from_a_foreign_frame_propagates(runtime, generated):
    def handler():
        raise ValueError("from a signal handler")

    run = generated("def run(): handler()", handler=handler)
    region = runtime.Region([((), (), run, False)])
    with pytest.raises(ValueError, match="signal handler"):
        region.handle()


def test_signal_handler_that_raises_is_not_swallowed(runtime, generated):
    def handler(number, frame):
        raise ValueError("alarm")

    run = generated("def run():\n    for i in range(10**9): pass")
    region = runtime.Region([((), (), run, False)])
    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(ValueError, match="alarm"):
            region.handle()
    finally:
        signal.signal(signal.SIGALRM, old)


def test_asynchronous_exception_is_not_swallowed(runtime, generated):
    class Stop(Exception):
        pass

    started = threading.Event()
    run = generated("def run():\n    go()\n    while True: pass", go=started.set)
    region = runtime.Region([((), (), run, False)])
    caught = []

    def work():
        try:
            region.handle()
        except Stop as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))
    thread.join(20)
    assert len(caught) == 1


# Floating-point modes ----------------------------------------------------------------------------
@pytest.fixture
def divide(runtime, generated):
    run = generated("def run(a, b): return np.divide(a, b)", np=np)
    steps = (FIRST, argument("none", index=1))
    return runtime.Region([(steps, (0, 1), run, True)])


def test_flag_that_would_warn_declines(divide):
    with np.errstate(divide="warn"):
        assert divide.handle(np.ones(2), np.zeros(2)) is None
        assert np.geterr()["divide"] == "warn"
    assert divide.deopts == 1


def test_flag_that_is_ignored_does_not_matter(divide):
    with np.errstate(all="ignore"):
        assert divide.handle(np.ones(2), np.zeros(2)).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("mode", ["call", "print", "log", "raise", "warn"])
def test_no_mode_has_an_effect_inside(divide, mode, capfd):
    calls = []
    with np.errstate(all=mode, call=lambda *args: calls.append(args)):
        before = np.geterr()
        assert divide.handle(np.ones(2), np.zeros(2)) is None
        assert divide.handle(np.ones(2), np.ones(2)).tolist() == [1.0, 1.0]
        assert np.geterr() == before
    assert not calls
    assert capfd.readouterr() == ("", "")


def test_modes_are_read_at_each_call(divide):
    for _ in range(50):
        with np.errstate(divide="ignore"):
            assert divide.handle(np.ones(1), np.zeros(1)) is not None
        with np.errstate(divide="raise", under="ignore"):
            assert divide.handle(np.ones(1), np.zeros(1)) is None


def test_infallible_entry_runs_under_the_modes_as_they_are(runtime):
    with np.errstate(divide="call", call=None):
        region = runtime.Region([((), (), lambda: np.geterr(), False)])
        assert region.handle()["divide"] == "call"


def test_modes_are_restored_when_an_exception_propagates(runtime, generated):
    run = generated("def run(): raise KeyboardInterrupt")
    region = runtime.Region([((), (), run, True)])
    with np.errstate(all="warn"):
        before = np.geterr()
        with pytest.raises(KeyboardInterrupt):
            region.handle()
        assert np.geterr() == before


def test_buffer_size_survives(divide):
    old = np.setbufsize(4096)
    try:
        divide.handle(np.ones(1), np.ones(1))
        assert np.getbufsize() == 4096
    finally:
        np.setbufsize(old)


def test_other_context_variables_are_seen_inside_and_kept(divide, runtime, generated):
    variable = contextvars.ContextVar("variable", default="unset")
    run = generated(
        "def run(): return (variable.get(), geterr()['divide'])",
        variable=variable,
        geterr=np.geterr,
    )
    region = runtime.Region([((), (), run, True)])

    def calls():
        found = [region.handle()]
        token = variable.set("set")
        found += [region.handle(), region.handle()]
        variable.reset(token)
        with np.errstate(divide="ignore"):
            found += [region.handle(), region.handle()]
        return found + [region.handle(), variable.get(), np.geterr()["divide"]]

    wanted = [("unset", "raise"), ("set", "raise"), ("set", "raise")]
    wanted += [("unset", "ignore")] * 2 + [("unset", "raise"), "unset", "warn"]
    for context in (contextvars.Context(), contextvars.copy_context()):
        for _ in range(3):
            assert context.run(calls) == wanted
    found = []
    thread = threading.Thread(target=lambda: found.append(calls()))
    thread.start()
    thread.join()
    assert found == [wanted]


def test_variables_set_inside_stay_set_and_the_modes_are_put_back(runtime, generated):
    variable = contextvars.ContextVar("variable")
    source = "def run():\n    variable.set('inside')\n    return geterr()"
    run = generated(source, variable=variable, geterr=np.geterr)
    region = runtime.Region([((), (), run, True)])
    for context in (contextvars.Context(), contextvars.copy_context()):
        before = context.run(np.geterr)
        for _ in range(3):
            assert context.run(region.handle)["over"] == "raise"
            assert context[variable] == "inside"
            assert context.run(np.geterr) == before


def test_no_value_of_a_context_variable_is_kept(divide):
    class Value:
        pass

    def call():
        value = Value()
        token = variable.set(value)
        divide.handle(np.ones(1), np.ones(1))
        variable.reset(token)
        return weakref.ref(value)

    variable = contextvars.ContextVar("variable")
    assert contextvars.Context().run(call)() is None


# Malformed entries ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "entry",
    [
        None,
        [(), (), print, False],
        ((), (), print),
        ([], (), print, False),
        ((), [], print, False),
        ((), (), None, False),
        ((), ("a",), print, False),
        (((1, 2),), (), print, False),
        ((("argument", "a", None, "none", None, None),), (), print, False),
        ((("global", 5.0, "a", "none", None, None),), (), print, False),
        ((("global", {}, 5, "none", None, None),), (), print, False),
        ((FIRST, ("item", 0, 1.5, "none", None, None)), (), print, False),
        ((("argument", 0, None, "exact", 5, None),), (), print, False),
        ((("argument", 0, None, "array", "f8", 1),), (), print, False),
        ((("argument", 0, None, "array", f8, None),), (), print, False),
        ((("argument", 0, None, "sequence", int, 1),), (), print, False),
        ((("argument", 0, None, "plain", None, 1),), (), print, False),
    ],
)
def test_entry_of_the_wrong_types_is_refused(runtime, entry):
    region = runtime.Region()
    with pytest.raises(TypeError):
        region.add(entry)
    assert region.entries == ()


@pytest.mark.parametrize(
    "entry",
    [
        ((), (0,), print, False),
        ((FIRST,), (-1,), print, False),
        ((FIRST,) * 257, (), print, False),
        ((FIRST,), (0,) * 257, print, False),
        ((("argument", -1, None, "none", None, None),), (), print, False),
        ((("type", 0, None, "none", None, None),), (), print, False),
        ((("teapot", 0, None, "none", None, None),), (), print, False),
        ((("argument", 0, None, "teapot", None, None),), (), print, False),
        ((FIRST, ("function", 0, "name", "none", None, None)), (), print, False),
    ],
)
def test_entry_with_wrong_values_is_refused(runtime, entry):
    with pytest.raises(ValueError):
        runtime.Region([entry])


# Handles and lifetime ----------------------------------------------------------------------------
def test_handle_does_not_keep_its_region_alive(runtime):
    region = runtime.Region([((), (), lambda: 1, False)])
    handle, gone = region.handle, weakref.ref(region)
    assert region.handle is handle
    assert handle() == 1
    del region
    assert gone() is None
    assert handle() is None


def test_empty_handle_declines(runtime):
    assert runtime.Handle()(1, 2, 3) is None
    with pytest.raises(TypeError):
        runtime.Handle(1)
    with pytest.raises(TypeError):
        runtime.Handle()(a=1)


def test_copies_of_a_handle_are_empty(runtime):
    region = runtime.Region([((), (), lambda: 1, False)])
    handle = region.handle
    copies = [pickle.loads(pickle.dumps(handle)), copy.copy(handle), copy.deepcopy(handle)]
    assert all(made() is None and made is not handle for made in copies)
    assert len({handle, *copies}) == 4
    assert handle != copies[0] and handle == handle


def test_region_cannot_be_pickled(runtime):
    with pytest.raises(TypeError):
        pickle.dumps(runtime.Region())


def test_region_can_be_extended(runtime):
    class Named(runtime.Region):
        def __init__(self, name):
            super().__init__()
            self.name = name

    region = Named("a")
    region.add(((), (), lambda: region.name, False))
    assert region.handle() == "a"
    gone = weakref.ref(region)
    handle = region.handle
    del region
    gc.collect()
    assert gone() is None
    assert handle() is None


def test_cycle_through_a_region_is_collected(runtime):
    region = runtime.Region()
    namespace = {"region": region}
    region.add(((("global", namespace, "region", "none", None, None),), (0,), id, False))
    region.on_miss = lambda *args: namespace
    gone, handle = weakref.ref(region), region.handle
    del region, namespace
    gc.collect()
    assert gone() is None
    assert handle() is None


def test_handle_called_while_its_region_dies(runtime):
    answers = []

    class Last:
        def __del__(self):
            answers.append(handle())

        def __call__(self):
            return 1

    class Extended(runtime.Region):
        pass

    for cls in (runtime.Region, Extended):
        region = cls([((), (), Last(), False)])
        handle = region.handle
        if cls is Extended:
            region.attribute = Last()
        assert handle() == 1
        del region
        gc.collect()
    assert answers and set(answers) == {None}


def test_region_replaced_by_its_own_run(runtime):
    region = runtime.Region()

    def run(value):
        nonlocal region
        region.add(((argument("exact", str),), (0,), lambda x: x, False))
        del region
        gc.collect()
        return value

    region.add(((argument("exact", int),), (0,), run, False))
    handle = region.handle
    assert handle(5) == 5
    assert handle(5) is None


class Constructed:
    def __init__(self, x):
        self.x = x


def test_calls_of_a_region_leak_nothing(runtime, generated):
    run = generated("def run(a, b): return (a, b)")
    failing = generated("def run(a, b): raise ValueError")
    array, base = np.ones(3), Constructed(np.ones(2))
    steps = (
        argument("array", f8, 1),
        argument("plain", Constructed, index=1),
        ("attribute", 1, "x", "array", f8, 1),
    )
    region = runtime.Region([(steps, (0, 2), run, True)])
    region.on_miss = lambda region, args: False
    bad = runtime.Region([(steps, (0, 2), failing, True)])

    def work():
        for _ in range(200):
            region.handle(array, base)
            region.handle(base, array)
            region.handle(array, array)
            bad.handle(array, base)
            runtime.Region([(steps, (0,), run, True)])
            with pytest.raises(ValueError):
                runtime.Region([((*steps, ("teapot", 0, 0, "none", 0, 0)), (0,), run, True)])

    watched = (array, base, base.x, steps, run, f8, Constructed)
    work()
    gc.collect()
    before = [sys.getrefcount(thing) for thing in watched]
    work()
    gc.collect()
    assert [sys.getrefcount(thing) for thing in watched] == before


def test_threads_share_a_region(runtime):
    region = runtime.Region()
    for cls in (int, str, float):
        region.add(((argument("exact", cls),), (0,), lambda x: (x,), False))
    wrong = []

    def work(value):
        for _ in range(3000):
            if region.handle(value) != (value,):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in (1, "a", 2.0, 3, "b")]
    for thread in threads:
        thread.start()
    for _ in range(20):
        region.add(((argument("exact", bytes),), (0,), lambda x: (x,), False))
    for thread in threads:
        thread.join()
    assert not wrong
