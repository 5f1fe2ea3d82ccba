"""The family `programs`: each runs, prints the same under dyntrace, and is judged as it should."""

import dataclasses

import pytest

from bench import goals
from bench.catalogue import UnknownChoice, choose
from bench.command import main, summaries
from bench.programs import process, table
from bench.programs.known import PROGRAMS, SCRIPTS
from bench.programs.measure import ProgramResult, measure
from bench.programs.process import first_difference, run
from bench.programs.program import FAMILY, HERE, Program, installed
from bench.timing import Effort, Pairs
from tests.bench.synthetic import pairs, result

ONCE = Effort(seconds=0.0, fewest=1, most=1)


def outcome(wall=1.0, cpu=1.0, status=0, output=b"", errors=""):
    return process.Outcome(wall, cpu, status, output, errors)


def program_result(name, plain, ours, kind="script", allowed=0.0, **keywords):
    times = Pairs([float(plain)], [float(ours)])
    return ProgramResult(
        name, FAMILY, 0.95, pairs=times, cpu=times, kind=kind, allowed=allowed, **keywords
    )


def script(tmp_path, text, **keywords):
    path = tmp_path / "script.py"
    path.write_text(text)
    return Program("script.py", "script", str(path), **keywords)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_prints_the_same_plain_and_under_dyntrace(program, monkeypatch):
    monkeypatch.delenv("DYNTRACE_WARM", raising=False)
    if program.missing():
        assert "not installed" in table.row(measure(program, ONCE))
        return
    plain = run(program, "plain", small=True)
    assert plain.status == 0, plain.errors
    expect_equal(plain, run(program, "run", small=True))


@pytest.mark.parametrize(
    "program",
    [each for each in SCRIPTS if not {"matplotlib", "pandas"} & set(each.needs)],
    ids=lambda program: program.name,
)
def test_a_script_prints_the_same_with_all_its_code_compiled_at_once(program, monkeypatch):
    monkeypatch.setenv("DYNTRACE_WARM", "0")
    expect_equal(run(program, "plain", small=True), run(program, "run", small=True))


def expect_equal(plain, ours):
    assert plain.differences(ours) == []
    assert "dyntrace" not in ours.errors


def test_every_file_belongs_to_an_entry_and_names_are_unique():
    names = [program.name for program in PROGRAMS]
    assert len(names) == len(set(names))
    assert len(SCRIPTS) >= 24
    assert {program.path for program in PROGRAMS if program.kind != "suite"} == set(
        (HERE / "scripts").glob("*.py")
    )
    assert {program.path for program in PROGRAMS if program.kind == "suite"} == set(
        (HERE / "suites").glob("run_*.py")
    )


def test_programs_know_nothing_of_what_they_measure():
    files = [*(HERE / "scripts").iterdir(), *(HERE / "suites").glob("*.*")]
    assert not any("dyntrace" in path.read_text() for path in files if path.is_file())


def test_a_module_is_installed_if_its_packages_are():
    assert installed("numpy") and installed("numpy.linalg")
    assert not installed("no_such_package.module")
    assert not installed("numpy.no_such_module")


def test_programs_are_chosen_by_family_by_words_and_as_fixed_sizes():
    assert choose(families=[FAMILY]).programs == list(PROGRAMS)
    assert choose(families=["rows"]).programs == []
    assert choose(families=[FAMILY]).cases == []
    assert [each.name for each in choose(words=["sudoku"]).programs] == ["sudoku.py"]
    assert choose(sizes=[10]).programs == []
    assert choose(sizes=["fixed"], goals=True).programs == list(PROGRAMS)
    with pytest.raises(UnknownChoice, match="no family 'poetry'; there are .*programs"):
        choose(families=["poetry"])


def test_the_listing_names_programs_their_goals_and_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr("bench.programs.program.installed", lambda name: name != "pandas")
    assert main(["--list", "--filter", "import pandas", "--filter", "sudoku"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["programs", "sudoku.py", "script", "(goal", "0.95)"]
    assert second.endswith("import (goal 0.97); not installed: pandas")


def test_time_and_output_are_those_of_the_process(tmp_path):
    text = "import sys, time; time.sleep(0.05); print(sys.argv[1:]); sys.exit(3)"
    found = run(script(tmp_path, text, arguments=("a", "b")), "plain")
    assert (found.status, found.output, found.errors) == (3, b"['a', 'b']\n", "")
    assert found.wall > 0.05 and 0.0 < found.cpu < found.wall + 0.05


def test_a_program_runs_in_an_empty_folder_of_its_own(tmp_path):
    text = "import os; print(os.listdir()); open('left behind', 'w').close()"
    program = script(tmp_path, text)
    assert [run(program, way).output for way in process.WAYS] == [b"[]\n", b"[]\n"]


def test_a_program_that_hangs_is_ended(tmp_path):
    with pytest.raises(TimeoutError, match="took over 0.2 s"):
        run(script(tmp_path, "while True: pass"), "plain", patience=0.2)


def test_what_is_volatile_is_no_difference(tmp_path):
    text = "import time; print('1 passed in %.6fs' % (time.perf_counter() % 1e3))"
    program = script(tmp_path, text, volatile=r" in [\d.]+s")
    assert run(program, "plain").output == b"1 passed\n"


def test_a_run_differs_in_status_and_in_the_first_line_that_does():
    assert outcome().differences(outcome(wall=2.0, errors="x")) == []
    assert outcome(output=b"a\nb\n").differences(outcome(output=b"a\nc\n", status=-11)) == [
        "exit status 0 became -11: nothing on stderr",
        "output: line 2, 'b' became 'c'",
    ]
    assert first_difference(b"a\n", b"a\nb\n") == "2 bytes became 4"


def test_pairs_alternate_and_every_output_is_compared(tmp_path, monkeypatch):
    ways = []

    def fake(program, way, small):
        ways.append(way)
        late = len(ways) > 4 and way == "run"
        return outcome(wall=2.0 if way == "plain" else 1.0, output=b"other" if late else b"")

    monkeypatch.setattr("bench.programs.measure.run", fake)
    found = measure(script(tmp_path, ""), Effort(seconds=60.0, fewest=1, most=9))
    assert ways == ["plain", "run", "plain", "run", "run", "plain"]
    assert found.differences == ["output: 0 bytes became 5"]
    assert found.ratio == 2.0


def test_effort_bounds_the_pairs(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.programs.measure.run", lambda program, way, small: outcome())
    program = script(tmp_path, "")
    counts = [
        len(measure(program, Effort(seconds=seconds, fewest=2, most=7)).pairs.first)
        for seconds in (0.0, 8.0, 1e3)
    ]
    assert counts == [2, 4, 7]


def test_a_short_program_may_lose_the_start_up_and_a_long_one_a_share():
    program = SCRIPTS[0]
    assert program.allowed(0.2) == 0.040
    assert program.allowed(0.9) == pytest.approx(0.9 / 0.95 - 0.9)
    assert program.allowed(2.0) == pytest.approx(2.0 / 0.95 - 2.0)
    strict = next(each for each in PROGRAMS if each.name == "import pandas")
    assert strict.allowed(0.3) == pytest.approx(0.3 / 0.97 - 0.3)


def test_a_program_is_lost_below_its_floor_unless_it_is_the_start_up():
    assert not program_result("even", 1.0, 1.0).lost
    assert program_result("slow", 2.0, 2.2, allowed=0.1).lost
    assert not program_result("short", 0.2, 0.235, allowed=0.040).lost
    assert program_result("short", 0.2, 0.245, allowed=0.040).lost
    assert not dataclasses.replace(program_result("absent", 1, 1), pairs=Pairs()).lost


def test_goals_fail_for_each_loss_and_for_a_mean_of_scripts_under_the_least():
    good = [program_result("a", 1.2, 1.0), program_result("b", 1.0, 1.0, kind="import")]
    assert goals.failures([*good, result("chain", 0.97)]) == []
    assert goals.failures([*good, result("chain", 0.9)]) == ["chain: 0.90 of plain Python's speed"]
    slower = [program_result(name, 1.0, 1.04, allowed=0.05) for name in "ab"]
    assert goals.failures(slower) == ["scripts: 0.962 in the geometric mean, at least 0.97"]


def test_what_seems_to_lose_is_measured_again_before_it_is_said():
    unlucky, lost, differing = result("unlucky", 0.9), result("lost", 0.5), result("differs", 0.5)
    differing.differences.append("bits")
    asked = []

    def again(found):
        asked.append(found.case)
        return result(found.case, *([1.0] * 5 if found.case == "unlucky" else [0.5]))

    goals.confirm([unlucky, lost, differing, result("fine", 1.0)], again)
    assert asked == ["unlucky", "lost", "lost"]
    assert not unlucky.lost and lost.lost


def test_the_pairs_of_a_second_measurement_are_added_with_their_processor_time():
    found = program_result("a", 1.0, 2.0)
    found.add(program_result("a", 1.0, 1.0))
    assert (found.pairs.second, found.cpu.second) == ([2.0, 1.0], [2.0, 1.0])


def test_a_row_shows_both_ratios_the_goal_and_what_differs():
    found = program_result("x.py", 0.2, 0.23, allowed=0.04, notes=["a note"])
    found.cpu = pairs(0.5)
    found.differences.append("output")
    first, *below = table.row(found).splitlines()
    assert [word in first for word in ("x.py", "0.87", "0.50", "0.95 or 40 ms yes", "differ")] == (
        [True] * 5
    )
    assert below == ["    DIFFERS output", "    a note"]
    assert "0.95 no" in table.row(program_result("y.py", 2.0, 3.0))


def test_the_summary_gives_means_worst_losses_and_what_was_not_run():
    absent = ProgramResult("import x", FAMILY, 0.97, kind="import", missing=["x"])
    found = [program_result("a.py", 4.0, 1.0), program_result("b.py", 0.5, 2.0), absent]
    lines = summaries(found).splitlines()
    assert lines[0].startswith("programs, scripts: 1.00 times plain Python's speed")
    assert "worst 0.25 (b.py), 2 programs" in lines[0]
    assert "scripts of 1 s and more: 4.00" in lines[1]
    assert lines[2:] == [
        "geometric mean of the scripts: 1.000, aimed at 1.05: not reached, least 0.97",
        "programs that lose: b.py",
        "outputs differ: none",
        "not run: import x",
    ]


def test_the_command_runs_programs_and_its_status_is_the_verdict(tmp_path, monkeypatch, capsys):
    known = [script(tmp_path, ""), dataclasses.replace(PROGRAMS[0], name="absent", needs=("no_x",))]
    monkeypatch.setattr("bench.catalogue.PROGRAMS", known)
    speed = {"plain": 1.0, "run": 1.0}

    def fake(program, way, small):
        return outcome(wall=speed[way])

    monkeypatch.setattr("bench.programs.measure.run", fake)
    path = str(tmp_path / "saved.json")
    command = ["--family", FAMILY, "--goals", "--quick"]
    assert main([*command, "--save", path]) == 0
    out = capsys.readouterr().out
    assert "nothing lost" in out and "not run: no_x not installed" in out
    speed["run"] = 1.5
    assert main([*command, "--compare", path]) == 1
    out = capsys.readouterr().out
    assert "measuring again: script.py" in out
    assert "LOST script.py: 0.67 of plain Python's speed" in out
    assert "LOST scripts: 0.667 in the geometric mean" in out
    assert main(command[:2] + ["--compare", path, "--fail-over", "10%"]) == 1
    assert "REGRESSION" in capsys.readouterr().out
