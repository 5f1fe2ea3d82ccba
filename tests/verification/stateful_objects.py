"""Programs whose state is in objects, closures, defaults, globals, caches and containers."""

import functools
import types

import numpy as np

from tests.verification.stateful import Case, Programs, data

PROGRAMS = Programs()
program = PROGRAMS.add

# objects ------------------------------------------------------------------------------------------


class Meter:
    made = 0

    def __init__(self):
        self.count, self.mean, self.log = 0, np.zeros(12), []

    def update(self, a):
        self.count += 1
        self.mean += (a * 2 + 1 - self.mean) / self.count
        self.log.append(self.count)
        return self.mean, self.count

    def __call__(self, a):
        self.count += 1
        return a * self.count + 1

    @classmethod
    def tally(cls, a):
        cls.made += 1
        return a * 2 + cls.made


class Slotted:
    __slots__ = ("count", "last")

    def __init__(self):
        self.count = 0

    def step(self, a):
        self.count += 1
        self.last = a * 2 + self.count
        return self.last


class Guarded:
    """Refuses attributes set from outside."""

    def __init__(self):
        vars(self).update(count=0)

    def __setattr__(self, name, value):
        raise AttributeError(name)

    def step(self, a):
        self.__dict__["count"] += 1
        return a * self.count + 1


@program
def a_bound_method_with_a_running_mean():
    meter = Meter()
    return Case(meter.update, (data(),), look=lambda: (meter.count, meter.mean, meter.log))


@program
def an_object_as_argument():
    meter = Meter()
    return Case(lambda m, a: m.update(a), (meter, data()), look=lambda: vars(meter))


@program
def a_callable_object():
    meter = Meter()
    return Case(meter, (data(),), look=lambda: meter.count)


@program
def a_counter_in_the_class():
    Meter.made = 0
    return Case(Meter.tally, (data(),), look=lambda: Meter.made)


@program
def an_object_with_slots():
    slotted = Slotted()
    return Case(slotted.step, (data(),), look=lambda: (slotted.count, hasattr(slotted, "last")))


@program
def an_object_that_guards_its_attributes():
    guarded = Guarded()
    return Case(guarded.step, (data(),), look=lambda: guarded.count)


@program
def a_linked_list_of_objects():
    head = None
    for _ in range(3000):
        head = types.SimpleNamespace(next=head, seen=0)

    def walk(node, a):
        for _ in range(3):
            node.seen += 1
            node = node.next
        return a * 2 + node.seen

    return Case(walk, (head, data()), look=lambda: head.seen)


@program
def a_cached_property():
    class Table:
        def __init__(self):
            self.made = 0

        @functools.cached_property
        def weights(self):
            self.made += 1
            return np.arange(12) * 0.5

        def apply(self, a):
            return a * self.weights + self.made

    table = Table()
    return Case(table.apply, (data(),), look=lambda: vars(table))


@program
def an_attribute_that_is_deleted():
    box = types.SimpleNamespace(scale=3.0, other=1)

    def spend(b, a):
        scale = b.scale
        del b.scale
        return a * scale + b.other

    return Case(spend, (box, data()), look=lambda: list(vars(box)))


# functions ----------------------------------------------------------------------------------------


@program
def a_closure_with_a_counter():
    count = 0

    def step(a):
        nonlocal count
        count += 1
        return a * count + 1

    return Case(step, (data(),), look=lambda: count)


@program
def a_closure_handed_over_as_argument():
    def counter():
        count = 0

        def following():
            nonlocal count
            count += 1
            return count

        return following

    following = counter()
    return Case(
        lambda f, a: a * f() + 1,
        (following, data()),
        look=lambda: following.__closure__[0].cell_contents,
    )


@program
def a_mutable_default():
    def step(a, seen=[]):
        seen.append(len(seen))
        return a * 2 + len(seen)

    return Case(step, (data(),), look=lambda: step.__defaults__)


@program
def a_mutable_keyword_default():
    def step(a, *, cache={}):
        cache[len(cache)] = a[0]
        return a * 2 + len(cache)

    return Case(step, (data(),), look=lambda: step.__kwdefaults__)


@program
def the_default_of_a_function_as_argument():
    def note(x, seen=[]):
        seen.append(x)
        return len(seen)

    return Case(lambda f, a: a * 2 + f(1), (note, data()), look=lambda: note.__defaults__)


@program
def an_attribute_of_a_function():
    def step(a):
        step.calls = getattr(step, "calls", 0) + 1
        return a * 2 + step.calls

    return Case(step, (data(),), look=lambda: vars(step))


TOTAL = 0


@program
def a_global_counter():
    global TOTAL
    TOTAL = 0

    def step(a):
        global TOTAL
        TOTAL += 1
        return a * 2 + TOTAL

    return Case(step, (data(),), look=lambda: TOTAL)


@program
def a_counter_in_another_module_of_the_program():
    settings = types.ModuleType("settings_of_the_program")
    exec(
        "count = 0\ndef following():\n    global count\n    count += 1\n    return count",
        vars(settings),
    )
    following = settings.following
    return Case(lambda a: a * 2 + following(), (data(),), look=lambda: settings.count)


@program
def a_name_set_in_another_module():
    global SETTINGS
    SETTINGS = types.ModuleType("settings_of_the_program")
    SETTINGS.count = 0

    def step(a):
        SETTINGS.count += 1
        return a * 2 + SETTINGS.count

    return Case(step, (data(),), look=lambda: SETTINGS.count)


@program
def a_memo_in_a_dict():
    memo = {}

    def step(a):
        if "weights" not in memo:
            memo["weights"] = a * 2 + 1
        return memo["weights"] * a - 1

    return Case(step, (data(),), look=lambda: memo)


@program
def an_lru_cache():
    calls = []

    @functools.lru_cache
    def weights(n):
        calls.append(n)
        return np.arange(n) * 0.5

    return Case(lambda a: a * weights(12) + len(calls), (data(),), look=lambda: calls)


@program
def a_partial_that_holds_a_list():
    seen = []

    def step(log, a):
        log.append(1)
        return a * 2 + len(log)

    return Case(functools.partial(step, seen), (data(),), look=lambda: seen)


@program
def a_bound_append():
    seen = []

    def step(note, a):
        note(1.0)
        return a * 2 + 1

    return Case(step, (seen.append, data()), look=lambda: seen)
