"""The frame hook: frames start in replacement code, in the threads that asked for it only."""

import asyncio
import gc
import sys
import threading
import traceback
import weakref

import pytest

from dyntrace.errors import DyntraceWarning
from dyntrace.runtime import handles
from tests.runtime.hooking import code_of, inlines, installed

pytestmark = pytest.mark.skipif(not handles.NATIVE, reason="the extension is not in use")


def test_hook_is_there_while_installed_only():
    assert inlines()
    with installed():
        assert not inlines()
        with installed():
            assert not inlines()
        assert not inlines()
    assert inlines()
    handles.hook_remove()
    assert inlines()


def test_callback_is_asked_once_for_each_code():
    def f():
        return 1

    def g():
        return f() + f()

    with installed() as hook:
        assert g() == 2
        assert g() == 2
    with installed() as again:
        g()
    assert hook.seen.count("f") == hook.seen.count("g") == 1
    assert "f" not in again.seen and "g" not in again.seen


def test_callback_gets_code_and_globals():
    got = []

    def f():
        return 1

    with installed(lambda code, names: got.append((code, names))):
        f()
    assert any(code is f.__code__ and names is f.__globals__ for code, names in got)


def test_frame_starts_in_the_replacement():
    def f(a, b, *args, c=3, **rest):
        return a + b

    replacement = code_of(
        "def f(a, b, *args, c=3, **rest):\n"
        "    return 'new', a, b, args, c, rest, (1, (2, (3, (4, (5, (6, (7, a)))))))"
    )
    nested = (1, (2, (3, (4, (5, (6, (7, 1)))))))
    with installed(lambda code, names: replacement if code is f.__code__ else None):
        for _ in range(1000):
            assert f(1, 2, 9, c=5, z=3) == ("new", 1, 2, (9,), 5, {"z": 3}, nested)
        assert f(1, 2) == ("new", 1, 2, (), 3, {}, nested)
        assert list(map(f, [1], [2])) == [("new", 1, 2, (), 3, {}, nested)]
    assert f(1, 2) == 3


def test_replacement_adds_no_frame():
    def f():
        return None

    replacement = code_of("def f(): return __import__('traceback').extract_stack()")

    def depth():
        return len(traceback.extract_stack())

    with installed(lambda code, names: replacement if code is f.__code__ else None):
        stack = f()
        assert stack[-1].filename == "<replacement>"
        assert len(stack) == depth()


def test_hook_set_and_forget():
    def f():
        return 1

    two, three = code_of("def f(): return 2"), code_of("def f(): return 3")
    with installed(lambda code, names: two if code is f.__code__ else None) as hook:
        assert f() == 2
        handles.hook_set(f.__code__, three)
        assert f() == 3
        handles.hook_set(f.__code__, None)
        assert f() == 1
        assert hook.seen.count("f") == 1
        handles.hook_forget(f.__code__)
        assert f() == 2
        assert hook.seen.count("f") == 2
    for wrong in ((5, None), (f.__code__, 5), (f.__code__,)):
        with pytest.raises(TypeError):
            handles.hook_set(*wrong)
    with pytest.raises(TypeError):
        handles.hook_forget(5)
    with pytest.raises(TypeError):
        handles.hook_install(5)


def test_answer_of_another_layout_is_not_used():
    def f(a):
        return a

    for source in ("def f(): return 5", "def f(a, b): return 5", "def f(*a): return 5",
                   "def f(a):\n    x = 5\n    return x", "async def f(a): return 5"):  # fmt: skip
        handles.hook_set(f.__code__, code_of(source))
        with installed():
            assert f(1) == 1
    for answer in (5, "code", f.__code__):
        handles.hook_forget(f.__code__)
        with installed(lambda code, names: answer):
            assert f(1) == 1


def test_frames_of_dyntrace_are_left_alone():
    names = {"__name__": "dyntrace.imaginary"}
    exec("def inner(): return 1", names)
    exec(compile("def generated(): return 1", "<dyntrace graph>", "exec"), names)
    with installed() as hook:
        assert names["inner"]() == names["generated"]() == 1
    assert not {"inner", "generated"} & set(hook.seen)


def test_frames_of_the_callback_are_left_alone_but_not_forgotten():
    def helper():
        return None

    def f():
        return 1

    with installed(lambda code, names: helper()) as hook:
        f()
        assert "helper" not in hook.seen
        helper()
    assert "helper" in hook.seen


# Generators --------------------------------------------------------------------------------------
DEEP = "(1, (2, (3, (4, (5, (6, (7, (8, i))))))))"


def test_generator_starts_in_a_replacement_that_needs_more_room():
    def f(n):
        for i in range(n):
            yield i

    replacement = code_of(f"def f(n):\n    for i in range(n):\n        yield i, {DEEP}")
    with installed(lambda code, names: replacement if code is f.__code__ else None):
        for _ in range(500):
            assert [value[0] for value in f(3)] == [0, 1, 2]
        made = f(3)
        assert made.__name__ == "f" and made.__qualname__ == f.__qualname__
    assert [value[0] for value in made] == [0, 1, 2]
    assert list(f(2)) == [0, 1]


def test_coroutine_and_closure():
    shared = 7

    def make():
        async def f(i):
            await asyncio.sleep(0)
            return i, shared

        return f

    f = make()
    names = {}
    exec(
        "def make(shared):\n    async def f(i):\n        await sleep(0)\n"
        f"        return 'new', shared, {DEEP}\n    return f",
        names,
    )
    replacement = names["make"](7).__code__
    f.__globals__["sleep"] = asyncio.sleep
    try:
        with installed(lambda code, names: replacement if code is f.__code__ else None):
            assert asyncio.run(f(1))[:2] == ("new", 7)
    finally:
        del f.__globals__["sleep"]
    assert asyncio.run(f(1)) == (1, 7)


def test_throw_into_a_generator():
    def f():
        try:
            yield 1
        except ValueError:
            yield 2

    with installed():
        running = f()
        assert next(running) == 1
        assert running.throw(ValueError) == 2
        with pytest.raises(StopIteration):
            next(running)
        with pytest.raises(KeyError):
            f().throw(KeyError)


# Tools and exceptions ----------------------------------------------------------------------------
def test_traced_frames_start_as_they_are():
    def f():
        return 1

    handles.hook_set(f.__code__, code_of("def f(): return 2"))
    with installed():
        sys.setprofile(lambda *args: None)
        try:
            assert f() == 1
        finally:
            sys.setprofile(None)
        assert f() == 2


def test_interrupt_in_the_callback_is_raised_by_the_call():
    def f():
        raise AssertionError("the frame ran")

    def callback(code, names):
        if code is f.__code__:
            raise KeyboardInterrupt

    with installed(callback):
        for _ in range(20):
            handles.hook_forget(f.__code__)
            with pytest.raises(KeyboardInterrupt):
                f()


def test_interrupt_in_the_callback_at_a_generator():
    def f():
        yield 1

    def callback(code, names):
        if code is f.__code__:
            raise KeyboardInterrupt

    with installed(callback):
        with pytest.raises(KeyboardInterrupt):
            f()


def test_failing_callback_is_reported_and_changes_nothing(lenient):
    def f():
        return 1

    names = {}
    exec(compile("def callback(code, names): raise ValueError", "<dyntrace test>", "exec"), names)
    with pytest.warns(DyntraceWarning, match="ValueError"):
        handles.hook_install(names["callback"])
        try:
            assert f() == 1
        finally:
            handles.hook_remove()


def test_exceptions_pass_through_replaced_frames():
    def f(x):
        return x

    handles.hook_set(f.__code__, code_of("def f(x):\n    return [x][5]"))
    with installed():
        for _ in range(100):
            with pytest.raises(IndexError) as caught:
                f(1)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.lineno) == ("<replacement>", 2)


# Threads and lifetime ----------------------------------------------------------------------------
def test_other_threads_are_left_alone():
    def f():
        return 1

    handles.hook_set(f.__code__, code_of("def f(): return 2"))
    answers = []
    with installed() as hook:
        thread = threading.Thread(target=lambda: answers.append(f()))
        thread.start()
        thread.join()
        assert f() == 2
    assert answers == [1]
    assert "f" not in hook.seen


def test_many_threads_install_and_remove():
    def f(x):
        return x

    handles.hook_set(f.__code__, code_of("def f(x): return ('new', x)"))
    wrong = []

    def work(number):
        for i in range(300):
            with installed():
                if f(i) != ("new", i):
                    wrong.append(i)
            if f(i) != i:
                wrong.append(-i)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert inlines()


def test_replacement_lives_as_long_as_the_code():
    names = {}
    exec("def f(): return 1", names)
    replacement = code_of("def f(): return 2")
    gone = weakref.ref(replacement)
    handles.hook_set(names["f"].__code__, replacement)
    del replacement
    gc.collect()
    with installed():
        assert names["f"]() == 2
    names.clear()
    gc.collect()
    assert gone() is None


def test_frames_under_the_hook_leak_nothing():
    def f(a):
        return a

    def g(a):
        yield a

    new_f = code_of("def f(a): return [a, (1, (2, (3, (4, a))))]")
    new_g = code_of("def g(a): yield [a, (1, (2, (3, (4, a))))]", "g")
    thing = object()

    def work():
        for _ in range(200):
            with installed():
                handles.hook_set(f.__code__, new_f)
                handles.hook_set(g.__code__, new_g)
                f(thing)
                list(g(thing))
                handles.hook_forget(f.__code__)
                handles.hook_forget(g.__code__)
                f(thing)

    watched = (thing, new_f, new_g, f.__code__, g.__code__, f, g)
    work()
    gc.collect()
    before = [sys.getrefcount(one) for one in watched]
    work()
    gc.collect()
    assert [sys.getrefcount(one) for one in watched] == before


def test_replacement_drops_a_rebound_local_at_once():
    class Thing:
        pass

    def f(x, look):
        return None

    handles.hook_set(f.__code__, code_of("def f(x, look):\n    x = None\n    return look()"))
    made = Thing()
    look = weakref.ref(made)
    arguments = [made, look]
    del made
    with installed():
        assert f(arguments.pop(0), arguments.pop()) is not None  # the caller still holds it
    gc.collect()
    assert look() is None
