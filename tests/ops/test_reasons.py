"""Each reason of the DT2xx section is triggered by the call it describes."""

from __future__ import annotations

import numpy as np
import pytest

from dyntrace import breaks
from dyntrace.breaks import CATALOGUE
from dyntrace.ops import registry
from dyntrace.ops.call import NumpyCall, Refused, Sample
from dyntrace.ops.registry import Treatment, record_of

X = np.arange(6.0).reshape(2, 3)


class Thing:
    pass


class Computed(Sample):
    """An operand that the region itself computes, so that it cannot be read."""

    def read(self):
        raise Refused(breaks.VALUE_NEEDED)


def refusal(record, *args, **kwargs):
    operands = tuple(a if isinstance(a, Sample) else Sample(a) for a in args)
    with pytest.raises(Refused) as caught:
        record.infer(NumpyCall(operands, {k: Sample(v) for k, v in kwargs.items()}))
    return caught.value.reason.code


CALLS = {
    "an object of a user's class": ("DT201", record_of(np.sum), (Thing(),), {}),
    "shapes that cannot fit": ("DT202", record_of(np.matmul), (X, 2.0), {}),
    "a user's function": ("DT203", record_of(np.apply_along_axis), (lambda a: a, 0, X), {}),
    "complex into real": ("DT206", registry.method("astype"), (X * 1j, np.float64), {}),
    "float of a vector": ("DT206", record_of(float), (np.ones(1),), {}),
    "squeeze without an axis": ("DT207", registry.method("squeeze"), (X,), {}),
    "a shape in an array": ("DT207", record_of(np.zeros), (np.array([2, 3]),), {}),
    "byteswap in place": ("DT208", registry.method("byteswap"), (X, True), {}),
    "nan_to_num in place": ("DT208", record_of(np.nan_to_num), (X,), {"copy": False}),
    "median overwriting its input": ("DT208", record_of(np.median), (X, None, None, True), {}),
    "a computed axis": ("DT211", record_of(np.sum), (X, Computed(1)), {}),
    "an array of objects": ("DT212", record_of(np.sum), (np.array([1, None]),), {}),
    "an array of text": ("DT212", record_of(np.sort), (np.array(["a"]),), {}),
    "a masked array": ("DT216", record_of(np.sum), (np.ma.array([1.0]),), {}),
    "a list too long to be looked at": ("DT217", record_of(np.stack), ([X] * 257,), {}),
    "a date": ("DT212", record_of(np.add), (np.datetime64("2020-01-01"), 1), {}),
    "foreign byte order": ("DT212", record_of(np.add), (X.astype(">f8"), 1), {}),
    "a test into out": ("DT215", record_of(np.isnan), (X, X > 0), {}),
}

TREATMENTS = {
    "DT203": record_of(np.frompyfunc(abs, 1, 1)),
    "DT204": record_of(np.random.default_rng(0).normal),
    "DT205": record_of(np.savetxt),
    "DT208": registry.array_treatment("resize"),
    "DT209": registry.array_treatment("tostring"),
    "DT210": registry.array_treatment("ctypes"),
    "DT213": record_of(np.seterr),
    "DT214": record_of(np.nditer),
}


@pytest.mark.parametrize("what", CALLS)
def test_call_is_refused_for_its_reason(what):
    code, record, args, kwargs = CALLS[what]
    assert refusal(record, *args, **kwargs) == code


@pytest.mark.parametrize("code", TREATMENTS)
def test_callable_is_listed_with_its_reason(code):
    found = TREATMENTS[code]
    assert isinstance(found, Treatment)
    assert found.code == code and found.reason.text


def test_legacy_random_functions_are_draws_too():
    assert record_of(np.random.rand) == registry.RANDOM
    assert registry.object_treatment(np.random.Generator) == registry.RANDOM
    assert registry.object_treatment(dict) is None


def test_function_outside_numpy_has_no_record():
    assert record_of(print) is None
    assert record_of(lambda x: x) is None
    assert record_of(Thing()) is None


def test_every_reason_of_the_section_is_triggered_here():
    codes = {code for code, *_ in CALLS.values()} | set(TREATMENTS)
    section = {code for code in CATALOGUE if code.startswith("DT2")}
    assert section - codes == set()
