"""Under the frame hook a program recurses as deep as without it, and endless recursion ends."""

import functools
import sys
import threading

import pytest

from dyntrace.runtime import handles
from tests.runtime.hooking import code_of, inlines, installed

pytestmark = pytest.mark.skipif(not handles.NATIVE, reason="the extension is not in use")


def recurse(n):
    return 0 if n == 0 else 1 + recurse(n - 1)


def measure_depth():
    """How deep a Python function may still recurse here."""
    deepest = 0

    def down():
        nonlocal deepest
        deepest += 1
        down()

    try:
        down()
    except RecursionError:
        return deepest


@pytest.mark.parametrize("limit", [None, 3000, 30_000])
def test_recursion_is_as_deep_as_without_the_hook(limit):
    old = sys.getrecursionlimit()
    sys.setrecursionlimit(limit or old)
    try:
        plain = measure_depth()
        assert plain > (limit or old) - 200
        with installed():
            assert measure_depth() == plain
            assert recurse(plain - 100) == plain - 100
            assert measure_depth() == plain
        assert measure_depth() == plain
        assert inlines()
    finally:
        sys.setrecursionlimit(old)


def test_replaced_frames_recurse():
    names = {}
    exec("def f(n): return 0 if n == 0 else f(n - 1)", names)
    counting = code_of("def f(n): return ((1, (2, (3, (4, n)))), 0 if n == 0 else 1 + f(n - 1))[1]")
    handles.hook_set(names["f"].__code__, counting)
    with installed():
        # A frame at the very end of a chunk of CPython's data stack has no room to grow: it stays.
        assert 695 <= names["f"](700) <= 700
    assert names["f"](700) == 0


def test_endless_recursion_through_c_ends():
    class Endless:
        def __getattr__(self, name):
            return getattr(self, name + "")

    class Comparing:
        def __eq__(self, other):
            return [self] == [Comparing()]

    with installed():
        for _ in range(3):
            with pytest.raises(RecursionError):
                Endless().name
            with pytest.raises(RecursionError):
                Comparing() == 1
            with pytest.raises(RecursionError):
                measure = functools.partial(lambda: measure())
                measure()


def test_endless_recursion_in_a_thread_with_a_small_stack_ends():
    old, size = sys.getrecursionlimit(), threading.stack_size(1024 * 1024)
    ended = []

    def work():
        with installed():
            ended.append(measure_depth())

    try:
        sys.setrecursionlimit(20_000)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(old)
        threading.stack_size(size)
    assert ended and ended[0] > 19_000
