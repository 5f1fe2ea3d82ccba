"""One write to outside memory, captured from a real function and run by a backend beside eager.

Invariant: what is refused, and what fails, leaves every argument untouched; what is committed
leaves what eager leaves. Graphs are captured once for each function and combination of kinds.
"""

import functools
import warnings

import numpy as np

from tests.exec.comparing import same_bits
from tests.trace.captured import captured

MODES = dict(divide="raise", over="raise", invalid="raise", under="ignore")  # a region's modes
DTYPES = ("?", "b", "B", "h", "i", "I", "q", "Q", "e", "f", "d", "g", "F", "D")
_captures = {}


def numbers(dtype, shape, start=1):
    count = int(np.prod(shape))
    return (np.arange(start, start + count) % 7 + 1).reshape(shape).astype(dtype)


def memory(values):
    """The bytes of the arrays and of whatever they are views of."""
    owners = [getattr(value, "base", None) for value in values]
    pairs = zip(owners, values, strict=True)
    arrays = [value if owner is None else owner for owner, value in pairs]
    return [array.tobytes() for array in arrays if isinstance(array, np.ndarray)]


def kind(value):
    """What a graph depends on: types, dtypes and numbers of dimensions, but no value."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.ndim
    return value if callable(value) else type(value)


def writing(fn, values):
    """The captured graph of a function whose last operation is a write to an argument."""
    key = (fn, *map(kind, values))
    if key not in _captures:
        _captures[key] = captured(fn, *values)
        assert _captures[key].graph.effect is not None
    return _captures[key]


def run(compile_graph, fn, build, sample=None):
    """Run the function eagerly and as a graph on equal arguments; what became of the target.

    Returns "committed" or "refused". The graph is captured for the arguments of `sample`.
    """
    found, wanted = build(), build()
    region = writing(fn, (sample or build)()).compiled(compile_graph)
    before = memory(found)
    try:
        with np.errstate(**MODES):
            *outputs, commit = region(*found)
    except Exception:
        assert memory(found) == before
        return "refused"
    assert memory(found) == before
    assert isinstance(commit, functools.partial)
    with np.errstate(**MODES):
        wanted_outputs = fn(*wanted)
        commit()
    for one, other in zip(found, wanted, strict=True):
        if isinstance(other, np.ndarray):
            same_bits(one, other)
    del outputs, wanted_outputs
    return "committed"


def commit_of(compile_graph, fn, build):
    """What the region returns to do the write, on these arguments."""
    values = build()
    return writing(fn, values).compiled(compile_graph)(*values)[-1]


def eager_fails(fn, build, **modes):
    """Whether eager raises on these arguments, in the modes of a region unless others are given."""
    try:
        with np.errstate(**(modes or MODES)), warnings.catch_warnings():
            warnings.simplefilter("error")
            fn(*build())
    except Exception:
        return True
    return False


def functions_of(cases):
    """The functions in the body of a class, by name."""
    return {name: value for name, value in vars(cases).items() if name[0] != "_"}
