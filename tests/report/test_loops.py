"""What `explain`, `stats` and reports tell of loops: what is compiled, what leaves it, what prevents it."""

import linecache
import subprocess
import sys

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.breaks import CATALOGUE

needs_jit = pytest.mark.skipif(not config.jit, reason="loops are not compiled here")


def line_of(report):
    return linecache.getline(report.filename, report.lineno).strip()


def total_of(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total


def half_printed(x):
    total = 0.0
    for i in range(len(x)):
        if i == 30:
            print("thirty")
        total += x[i]
    return total


def sweeps(a):
    for i in range(1, len(a) - 1):
        for j in range(1, len(a) - 1):
            a[i, j] = (a[i - 1, j] + a[i, j - 1]) / 2
    return a


def all_names(x):
    names = []
    for value in x:
        names.append(str(value))
    return names


@needs_jit
def test_a_single_call_shows_a_loop_compiled_and_all_its_iterations():
    found = dyntrace.explain(total_of)(np.ones(50))
    (loop,) = found.loops
    assert loop.state == "compiled" and loop.compiled
    assert loop.iterations + loop.left == 50 and loop.iterations >= 48
    assert loop.seconds > 0 and loop.size > 0
    assert line_of(loop) == "for i in range(len(x)):"


@needs_jit
def test_exits_name_the_line_the_cause_and_the_count(capsys):
    (loop,) = dyntrace.explain(half_printed)(np.ones(50)).loops
    assert capsys.readouterr().out == "thirty\n"
    (left,) = [one for one in loop.exits if one.code]
    assert (left.code, left.count, line_of(left)) == ("DT805", 1, 'print("thirty")')
    assert "print" in left.reason and left.hint == CATALOGUE["DT805"].fix
    assert loop.iterations + loop.left == 50


@needs_jit
def test_trouble_of_an_iteration_is_an_exit_without_a_code():
    def beyond(x):
        total = 0.0
        for i in range(len(x) + 1):
            total += x[i]
        return total

    fast = dyntrace.optimize(beyond)
    with pytest.raises(IndexError):
        dyntrace.explain(fast)(np.ones(20))
    with pytest.raises(IndexError):
        fast(np.ones(20))
    (loop,) = dyntrace.api.explanation_of(beyond, fast).loops
    assert [(one.code, line_of(one)) for one in loop.exits] == [("", "total += x[i]")]
    assert loop.exits[0].count == 2 and "index" in str(loop.exits[0])


@needs_jit
def test_values_that_do_not_fit_are_counted_as_not_entered():
    def power(n):
        found = 1
        for i in range(n):
            found = found * 3
        return found

    found = dyntrace.explain(power)(60)
    (loop,) = found.loops
    assert loop.iterations == 39 and loop.declined >= 20 and 21 <= loop.left <= 22
    assert f"not entered {loop.declined} times" in str(found)
    assert loop.exits[0].reason.startswith("an integer")


@needs_jit
def test_the_code_of_a_loop_can_be_looked_at():
    (loop,) = dyntrace.explain(total_of)(np.ones(50)).loops
    assert "define i64 @loop(" in loop.llvm_ir and "fadd.f64" in loop.llvm_ir
    assert "loop:" in loop.assembly and "ret" in loop.assembly


@needs_jit
def test_a_loop_that_is_not_compiled_names_the_construct_that_prevents_it():
    (loop,) = dyntrace.explain(all_names)(np.ones(50)).loops
    assert (loop.state, loop.iterations, loop.llvm_ir, loop.assembly) == ("not compiled", 0, "", "")
    assert loop.obstacle.code.startswith("DT8") and loop.obstacle.hint
    assert line_of(loop.obstacle) == "names.append(str(value))"


@needs_jit
def test_what_prevents_a_loop_in_a_callee_names_the_callees_line():
    def named(value):
        total = value + 1
        return str(total)

    def caller(n):
        for i in range(n):
            named(i)

    loops = dyntrace.explain(caller)(50).loops
    (loop,) = [one for one in loops if line_of(one) == "for i in range(n):"]
    place = f"named, line {named.__code__.co_firstlineno + 2}"
    assert line_of(loop.obstacle) == "named(i)" and place in loop.obstacle.reason


@needs_jit
def test_a_loop_within_a_compiled_one_is_said_to_be_part_of_it():
    outer, inner = dyntrace.explain(sweeps)(np.ones((20, 20))).loops
    assert (outer.state, outer.iterations) == ("compiled", 18)
    assert inner.state == f"part of the loop at line {outer.lineno}"


@needs_jit
def test_elements_within_a_compiled_loop_are_not_told_to_be_left_alone():
    assert dyntrace.explain(sweeps)(np.ones((20, 20))).left_alone == []


@needs_jit
def test_a_loop_compiled_for_several_types_counts_them_together():
    fast = dyntrace.optimize(total_of)
    for char in "dlf":
        found = dyntrace.explain(fast)(np.ones(50, char))
    (loop,) = found.loops
    assert loop.versions >= 3 and loop.llvm_ir.count("define i64 @loop(") == loop.versions
    assert loop.iterations + loop.left == 150


@needs_jit
def test_after_an_explanation_no_call_waits_for_a_compiler():
    def two_loops(x, second):
        total = 0.0
        for i in range(len(x)):
            total += x[i]
        while second > 0:
            second -= 1
        return total

    fast = dyntrace.optimize(two_loops)
    dyntrace.explain(fast)(np.ones(50), 0)
    fast(np.ones(5), 20)
    assert [one.compiled for one in dyntrace.api.explanation_of(two_loops, fast).loops] == [
        True,
        False,
    ]


@needs_jit
def test_a_loop_that_took_little_time_says_so():
    fast = dyntrace.optimize(total_of)
    fast(np.ones(5))
    (loop,) = dyntrace.api.explanation_of(total_of, fast).loops
    assert not loop.compiled and loop.obstacle is None and "not" in loop.state


@needs_jit
def test_text_and_html_show_loops(capsys):
    found = dyntrace.explain(half_printed)(np.ones(50))
    text, page = str(found), found.to_html()
    assert text.startswith("half_printed: ") and "1 loop in machine code" in text.splitlines()[0]
    (loop,) = found.loops
    assert f"{loop.iterations} iterations in machine code, {loop.left} in CPython" in text
    assert f"{loop.iterations} iterations in machine code, {loop.left} in CPython" in page
    for one in loop.exits:
        assert str(one) in text
    assert CATALOGUE["DT805"].fix in text and CATALOGUE["DT805"].fix in page
    assert "loop at" in repr(loop)


@needs_jit
def test_stats_count_loops_and_their_iterations():
    fast = dyntrace.optimize(total_of)
    dyntrace.explain(fast)(np.ones(50))
    counted = dyntrace.stats(fast)
    assert counted.loops >= 1 and counted.loop_iterations >= 48


@needs_jit
def test_what_is_kept_of_a_loop_keeps_nothing_of_the_users_alive():
    import gc
    import weakref

    def calling(x, thing):
        total = 0.0
        for i in range(len(x)):
            total += x[i] * thing.factor
        return total

    class Thing:
        factor = 2.0

    thing = Thing()
    found = dyntrace.explain(calling)(np.ones(50), thing)
    alive = weakref.ref(thing)
    del thing
    gc.collect()
    assert alive() is None and found.loops


def test_a_missing_compiler_is_said_once_with_how_to_get_it(monkeypatch):
    monkeypatch.setattr(config, "jit", False)
    monkeypatch.setattr(
        config, "jit_lacks", "llvmlite is not installed; `pip install dyntrace[jit]`"
    )

    def two_loops(n):
        for i in range(n):
            n += 1
        while n < 200:
            n += 1
        return n

    found = dyntrace.explain(two_loops)(50)
    (note,) = [one for one in found.notes if one.startswith("DT607")]
    assert "pip install dyntrace[jit]" in note and found.loops == []
    without = dyntrace.explain(lambda a: a + 1)(np.ones(3))
    assert not any(one.startswith("DT607") for one in without.notes)


@pytest.mark.skipif(not config.native, reason="there is nothing to turn off")
def test_an_environment_variable_turns_loops_off():
    text = "import dyntrace.config as c; print(c.jit, c.jit_lacks)"
    command = [sys.executable, "-c", text]
    done = subprocess.run(
        command, env={"PYTHONPATH": ":".join(sys.path), "DYNTRACE_JIT": "0"}, capture_output=True
    )
    assert done.stdout.decode() == "False DYNTRACE_JIT=0 turns it off\n", done.stderr


@needs_jit
def test_turning_loops_off_in_the_configuration_leaves_them_to_cpython(monkeypatch):
    monkeypatch.setattr(config, "jit", False)
    fast = dyntrace.optimize(total_of)
    assert fast(np.ones(5000)) == total_of(np.ones(5000))
    assert dyntrace.stats(fast).loops == 0
