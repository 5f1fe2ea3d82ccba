"""Guards: every fact the tracer assumed may change, between calls or inside one, and is seen at once."""

import types

import numpy as np
import pytest

from tests.differential import check, check_calls, optimised

ARRAY = np.arange(1.0, 6.0)
SCALE = 2
TABLE = {"k": 3}
ITEMS = [1, 2]


def helper(x, k=2, *, shift=1):
    return x * k + shift


def other(x, k=2, *, shift=1):
    return x - k - shift


class Body:
    gain = 2
    gravity = np.full(5, 0.5)

    def __init__(self):
        self.position = np.zeros(5)

    def step(self, x):
        return x * self.gain + self.gravity

    @property
    def twice(self):
        return self.position * 2


def agree_while(program, change, undo, *args):
    """Optimised and eager agree before `change`, after it, and after `undo`."""
    fast = optimised(program)
    for action in (None, change, undo, change, undo):
        if action is not None:
            action()
        check_calls(program, [args] * 3, fast=fast)


def test_a_rebound_global_number_is_seen_by_the_next_call(monkeypatch):
    def program(x):
        return x * SCALE + 1

    agree_while(
        program,
        lambda: monkeypatch.setitem(globals(), "SCALE", 5.5),
        lambda: monkeypatch.setitem(globals(), "SCALE", 2),
        ARRAY,
    )


def test_a_rebound_global_number_is_seen_in_the_same_call():
    def step(i):
        global SCALE
        SCALE = i * 10

    def program(x):
        r = []
        for i in range(4):
            r.append(SCALE * x)
            step(i)
        return r

    check(program, ARRAY)


def test_a_global_that_becomes_an_array_in_the_same_call():
    def step(i):
        global SCALE
        SCALE = [2, 2.5, np.arange(5.0), np.float32(2)][i]

    def program(x):
        r = []
        for i in range(4):
            step(i)
            r.append(x * SCALE + 1)
        return r

    check(program, ARRAY)


def test_a_rebound_global_helper_is_seen_by_the_next_call(monkeypatch):
    def program(x):
        return helper(x) * 2

    original = helper
    agree_while(
        program,
        lambda: monkeypatch.setitem(globals(), "helper", other),
        lambda: monkeypatch.setitem(globals(), "helper", original),
        ARRAY,
    )


def test_a_rebound_global_helper_is_seen_in_the_same_call():
    def program(x, n):
        out = []
        for i in range(n):
            out.append(helper(x) * 2)
            if i == 2:
                globals()["helper"] = other
            out.append(helper(x) + 1)
        return out

    check(program, ARRAY, 5)


def test_a_deleted_global_raises_like_eager():
    def program(x):
        y = x * 2
        del globals()["SCALE"]
        return y * SCALE

    check(program, ARRAY)


def test_a_builtin_shadowed_by_a_global_in_the_same_call():
    def program(x, n):
        out = []
        for i in range(n):
            out.append(x * len(x))
            if i == 1:
                globals()["len"] = lambda v: 100
        del globals()["len"]
        return out

    check(program, ARRAY, 4)


def test_a_monkeypatched_numpy_function_is_seen_by_the_next_call(monkeypatch):
    def program(x):
        return np.sin(x) + 1

    sine = np.sin
    agree_while(
        program,
        lambda: monkeypatch.setattr(np, "sin", np.cos),
        lambda: monkeypatch.setattr(np, "sin", sine),
        ARRAY,
    )


def test_a_monkeypatched_numpy_function_is_seen_in_the_same_call(monkeypatch):
    sine = np.sin

    def patch(i):
        np.sin = np.cos if i % 2 else lambda v: v * 100

    def program(x):
        out = []
        try:
            for i in range(4):
                out.append(np.sin(x) * 2)
                patch(i)
        finally:
            np.sin = sine
        return out

    check(program, ARRAY)


def test_a_monkeypatched_submodule_function(monkeypatch):
    def program(x):
        return np.linalg.norm(x) + np.fft.fft(x)[0].real

    norm = np.linalg.norm
    agree_while(
        program,
        lambda: monkeypatch.setattr(np.linalg, "norm", lambda v: 7.0),
        lambda: monkeypatch.setattr(np.linalg, "norm", norm),
        ARRAY,
    )


@pytest.mark.parametrize(
    "attribute, value", [("__defaults__", (9,)), ("__kwdefaults__", {"shift": 7})]
)
def test_changed_defaults_of_a_helper_are_seen_by_the_next_call(attribute, value):
    def program(x):
        return helper(x) + 1

    before = getattr(helper, attribute)
    agree_while(
        program,
        lambda: setattr(helper, attribute, value),
        lambda: setattr(helper, attribute, before),
        ARRAY,
    )


def test_changed_defaults_and_code_of_a_helper_are_seen_in_the_same_call():
    def program(x, n):
        before = helper.__defaults__, helper.__code__
        out = []
        try:
            for i in range(n):
                out.append(helper(x) + 1)
                if i == 1:
                    helper.__defaults__ = (10,)
                if i == 3:
                    helper.__code__ = other.__code__
        finally:
            helper.__defaults__, helper.__code__ = before
        return out

    check(program, ARRAY, 6)


def test_a_changed_keyword_default_dict_is_seen_in_the_same_call():
    def program(x, n):
        out = []
        for i in range(n):
            out.append(helper(x) + 1)
            helper.__kwdefaults__["shift"] = i * 3
        helper.__kwdefaults__["shift"] = 1
        return out

    check(program, ARRAY, 4)


def test_changed_defaults_of_the_optimised_function_itself():
    def program(x, k=2):
        return x * k

    fast = optimised(program)
    for k in (2, 2, 5, np.float32(3), ARRAY):
        program.__defaults__ = fast.__defaults__ = (k,)
        check_calls(program, [(ARRAY,)] * 3, fast=fast)


def test_a_changed_closure_cell_is_seen_at_once():
    k = 2

    def change(value):
        nonlocal k
        k = value

    def program(x, n):
        out = [x * k]
        for i in range(n):
            change(i + 0.5 if i % 2 else i)
            out.append(x * k + 1)
        return out

    check(program, ARRAY, 5)


def test_a_cell_of_an_inlined_closure_changes_inside_the_call():
    k = 2

    def inner(x):
        return x * k

    def change(value):
        nonlocal k
        k = value

    def program(x):
        a = inner(x) + 1
        change(7)
        b = inner(x) + 1
        change(ARRAY)
        return a, b, inner(x) * 2

    check(program, ARRAY)


def test_a_helper_held_in_a_cell_is_replaced_inside_the_call():
    def inner(x):
        return x * 2

    def replace():
        nonlocal inner
        inner = other

    def program(x):
        a = inner(x) + 1
        replace()
        return a, inner(x) + 1

    check(program, ARRAY)


def test_a_changed_class_attribute_is_seen_by_the_next_call():
    def program(body, x):
        return body.step(x) + body.gain

    agree_while(
        program,
        lambda: setattr(Body, "gain", 3.5),
        lambda: setattr(Body, "gain", 2),
        Body(),
        ARRAY,
    )


def test_a_changed_class_attribute_is_seen_in_the_same_call():
    def program(body, x):
        out = []
        try:
            for i in range(4):
                out.append(body.step(x) * 2)
                Body.gain = i + 5
                Body.gravity = x * i
        finally:
            Body.gain = 2
            Body.gravity = np.full(5, 0.5)
        return out

    check(program, Body(), ARRAY)


def test_a_replaced_method_is_seen_by_the_next_call():
    def program(body, x):
        return body.step(x) + 1

    step = Body.step
    agree_while(
        program,
        lambda: setattr(Body, "step", lambda self, x: x - 1),
        lambda: setattr(Body, "step", step),
        Body(),
        ARRAY,
    )


def test_a_replaced_method_is_seen_in_the_same_call():
    def program(body, x):
        step = Body.step
        out = []
        try:
            for i in range(4):
                out.append(body.step(x) + 1)
                if i == 1:
                    Body.step = lambda self, x: x - self.gain
        finally:
            Body.step = step
        return out

    check(program, Body(), ARRAY)


def test_an_instance_attribute_that_shadows_a_method():
    def program(body, x):
        out = []
        for i in range(4):
            out.append(body.step(x) + 1)
            if i == 1:
                body.step = lambda v: v * 100
            if i == 2:
                del body.step
        return out

    check(program, Body(), ARRAY)


def test_an_instance_attribute_that_shadows_a_class_attribute():
    def program(body, x):
        out = []
        for i in range(4):
            out.append(x * body.gain)
            body.gain = i * 10
        return out

    check(program, Body(), ARRAY)


def test_an_instance_attribute_that_changes_type_in_the_same_call():
    def program(body, x):
        out = []
        for value in (x, 3, "s", x.astype(int), np.float64(2), 2.5):
            body.position = value
            out.append(body.position * 2)
        return out

    check(program, Body(), ARRAY)


def test_an_instance_that_changes_class_in_the_same_call():
    class Other(Body):
        gain = 50

        def step(self, x):
            return x - self.gain

    def program(body, x):
        a = body.step(x) + 1
        body.__class__ = Other
        b = body.step(x) + 1
        return a, b

    check(program, Body(), ARRAY)


def test_a_property_added_to_a_class_is_seen():
    class Local:
        pass

    def make():
        thing = Local.__new__(Local)
        object.__getattribute__(thing, "__dict__")["value"] = ARRAY * 3
        return thing, ARRAY

    def program(thing, x):
        return thing.value + x

    fast = optimised(program)
    check_calls(program, [()] * 3, make=make, fast=fast)
    Local.value = property(lambda self: 7)
    check_calls(program, [()] * 3, make=make, fast=fast)
    del Local.value
    check_calls(program, [()] * 3, make=make, fast=fast)
    Local.__getattr__ = lambda self, name: 1
    check_calls(program, [()] * 3, make=make, fast=fast)
    Local.__getattribute__ = lambda self, name: 5.5
    check_calls(program, [()] * 3, make=make, fast=fast)


def test_a_base_class_changed_by_the_call():
    class Left:
        def f(self, x):
            return x + 1

    class Right:
        def f(self, x):
            return x * 100

    class Child(Left):
        pass

    def program(c, x):
        a = c.f(x) * 2
        Child.__bases__ = (Right,)
        b = c.f(x) * 2
        Child.__bases__ = (Left,)
        return a, b

    check(program, Child(), ARRAY)


def test_global_containers_changed_in_place():
    def program(x):
        a = x * TABLE["k"] + ITEMS[0]
        TABLE["k"] = TABLE["k"] + 0.5
        ITEMS[0] += 3
        ITEMS.append(4)
        b = x * TABLE["k"] + ITEMS[0] + len(ITEMS)
        return a, b

    check(program, ARRAY)


def test_a_module_attribute_changed_in_the_same_call():
    settings = types.ModuleType("settings")
    settings.rate = 0.5

    def program(x):
        out = []
        for i in range(4):
            out.append(x * settings.rate)
            settings.rate = i if i % 2 else float(i)
        settings.rate = 0.5
        return out

    check(program, ARRAY)


def test_argument_kinds_that_change_from_call_to_call():
    def program(a, b):
        return a * 2 + b

    values = [ARRAY, ARRAY.astype(np.float32), 3, 2.5, np.float64(2), np.ones((2, 5)), True, 1j]
    check_calls(program, [(a, b) for a in values for b in values])


def test_shapes_that_change_from_call_to_call_share_one_graph():
    def program(a):
        return (a * 2 + 1).sum(axis=0)

    check_calls(
        program,
        [(np.ones(n),) for n in (1, 5, 0, 1000, 3)] + [(np.ones((n, 2)),) for n in (1, 0, 4)],
    )


def test_a_none_argument_becomes_an_array():
    def program(x, mask=None):
        if mask is None:
            mask = np.ones_like(x)
        return x * mask

    check_calls(program, [(ARRAY,), (ARRAY,), (ARRAY, ARRAY), (ARRAY, None), (ARRAY, 2)] * 2)


def test_an_argument_attribute_that_appears_and_vanishes():
    class Thing:
        pass

    def program(t, x):
        if hasattr(t, "w"):
            return t.w * x
        t.w = x + 1
        return x

    bare, full = Thing(), Thing()
    full.w = ARRAY * 2
    check_calls(program, [(bare, ARRAY), (full, ARRAY), (bare, ARRAY), (full, ARRAY)] * 2)


def test_an_array_whose_shape_and_flags_change_in_the_same_call():
    def freeze(a, i):
        if i == 1:
            a.shape = (5, 1)
        if i == 2:
            a.flags.writeable = False

    def program(a):
        out = []
        for i in range(4):
            out.append(a * 2 + 1)
            try:
                a += 1
            except ValueError as error:
                out.append(str(error))
            freeze(a, i)
        return out

    check(program, ARRAY)


def test_frame_locals_written_by_a_callee():
    import sys

    def meddle():
        frame = sys._getframe(1)
        frame.f_locals["y"] = 100

    def program(x):
        y = x * 2
        meddle()
        return y + 1

    check(program, ARRAY)


def test_a_callee_reads_the_locals_of_its_caller():
    import sys

    def peek():
        held = sys._getframe(1).f_locals
        return sorted(held), held["b"].copy()

    def program(x):
        a = x * 2
        b = a + 1
        seen = peek()
        return seen, b * a

    check(program, ARRAY)


def test_reset_in_the_middle_of_a_call():
    import dyntrace

    def program(x, n):
        for i in range(n):
            x = x * 0.5 + i
            if i == 3:
                dyntrace.reset()
        return x

    check(program, ARRAY, 8)


def test_disable_and_graph_break_and_is_tracing_run_natively():
    import dyntrace

    @dyntrace.disable
    def plain(x):
        return x * 2

    def program(x):
        y = plain(x) + 1
        dyntrace.graph_break()
        return y * 2

    check(program, ARRAY)
