"""The runner tells apart what is the same, different, unstable, dead and hanging, test by test."""

from __future__ import annotations

import os
import textwrap

import pytest

from dyntrace import config
from tests.conformance import __main__ as command
from tests.conformance.comparison import compare
from tests.conformance.discovery import Module
from tests.conformance.known import Entry, KnownDifference
from tests.conformance.process import Run, run
from tests.conformance.records import Outcome, Writer, read
from tests.conformance.report import Report
from tests.conformance.through import WAYS

LIMIT = 60
WAYS_HERE = WAYS if config.native else ("optimize",)
KINDS_AND_WAYS = [
    (kind, through)
    for kind in ("python", "numpy")
    for through in WAYS_HERE
    if (kind, through) != ("numpy", "run")  # pytest as a whole, traced, takes half a minute
]

# The tests of each fake suite: as methods for unittest, as functions for pytest.
FAKES = {
    "same": """
        def test_passes(self):
            assert sum(range(10)) == 45
        def test_fails(self):
            assert False
        def test_raises(self):
            raise KeyError("always")
    """,
    "different": """
        def test_is_different(self):
            assert "dyntrace" not in sys.modules
        def test_is_the_same(self):
            pass
    """,
    "unstable": """
        def test_passes_the_first_time_only(self):
            with open(__file__ + ".ran", "x"):
                pass
        def test_is_the_same(self):
            pass
    """,
    "crash": """
        def test_a(self):
            pass
        def test_b_dies(self):
            if "dyntrace" in sys.modules:
                os.abort()
        def test_c(self):
            pass
    """,
    "hang": """
        def test_a(self):
            pass
        def test_b_hangs(self):
            if "dyntrace" in sys.modules:
                time.sleep(1000)
        def test_c(self):
            pass
    """,
    "internal": """
        def test_meets_an_internal_error(self):
            if "dyntrace" in sys.modules:
                from dyntrace import errors, incidents
                try:
                    incidents.note(ValueError("broken"), "in a test", "nothing runs")
                except errors.InternalError:
                    pass
    """,
}
HEADS = {
    "python": "import os, sys, time, unittest\nclass Case(unittest.TestCase):\n",
    "numpy": "import os, sys, time\nclass TestCase:\n",
}


PASS, FAIL = Outcome("pass"), Outcome("fail", "AssertionError", "AssertionError: x")
MODULE = Module("python", "test_m", "test.test_m")


@pytest.fixture(params=HEADS)
def fake(request, tmp_path, monkeypatch):
    """Writes one of FAKES for a kind of suite, and names it as a module."""

    def write(name):
        path = tmp_path / f"test_fake_{name}.py"
        body = textwrap.indent(textwrap.dedent(FAKES[name]), "    ")
        path.write_text(HEADS[request.param] + body)
        paths = [os.environ.get("PYTHONPATH", ""), str(tmp_path)]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        target = path.stem if request.param == "python" else str(path)
        return Module(request.param, path.stem, target)

    return write


def short(test):
    return test.rpartition(".")[2].rpartition("::")[2]


def differences(items):
    return {short(item.test): (str(item.plain), str(item.traced)) for item in items}


@pytest.mark.parametrize(("fake", "through"), KINDS_AND_WAYS, indirect=["fake"])
def test_tests_that_end_the_same_way_are_the_same_however_they_end(fake, through):
    found = command.run_both(fake("same"), through, LIMIT)
    assert (found.same, found.different, found.unstable, found.trouble) == (3, [], [], "")
    assert found.functions >= 1


def test_failures_and_errors_are_told_with_their_exceptions(fake):
    outcomes = run(fake("same"), "plain", LIMIT).outcomes
    kinds = {short(test): outcome.kind for test, outcome in outcomes.items()}
    assert kinds["test_passes"] == "pass"
    assert kinds["test_fails"] == "fail"
    assert kinds["test_raises"] in ("error", "fail")
    assert all(
        outcome.error in outcome.text for outcome in outcomes.values() if outcome.kind != "pass"
    )


def test_a_test_that_ends_differently_when_traced_is_different(fake):
    found = command.run_both(fake("different"), "optimize", LIMIT)
    assert found.same == 1
    assert differences(found.different) == {
        "test_is_different": ("pass", "fail (AssertionError)"),
    }


def test_a_test_that_differs_between_two_plain_runs_is_unstable_and_not_counted(fake):
    found = command.run_both(fake("unstable"), "optimize", LIMIT)
    assert (found.same, found.different) == (1, [])
    assert [short(item.test) for item in found.unstable] == ["test_passes_the_first_time_only"]


def test_the_tests_after_one_that_kills_the_process_are_compared_too(fake):
    found = command.run_both(fake("crash"), "optimize", LIMIT)
    assert (found.same, found.trouble) == (2, "")
    assert differences(found.different) == {"test_b_dies": ("pass", "crash (SIGABRT)")}
    assert "Fatal Python error: Aborted" in found.different[0].traced.text


def test_the_tests_after_one_that_hangs_are_compared_too(fake):
    module = fake("hang")
    plain = run(module, "plain", LIMIT)
    found = compare(module, "optimize", plain, run(module, "optimize", 5), lambda: plain)
    assert (found.same, found.trouble) == (2, "")
    assert differences(found.different) == {"test_b_hangs": ("pass", "hang")}


def test_an_internal_error_is_a_difference_although_the_test_passes(fake):
    found = command.run_both(fake("internal"), "optimize", LIMIT)
    assert (found.same, found.internal) == (0, 1)
    assert [item.traced.internal for item in found.different] == [1]


def test_a_module_that_cannot_be_imported_is_in_trouble():
    found = command.run_both(Module("python", "none", "no_such_module"), "optimize", LIMIT)
    assert "No module named 'no_such_module'" in found.trouble


def test_tests_that_a_run_did_not_come_to_are_not_called_different():
    plain = Run({"a": PASS, "b": PASS, "c": PASS})
    ended = Run({"a": PASS, "b": FAIL}, trouble="given up")
    found = compare(MODULE, "run", plain, ended, lambda: plain)
    assert (found.same, differences(found.different).keys()) == (1, {"b"})
    assert "1 tests were not run: given up" in found.trouble


def test_names_used_twice_are_told_apart(tmp_path):
    writer = Writer(str(tmp_path / "results"))
    writer.close()
    assert [writer.unique(name) for name in ("a", "b", "a")] == ["a", "b", "a #2"]


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "results"
    writer = Writer(str(path))
    writer.started("a")
    writer.close()
    with path.open("a") as file:
        file.write('{"ended": "a", "outc')
    told = read(path)
    assert (told.running, told.outcomes, told.finished) == ("a", {}, False)


# what is said of it -------------------------------------------------------------------------------


def found(**traced):
    """A comparison of tests that all pass when they are not traced."""
    plain = Run({name: PASS for name in traced})
    return compare(MODULE, "run", plain, Run(dict(traced)), lambda: plain)


def entry(**facts):
    return Entry(**({"suite": "python", "module": "test_m", "reason": "because"} | facts))


def closed(entries, *comparisons):
    report = Report(KnownDifference(entries, "3.12"), details=False)
    for comparison in comparisons:
        report.add(comparison)
    return report.close()


def test_the_exit_code_is_zero_if_all_is_the_same(capsys):
    assert closed([], found(a=PASS, b=PASS)) == 0
    assert "in all: 2 same, 0 different" in capsys.readouterr().out


def test_a_difference_that_is_not_listed_makes_the_exit_code_one(capsys):
    assert closed([], found(a=PASS, b=FAIL)) == 1
    out = capsys.readouterr().out
    assert "test_m: 1 same, 1 different" in out
    assert "different  b: plain pass, traced fail (AssertionError)" in out


def test_a_listed_difference_is_told_with_its_reason(capsys):
    assert closed([entry(tests=("b",))], found(a=PASS, b=FAIL)) == 0
    assert "known      b: because" in capsys.readouterr().out


@pytest.mark.parametrize(
    "facts",
    [{"pythons": ("3.11",)}, {"through": ("with",)}, {"suite": "numpy"}, {"module": "test_n"}],
)
def test_an_entry_about_something_else_excuses_nothing(facts):
    assert closed([entry(**facts)], found(a=FAIL)) == 1


def test_a_listed_difference_that_is_gone_is_told(capsys):
    entries = [entry(tests=("a",)), entry(module="test_other", tests=("x",))]
    assert closed(entries, found(a=PASS)) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("listed as")]
    assert told == ["listed as different, but the same: test_m a (because)"]


def test_modules_listed_as_not_to_be_run_are_left_out_with_the_reason(capsys):
    report = Report(KnownDifference([entry(run=False, through=("run",))], "3.12"), details=False)
    other = Module("python", "test_n", "test.test_n")
    kept = [(MODULE, "optimize"), (other, "run")]
    assert report.without_those_not_run([(MODULE, "run"), *kept]) == kept
    assert capsys.readouterr().out == "test_m: not run: because\n"


def test_nothing_to_run_is_no_success(capsys):
    assert command.main([]) == 2
    assert command.main(["--python-modules", "test_no_such"]) == 2
    assert "no module of python's tests is called test_no_such" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--python-modules", "test_with", "--through", WAYS_HERE[0]],
        ["--numpy", "fft.tests.test_helper", "--through", WAYS_HERE[-1]],
    ],
    ids=["python", "numpy"],
)
def test_real_modules_are_traced_and_the_same(arguments, capsys):
    assert command.main(arguments) == 0
    out = capsys.readouterr().out
    assert ", 0 different" in out
    assert " 0 graphs" not in out
