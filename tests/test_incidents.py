"""Errors of dyntrace's own: one counted path from every place that contains them."""

import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest

import dyntrace
from dyntrace import config, incidents
from dyntrace.errors import DyntraceWarning, InternalError
from dyntrace.exec.backends import generation
from dyntrace.exec.lower import choice
from dyntrace.functions import hooked, states, versions
from dyntrace.trace import analysis
from dyntrace.weaving import regions, weave

A = np.arange(1.0, 6.0)


# As if a file of dyntrace's had it: what a foreign frame raises was thrown in from outside.
SPACE = {}
exec(
    compile('def fail(*args, **kwargs): raise KeyError("injected")', "<dyntrace test>", "exec"),
    SPACE,
)
fail = SPACE["fail"]


def make_program():
    def program(a):
        return a * 2 + 1

    return dyntrace.optimize(program)


# Every place where one may happen, and what it takes to get there.
PLACES = {
    "analysis": (analysis.Analysis, "run", 1),
    "weaving": (weave, "weave", 1),
    "first version": (weave, "first_version", 1),
    "entries": (regions.Regions, "add_entry", 1),
    "giving up": (versions.Versions, "landing", 1),
    "kinds of the arguments": (states, "describe", 1),
}
if config.native:
    PLACES["lowering"] = (choice, "lower", 3)
    PLACES["description"] = (choice.Lowering, "finished", 3)
else:
    PLACES["generated code"] = (generation._Compiler, "text", 3)


@pytest.mark.parametrize("place", PLACES)
def test_an_error_is_counted_wherever_it_happens(place, lenient, monkeypatch):
    owner, name, calls = PLACES[place]
    monkeypatch.setattr(owner, name, fail)
    with pytest.warns(DyntraceWarning, match="injected"):
        fast = make_program()
        for _ in range(calls):
            assert np.array_equal(fast(A), A * 2 + 1)
    assert dyntrace.stats(fast).internal_errors >= 1
    assert incidents.count() >= 1
    assert any("injected" in note for note in dyntrace.explain(fast)(A).notes)


@pytest.mark.parametrize("place", PLACES)
def test_an_error_is_raised_in_strict_mode_wherever_it_happens(place, strict, monkeypatch):
    owner, name, calls = PLACES[place]
    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(InternalError, match="injected"):
        fast = make_program()
        for _ in range(calls):
            fast(A)
    assert incidents.count() >= 1


@pytest.mark.skipif(not config.native, reason="there is no hook")
def test_an_error_under_the_hook_is_counted(lenient, monkeypatch):
    monkeypatch.setattr(hooked, "may_do_work", fail)

    def program(a):
        return a * 2 + 1

    with pytest.warns(DyntraceWarning, match="injected"), dyntrace.optimize():
        assert np.array_equal(program(A), A * 2 + 1)
    assert incidents.count() >= 1


@pytest.mark.skipif(not config.native, reason="there is no hook")
def test_an_error_under_the_hook_is_raised_in_strict_mode(strict, monkeypatch):
    monkeypatch.setattr(hooked, "may_do_work", fail)

    def program(a):
        return a * 2 + 1

    with pytest.raises(InternalError, match="injected"), dyntrace.optimize():
        program(A)


# Reporting ----------------------------------------------------------------------------------------
class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text")


def raised(error):
    try:
        raise error
    except Exception as caught:
        return caught


def test_a_report_fits_a_screen_and_names_the_versions():
    def recurse(depth):
        if depth:
            recurse(depth - 1)
        generation.generated_code("x" * 1000, {})

    with pytest.raises(AttributeError) as caught:
        recurse(60)
    doing = "while optimising " + "name" * 50
    text = incidents.report_text(caught.value, doing, "the original code runs")
    lines = text.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    for wanted in (dyntrace.__version__, sys.version.split()[0], np.__version__, "DYNTRACE_STRICT"):
        assert wanted in text
    assert "dyntrace/exec/backends/generation.py" in lines[-6] and "…" in text


def test_a_report_shows_the_frames_of_the_cause():
    try:
        try:
            generation.generated_code(None, {})
        except AttributeError as cause:
            raise InternalError("outer") from cause
    except InternalError as error:
        text = incidents.report_text(error, "here", "there")
    assert "caused by AttributeError" in text and "generation.py" in text


def test_an_error_without_a_text_is_reported(lenient):
    with pytest.warns(DyntraceWarning, match="Unprintable: <no text>"):
        incidents.note(raised(Unprintable()), "here", "something else")


class Broken:
    def write(self, text):
        raise OSError("closed")


@pytest.mark.parametrize("stream", [None, Broken()])
def test_where_nobody_can_be_told_nothing_is_raised(lenient, monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        incidents.note(raised(ValueError("text")), "here", "something else")
    assert incidents.count() == 1


def test_a_program_that_shows_warnings_its_own_way_may_raise_there(lenient, monkeypatch, capsys):
    monkeypatch.setattr(warnings, "showwarning", fail)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", fail)
        incidents.note(raised(ValueError("text")), "here", "something else")
    assert "ValueError: text" in capsys.readouterr().err


def test_one_kind_of_error_is_reported_once_and_counted_each_time(lenient):
    with pytest.warns(DyntraceWarning) as caught:
        for _ in range(3):
            incidents.note(raised(ValueError("text")), "here", "something else")
    assert len(caught) == 1 and incidents.count() == 3


def test_an_owner_is_not_kept_alive(lenient):
    class Owner:
        pass

    owner = Owner()
    with pytest.warns(DyntraceWarning):
        incidents.note(raised(ValueError("text")), "here", "something else", owner)
    assert incidents.lines_of(owner) == ["ValueError: text"]
    noted = incidents._noted.lines
    del owner
    assert len(noted) == 0


# Strict mode in a process -------------------------------------------------------------------------
SCRIPT = """
    import sys
    import numpy as np
    import dyntrace.weaving.weave
    def broken(*args, **kwargs):
        raise KeyError("injected")
    dyntrace.weaving.weave.weave = broken
    def program(a):
        return a * 2 + 1
    try:
        print(dyntrace.optimize(program)(np.ones(2)))
    except Exception:
        print("the program goes on")
"""


def run(script, path, *words, **environment):
    path.write_text(textwrap.dedent(script))
    return subprocess.run(
        [sys.executable, "-W", "ignore", *words, str(path)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("words", [(), ("-m", "dyntrace", "run")])
def test_a_strict_process_that_noted_anything_fails_whatever_the_program_catches(tmp_path, words):
    done = run(SCRIPT, tmp_path / "script.py", *words, DYNTRACE_STRICT="1")
    assert done.returncode == incidents.EXIT_CODE
    assert done.stdout == "the program goes on\n"
    assert "internal errors were noted" in done.stderr


@pytest.mark.parametrize("words", [(), ("-m", "dyntrace", "run")])
def test_other_processes_go_on(tmp_path, words):
    done = run(SCRIPT, tmp_path / "script.py", *words, DYNTRACE_STRICT="0")
    assert (done.returncode, done.stdout) == (0, "[3. 3.]\n")
