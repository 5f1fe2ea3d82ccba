"""What is no legal argument is NumPy's to refuse: inference answers or refuses, whatever it gets.

Every callable that has a record is called with arguments of every wrong kind, plain and optimised:
results and exceptions are the same to the letter. Strict mode raises what inference would hide.
"""

import random
import types
import warnings

import numpy as np
import pytest

import dyntrace
from dyntrace.ops import registry

GARBAGE = (
    *("nonsense", b"dd->d", "ddd->d", "dd->d", "O", "V8", "i4,i4", "2i", "safe", "C", "d"),
    *(None, ..., True, -1, 99, 1 << 70, 1 << 20_000, 1.5, -2.5, 1j, float("inf")),
    *((), [], {}, {1: 2}, [1], (1,), [[1, 2], [3]], [None], (0, "a"), (None, None, None)),
    *((float, float, float), slice(None), range(2), int, np.float64, len, np.add),
    *(np.dtype("M8[s]"), np.dtype("i4"), np.int64(7), np.array("a"), np.array([1, 2])),
    np.array([[1.5]]),
)
KEYWORDS = """axis dtype casting order out where keepdims shape indices signature subok initial ddof
    axes offset n decimals side kind nonsense""".split()
UNTIMELY = frozenset("empty empty_like ndarray frombuffer".split())  # contents, or addresses
NAMESPACES = (np, np.linalg, np.fft)
CALLS = ("{f}({g})", "{f}(x, {g})", "{f}({g}, x)", "{f}(x, x, {g})", "{f}(x, {k}={g})")
CALLS += ("{f}(x, x, {k}={g})", "{f}(x, *{g})", "{f}()", "{f}(x, x, x, x, x, x)")
METHOD_CALLS = ("{f}({g})", "{f}(0, {g})", "{f}({k}={g})", "{f}({g}, {g})", "{f}(*{g})")
OTHERS = """x[{g}]; x[{g}, {g}]; x[0, {g}]; x[1:{g}]; x + {g}; {g} + x; x ** {g}; x @ {g}; x < {g}
    x == {g}; {g} in x; x << {g}; divmod(x, {g}); round(x, {g}); len({g}) + x; min(x, {g})
    max({g}) + x; sum({g}) + x; abs({g}) + x; float({g}) + x; int({g}) * x; not {g}; max(); min()
    np.r_[{g}, x]; np.mgrid[{g}]; x.shape[{g}]; x.T.reshape({g}); x.sum() ** {g}; x.sum() % {g}
    operator.add({g}); operator.pow({g}); operator.getitem({g}); operator.iadd({g}); operator.not_()
    operator.setitem(x, {g}); operator.abs(); np.add.reduce({g}); np.add.at(x, {g}, 1.0)
    np.add.outer(x, {g}); np.add.reduceat(x, {g}); np.add.accumulate(x, {g}); math.sqrt({g})
    np.float64({g}) + x; getattr(x, {g}); isinstance(x, {g}); slice({g}); list({g}); -{g}; ~{g}"""
X = np.arange(6.0).reshape(2, 3)


def captured(namespace):
    for name in dir(namespace):
        target = getattr(namespace, name)
        if name in UNTIMELY or isinstance(target, types.ModuleType):
            continue
        if isinstance(registry.record_of(target), registry.Record):
            yield f"{namespace.__name__.replace('numpy', 'np')}.{name}"


def expressions():
    draw = random.Random(20)
    for namespace in NAMESPACES:
        for name in captured(namespace):
            for form in CALLS:
                yield form.format(f=name, k=draw.choice(KEYWORDS), g="{g}")
    for name in dir(np.ndarray):
        if not name.startswith("_") and registry.method(name) is not None:
            for form in METHOD_CALLS:
                yield form.format(f=f"x.{name}", k=draw.choice(KEYWORDS), g="{g}")
    for line in OTHERS.splitlines():
        yield from (form.strip() for form in line.split(";"))


def leaves_memory_unset(form):
    """Whether a result's values may be whatever the memory held: a ufunc with `where` and no `out`."""
    name = form.partition("(")[0].removeprefix("np.")
    return "where=" in form and isinstance(getattr(np, name, None), np.ufunc)


def contents(result):
    return repr(result).partition(" at 0x")[0]


def layout(result):
    return getattr(result, "dtype", None), getattr(result, "shape", None)


def outcome(fn, garbage, describe=contents):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = fn(X.copy(), garbage)
            found = type(result), describe(result)
        except Exception as error:
            found = type(error), str(error).partition(" at 0x")[0]
    return found, [(w.category, str(w.message), w.lineno) for w in caught]


def differences(form, values):
    namespace = {"np": np, "math": __import__("math"), "operator": __import__("operator")}
    exec(f"def f(x, g):\n    return {form.format(g='g')}", namespace)
    fn = namespace["f"]
    describe = layout if leaves_memory_unset(form) else contents
    for garbage in values:
        fast = dyntrace.optimize(fn)
        for _ in range(2):
            wanted, got = outcome(fn, garbage, describe), outcome(fast, garbage, describe)
            if wanted != got:
                yield form, garbage, wanted, got


FORMS = list(dict.fromkeys(expressions()))
PARTS = 12


@pytest.mark.parametrize("part", range(PARTS))
def test_garbage_has_the_outcome_that_it_has_in_numpy(part):
    draw = random.Random(part)
    for form in FORMS[part::PARTS]:
        assert not list(differences(form, draw.sample(GARBAGE, 3)))


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda value: repr(type(value)))
@pytest.mark.parametrize(
    "keyword", ["dtype", "signature", "sig", "axis", "out", "casting", "where"]
)
def test_garbage_as_a_keyword_of_a_ufunc_is_refused_by_numpy(keyword, garbage):
    assert not list(differences(f"np.add(x, x, {keyword}={{g}})", [garbage]))
