"""Realistic programs, and the reasons their authors are given: code, line and detail."""

import linecache
import re

import numpy as np
import pytest

import dyntrace
from dyntrace.breaks import CATALOGUE
from tests.scenarios import realistic_programs as programs

# program: how to make its arguments, and each reason with its line and what it names
REASONS = {
    programs.record_field: (
        lambda: (programs.RECORDS,),
        [
            ("DT212", 'return r["x"] * 2', "ndarray"),
        ],
    ),
    programs.record_store: (
        lambda: (programs.RECORDS,),
        [
            ("DT212", 'r["x"] = 3.0', "ndarray"),
            ("DT212", 'return r["n"]', "ndarray"),
        ],
    ),
    programs.date_differences: (
        lambda: (programs.DATES,),
        [
            ("DT212", "return d[1:] - d[0]", "ndarray"),
            ("DT212", "return d[1:] - d[0]", "ndarray, datetime64"),
        ],
    ),
    programs.date_shift: (
        lambda: (programs.DATES,),
        [
            ("DT212", 'return d + np.timedelta64(1, "D")', "ndarray, timedelta64"),
        ],
    ),
    programs.equal_words: (
        lambda: (programs.WORDS,),
        [
            ("DT212", 'return w == "a"', "ndarray, str"),
        ],
    ),
    programs.object_sum: (
        lambda: (programs.OBJECTS,),
        [
            ("DT212", "return o + 1", "ndarray, int"),
        ],
    ),
    programs.object_method: (
        lambda: (programs.OBJECTS,),
        [
            ("DT212", "return o.sum()", "ndarray"),
        ],
    ),
    programs.swapped_bytes: (
        lambda: (programs.A.astype(">f8"),),
        [
            ("DT212", "return b * 2", "ndarray, int"),
        ],
    ),
    programs.masked_mean: (
        lambda: (programs.MASKED,),
        [
            ("DT216", "return (m + 1).mean()", "MaskedArray, int"),
            ("DT216", "return (m + 1).mean()", "MaskedArray"),
        ],
    ),
    programs.matrix_product: (
        lambda: (np.matrix([[1.0]]),),
        [
            ("DT216", "return m * m", "matrix, matrix"),
        ],
    ),
    programs.data_frame: (
        lambda: (programs.Frame(),),
        [
            ("DT502", 'f["y"] = f["x"] * 2', "Frame"),
            ("DT502", 'return f["y"] + 1', "Frame"),
        ],
    ),
    programs.printed: (
        lambda: (programs.A,),
        [
            ("DT101", "print(b.sum(), file=io.StringIO())", "StringIO"),
            ("DT101", "print(b.sum(), file=io.StringIO())", "print"),
        ],
    ),
    programs.logged: (
        lambda: (programs.A,),
        [
            (
                "DT103",
                'LOG.info("sum %s", 1)',
                "Logger.info, __init__.py: call of a Python function that cannot be inlined",
            ),
        ],
    ),
    programs.formatted: (
        lambda: (programs.A,),
        [
            ("DT205", 'text = f"{b.sum():.3f}"', "text with values in it"),
        ],
    ),
    programs.percent_format: (
        lambda: (programs.A,),
        [
            ("DT205", 'return "%.2f" % a.sum()', "text with values in it"),
        ],
    ),
    programs.array_text: (
        lambda: (programs.A,),
        [
            ("DT101", "return str(a * 2)", "str"),
        ],
    ),
    programs.legacy_draw: (
        lambda: (3,),
        [
            ("DT204", "x = np.random.rand(n)", "rand"),
        ],
    ),
    programs.legacy_seed: (
        lambda: (3,),
        [
            ("DT204", "np.random.seed(0)", "seed"),
            ("DT204", "return np.random.normal(size=n) + 1", "normal"),
        ],
    ),
    programs.state_draw: (
        lambda: (np.random.RandomState(0),),
        [
            ("DT204", "return state.normal(size=3) * 2", "normal"),
        ],
    ),
    programs.generator_draw: (
        lambda: (3,),
        [
            ("DT204", "return RNG.normal(size=n) * 2", "normal"),
        ],
    ),
    programs.saved: (
        lambda: (programs.A,),
        [
            ("DT101", "file = io.BytesIO()", "BytesIO"),
            ("DT205", "np.save(file, a * 2)", "save"),
        ],
    ),
    programs.vectorized: (
        lambda: (programs.A,),
        [
            ("DT203", "return np.vectorize(lambda v: v + 1)(a) * 2", "vectorize"),
            ("DT102", "return np.vectorize(lambda v: v + 1)(a) * 2", "vectorize"),
        ],
    ),
    programs.along_axis: (
        lambda: (programs.A,),
        [
            ("DT203", "return np.apply_along_axis(lambda row: row.sum(), 0, a) * 2", "function"),
        ],
    ),
    programs.property_read: (lambda: (programs.Particle(),), []),
    programs.cached_read: (
        lambda: (programs.Particle(),),
        [
            ("DT506", "return p.x / p.norm", "norm"),
        ],
    ),
    programs.counted_steps: (
        lambda: (programs.Particle(),),
        [
            ("DT507", "p.x = p.x * 2", "x"),
            ("DT507", "p.steps += 1", "steps"),
        ],
    ),
    programs.global_counter: (
        lambda: (programs.A,),
        [
            ("DT507", "COUNT += 1", "COUNT"),
        ],
    ),
    programs.appended: (
        lambda: (
            programs.A,
            [],
        ),
        [
            ("DT507", "into.append(a * 2)", "list.append"),
        ],
    ),
    programs.updated: (
        lambda: (
            programs.A,
            {},
        ),
        [
            ("DT507", 'into["a"] = a * 2', "dict"),
        ],
    ),
    programs.sorted_rows: (
        lambda: (programs.A,),
        [
            ("DT101", "return sorted(rows, key=lambda row: row.sum())", "sorted"),
        ],
    ),
    programs.early_return: (
        lambda: (programs.A,),
        [
            ("DT401", "if a.sum() > 100:", ""),
        ],
    ),
    programs.recursive: (
        lambda: (
            programs.A,
            20,
        ),
        [
            ("DT104", "return a if n == 0 else recursive(a * 0.5, n - 1)", "recursive"),
        ],
    ),
    programs.checked_kinds: (lambda: (programs.A,), []),
    programs.over_items: (lambda: (programs.A,), []),
    programs.while_large: (
        lambda: (programs.A,),
        [
            ("DT401", "while np.max(a) > 1:", ""),
        ],
    ),
    programs.two_effects: (lambda: (programs.A,), []),
    programs.in_a_context: (
        lambda: (programs.A,),
        [
            (
                "DT103",
                "with timed():",
                "timed, contextlib.py: call of a function that cannot be traced",
            ),
            ("DT302", "with timed():", ""),
        ],
    ),
    programs.caught: (
        lambda: (programs.A,),
        [
            ("DT503", "return b + 1", ""),
        ],
    ),
    programs.raised: (
        lambda: (programs.A,),
        [
            ("DT401", "if b.shape[0] < 0:", ""),
            ("DT303", "raise ValueError", ""),
        ],
    ),
    programs.yielded: (
        lambda: (programs.A,),
        [
            ("DT301", "yield a * k", ""),
        ],
    ),
    programs.awaited: (
        lambda: (programs.A,),
        [
            ("DT103", "await asyncio.sleep(0)", "sleep"),
            ("DT301", "await asyncio.sleep(0)", ""),
        ],
    ),
    programs.in_a_thread: (
        lambda: (programs.A,),
        [
            ("DT101", "thread = threading.Thread(target=lambda: found.append(a * 2))", "Thread"),
            (
                "DT103",
                "thread.start()",
                "Thread.start, threading.py: entering or leaving a with block",
            ),
            (
                "DT103",
                "thread.join()",
                "Thread.join, threading.py: call of a Python function that cannot be inlined",
            ),
            ("DT502", "return found[0] + 1", "list, int"),
        ],
    ),
    programs.reduced: (
        lambda: (programs.A,),
        [
            ("DT101", "return functools.reduce(np.add, [a, a * 2, a * 3])", "reduce"),
        ],
    ),
    programs.with_settings: (
        lambda: (
            programs.A,
            programs.Settings(),
        ),
        [],
    ),
    programs.with_pair: (
        lambda: (programs.A,),
        [
            ("DT101", "pair = Pair(a * 2, a + 1)", "Pair"),
            ("DT502", "return pair.first + pair.second", "Pair"),
        ],
    ),
    programs.with_enum: (
        lambda: (
            programs.A,
            programs.Colour.RED,
        ),
        [
            ("DT506", "return a * 2 if colour is Colour.RED else a", "RED"),
            ("DT502", "return a * 2 if colour is Colour.RED else a", "Colour, Colour"),
        ],
    ),
    programs.enum_value: (
        lambda: (
            programs.A,
            programs.Colour.RED,
        ),
        [
            ("DT502", "return a * colour.value", "Colour"),
        ],
    ),
    programs.local_import: (
        lambda: (programs.A,),
        [
            ("DT305", "import math", ""),
        ],
    ),
    programs.reshaped_in_place: (
        lambda: (programs.A,),
        [
            ("DT208", "b.shape = (2, 3)", "shape"),
        ],
    ),
    programs.resized: (
        lambda: (programs.A,),
        [
            ("DT208", "b.resize(12)", "resize"),
        ],
    ),
    programs.squeezed: (
        lambda: (programs.A,),
        [
            ("DT207", "return np.squeeze(a.reshape(1, 6)) + 1", "numpy.squeeze"),
        ],
    ),
    programs.computed_axis: (
        lambda: (programs.A,),
        [
            ("DT211", "return np.sum(a * 2, axis=axis)", "numpy.sum"),
        ],
    ),
    programs.converted_list: (
        lambda: (programs.A,),
        [
            ("DT201", 'return np.array([[1, 2], [3, "x"]], dtype=object), a * 2', "a class"),
        ],
    ),
    programs.error_state: (
        lambda: (programs.A,),
        [
            ("DT213", 'with np.errstate(divide="ignore"):', "errstate"),
            ("DT302", 'with np.errstate(divide="ignore"):', ""),
        ],
    ),
    programs.set_options: (
        lambda: (programs.A,),
        [
            ("DT213", "np.set_printoptions(precision=3)", "set_printoptions"),
        ],
    ),
    programs.interpolated: (lambda: (programs.A,), []),
    programs.deleted_item: (
        lambda: (
            programs.A,
            {},
        ),
        [
            ("DT507", 'kept["x"] = 1', "dict"),
            ("DT309", 'del kept["x"]', ""),
        ],
    ),
    programs.set_of_numbers: (
        lambda: (programs.A,),
        [
            ("DT502", "return {float(a[0]), float(a[1])}, a * 2", "set"),
        ],
    ),
    programs.unpickled: (
        lambda: (programs.A,),
        [
            ("DT305", "import pickle", ""),
            ("DT101", "return pickle.loads(pickle.dumps(a * 2)) + 1", "dumps"),
            ("DT101", "return pickle.loads(pickle.dumps(a * 2)) + 1", "loads"),
        ],
    ),
    programs.iterated: (
        lambda: (programs.A,),
        [
            ("DT214", "return sum(float(v) for v in np.nditer(a * 2))", "nditer"),
            (
                "DT103",
                "return sum(float(v) for v in np.nditer(a * 2))",
                "iterated.<locals>.<genexpr>",
            ),
            ("DT502", "return sum(float(v) for v in np.nditer(a * 2))", "generator"),
            ("DT301", "return sum(float(v) for v in np.nditer(a * 2))", ""),
        ],
    ),
    programs.memory_shared: (
        lambda: (programs.A,),
        [
            ("DT210", "return np.shares_memory(a, b), b.base is None", "base"),
        ],
    ),
    programs.partial_call: (
        lambda: (programs.A,),
        [
            ("DT101", "return functools.partial(np.add, 1)(a) * 2", "functools.partial"),
        ],
    ),
}


def fresh(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def told(found):
    """Code, line and detail of each break; lines of other files without their numbers."""
    for item in found.breaks:
        assert item.filename == programs.__file__ and item.why and item.hint
        detail = item.reason.removeprefix(CATALOGUE[item.code].text).removeprefix(": ")
        line = linecache.getline(item.filename, item.lineno).strip()
        yield item.code, line, re.sub(r"(\w+\.py):\d+", r"\1", detail)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", REASONS, ids=lambda program: program.__name__)
def test_authors_are_told_the_true_reason_at_their_own_line(program):
    make, expected = REASONS[program]
    args = make()
    fast = dyntrace.optimize(program)
    for _ in range(3):
        found = dyntrace.explain(fast)(*map(fresh, args))
    assert list(dict.fromkeys(told(found))) == expected


@pytest.mark.filterwarnings("ignore")
def test_work_that_always_fails_is_given_up_and_said_to_fail():
    fast = dyntrace.optimize(programs.caught)
    for _ in range(3):
        found = dyntrace.explain(fast)(programs.A)
    assert [item.code for item in found.retired] == ["DT703"]


@pytest.mark.filterwarnings("ignore")
def test_the_error_class_of_an_assert_is_no_reason_of_its_own():
    space = {}
    exec("def asserted(a):\n    b = a * 2\n    assert b.sum() > 0\n    return b + 1\n", space)
    fast = dyntrace.optimize(space["asserted"])
    for _ in range(3):
        found = dyntrace.explain(fast)(programs.A)
    assert {item.code for item in found.breaks} == {"DT401", "DT303"}
