"""The public face: what each name takes, gives back and leaves alone."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import marshal
import pickle
import types

import numpy as np
import pytest

import dyntrace
from dyntrace.errors import BackendError, DyntraceError, GraphBreakError, VerificationError
from dyntrace.exec.backends import names, reference
from dyntrace.runtime import handles

A = np.arange(1.0, 6.0)

needs_hook = pytest.mark.skipif(not handles.NATIVE, reason="the frame hook is C")


def same_calls(fast, eager, *args, calls=4):
    """Call both, several times, and compare; the optimised function is handed back."""
    for _ in range(calls):
        assert np.array_equal(fast(*args), eager(*args))
    return fast


def captures(fast):
    """Whether regions of an optimised function ran."""
    return dyntrace.stats(fast).graph_calls > 0


# what optimize takes ------------------------------------------------------------------------------


def test_a_function_is_optimised_by_call_and_by_both_forms_of_decorator():
    def plain(a):
        return a * 2 + 1

    @dyntrace.optimize
    def bare(a):
        return a * 2 + 1

    @dyntrace.optimize(backend="reference")
    def with_options(a):
        return a * 2 + 1

    for fast in (dyntrace.optimize(plain), bare, with_options):
        assert captures(same_calls(fast, plain, A))


def test_a_lambda_and_a_closure_are_optimised():
    factor = 3.0

    def closure(a):
        return a * factor + 1

    same_calls(dyntrace.optimize(lambda a: a * 2 + 1), lambda a: a * 2 + 1, A)
    fast = same_calls(dyntrace.optimize(closure), closure, A)
    factor = 4.0
    assert captures(same_calls(fast, closure, A))


class Model:
    scale = 3.0

    def __init__(self, weight):
        self.weight = weight

    def apply(self, a):
        return a * self.weight + 1

    @dyntrace.optimize
    def decorated(self, a):
        return a * self.weight + 1

    @staticmethod
    @dyntrace.optimize
    def static(a):
        return a * 2 + 1

    @dyntrace.optimize
    @staticmethod
    def static_inside(a):
        return a * 2 + 1

    @classmethod
    @dyntrace.optimize
    def of_class(cls, a):
        return a * cls.scale + 1

    @dyntrace.optimize
    @classmethod
    def of_class_inside(cls, a):
        return a * cls.scale + 1

    def __call__(self, a):
        return a * self.weight - 1


def test_a_bound_method_stays_bound():
    model = Model(2.0)
    fast = same_calls(dyntrace.optimize(model.apply), model.apply, A)
    assert isinstance(fast, types.MethodType) and fast.__self__ is model
    assert captures(fast)


@pytest.mark.parametrize("name", ["static", "static_inside", "of_class", "of_class_inside"])
def test_static_and_class_methods_are_optimised_inside_and_outside_their_decorator(name):
    factor = Model.scale if name.startswith("of_class") else 2
    for owner in (Model, Model(5.0)):
        fast = same_calls(getattr(owner, name), lambda a: a * factor + 1, A)
    assert captures(fast)


def test_a_method_decorated_in_a_class_body_serves_every_instance():
    for weight in (2.0, 3, np.ones(5)):
        model = Model(weight)
        same_calls(model.decorated, model.apply, A)
    assert captures(Model.decorated)


def test_a_callable_object_is_optimised_with_itself():
    model = Model(2.0)
    fast = same_calls(dyntrace.optimize(model), model, A)
    model.weight = 4.0
    assert captures(same_calls(fast, model, A))


def test_a_partial_keeps_its_arguments():
    def program(a, b, *, c):
        return a * b + c

    bound = functools.partial(program, A, c=2.0)
    fast = same_calls(dyntrace.optimize(bound), bound, 3.0)
    assert isinstance(fast, functools.partial)
    assert fast.args == bound.args and fast.keywords == bound.keywords
    assert captures(fast)


def test_a_generator_function_stays_one():
    def program(a):
        for n in range(4):
            yield a * n + 1

    fast = dyntrace.optimize(program)
    assert inspect.isgeneratorfunction(fast)
    for _ in range(3):
        for one, other in zip(fast(A), program(A), strict=True):
            assert np.array_equal(one, other)
    assert captures(fast)


def test_async_functions_and_generators_stay_what_they_are():
    async def pause(a):
        await asyncio.sleep(0)
        return a * 2 + 1

    async def items(a):
        for n in range(3):
            yield a * n + 1

    async def collect(function):
        return [item async for item in function(A)]

    fast_pause, fast_items = dyntrace.optimize(pause), dyntrace.optimize(items)
    assert inspect.iscoroutinefunction(fast_pause) and inspect.isasyncgenfunction(fast_items)
    for _ in range(4):
        assert np.array_equal(asyncio.run(fast_pause(A)), asyncio.run(pause(A)))
        both = zip(asyncio.run(collect(fast_items)), asyncio.run(collect(items)), strict=True)
        assert all(np.array_equal(one, other) for one, other in both)
    assert captures(fast_pause) and captures(fast_items)


@pytest.mark.parametrize("value", [3, "text", None.__class__, [1], A], ids=str)
def test_what_cannot_be_called_is_a_type_error_that_says_what_is_accepted(value):
    if isinstance(value, type):
        assert dyntrace.optimize(value) is value
        return
    accepted = "a Python function, method, callable object, or nothing for a `with` block"
    text = f"optimize takes {accepted}; got {type(value).__name__}"
    with pytest.raises(TypeError, match=text.replace("(", r"\(")):
        dyntrace.optimize(value)


@pytest.mark.parametrize(
    "value", [len, np.sin, np.sum, [].append, int, Model, np.float64, "x".join], ids=repr
)
def test_what_has_no_bytecode_comes_back_unchanged(value):
    assert dyntrace.optimize(value) is value


def test_explain_notes_that_a_builtin_is_no_python_function():
    found = dyntrace.explain(np.sin)(A)
    assert found.graph_count == found.graph_break_count == 0
    assert [note[:5] for note in found.notes] == ["DT601"]
    with pytest.raises(TypeError, match="returned by optimize"):
        dyntrace.stats(np.sin)


def test_an_unknown_backend_is_an_error_at_once():
    for given in (
        lambda: dyntrace.optimize(backend="tpu"),
        lambda: dyntrace.optimize(len, backend="tpu"),
    ):
        with pytest.raises(BackendError, match="unknown backend 'tpu'; known are .*numpy"):
            given()
    assert issubclass(BackendError, DyntraceError)


# what the function keeps --------------------------------------------------------------------------


def test_names_signature_defaults_and_own_attributes_are_kept():
    def program(a: np.ndarray, /, b=2, *rest, c: float = 3.0, **named) -> np.ndarray:
        """What it does."""
        return a * b + c

    program.note = "kept"
    fast = dyntrace.optimize(program)
    for name in ("name", "qualname", "doc", "module", "defaults", "kwdefaults", "annotations"):
        assert getattr(fast, f"__{name}__") == getattr(program, f"__{name}__")
    assert fast.note == "kept"
    assert fast.__wrapped__ is program
    assert inspect.signature(fast) == inspect.signature(program)
    assert inspect.getsource(fast) == inspect.getsource(program)
    assert same_calls(fast, program, A) is fast
    assert fast.__code__.co_varnames == program.__code__.co_varnames
    assert fast.__code__.co_firstlineno == program.__code__.co_firstlineno


def test_defaults_changed_later_are_used():
    def program(a, b=2.0):
        return a * b + 1

    fast = same_calls(dyntrace.optimize(program), program, A)
    fast.__defaults__ = (5.0,)
    assert np.array_equal(fast(A), A * 5.0 + 1)


@dyntrace.optimize
def decorated(a):
    return np.sqrt(a) * 2


def test_a_decorated_function_is_pickled_by_name():
    same_calls(decorated, lambda a: np.sqrt(a) * 2, A)
    assert pickle.loads(pickle.dumps(decorated)) is decorated


def test_copies_of_a_function_are_the_function():
    assert copy.copy(decorated) is decorated
    assert copy.deepcopy({"f": decorated})["f"] is decorated


def test_a_function_made_from_the_code_of_another_runs_it():
    same_calls(decorated, lambda a: np.sqrt(a) * 2, A)
    again = types.FunctionType(decorated.__code__, decorated.__globals__)
    same_calls(again, lambda a: np.sqrt(a) * 2, A)


def test_code_with_regions_cannot_be_marshalled_but_the_original_can():
    with pytest.raises(ValueError, match="unmarshallable"):
        marshal.dumps(decorated.__code__)
    original = marshal.loads(marshal.dumps(decorated.__wrapped__.__code__))
    assert original == decorated.__wrapped__.__code__


def test_a_wrapper_made_with_functools_wraps_is_not_taken_for_the_function():
    @functools.wraps(decorated)
    def wrapper(a):
        return decorated(a) + 1

    with pytest.raises(TypeError):
        dyntrace.stats(wrapper)
    same_calls(dyntrace.optimize(wrapper), lambda a: np.sqrt(a) * 2 + 1, A)


def test_an_optimised_function_can_be_optimised_again():
    def program(a):
        return a * 2 + 1

    once = dyntrace.optimize(program)
    twice = dyntrace.optimize(once)
    same_calls(twice, program, A)
    same_calls(once, program, A)
    assert dyntrace.stats(twice).internal_errors == 0


def test_an_optimised_function_is_inlined_into_another_as_its_original():
    def program(a):
        return decorated(a + 1) + 1

    found = dyntrace.explain(program)(A)
    assert found.graph_break_count == 0
    assert found.op_count == 4


# fullgraph ----------------------------------------------------------------------------------------


def test_fullgraph_raises_the_reason_and_the_line_of_the_first_break():
    @dyntrace.optimize(fullgraph=True)
    def program(a):
        b = a * 2
        dyntrace.graph_break()
        return b + 1

    with pytest.raises(GraphBreakError) as caught:
        program(A)
    error = caught.value
    assert error.reason == "DT106 graph_break() in the source"
    assert error.filename == __file__
    assert error.lineno == program.__code__.co_firstlineno + 3
    assert str(error) == f"{__file__}:{error.lineno}: {error.reason}"


def checked_centre(x):
    if x.size == 0:
        raise ValueError("empty: " + str(x.shape))
    if len(x) == 1:
        raise TypeError(f"one row of {x.shape[1]}")
    centred = x - x.mean(axis=0)
    return centred, centred.max()


def views_and_reductions(x):
    left, right = x[:, :-1], x[:, 1:]
    return (right - left).T, left.sum(axis=0)


def filled(x):
    new = np.zeros_like(x)
    new[1:] = x[1:] - x[:-1]
    new += 1.0
    return new, new.std()


@pytest.mark.parametrize("fn", [checked_centre, views_and_reductions, filled])
def test_fullgraph_takes_what_one_graph_holds(fn):
    fast = dyntrace.optimize(fn, fullgraph=True)
    x = np.arange(12.0).reshape(4, 3)
    for _ in range(3):
        for got, wanted in zip(fast(x), fn(x), strict=True):
            assert np.array_equal(got, wanted)
    assert dyntrace.stats(fast).graph_calls == 3


def test_fullgraph_function_still_raises_its_own_exceptions():
    fast = dyntrace.optimize(checked_centre, fullgraph=True)
    fast(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"empty: \(0, 2\)"):
        fast(np.ones((0, 2)))
    with pytest.raises(TypeError, match="one row of 2"):
        fast(np.ones((1, 2)))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("print(end='')", "DT101"),
        ("if t.sum() > 0: t = t + 1.0", "DT401"),
        ("t = t + np.random.default_rng(0).random(3)", "DT204"),
        ("flags = x.flags", "DT210"),
        ("yield t", "DT301"),
    ],
)
def test_fullgraph_refuses_what_parts_the_work(source, code):
    namespace = {"np": np}
    exec(f"def f(x):\n    t = x * 2.0\n    {source}\n    return t - 1.0", namespace)
    fast = dyntrace.optimize(namespace["f"], fullgraph=True)
    with pytest.raises(GraphBreakError, match=code) as caught:
        for _ in range(3):
            list(fast(np.ones(3)))
    assert caught.value.lineno == 3


def test_unknown_backend_is_a_value_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match="known are .*numpy, reference"):
        dyntrace.optimize(filled, backend="no such")


def test_fullgraph_lets_a_function_without_breaks_run():
    def program(a):
        b = np.sin(a) * 2
        return b.sum() + 1

    fast = dyntrace.optimize(program, fullgraph=True)
    assert captures(same_calls(fast, program, A))


# counters and control -----------------------------------------------------------------------------


def test_stats_count_what_happened():
    fast = dyntrace.optimize(lambda a, b: (a + b) * 2)
    assert dyntrace.stats(fast).compiles == 0
    for _ in range(5):
        fast(A, 1.0)
    with pytest.raises(ValueError, match="broadcast"):
        fast(A, np.ones(3))
    with pytest.raises(ValueError, match="broadcast"):
        fast(A, np.ones(3))
    found = dyntrace.stats(fast)
    assert found.compiles >= 1 and found.graphs >= 1
    assert found.graph_calls >= 6
    assert found.deopts >= 1
    assert found.misses >= 1
    assert found.retired == found.internal_errors == 0


def test_a_disabled_function_is_neither_inlined_nor_optimised():
    @dyntrace.disable
    def left_alone(a):
        """Left alone."""
        return a * 2 + 1

    def program(a):
        return left_alone(a + 1) * 2

    assert left_alone.__doc__ == "Left alone." and left_alone.__name__ == "left_alone"
    fast = same_calls(dyntrace.optimize(program), program, A)
    found = dyntrace.explain(fast)(A)
    assert [item.code for item in found.breaks] == ["DT107"]
    assert dyntrace.optimize(left_alone) is left_alone
    assert dyntrace.explain(left_alone)(A).notes[0].startswith("DT107")


def test_a_disabled_copy_leaves_the_function_itself_as_it_is():
    def program(a, b=2, *, c=3):
        return a * b + c

    fast = dyntrace.optimize(program)
    slow = dyntrace.disable(fast)
    assert slow.__wrapped__ is program and slow.__kwdefaults__ == {"c": 3}
    assert inspect.signature(slow) == inspect.signature(program)
    same_calls(slow, program, A)
    assert captures(same_calls(fast, program, A))
    with pytest.raises(TypeError, match="disable takes a Python function; got builtin"):
        dyntrace.disable(len)


@needs_hook
def test_a_disabled_function_is_left_alone_inside_a_block_too():
    seen = []

    def program(a):
        seen.append(dyntrace.is_tracing())
        return a * 2 + 1

    slow = dyntrace.disable(program)
    with dyntrace.optimize():
        for _ in range(3):
            slow(A)
        assert not any(seen)
        for _ in range(3):
            program(A)
    assert any(seen)


def test_a_graph_break_does_nothing_to_the_result():
    def program(a):
        b = a * 2
        dyntrace.graph_break()
        return b + 1

    assert dyntrace.graph_break() is None
    found = dyntrace.explain(program)(A)
    assert [item.code for item in found.breaks] == ["DT106"]
    assert found.graph_count == 2
    same_calls(dyntrace.optimize(program), program, A)


def test_is_tracing_tells_optimised_from_plain():
    def program(a):
        return dyntrace.is_tracing(), a * 2 + 1

    assert dyntrace.is_tracing() is False
    assert program(A)[0] is False
    fast = dyntrace.optimize(program)
    fast(A)  # where there is no replacement, the first call runs the original to its end
    assert [fast(A)[0] for _ in range(3)] == [True] * 3
    assert program(A)[0] is False


def test_reset_forgets_and_the_function_learns_again():
    def program(a):
        return a * 2 + 1

    fast = same_calls(dyntrace.optimize(program), program, A)
    assert dyntrace.stats(fast).graphs == 1
    dyntrace.reset()
    assert dyntrace.stats(fast).graphs == 0
    assert captures(same_calls(fast, program, A.astype(np.float32)))


def test_reset_during_a_call_is_safe():
    def program(a):
        b = a * 2
        dyntrace.reset()
        return b + 1

    same_calls(dyntrace.optimize(program), program, A)


# verify and backends ------------------------------------------------------------------------------


@pytest.fixture
def own_backends(monkeypatch):
    monkeypatch.setattr(names, "_registered", {})


def test_verify_returns_the_result_and_keeps_the_signature():
    def program(a, b=2):
        return a * b + 1

    verified = dyntrace.verify(program)
    assert inspect.signature(verified) == inspect.signature(program)
    assert np.array_equal(verified(A, b=3), A * 3 + 1)
    assert np.array_equal(dyntrace.verify(program, backend="reference")(A), A * 2 + 1)


def test_verify_catches_a_backend_that_is_wrong(own_backends):
    def off_by_one(graph):
        run = reference.compile_graph(graph)
        return lambda *values: run(*values) + 1

    dyntrace.register_backend("off by one", off_by_one)

    def program(a):
        return a * 2 + 1

    with pytest.raises(VerificationError, match="eager != optimised"):
        dyntrace.verify(program, backend="off by one")(A)


def test_a_registered_backend_gets_the_graphs(own_backends):
    seen = []

    def watching(graph):
        seen.append([node.op.name for node in graph.nodes])
        return reference.compile_graph(graph)

    dyntrace.register_backend("watching", watching)

    def program(a):
        return np.sin(a) * 2

    same_calls(dyntrace.optimize(program, backend="watching"), program, A)
    assert seen == [["numpy.sin", "operator.mul"]]


def test_a_backend_that_fails_leaves_the_original_running(own_backends):
    def failing(graph):
        def run(*values):
            raise ValueError("not today")

        return run

    dyntrace.register_backend("failing", failing)

    def program(a):
        return a * 2 + 1

    fast = same_calls(dyntrace.optimize(program, backend="failing"), program, A, calls=12)
    assert dyntrace.stats(fast).deopts >= 1


# the context manager ------------------------------------------------------------------------------


def helper(a):
    return np.cos(a) * 2


def outer(a):
    total = 0.0
    for n in range(3):
        total = total + helper(a + n)
    return total, dyntrace.is_tracing()


@needs_hook
def test_a_block_optimises_the_frames_entered_inside_it():
    expected, _ = outer(A)
    with dyntrace.optimize() as block:
        assert block is not None
        for _ in range(4):
            found, traced = outer(A)
            assert np.array_equal(found, expected)
        assert traced
    assert outer(A)[1] is False


@needs_hook
def test_blocks_nest_and_can_be_used_again():
    block = dyntrace.optimize()
    with block:
        outer(A)
        with block, dyntrace.optimize(backend="reference"):
            assert outer(A)[1]
        assert outer(A)[1]
    assert outer(A)[1] is False
    with block:
        assert outer(A)[1]
    assert outer(A)[1] is False


@needs_hook
def test_a_block_is_left_by_an_exception_too():
    with pytest.raises(ZeroDivisionError), dyntrace.optimize():
        outer(A)
        1 / 0
    assert outer(A)[1] is False


@needs_hook
def test_an_optimised_function_inside_a_block_keeps_its_own_regions():
    fast = dyntrace.optimize(helper)
    with dyntrace.optimize():
        same_calls(fast, helper, A)
    before = dyntrace.stats(fast).graph_calls
    fast(A)
    assert dyntrace.stats(fast).graph_calls == before + 1
