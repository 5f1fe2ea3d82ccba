"""Regions and handles: the native ones and their twin are held to the same behaviour."""

import copy
import ctypes
import gc
import pickle
import signal
import sys
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyntrace import config
from dyntrace.runtime import region as twin

f8 = np.dtype("f8")
FIRST = ("argument", 0, None, "none", None, None)


def argument(guard, c=None, d=None, index=0):
    return ("argument", index, None, guard, c, d)


def passes(runtime, *steps, args=(), use=None):
    """The value of the last step (or `use`) if every guard holds, else None."""
    uses = (len(steps) - 1 if use is None else use,)
    region = runtime.Region([(steps, uses, lambda value: (value,), False)])
    return region.handle(*args)


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
    assert passes(runtime, argument("none", index=3), args=(1,)) is None


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


def test_failing_on_miss_declines(runtime, generated):
    region = runtime.Region()
    region.on_miss = generated("def run(region, args): raise ValueError")
    assert region.handle() is None


def test_interrupt_in_on_miss_propagates(runtime, generated):
    region = runtime.Region()
    region.on_miss = generated("def run(region, args): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        region.handle()


# Failures ----------------------------------------------------------------------------------------
def test_exception_of_the_region_declines(runtime, generated):
    run = generated("def run(a, b): return np.add(a, b)", np=np)
    region = runtime.Region([((FIRST, argument("none", index=1)), (0, 1), run, False)])
    assert region.handle(np.ones(3), np.ones(4)) is None
    assert region.deopts == 1
    assert sys.exc_info() == (None, None, None)


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


# Tracing -----------------------------------------------------------------------------------------
def test_traced_thread_runs_the_original(runtime, tracing_active):
    region = runtime.Region([((), (), lambda: 1, False)])
    assert not tracing_active()
    for switch in (sys.settrace, sys.setprofile):
        switch(lambda *args: None)
        try:
            assert tracing_active()
            assert region.handle() is None
        finally:
            switch(None)
    assert region.handle() == 1
    assert region.calls == 1


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="has no sys.monitoring")
def test_monitored_interpreter_runs_the_original(runtime, tracing_active):
    region = runtime.Region([((), (), lambda: 1, False)])
    monitoring = sys.monitoring
    monitoring.use_tool_id(4, "test")
    try:
        assert region.handle() == 1
        for event in (monitoring.events.LINE, monitoring.events.RAISE, monitoring.events.CALL):
            monitoring.set_events(4, event)
            assert tracing_active()
            assert region.handle() is None
            monitoring.set_events(4, 0)
            assert region.handle() == 1
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)


def test_tracer_of_another_thread_does_not_matter(runtime):
    region = runtime.Region([((), (), lambda: 1, False)])
    entered, leave = threading.Event(), threading.Event()

    def traced():
        sys.settrace(lambda *args: None)
        entered.set()
        leave.wait(20)
        sys.settrace(None)

    thread = threading.Thread(target=traced)
    thread.start()
    entered.wait()
    try:
        assert region.handle() == 1
    finally:
        leave.set()
        thread.join()


# Sources -----------------------------------------------------------------------------------------
def test_global_is_read_anew_and_falls_back_to_builtins(runtime):
    names = {"__builtins__": __builtins__, "a": 1}
    region = runtime.Region()
    region.add(((("global", names, "a", "none", None, None),), (0,), lambda x: x, False))
    assert region.handle() == 1
    names["a"] = 2
    assert region.handle() == 2
    del names["a"]
    assert region.handle() is None
    assert passes(runtime, ("global", names, "len", "none", None, None)) == (len,)
    names["__builtins__"] = {"len": 5}
    assert passes(runtime, ("global", names, "len", "none", None, None)) == (5,)


class Plain:
    shadowed = 1
    list_default = ()

    def method(self): ...

    @property
    def computed(self):
        raise AssertionError("a guard ran a property")

    def __init__(self, **values):
        self.__dict__.update(values)


class Slotted:
    __slots__ = ("other", "x")


class Loud(Plain):
    def __getattr__(self, name):
        raise AssertionError("a guard ran __getattr__")

    def __getattribute__(self, name):
        if name == "__dict__":
            return super().__getattribute__(name)
        raise AssertionError("a guard ran __getattribute__")


def read(runtime, base, name, guard="none", c=None):
    found = passes(
        runtime,
        argument(guard, c),
        ("attribute", 0, name, "none", None, None),
        args=(base,),
    )
    return found if found is None else found[0]


@pytest.mark.parametrize("guard", ["none", "exact", "plain"])
@pytest.mark.parametrize("cls", [Plain, Loud])
def test_attribute_is_the_instances_own(runtime, cls, guard):
    base = cls(x=5, shadowed=2, method=3)
    assert read(runtime, base, "x", guard, cls) == 5
    assert read(runtime, base, "shadowed", guard, cls) == 2
    assert read(runtime, base, "method", guard, cls) == 3
    assert read(runtime, base, "computed", guard, cls) is None
    assert read(runtime, base, "absent", guard, cls) is None
    assert read(runtime, base, "list_default", guard, cls) is None
    assert read(runtime, cls(shadowed=Plain.shadowed), "shadowed", guard, cls) == 1
    assert read(runtime, cls(), "shadowed", guard, cls) is None
    assert read(runtime, cls(), "method", guard, cls) is None


class Constructed:
    def __init__(self, x):
        self.x = x


def test_attribute_of_an_instance_without_a_dict_of_its_own(runtime):
    many = [Constructed(i) for i in range(10)]
    assert [read(runtime, base, "x", "plain", Constructed) for base in many] == list(range(10))
    many[3].x = 7
    many[4].__dict__["x"] = 8
    many[5].__dict__ = {"x": 9}
    assert [read(runtime, base, "x") for base in many[3:6]] == [7, 8, 9]


@pytest.mark.parametrize("guard", ["none", "plain"])
def test_slot_is_read(runtime, guard):
    base = Slotted()
    assert read(runtime, base, "x", guard, Slotted) is None
    base.x = 5
    assert read(runtime, base, "x", guard, Slotted) == 5
    assert read(runtime, base, "missing", guard, Slotted) is None


def test_attribute_of_classes_modules_and_numbers(runtime):
    assert read(runtime, Plain, "shadowed") is None
    assert read(runtime, 5, "real") is None
    assert read(runtime, np.ones(2), "shape") is None
    assert read(runtime, np, "pi") == np.pi


def test_module_value_is_read_from_its_dict(runtime):
    step = ("module", 0, "pi", "none", None, None)
    assert passes(runtime, FIRST, step, args=(np,)) == (np.pi,)
    assert passes(runtime, FIRST, step, args=(SimpleNamespace(pi=3),)) is None
    step = ("module", 0, "no_such_name", "none", None, None)
    assert passes(runtime, FIRST, step, args=(np,)) is None


def test_cell_contents_are_read(runtime):
    def make(fill):
        if fill:
            value = 5
        return lambda: value

    step = ("cell", 0, None, "none", None, None)
    assert passes(runtime, FIRST, step, args=make(True).__closure__) == (5,)
    assert passes(runtime, FIRST, step, args=make(False).__closure__) is None
    assert passes(runtime, FIRST, step, args=(5,)) is None


@pytest.mark.parametrize("index", [0, 2, -1, -3, 3, -4, 10**30])
def test_item_of_exact_sequences(runtime, index):
    step = ("item", 0, index, "none", None, None)
    expected = ([1, 2, 3][index],) if -3 <= index < 3 else None
    assert passes(runtime, FIRST, step, args=((1, 2, 3),)) == expected
    assert passes(runtime, FIRST, step, args=([1, 2, 3],)) == expected
    assert passes(runtime, FIRST, step, args=("abc",)) is None


def test_item_of_a_dict(runtime):
    for key in ("a", 7):
        step = ("item", 0, key, "none", None, None)
        assert passes(runtime, FIRST, step, args=({key: 1},)) == (1,)
        assert passes(runtime, FIRST, step, args=({},)) is None

    class Counting(dict):
        def __missing__(self, key):
            raise AssertionError("a guard ran __missing__")

    assert passes(runtime, FIRST, ("item", 0, "a", "none", None, None), args=(Counting(),)) is None


def test_parts_of_a_function(runtime):
    def function(a, b=1, *, c=2):
        return runtime

    for part in ("code", "defaults", "kwdefaults", "closure"):
        step = ("function", 0, part, "none", None, None)
        expected = getattr(function, f"__{part}__")
        assert passes(runtime, FIRST, step, args=(function,)) == (expected,)
        assert passes(runtime, FIRST, step, args=(len,)) is None
    step = ("function", 0, "defaults", "none", None, None)
    assert passes(runtime, FIRST, step, args=(lambda: 0,)) == (None,)


def test_class_look_up_binds_nothing(runtime):
    def lookup(base, name):
        return passes(runtime, FIRST, ("class", 0, name, "none", None, None), args=(base,))

    assert lookup(Loud, "method") == (Plain.__dict__["method"],)
    assert lookup(Plain, "computed") == (Plain.__dict__["computed"],)
    assert lookup(bool, "real") == (int.__dict__["real"],)
    assert lookup(Plain, "absent") is None
    assert lookup(Plain(), "method") is None


# Guards ------------------------------------------------------------------------------------------
def accepts(runtime, value, guard, c=None, d=None):
    return passes(runtime, argument(guard, c, d), args=(value,)) is not None


def test_array_guard(runtime):
    class Array(np.ndarray):
        pass

    array = np.ones((2, 3))
    assert accepts(runtime, array, "array", f8, 2)
    assert not accepts(runtime, array, "array", f8, 1)
    assert not accepts(runtime, array, "array", np.dtype("f4"), 2)
    assert not accepts(runtime, array.view(Array), "array", f8, 2)
    assert not accepts(runtime, array.tolist(), "array", f8, 2)
    assert not accepts(runtime, np.float64(1), "array", f8, 0)
    assert accepts(runtime, np.array(1.0), "array", f8, 0)


def test_array_guard_takes_equal_dtypes_and_no_special_ones(runtime):
    unpickled = pickle.loads(pickle.dumps(f8.newbyteorder("S"))).newbyteorder("S")
    assert unpickled is not f8
    swapped = f8.newbyteorder("S")
    noted = np.dtype("f8", metadata={"a": 1})
    ones = np.ones(3)
    assert accepts(runtime, ones.view(unpickled), "array", f8, 1)
    assert accepts(runtime, ones, "array", unpickled, 1)
    for special in (swapped, noted):
        assert not accepts(runtime, ones.astype(special), "array", f8, 1)
        assert not accepts(runtime, ones.astype(special), "array", special, 1)


@pytest.mark.parametrize("dtype", ["U3", "S3", "M8[s]", "O", "i4,i4"])
def test_array_guard_never_takes_other_dtypes(runtime, dtype):
    dtype = np.dtype(dtype)
    assert not accepts(runtime, np.zeros(3, dtype), "array", dtype, 1)


def test_exact_and_identity_guards(runtime):
    one = object()
    assert accepts(runtime, True, "exact", bool)
    assert not accepts(runtime, True, "exact", int)
    assert accepts(runtime, one, "is", one)
    assert not accepts(runtime, object(), "is", one)
    assert accepts(runtime, None, "is", None)


NAN = float("nan")
VALUES = [
    0, 1, 2**70, True, False, None, Ellipsis, 0.0, -0.0, 1.0, NAN, 1j, complex(0.0, -0.0),
    complex(NAN, 1), "", "a", "ab", b"a", (), (1, 0.0), (1, -0.0), (1, (2, "a")), slice(None),
    slice(1, 2.0), slice(1, 2), np.float64(1), np.float64(-0.0), np.float64(0.0), np.float32(1),
    np.int64(1), np.bool_(True), np.complex64(1), [1], {1: 2}, f8, int, np.longdouble(1),
]  # fmt: skip


def same(one, other):
    """What the value guard means: the text shows exact type and bits of plain constants."""
    plain = (int, bool, float, complex, str, bytes, tuple, slice, np.generic)
    if one is other:
        return True
    return isinstance(one, plain) and type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize("wanted", VALUES, ids=repr)
def test_value_guard_wants_exact_type_and_bits(runtime, wanted):
    for value in VALUES:
        assert accepts(runtime, value, "value", wanted) == same(value, wanted), value


def test_value_guard_compares_copies(runtime):
    for value in VALUES:
        made = pickle.loads(pickle.dumps(value))
        plain = type(value) not in (list, dict, np.longdouble, type(f8))
        assert accepts(runtime, made, "value", value) == (plain or made is value), value


def test_sequence_guard(runtime):
    assert accepts(runtime, (1, 2), "sequence", tuple, 2)
    assert not accepts(runtime, (1, 2, 3), "sequence", tuple, 2)
    assert not accepts(runtime, [1, 2], "sequence", tuple, 2)
    assert accepts(runtime, [1, 2], "sequence", list, 2)
    assert accepts(runtime, {"a": 1}, "sequence", dict, 1)
    result = np.linalg.eigh(np.eye(2))
    assert accepts(runtime, result, "sequence", type(result), 2)

    class Liar(list):
        def __len__(self):
            raise AssertionError("a guard ran __len__")

    assert accepts(runtime, Liar([1]), "sequence", Liar, 1)


def test_plain_guard_sees_changes_of_the_class(runtime):
    class Base:
        pass

    class Model(Base):
        pass

    model = Model()
    model.x = 1
    steps = (argument("plain", Model), ("attribute", 0, "x", "none", None, None))
    region = runtime.Region([(steps, (1,), lambda x: x, False)])
    assert region.handle(model) == 1
    assert region.handle(Base()) is None
    assert region.handle(model) == 1
    Base.x = property(lambda self: 5)
    assert region.handle(model) is None
    region.add((steps, (1,), lambda x: x, False))
    assert region.handle(model) is None  # a property now


@pytest.mark.parametrize("change", ["__bases__", "__getattr__", "unrelated"])
def test_any_change_of_the_class_ends_the_plain_guard(runtime, change):
    class Base:
        pass

    class Other:
        pass

    class Model(Base):
        pass

    model = Model()
    region = runtime.Region([((argument("plain", Model),), (0,), lambda x: x, False)])
    for _ in range(3):
        assert region.handle(model) is model
    setattr(Model, change, (Other,) if change == "__bases__" else 5)
    assert region.handle(model) is None


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
        ((("global", 5, "a", "none", None, None),), (), print, False),
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


def test_nothing_leaks(runtime, generated):
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


# The twins against each other --------------------------------------------------------------------
BASES = [
    Plain(x=1, shadowed=2), Constructed((1, 2)), Slotted(), np, {"x": 1, 3: 2}, (1, (2, 3)), [4],
    len, read, Plain, Loud, np.ones(2), np.ones((2, 2), "f4"), 5, 5.0, "x", None,
    read.__code__, Plain.computed, (lambda: BASES).__closure__,
]  # fmt: skip
NAMES = st.sampled_from(["x", "shadowed", "method", "computed", "pi", "__dict__", "__class__"])
KEYS = st.one_of(NAMES, st.integers(-3, 3))


def sources(position):
    base = st.integers(0, max(position - 1, 0))
    first = [st.tuples(st.just("argument"), st.integers(0, 2), st.none())]
    names = st.just({"x": 5, "__builtins__": __builtins__})
    first.append(st.tuples(st.just("global"), names, st.sampled_from(["x", "len", "no"])))
    later = [
        st.tuples(st.sampled_from(["attribute", "module", "class"]), base, NAMES),
        st.tuples(st.sampled_from(["cell", "type"]), base, st.none()),
        st.tuples(st.just("item"), base, KEYS),
        st.tuples(st.just("function"), base, st.sampled_from(["code", "defaults", "closure"])),
    ]
    return st.one_of(first + later if position else first)


GUARDS = st.one_of(
    st.just(("none", None, None)),
    st.just(("none", None, None)),
    st.tuples(st.just("exact"), st.sampled_from([Plain, int, tuple, type]), st.none()),
    st.tuples(st.just("plain"), st.sampled_from([Plain, Loud, Slotted, Constructed]), st.none()),
    st.tuples(st.sampled_from(["is", "value"]), st.sampled_from([1, "x", (1, 2), np]), st.none()),
    st.tuples(st.just("array"), st.sampled_from([f8, np.dtype("f4")]), st.integers(0, 2)),
    st.tuples(st.just("sequence"), st.sampled_from([tuple, list, dict]), st.integers(0, 3)),
)


@st.composite
def programs(draw):
    steps = []
    for position in range(draw(st.integers(1, 5))):
        steps.append(draw(sources(position)) + draw(GUARDS))
    return tuple(steps)


@pytest.mark.skipif(not config.native, reason="the extension is not in use")
@settings(max_examples=600, deadline=None)
@given(programs(), st.lists(st.sampled_from(range(len(BASES))), min_size=3, max_size=3))
def test_twins_read_and_check_alike(steps, picks):
    from dyntrace import _native

    args = tuple(BASES[pick] for pick in picks)
    uses = tuple(range(len(steps)))
    answers = []
    for implementation in (twin, _native):
        region = implementation.Region([(steps, uses, lambda *values: values, False)])
        answers.append(region.handle(*args))
    one, other = answers
    assert (one is None) == (other is None)
    if one is not None:
        assert all(a is b or same(a, b) for a, b in zip(one, other, strict=True))
