"""Where time went is counted by line, told in one screen, and keeps nothing alive."""

import gc
import weakref

import numpy as np
import pytest

from dyntrace import config
from dyntrace.breaks import MODULE_LEVEL, NOT_WORTH_IT
from dyntrace.programs import screen
from dyntrace.programs.accounts import Accounts, Function, Place
from tests.programs.serving import warmed
from tests.programs.test_programs import HEAD, UNDER, run


def made(source, filename="mine.py", name="f"):
    namespace = {"np": np, "__name__": "__main__"}
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def offset_of(code, line):
    return next(start for start, _, number in code.co_lines() if number == line)


def test_time_goes_to_the_innermost_frame_of_the_users_files():
    mine = made("def f():\n    x = 1\n    return x\n").__code__
    accounts = Accounts()
    standard = weakref.WeakSet.add.__code__
    accounts.note([(standard, 0), (mine, offset_of(mine, 3)), (mine, offset_of(mine, 2))], 0.5)
    assert accounts.seconds == {Place(Function("mine.py", "f", 1), 3, False): 0.5}


def test_time_without_a_frame_of_the_users_goes_to_the_innermost():
    standard = weakref.WeakSet.add.__code__
    accounts = Accounts()
    accounts.note([(standard, 0)], 1.0)
    accounts.note([], 1.0)
    (place,) = accounts.seconds
    assert place.function.name == "WeakSet.add"


def test_code_that_was_counted_dies_when_it_would():
    function = made("def f():\n    return 1\n")
    accounts = Accounts()
    accounts.note([(function.__code__, 0)], 1.0)
    accounts.judge(function.__code__, None)
    seen = weakref.ref(function.__code__)
    del function
    gc.collect()
    assert seen() is None


@pytest.mark.skipif(not config.sampler, reason="the sampler is native")
def test_a_frame_that_calls_a_region_is_in_a_graph(service):
    def step(u):
        v = u * 2.0 + 1.0
        return np.sqrt(v * v)

    original = step.__code__
    for _ in range(3):
        warmed(service, step, np.ones(5)) if step.__code__ is original else step(np.ones(5))
    woven = step.__code__
    accounts = Accounts()
    for offset in range(0, len(woven.co_code), 2):
        accounts.note([(woven, offset)], 0.01)
    assert 0.0 < accounts.in_graphs() < sum(accounts.seconds.values())
    accounts.note([(original, 0)], 5.0)
    (place, seconds), *_ = accounts.uncaptured(1)
    assert place.function.name.endswith("step") and seconds >= 5.0
    assert screen.reason(accounts, place) == screen.BETWEEN


def test_reasons_tell_cold_code_from_code_without_arrays_and_from_what_waits():
    function = made("def f():\n    return 1\n")
    accounts = Accounts()
    place = Place(Function("mine.py", "f", 1), 2, False)
    assert screen.reason(accounts, place) == screen.COLD
    accounts.judge(function.__code__, False)
    assert screen.reason(accounts, place) == screen.WITHOUT_ARRAYS
    accounts.judge(function.__code__, None)
    assert screen.reason(accounts, place) == screen.WAITS


def test_generator_expression_is_said_to_be_one():
    def outer(u):
        return sum(u * i for i in range(3))

    inner = next(code for code in outer.__code__.co_consts if hasattr(code, "co_code"))
    accounts = Accounts()
    accounts.judge(inner, False)
    place = Place(Function(inner.co_filename, inner.co_qualname, inner.co_firstlineno), 2, False)
    assert screen.reason(accounts, place) == screen.GENERATOR


def test_single_elements_are_said_to_be_too_little_work(service):
    def rows(table, n):
        for i in range(1, n):
            table[i] = table[i - 1] + 1.0
        return n

    code, table = rows.__code__, np.zeros(50)
    warmed(service, rows, table, 50)
    for _ in range(4):
        rows(table, 50)
    accounts = Accounts()
    accounts.judge(code, True)
    reasons = set()
    for line in range(code.co_firstlineno, code.co_firstlineno + 4):
        function = Function(code.co_filename, code.co_qualname, code.co_firstlineno)
        reasons.add(screen.reason(accounts, Place(function, line, False)))
    if config.measure:
        assert f"{NOT_WORTH_IT.code} {NOT_WORTH_IT.text}" in reasons
    assert screen.WITHOUT_ARRAYS not in reasons


def test_module_level_work_is_said_to_be_that():
    place = Place(Function("mine.py", "<module>", 1), 2, False)
    assert screen.reason(Accounts(), place) == f"{MODULE_LEVEL.code} {MODULE_LEVEL.text}"


STATS = HEAD + (
    """
def step(u):
    v = u * 0.5 + 1.0
    return np.sqrt(v * v + u)

def some():
    for _ in range(200):
        step(np.arange(4000.0))

until(lambda: compiled() > 0, some)
end = time.perf_counter() + 0.3
while time.perf_counter() < end:
    np.arange(10.0) + 1
"""
)


@pytest.mark.skipif(not config.sampler, reason="the sampler is native")
def test_stats_are_one_screen_on_stderr(tmp_path):
    code, out, err = run(tmp_path / "script.py", STATS, *UNDER, "--stats")
    first, second, *rest = err.splitlines()
    assert (code, out) == (0, "")
    assert first.startswith("dyntrace: ") and " in graphs, " in first and "in analysis" in first
    assert second.startswith("functions: ") and " warm, " in second
    assert int(second.split()[-2]) >= 1
    assert rest[0] == "most time outside graphs:" and 1 <= len(rest) - 1 <= screen.PLACES
    assert any(MODULE_LEVEL.code in line for line in rest)


@pytest.mark.skipif(not config.sampler, reason="the sampler is native")
def test_report_begins_with_what_was_hot_and_what_became_of_it(tmp_path):
    page = tmp_path / "out.html"
    code, out, err = run(tmp_path / "script.py", STATS, *UNDER, "--report", str(page))
    assert (code, out, err) == (0, "", "")
    text = page.read_text()
    assert text.index("Where the time went") < text.index("operations")
    assert "script.py:" in text and MODULE_LEVEL.code in text


@pytest.mark.skipif(not config.sampler, reason="the sampler is native")
def test_stats_of_a_script_without_arrays_import_no_tracer(tmp_path):
    text = (
        "import sys, time\nend = time.perf_counter() + 0.1\nwhile time.perf_counter() < end: pass\n"
    )
    text += "import atexit; atexit.register(lambda: print('dyntrace.functions.family' in sys.modules))\n"
    code, out, err = run(tmp_path / "script.py", text, *UNDER, "--stats")
    assert (code, out) == (0, "False\n") and err.startswith("dyntrace: ")


def test_stats_without_the_native_module_say_that_there_are_none(tmp_path):
    code, out, err = run(
        tmp_path / "script.py", "print(1)\n", *UNDER, "--stats", DYNTRACE_NATIVE="0"
    )
    assert (code, out) == (0, "1\n") and "no figures" in err
