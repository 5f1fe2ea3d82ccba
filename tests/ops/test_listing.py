"""The listing is complete and honest: nothing public is missing, and captured means captured."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

from dyntrace.breaks import CATALOGUE
from dyntrace.exec.checks import matches
from dyntrace.ops import registry
from dyntrace.ops.call import NumpyCall, Refused, Sample
from dyntrace.ops.listing import _CALLS, _OPERATORS, format_listing, listing, totals
from dyntrace.ops.registry import Record

from .samples import candidates

ROWS = listing()
CAPTURED = [row.name for row in ROWS if row.treatment == "captured"]


def record_for(name):
    space, _, last = name.rpartition(".")
    if space == "numpy.ndarray":
        if last in _OPERATORS:
            return registry.operator_record(*_OPERATORS[last])
        found = registry.record_of(_CALLS[last]) if last in _CALLS else None
        return found or registry.method(last) or registry.attribute(last)
    if space == "numpy.ufunc":
        return registry.record_of(getattr(np.add, last))
    return registry.record_of(eager_for(name))


def eager_for(name):
    space, _, last = name.rpartition(".")
    if space == "numpy.ndarray":
        descriptor = getattr(np.ndarray, last)
        if last in ("__index__", "__getitem__", "__setitem__") or callable(descriptor):
            return lambda array, *args, **kwargs: getattr(array, last)(*args, **kwargs)
        return lambda array: getattr(array, last)
    if space == "numpy.ufunc":
        return getattr(np.add, last)
    owner = np
    for part in space.split(".")[1:]:
        owner = getattr(owner, part)
    return getattr(owner, last)


def same(left, right):
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        equal = left.dtype == right.dtype and left.shape == right.shape
        return equal and left.strides == right.strides and bits(left) == bits(right)
    if isinstance(left, (tuple, list)):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[k], right[k]) for k in left)
    if isinstance(left, (bool, int, float, complex, str, bytes, np.generic, np.dtype, type)):
        return repr(left) == repr(right)
    return True  # opaque objects of one type


def bits(array):
    """The memory in C order; extended precision has padding, so its text."""
    return repr(array.tolist()) if array.dtype.char in "gG" else array.tobytes()


def arguments(values):
    return [value.tolist() if isinstance(value, np.ndarray) else repr(value) for value in values]


def parts(value):
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from parts(item)


def check_sharing(op, result, args):
    """A result shares memory with an argument, or two results with each other, only if it is said."""
    written = [place for place in op.writes if isinstance(place, int) and place < len(args)]
    if op.aliases or written:
        return
    results, given = list(parts(result)), list(parts(args))
    for place, one in enumerate(results):
        for other in (*given, *results[place + 1 :]):
            assert not np.shares_memory(one, other), f"{op} shares memory"


def of_scalar(name, args):
    """The record of a NumPy scalar's method, where that is what the sample calls."""
    if name.startswith("numpy.ndarray.") and args and isinstance(args[0], np.generic):
        return registry.method(name.rpartition(".")[2], Sample(args[0]).kind)
    return None


def attempt(name, record, eager, args, kwargs):
    """None if this sample suits neither; else whether capturing it gave what eager gives."""
    mine, named = copy.deepcopy((args, kwargs))
    record = of_scalar(name, args) or record
    if name.startswith("numpy.ndarray.__r") and name != "numpy.ndarray.__rshift__":
        mine = mine[::-1]  # the reflected method of the right operand
    try:
        expected = eager(*args, **kwargs)
    except Exception:
        return None
    original = arguments((*mine, *named.values()))
    call = NumpyCall(tuple(Sample(a) for a in mine), {k: Sample(v) for k, v in named.items()})
    try:
        kind = record.infer(call)
    except Refused:
        return None
    result = record.op.target(*mine, **named)
    if not matches(result, kind):
        assert not record.op.exact, (result, kind)
        return None
    assert "empty" in name or same(result, expected), (result, expected)
    check_sharing(record.op, result, (*mine, *named.values()))
    assert sorted(map(str, arguments(mine))) == sorted(map(str, arguments(args))), (
        "arguments written differently"
    )
    now = arguments((*mine, *named.values()))
    changed = [place for place, (old, new) in enumerate(zip(original, now)) if old != new]
    assert set(changed) <= set(record.op.writes), (changed, record.op.writes)
    return True


@pytest.mark.parametrize("name", CAPTURED)
def test_every_captured_callable_is_really_captured(name):
    record = record_for(name)
    assert isinstance(record, Record)
    eager = eager_for(name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        done = [attempt(name, record, eager, args, kwargs) for args, kwargs in candidates(name)]
    assert any(done), f"{name}: no sample was captured"


def test_nothing_public_is_unlisted():
    assert [row.name for row in ROWS if row.treatment == "unlisted"] == []


def test_at_least_85_percent_are_captured():
    counts = totals(ROWS)
    assert counts["captured"] / len(ROWS) >= 0.85, counts


def test_every_treatment_has_its_reason_in_the_catalogue():
    for row in ROWS:
        if row.treatment != "captured":
            assert row.reason.split()[0] in CATALOGUE


def test_the_text_ends_with_the_totals():
    text = format_listing()
    assert text.splitlines()[-1].startswith("captured: ")
    assert "numpy.random.Generator.normal" in text
