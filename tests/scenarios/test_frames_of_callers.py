# ruff: noqa: E702, E731, F841
"""Callees that look at their callers' frames see the plain function's, but for dead arrays."""

from __future__ import annotations

import inspect
import io
import logging
import sys
import traceback
import types
import warnings

import numpy as np
import pytest

import dyntrace

X = np.arange(1.0, 6.0)
DEPTHS = (1, 2, 3)
APART = ("seen_by", "test_callees_see_the_frames_of_the_plain_function")
_seen: list = []
_look: list = []


def near():
    _look[-1]()


def computes_and_looks(x):
    y = x + 1
    near()
    return y


def straight(x):
    y = x * 2
    near()
    z = y + 1
    near()
    return z


def dead_names(x):
    y = x * 2
    t = np.sqrt(y) + 1
    u = t * 3
    y = u.sum()
    near()
    return y


def names_bound_again(x):
    y = x * 2
    k = y
    y = y + 1
    y = y * 2
    w = computes_and_looks(y)
    k = w - y
    near()
    return k


def cells(x):
    y = x * 2
    t = y + 1

    def inner(v):
        z = v * t
        near()
        return z + y

    t = t * 2
    r = inner(y)
    y = r + 1
    return inner(y)


def comprehensions(x):
    y = x * 2
    parts = [computes_and_looks(y + i) for i in range(2)]
    q = [y * i for i in range(3)]
    s = q[1] + parts[0]
    near()
    return s


def loops(x):
    t = x * 0
    for i in range(3):
        a = x * i
        b = a + 1
        t = t + b
        near()
    c = t - 1
    near()
    return t


def one_level(x):
    a = x * 2
    b = inlined_or_not(a, 3)
    c = b + 1
    return c


def inlined_or_not(v, n):
    u = v * n
    s = u.sum()
    near()
    return u - s


def two_levels(x):
    d = x + 1
    r = one_level(d)
    e = r * 2
    return e


def handlers(x):
    y = x * 2
    try:
        z = y + np.ones(99)
    except ValueError as e:
        w = y + 1
        near()
        return w


def returns_a_call(x):
    y = x * 2
    z = y + 1
    w = z * 3
    return computes_and_looks(w)


def generators(x):
    y = x * 2
    z = y + 1
    near()
    yield z
    w = z * 2
    near()
    yield w


def generator_expressions(x):
    y = x * 2
    return sum(computes_and_looks(y * i).sum() for i in range(2))


def lambdas(x):
    y = x * 2
    f = lambda v: computes_and_looks(v * 2) + y
    z = f(y)
    return f(z)


def effects(x):
    o = np.zeros(5)
    np.add(x, x, out=o)
    v = o
    v += 1
    u = v[2]
    near()
    return o


def containers(x):
    a, (b, *c) = x * 2, (x + 1, x + 2, x + 3)
    d = {"q": a, "r": b}
    e = d["q"] - c[0]
    near()
    return e


PROGRAMS = [
    straight,
    dead_names,
    names_bound_again,
    cells,
    comprehensions,
    loops,
    one_level,
    two_levels,
    handlers,
    returns_a_call,
    generators,
    generator_expressions,
    lambdas,
    effects,
    containers,
]


def plain(value):
    """What can be compared of a value."""
    if isinstance(value, np.ndarray | np.generic):
        return (type(value).__name__, value.tolist())
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return type(value).__name__


def sees_locals():
    frame = sys._getframe(1)
    while (frame := frame.f_back).f_code.co_name != "seen_by":
        _seen.append((frame.f_code.co_name, frame.f_lineno, plain(dict(frame.f_locals))))


def sees_frames():
    frame = inspect.currentframe().f_back
    while (frame := frame.f_back).f_code.co_name != "seen_by":
        found = inspect.getframeinfo(frame)
        _seen.append((found.function, found.lineno, found.code_context, found.index))
        _seen.append((frame.f_code.co_varnames, inspect.getargvalues(frame).args))


def sees_positions():
    for entry in traceback.extract_stack(limit=6):
        if entry.filename == __file__ and entry.name not in APART:
            _seen.append((entry.name, entry.lineno, entry.line, getattr(entry, "colno", None)))


def warns():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for depth in DEPTHS:
            warnings.warn("seen", stacklevel=depth + 1)
    _seen.append([(item.filename, item.lineno) for item in caught])


def logs():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(funcName)s %(lineno)d"))
    logger = logging.Logger("seen")
    logger.addHandler(handler)
    for depth in DEPTHS:
        logger.warning("seen", stacklevel=depth + 1)
    _seen.append(stream.getvalue())


LOOKS = [sees_locals, sees_frames, sees_positions, warns, logs]


def seen_by(look, function):
    """What `look` sees in each of some calls."""
    _look.append(look)
    rounds = []
    try:
        for _ in range(4):
            result = function(X)
            list(result) if hasattr(result, "gi_frame") else None
            rounds.append(list(_seen))
            _seen.clear()
    finally:
        _look.clear()
        _seen.clear()
    return rounds


def copy_of(program):
    return types.FunctionType(program.__code__.replace(), program.__globals__)


def without_dead(expected, found):
    """`expected` without the values of names for which `found` has None."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {
            key: "NoneType" if found.get(key) == "NoneType" else value
            for key, value in expected.items()
        }
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        assert len(expected) == len(found)
        pairs = zip(expected, found, strict=True)
        return type(expected)(without_dead(one, other) for one, other in pairs)
    return expected


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.__name__)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_callees_see_the_frames_of_the_plain_function(program, look):
    expected = seen_by(look, copy_of(program))
    assert all(expected)
    fast = seen_by(look, dyntrace.optimize(copy_of(program)))
    assert fast == without_dead(expected, fast)
    with dyntrace.optimize():
        hooked = seen_by(look, copy_of(program))
    dyntrace.reset()
    assert hooked == without_dead(expected, hooked)


def test_live_names_have_their_values():
    expected = seen_by(sees_locals, copy_of(straight))
    assert seen_by(sees_locals, dyntrace.optimize(copy_of(straight))) == expected
