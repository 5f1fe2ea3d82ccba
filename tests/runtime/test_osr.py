"""On-stack replacement: a running frame goes on in other code, or the answer is False."""

import asyncio
import dis
import functools
import gc
import sys
import threading
import traceback
import types

import pytest

from dyntrace.runtime import absent, handles

pytestmark = pytest.mark.skipif(not handles.NATIVE, reason="the extension is not in use")
osr = handles.osr


def after_stub(code):
    """The offset behind the call of STUB: there only the helper's result is on the stack."""
    instructions = list(dis.get_instructions(code))
    names = [instruction.argval for instruction in instructions]
    call = names.index("STUB")
    return next(i.offset for i in instructions[call:] if i.opname == "POP_TOP")


def pair(source, name="f", **names):
    """A function whose STUB() moves its frame into the same code with STEP = 100 for STEP = 1."""
    source = source.strip("\n")
    old_names, new_names = dict(names), dict(names)
    exec(compile(source.replace("STEP", "1"), "<old>", "exec"), old_names)
    exec(compile(source.replace("STEP", "100"), "<new>", "exec"), new_names)
    old, new = old_names[name], new_names[name].__code__
    offset = after_stub(new)
    answers = []

    def stub():
        answers.append(osr(new, offset))

    old_names["STUB"] = stub
    return types.SimpleNamespace(old=old, new=new, offset=offset, answers=answers, names=old_names)


LOOP = """
def f(n):
    total = 0
    try:
        for i in range(n):
            if i == 3:
                STUB()
            total += STEP
        return total
    finally:
        log.append(total)
"""


def test_frame_goes_on_in_the_new_code():
    log = []
    moved = pair(LOOP, log=log)
    assert moved.old(10) == 703
    assert moved.answers == [True]
    assert log == [703]
    assert moved.old(2) == 2


def test_frame_keeps_its_place_on_the_stack():
    moved = pair(
        """
def f():
    before = look()
    STUB()
    x = STEP
    return x, before, look()
""",
        look=lambda: [(s.name, s.filename) for s in traceback.extract_stack()[:-1]],
    )
    value, before, after = moved.old()
    assert value == 100
    assert before[:-1] == after[:-1]
    assert (before[-1], after[-1]) == (("f", "<old>"), ("f", "<new>"))


def test_many_runs_leak_nothing():
    moved = pair(LOOP, log=[])
    log = moved.names["log"]
    for _ in range(20_000):
        moved.old(6)
    assert moved.answers == [True] * 20_000
    del log[:], moved.answers[:]
    gc.collect()
    before = (sys.getrefcount(moved.new), sys.getrefcount(moved.old.__code__))
    for _ in range(100):
        moved.old(6)
    assert (sys.getrefcount(moved.new), sys.getrefcount(moved.old.__code__)) == before


GENERATOR = """
def f(n):
    try:
        for i in range(n):
            if i == 3:
                STUB()
            yield i * STEP
    finally:
        log.append("done")
"""


def test_generator_goes_on_in_the_new_code():
    moved = pair(GENERATOR, log=[])
    for _ in range(5000):
        assert list(moved.old(6)) == [0, 1, 2, 300, 400, 500]
    assert all(moved.answers)
    assert moved.names["log"] == ["done"] * 5000
    abandoned = moved.old(6)
    for _ in range(4):
        next(abandoned)
    abandoned.close()
    assert moved.names["log"] == ["done"] * 5001


def test_generator_moved_in_its_first_step():
    moved = pair("def f():\n    STUB()\n    yield STEP\n    yield STEP + 1")
    assert list(moved.old()) == [100, 101]


def test_with_block_is_left_once():
    events = []

    class Manager:
        def __enter__(self):
            events.append("enter")

        def __exit__(self, *error):
            events.append(error[0])
            return True

    moved = pair(
        """
def f(fail):
    with Manager():
        STUB()
        if fail:
            raise ValueError
    return STEP
""",
        Manager=Manager,
    )
    assert moved.old(False) == 100
    assert moved.old(True) == 100
    assert events == ["enter", None, "enter", ValueError]


def test_coroutine_with_async_with_and_async_for():
    class Manager:
        async def __aenter__(self):
            await asyncio.sleep(0)

        async def __aexit__(self, *error):
            await asyncio.sleep(0)

    async def count():
        for i in range(5):
            await asyncio.sleep(0)
            yield i

    moved = pair(
        """
async def f():
    total = 0
    async with Manager():
        async for i in count():
            if i == 2:
                STUB()
            total += STEP
            await sleep(0)
    return total
""",
        Manager=Manager,
        count=count,
        sleep=asyncio.sleep,
    )
    assert asyncio.run(moved.old()) == 302
    assert moved.answers == [True]


def test_async_generator_goes_on_in_the_new_code():
    moved = pair(
        """
async def f():
    for i in range(4):
        if i == 2:
            STUB()
        yield i * STEP
"""
    )

    async def collect():
        return [value async for value in moved.old()]

    assert asyncio.run(collect()) == [0, 1, 200, 300]


def test_cells_and_arguments_stay():
    moved = pair(
        """
def f(a, *args, b=2, **rest):
    def inner():
        return a
    a += 1
    STUB()
    a += STEP
    return inner(), args, b, rest
"""
    )
    assert moved.old(1, 5, b=3, c=4) == (102, (5,), 3, {"c": 4})


def test_module_code_moves():
    source = "x = 1\nSTUB()\nx += STEP\n"
    new = compile(source.replace("STEP", "100"), "<new>", "exec")
    old = compile(source.replace("STEP", "1"), "<old>", "exec")
    names = {"STUB": lambda: osr(new, after_stub(new))}
    exec(old, names)
    assert names["x"] == 101


def test_recursion_through_moved_frames():
    moved = pair(
        """
def f(n):
    if n == 0:
        return 0
    STUB()
    return f(n - 1) + STEP
"""
    )
    assert moved.old(50) == 5000


def test_new_code_outlives_everything_else():
    moved = pair(LOOP, log=[])
    new, offset = moved.new, moved.offset
    done = []

    def stub():
        nonlocal new
        if new is not None:
            done.append(osr(new, offset))
            new = moved.new = None
            moved.old.__code__ = (lambda n: n).__code__  # drops the old code under the frame
            gc.collect()

    moved.names["STUB"] = stub
    assert moved.old(10) == 703
    assert done == [True]


# Frame objects -----------------------------------------------------------------------------------
HOLDING = """
def f():
    x = 5
    frames.append(frame())
    DROP()
    STUB()
    y = STEP
    frames.append(frame())
    return y
"""


def test_frame_that_is_held_by_someone_stays():
    frames = []
    moved = pair(HOLDING, frames=frames, frame=lambda: sys._getframe(1), DROP=lambda: None)
    assert moved.old() == 1
    assert moved.answers == [False]
    first, second = frames
    assert first is second
    assert first.f_code is moved.old.__code__
    assert (first.f_locals, first.f_lineno) == ({"x": 5, "y": 1}, 8)


def test_frame_that_was_looked_at_and_let_go_moves():
    frames = []
    moved = pair(HOLDING, frames=frames, frame=lambda: sys._getframe(1), DROP=frames.clear)
    for _ in range(100):
        frames.clear()
        assert moved.old() == 100
        (frame,) = frames
        assert frame.f_code is moved.new
        assert (frame.f_locals, frame.f_lineno) == ({"x": 5, "y": 100}, 8)


def test_frame_in_a_live_traceback_keeps_its_lines():
    moved = pair(
        """
def f():
    try:
        1 / 0
    except ZeroDivisionError as error:
        kept = error.__traceback__
    STUB()
    x = STEP
    return x, kept.tb_lineno
"""
    )
    assert moved.old() == (1, 3)
    assert moved.answers == [False]


def test_frame_looked_at_after_the_move_is_in_the_new_code():
    moved = pair("def f():\n    x = 5\n    STUB()\n    return STEP")
    seen = []

    def stub():
        assert osr(moved.new, moved.offset)
        frame = sys._getframe(1)
        seen.append((frame.f_code.co_filename, frame.f_lineno, dict(frame.f_locals)))
        del frame
        gc.collect()

    moved.names["STUB"] = stub
    assert moved.old() == 100
    assert seen == [("<new>", 3, {"x": 5})]


def test_traceback_after_the_move_shows_the_new_code():
    moved = pair("def f():\n    STUB()\n    x = STEP\n    return x / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        moved.old()
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.lineno, last.name) == ("<new>", 4, "f")


# Exceptions --------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_exception_in_the_helper_after_the_move_meets_the_handlers(error):
    moved = pair(
        """
def f():
    try:
        for i in range(3):
            try:
                STUB()
            except KeyError:
                return "wrong"
    except error as caught:
        return STEP, type(caught)
""",
        error=error,
    )

    def stub():
        assert osr(moved.new, moved.offset)
        raise error

    moved.names["STUB"] = stub
    for _ in range(100):
        assert moved.old() == (100, error)


def test_exception_in_the_helper_before_the_move_leaves_the_old_code():
    moved = pair("def f():\n    try:\n        STUB()\n    except ValueError:\n        return STEP")

    def stub():
        raise ValueError

    moved.names["STUB"] = stub
    assert moved.old() == 1


# What is declined --------------------------------------------------------------------------------
SIMPLE = "def f():\n    STUB()\n    return STEP"


@pytest.mark.parametrize("call", ["partial", "map", "sorted", "method"])
def test_helper_called_through_c_is_declined(call):
    moved = pair(SIMPLE)
    inner = moved.names["STUB"]

    class Calls:
        def __eq__(self, other):
            inner()
            return True

    moved.names["STUB"] = {
        "partial": functools.partial(inner),
        "map": functools.partial(lambda f: list(map(f, [1])), lambda _: inner()),
        "sorted": functools.partial(sorted, [1], key=lambda _: inner() or 0),
        "method": functools.partial([Calls()].index, 5),
    }[call]
    assert moved.old() == 1
    assert moved.answers == [False]


def test_direct_call_from_the_outermost_frame_is_declined():
    answers = []
    code = (lambda: None).__code__
    thread = threading.Thread(target=functools.partial(map, lambda _: osr(code, 2), [1]))
    thread.start()
    thread.join()
    exec("answers.append(osr(code, 2))", {"osr": osr, "code": code, "answers": answers})
    assert answers == [False]


@pytest.mark.parametrize("switch", [sys.settrace, sys.setprofile])
def test_traced_frame_is_declined(switch):
    moved = pair(SIMPLE)
    switch(lambda *args: None)
    try:
        assert moved.old() == 1
    finally:
        switch(None)
    assert moved.answers == [False]
    assert moved.old() == 100


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="has no sys.monitoring")
def test_monitored_frame_is_declined():
    moved = pair(SIMPLE)
    monitoring = sys.monitoring
    monitoring.use_tool_id(4, "test")
    monitoring.set_events(4, monitoring.events.PY_RETURN)
    try:
        assert moved.old() == 1
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)
    assert moved.answers == [False]


@pytest.mark.parametrize(
    "other",
    [
        "def f(a): return 0",
        "def f():\n    x = 1\n    return x",
        "def f():\n    yield 1",
        "async def f(): return 1",
        "def f(): return g(1, 2, 3, (4, (5, (6, (7, (8, (9, a(1, 2, 3, 4))))))))",
    ],
)
def test_other_layout_or_no_room_is_declined(other):
    moved = pair(SIMPLE)
    names = {}
    exec(other, names)
    answers = []
    moved.names["STUB"] = lambda: answers.append(osr(names["f"].__code__, 4))
    assert moved.old() == 1
    assert answers == [False]


@pytest.mark.parametrize("offset", [-2, 0, 3, 10**6, 10**40, "4", None, True])
def test_impossible_offset_is_declined(offset):
    moved = pair(SIMPLE)
    answers = []
    moved.names["STUB"] = lambda: answers.append(osr(moved.new, offset))
    assert moved.old() == 1
    assert answers == [False]


def test_wrong_arguments_are_declined():
    assert osr() is False
    assert osr(5, 2) is False
    assert osr((lambda: 0).__code__, 2, 3) is False
    assert absent.osr((lambda: 0).__code__, 2) is False


# Threads and the frame hook ----------------------------------------------------------------------
def test_threads_move_their_own_frames():
    moved = pair(LOOP, log=[])
    results = []

    def work():
        results.extend(moved.old(10) for _ in range(500))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [703] * 4000


def test_under_the_hook_the_move_wants_it_suspended():
    moved = pair("def f():\n    BEFORE()\n    STUB()\n    AFTER()\n    return STEP, g()")
    seen = []

    def callback(code, names):
        seen.append(code.co_name)

    def g():
        return 5

    moved.names.update(BEFORE=lambda: None, AFTER=lambda: None, g=g)
    handles.hook_install(callback)
    try:
        assert moved.old() == (1, 5)
        for suspend in (handles.hook_suspend, handles.recording_gate):
            moved.names.update(BEFORE=suspend, AFTER=handles.hook_resume)
            handles.hook_forget(g.__code__)
            assert moved.old() == (100, 5)
    finally:
        handles.hook_remove()
    assert moved.answers == [False, True, True]
    assert seen.count("g") == 3


def test_hook_comes_back_when_its_suspender_is_thrown_out():
    def f():
        handles.hook_suspend()
        raise ValueError

    def g():
        return 5

    seen = []
    handles.hook_install(lambda code, names: seen.append(code.co_name))
    try:
        with pytest.raises(ValueError):
            f()
        g()
    finally:
        handles.hook_remove()
    assert "g" in seen


def test_without_the_hook_suspending_does_nothing():
    moved = pair("def f():\n    BEFORE()\n    STUB()\n    return STEP")
    moved.names["BEFORE"] = handles.hook_suspend
    assert moved.old() == 100
    handles.hook_resume()
    assert moved.old() == 100
