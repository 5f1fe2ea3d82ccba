"""Attributes of NumPy's functions that a program sets: what it reads back is what it set."""

import numpy as np
import pytest

import dyntrace


def documented(text):
    np.add.__doc__ = text
    return np.add.__doc__ == text


def dispatched(text):
    np.sum.__doc__ = text
    return np.sum.__doc__ == text


def homed(text):
    np.sin.__module__ = text
    return np.sin.__module__ == text


def built_in(text):
    len.__module__ = text
    return len.__module__ == text


def marked(text):
    np.mean.mark = text
    return np.mean.mark == text


HOLDERS = {
    documented: (np.add, "__doc__"),
    dispatched: (np.sum, "__doc__"),
    homed: (np.sin, "__module__"),
    built_in: (len, "__module__"),
    marked: (np.mean, "mark"),
}


def outcome(fn, text):
    try:
        return fn(text)
    except AttributeError as error:
        return str(error)


@pytest.mark.parametrize("fn", HOLDERS, ids=lambda fn: fn.__name__)
def test_attribute_that_was_set_is_read_back(fn):
    holder, name = HOLDERS[fn]
    old = getattr(holder, name, "")
    fast = dyntrace.optimize(fn)
    try:
        for number in range(5):
            assert outcome(fast, f"fast {number}") == outcome(fn, f"plain {number}")
    finally:
        outcome(lambda text: setattr(holder, name, text), old)


def test_attributes_that_cannot_change_are_constants():
    def program(x):
        return x * np.add.nin + np.add.nout, np.add.__name__

    fast = dyntrace.optimize(program)
    for _ in range(3):
        assert repr(fast(np.ones(2))) == repr(program(np.ones(2)))
    assert dyntrace.stats(fast).graphs == 1
