"""Breaks inside try, with, match and comprehensions, with values on the stack and handlers around."""

import contextlib

import numpy as np

from tests.differential import check, numbers

ARRAY = np.arange(1.0, 6.0)


def test_a_print_inside_try_and_finally():
    def program(a):
        try:
            b = a * 2
            print("try", b)
            c = b + 1
        finally:
            print("finally")
            d = a - 1
        return c, d

    check(program, ARRAY, captured=3)


def test_an_exception_of_numpy_is_handled_and_work_goes_on():
    def program(a, b):
        try:
            c = a * 2
            d = c + b
        except ValueError as error:
            print(error)
            d = c - 1
        else:
            print("else")
        finally:
            print("finally")
        return d * 2

    check(program, np.ones(3), np.ones(3))
    check(program, np.ones(3), np.ones(4))


def test_a_handler_that_fires_in_one_iteration_does_not_stop_the_others():
    def program(matrices):
        out = []
        for m in matrices:
            try:
                out.append(np.linalg.inv(m) @ m)
            except np.linalg.LinAlgError as error:
                print("singular", error)
                continue
        return out

    good = np.array([[2.0, 1.0], [1.0, 3.0]])
    check(program, [np.zeros((2, 2)), good, good * 2, np.ones((2, 2)), good])


def test_locals_assigned_before_an_exception_are_seen_by_the_handler():
    def program(a, b):
        x = a
        try:
            x = a + 1
            y = x * 2
            z = y + b
            x = z
        except ValueError:
            return x, y
        return x

    check(program, np.ones(3), np.ones(4))


def test_nested_try_with_reraise_and_context():
    def program(a, b):
        try:
            try:
                return a + b
            except ValueError as inner:
                raise KeyError("outer") from inner
        finally:
            print(a * 2)

    check(program, np.ones(3), np.ones(4))


def test_an_exception_during_handling_has_its_context():
    def program(a, b):
        try:
            a + b
        except ValueError:
            a @ b.reshape(2, 2)

    check(program, np.ones(3), np.ones(4))


def test_a_return_inside_finally_swallows():
    def program(a, b):
        try:
            return a + b
        finally:
            return a * 2  # noqa: B012

    check(program, np.ones(3), np.ones(4))


def test_a_break_inside_finally_in_a_loop():
    def program(a):
        for i in range(4):
            try:
                a = a + i
                if i == 2:
                    break
            finally:
                print(i, a)
        return a

    check(program, ARRAY)


def test_a_context_manager_sees_the_exception_once():
    class Manager:
        def __init__(self, log):
            self.log = log

        def __enter__(self):
            self.log.append("enter")
            return self

        def __exit__(self, kind, value, traceback):
            self.log.append((kind.__name__ if kind else None, str(value)))
            return True

    def program(a, b):
        log = []
        with Manager(log) as m:
            c = a * 2
            d = c + b
            m.log.append("body done")
        return c + 1, log

    check(program, np.ones(3), np.ones(3))
    check(program, np.ones(3), np.ones(4))


def test_with_statements_of_contextlib():
    @contextlib.contextmanager
    def scope(name):
        print("enter", name)
        try:
            yield ARRAY * 3
        finally:
            print("exit", name)

    def program(a):
        with scope("one") as x, scope("two"):
            b = a + x
            print(b)
            c = np.sqrt(b)
        with contextlib.suppress(ValueError):
            c = c + np.ones(99)
        return c * 2

    check(program, ARRAY, captured=["operator.add", "numpy.sqrt"])


def test_a_return_from_inside_a_with():
    def program(a):
        with contextlib.nullcontext(a) as b:
            for i in range(3):
                with np.errstate(all="ignore"):
                    b = b * i + 1
                    if i == 1:
                        return b / 0

    check(program, ARRAY)


def test_match_on_shapes_and_classes_and_mappings():
    def program(x, what):
        match x.shape:
            case (n,):
                y = x * n
            case (n, m) if n == m:
                y = x @ x
            case (n, *rest):
                y = x + len(rest)
        match what:
            case {"scale": s, **rest}:
                y = y * s
                print(rest)
            case [first, *_]:
                y = y - first
            case str() as text:
                print(text)
            case None | False:
                y = -y
            case np.ndarray(ndim=1):
                y = y + what.sum()
            case _:
                y = y / 2
        return y + 1

    for x in (ARRAY, np.ones((2, 2)), np.ones((2, 3))):
        for what in ({"scale": 2, "k": 1}, [3, 4], "text", None, np.ones(2), 7.5):
            check(program, x, what, calls=3)


def test_list_comprehensions_over_arrays():
    def program(a, k):
        rows = [row * 2 + k for row in a]
        table = {i: row.sum() for i, row in enumerate(rows)}
        kinds = {type(v).__name__ for v in table.values()}
        nested = [[x * y for x in a[0]] for y in a[1] if y > 1]
        total = sum(r.sum() for r in rows)
        return rows, table, kinds, nested, total, a + k

    check(program, np.arange(6.0).reshape(2, 3), 4)


def test_a_comprehension_variable_does_not_leak_or_clobber():
    def program(a):
        row = a * 3
        parts = [row + 1 for row in a]
        return row, parts

    check(program, np.arange(6.0).reshape(2, 3))


def test_a_comprehension_with_a_failing_element():
    def program(a):
        row = a + 1
        try:
            return [row @ b for b in (a, a[:2])]
        except ValueError:
            return row

    check(program, ARRAY)


def test_a_comprehension_that_closes_over_a_rebound_local():
    def program(a):
        k = 2
        functions = [lambda x: x * k for _ in range(2)]
        k = 5
        return [f(a) for f in functions]

    check(program, ARRAY)


def test_starred_unpacking_and_merging():
    def program(a, b):
        first, *rest = a
        x, y = b
        merged = {**{"a": a}, "x": x * 2}
        joined = [*rest, y * first, *a[:2]]
        (p, q), r = (x, y), a
        return first, rest, merged, joined, np.add(*b), p * q + r[0]

    check(program, ARRAY, np.arange(6.0).reshape(2, 3))


def test_unpacking_the_wrong_number_raises_like_eager():
    def program(a):
        b = a + 1
        x, y = b
        return x

    check(program, ARRAY)


def test_an_f_string_in_the_middle():
    def program(a):
        b = a * 2
        s = f"{b.sum():.3f} {b!r:>40} {b[0]}"
        return s, b + len(s)

    check(program, ARRAY)


def test_imports_inside_the_function():
    def program(a):
        import math

        b = a * math.pi
        from numpy import sqrt

        return sqrt(b) + math.e

    check(program, ARRAY)


def test_a_class_defined_inside_the_function():
    def program(a):
        b = a * 2

        class Local:
            scale = b.sum()

            def grow(self, x):
                return x * self.scale

        return Local().grow(b) + 1

    check(program, ARRAY)


def test_a_lambda_defined_and_called_inside():
    def program(a, k):
        f = lambda x, y=a * 2: x * y + k  # noqa: E731
        k = k + 1
        return f(a), f(a, 3)

    check(program, ARRAY, 2)


def test_delete_of_items_and_slices_and_attributes():
    def program(items, table):
        x = items[0] * 2
        del items[0]
        del table["a"]
        return x + items[0], items, table

    check(program, [ARRAY, ARRAY * 3], {"a": 1, "b": ARRAY})


def test_exec_and_eval_and_locals_see_the_variables():
    def program(a):
        b = a * 2
        c = b + 1
        names = sorted(locals())
        d = eval("b - 1")
        return c, names, d, dict(vars())["b"]

    check(program, ARRAY)


def test_exception_groups_and_except_star():
    def program(a, b):
        try:
            try:
                a + b
            except ValueError as error:
                raise ExceptionGroup("group", [error, TypeError("t")]) from None
        except* TypeError as group:
            print(group.exceptions)
        except* ValueError:
            print(a * 2)
        return a + 1

    check(program, np.ones(3), np.ones(4))


def test_a_long_function_with_many_breaks():
    lines = ["def program(x, log):"]
    for i in range(60):
        lines.append(f"    x = np.sqrt(x * x + {i})")
        lines.append(f"    log.append({i})")
    lines.append("    return x")
    space = {"np": np}
    exec("\n".join(lines), space)
    check(space["program"], numbers(9), [], calls=3)
