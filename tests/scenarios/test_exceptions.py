"""Exceptions: type, message, line, columns, frames and chain are CPython's own."""

import signal
import sys
import traceback

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.exec.backends import generation
from dyntrace.exec.lower import choice
from tests.differential import check, check_calls

ARRAY = np.arange(1.0, 6.0)


def raising(expression):
    """A function that does array work, evaluates `expression`, and does more array work."""
    source = f"""
def program(a, b):
    x = a * 2
    y = x + 1
    z = (y - 1) * (
        {expression}
    )
    return z + 1
"""
    space = {"np": np}
    exec(compile(source, "raising.py", "exec"), space)
    return space["program"]


@pytest.mark.parametrize(
    "expression",
    [
        "x + b", "x @ b", "b + x * 2", "np.add(x, b)", "np.concatenate([x, b[None]])", "x[99]",
        "x['a']", "x.reshape(7)", "x.nothing", "np.linalg.inv(x)", "np.nothing", "nothing", "x()",
        "np.dot(x, b)", "np.stack([x, b])", "x.sum(axis=3)", "np.zeros(-1)", "x < b", "x << 1",
        "np.einsum('ij->i', x)", "int(x)", "float('x')", "1 / 0", "[][0]", "{}['k']", "x if x > 1 else b",
        "np.arange(3).astype('nonsense')", "x.item()", "x.transpose(1, 0)", "np.broadcast_to(x, (2, 3))",
        "np.add(x, 1, out=b)", "np.take(x, 9)", "x.astype(np.int8, casting='safe')", "~x", "x % 'a'",
        "np.linalg.cholesky(-np.eye(3))", "np.sum(x, dtype='q', nothing=1)", "next(iter([]))",
        "np.array([[1], [1, 2]])", "x.view('i3')", "np.add.reduce(x, axis=1)", "x[1, 2, 3]", "len(5)",
        "(lambda v: v + b)(x)", "np.split(x, 3)", "np.where(x > 1, x, b)", "x[b.astype(bool)]",
    ],
)  # fmt: skip
def test_an_error_in_the_middle_of_array_work(expression):
    check(raising(expression), ARRAY, np.ones(4), calls=3)


def test_an_error_in_some_calls_only():
    def program(a, b):
        c = a * 2
        d = c + b
        return d * 3

    check_calls(program, [(ARRAY, np.ones(n)) for n in (5, 5, 4, 5, 4, 1, 3, 5, 4)])


def test_an_error_after_a_loop_of_good_iterations():
    def program(arrays):
        total = np.zeros(5)
        for a in arrays:
            total = total + a * 2
        return total

    check(program, [ARRAY, ARRAY, ARRAY, np.ones(3), ARRAY])


def test_raise_statements_with_arrays_inside():
    def program(a):
        b = a * 2
        if b.sum() > 3:
            raise ValueError("too large", b)
        return b

    check(program, ARRAY)
    check(program, ARRAY / 100)


def test_a_bare_raise_outside_a_handler():
    def program(a):
        b = a + 1
        raise

    check(program, ARRAY)


def test_system_exit_and_keyboard_interrupt_pass_through():
    def leaves(a):
        b = a * 2
        sys.exit(int(b[0]))

    def interrupts(a):
        b = a * 2
        raise KeyboardInterrupt(b.sum())

    check(leaves, ARRAY)
    check(interrupts, ARRAY)


def test_a_traceback_formatted_inside_the_function():
    def helper(a, b):
        return a + b

    def program(a, b):
        c = a * 2
        try:
            return helper(c, b)
        except ValueError:
            text = traceback.format_exc()
        return text.replace("optimised", ""), c + 1

    check(program, np.ones(3), np.ones(4))


def test_the_handled_exception_is_visible_and_then_gone():
    def program(a, b):
        try:
            a + b
        except ValueError as error:
            seen = sys.exc_info()[0], error.args
            c = a * 2
            same = sys.exc_info()[1] is error
        return seen, same, c, sys.exc_info(), "error" in locals()

    check(program, np.ones(3), np.ones(4))


def test_the_depth_of_the_stack_from_a_break():
    def depth():
        frame, names = sys._getframe(1), []
        while frame is not None and frame.f_code.co_name != "run":
            names.append((frame.f_code.co_name, frame.f_lineno))
            frame = frame.f_back
        return names

    def program(a, n):
        out = []
        for _ in range(n):
            a = a * 0.5 + 1
            out.append(depth())
            a = a - 1
        return out, a

    check(program, ARRAY, 4)


def test_inspect_stack_from_a_break():
    import inspect

    def lines():
        return [(f.function, f.lineno, f.code_context) for f in inspect.stack()[1:2]]

    def program(a):
        b = a * 2
        first = lines()
        c = b + 1
        return first, lines(), c

    check(program, ARRAY)


def test_an_exception_in_a_deep_helper_shows_every_frame():
    def third(a, b):
        return a * 2 + b

    def second(a, b):
        c = a + 1
        return third(c, b) * 2

    def first(a, b):
        return second(a - 1, b)

    def program(a, b):
        x = a * 3
        return first(x, b) + 1

    check(program, np.ones(3), np.ones(4))


def test_an_exception_from_a_user_callback_in_numpy():
    def program(a):
        b = a * 2

        def bad(v):
            raise LookupError("bad", v)

        return np.vectorize(bad)(b)

    check(program, ARRAY)


def test_notes_added_to_an_exception():
    def program(a, b):
        try:
            return a @ b
        except ValueError as error:
            error.add_note(f"sum {a.sum()}")
            raise

    check(program, np.ones(3), np.ones(4))


def test_recursion_errors_are_raised():
    def program(a):
        return program(a * 2) + 1

    from tests.differential import optimised

    fast = optimised(program)
    for _ in range(3):
        with pytest.raises(RecursionError):
            fast(ARRAY)


def test_a_memory_error_of_a_large_allocation():
    def program(a):
        b = a * 2
        c = np.ones((2**40, 2**20))
        return b + c

    check(program, ARRAY, calls=2)


def test_a_signal_that_strikes_while_a_graph_is_compiled_reaches_the_user(monkeypatch):
    def program(a):
        return a * 2 + 1

    def handler(number, frame):
        raise ValueError("from the handler")

    def interrupted(*args):
        signal.raise_signal(signal.SIGTERM)
        return generate(*args)

    module, name = (choice, "lower") if config.native else (generation, "generated_code")
    generate = getattr(module, name)
    before = signal.signal(signal.SIGTERM, handler)
    try:
        fast = dyntrace.optimize(program)
        with monkeypatch.context() as patch:
            patch.setattr(module, name, interrupted)
            with pytest.raises(ValueError, match="from the handler"):
                fast(np.ones(3))
                fast(np.ones(3))
        assert fast(np.ones(3)).tolist() == [3.0, 3.0, 3.0]
    finally:
        signal.signal(signal.SIGTERM, before)
