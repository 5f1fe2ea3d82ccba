"""The command line: what is refused, what is chosen, what is printed, and the exit status."""

import json
import os
import subprocess
import sys

import pytest

from bench import allocator, goals
from bench.catalogue import UnknownChoice, case_called, choose
from bench.command import main
from bench.result import PeerResult
from bench.table import against_text, duration, heading, row, summary
from bench.workload import search_path
from tests.bench.synthetic import result

RUN = ["--time", "0.001", "--quick", "--allocator", "default", "--filter", "chain_5"]


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["--sizes", "0.5"], "'0.5' is not a size"),
        (["--sizes", "10,many"], "'many' is not a size"),
        (["--sizes", "1"], "'1' is not a size"),
        (["--sizes", ""], "'' is not a size"),
        (["--fail-over", "0.1", "--compare", "x"], "not a percentage"),
        (["--fail-over=-5%", "--compare", "x"], "not a percentage"),
        (["--fail-over", "100%", "--compare", "x"], "not a percentage"),
        (["--fail-over", "x%", "--compare", "x"], "not a percentage"),
        (["--fail-over", "5%"], "--fail-over needs --compare FILE"),
        (["--compare", "absent.json"], "there is no file absent.json"),
        (["--save", "absent/file.json"], "absent is not a folder"),
        (["--family", "poetry"], "no family 'poetry'; there are elementwise"),
        (["--filter", "sonnet"], "no workload fits"),
        (["--filter", "svd", "--sizes", "10"], "no workload fits"),
        (["--backend", "abacus", "--filter", "svd"], "unknown backend 'abacus'"),
        (["--time", "0"], "not a number above zero"),
        (["--time", "nan"], "not a number above zero"),
        (["--threads", "1.5"], "not a number above zero"),
        (["--allocator", "mine"], "invalid choice"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_the_reason(arguments, word, capsys):
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == 2
    assert word in capsys.readouterr().err


def test_listing_names_families_sizes_and_goals(capsys):
    assert main(["--list", "--filter", "chain_5", "--filter", "svd", "--sizes", "10,fixed"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["elementwise", "chain_5", "10", "(goal", "4)"]
    assert second.split() == ["branches", "two_svd", "300", "(goal", "1)"]


def test_choices_narrow_each_other_down():
    names = [case.name for case in choose(families=["rows"], words=["solve", "kalman"]).cases]
    assert names == ["triangular_solve/1000", "kalman/300"]
    assert [case.size for case in choose(words=["chain_15"], sizes=[10, 7]).cases] == [10, 7]
    assert all(case.has_goal for case in choose(goals=True).cases)
    assert {case.workload.name for case in choose(sizes=["fixed"], words=["s"]).cases} == {
        case.workload.name for case in choose(words=["s"]).cases if not case.workload.scaled
    }


def test_a_case_is_found_by_its_name():
    assert case_called("softmax/20").name == "softmax/20"
    for name in ("softmax", "softmax/x", "nothing/10"):
        with pytest.raises(UnknownChoice):
            case_called(name)


def test_a_run_saves_what_a_later_run_is_compared_with(tmp_path, capsys):
    path = str(tmp_path / "saved.json")
    assert main([*RUN, "--sizes", "10", "--save", path]) == 0
    out = capsys.readouterr().out
    assert "allocator: default" in out and "chain_5/10" in out and f"saved in {path}" in out
    assert main([*RUN, "--sizes", "10,20", "--compare", path, "--fail-over", "99%"]) == 0
    out = capsys.readouterr().out
    assert "0 of 2 cases regressed" in out and "new" in out


def test_a_regression_is_the_exit_status(tmp_path, capsys):
    path = tmp_path / "saved.json"
    assert main([*RUN, "--sizes", "10", "--save", str(path)]) == 0
    suite = json.loads(path.read_text())
    eager = suite["benchmarks"][0]["runs"][0]
    eager["values"] = [1e6 * value for value in eager["values"]]
    path.write_text(json.dumps(suite))
    assert main([*RUN, "--sizes", "10", "--compare", str(path)]) == 0
    assert main([*RUN, "--sizes", "10", "--compare", str(path), "--fail-over", "10%"]) == 1
    out = capsys.readouterr().out
    assert "measuring again: chain_5/10" in out and "REGRESSION" in out


def test_the_command_runs_with_pinned_pages_in_a_process_of_its_own():
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench", "--quick", "--time", "0.001", "--goals"]
        + ["--filter", "chain_5", "--sizes", "10"],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": search_path()},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert allocator.PINNED in done.stdout or allocator.NOT_PINNED in done.stdout
    assert "guard and dispatch of a region with three arrays" in done.stdout


@pytest.mark.parametrize(
    "seconds, text",
    [
        (1.5e-9, "1.5 ns"),
        (2.34567e-6, "2.35 µs"),
        (0.1, "100 ms"),
        (-0.002, "-2 ms"),
        (0.0, "0 ns"),
        (123.4, "123 s"),
        (4567.8, "4568 s"),
        (float("nan"), "-"),
    ],
)
def test_durations_have_three_figures(seconds, text):
    assert duration(seconds) == text


def test_a_row_has_a_cell_for_each_heading_and_remarks_below():
    peers = [PeerResult("a", 1.0, 2.0, 0.5, 0.0, 3.0), PeerResult("b", failure="no")]
    found = result(
        "x/1",
        2.0,
        goal=1.5,
        breaks=["DT101", "DT101"],
        deopts=3,
        differences=["dtype"],
        peers=peers,
    )
    first, *below = row(found).splitlines()
    assert len(first) <= len(heading()) + 2
    assert [word in first for word in ("x/1", "2.00", "1.50 yes", "differ")] == [True] * 4
    assert [line.strip() for line in below] == [
        "breaks: DT101 x2",
        "3 graph calls fell back while timed; 0 graphs retired",
        "DIFFERS dtype",
        "a: 1 s, 2.00 times eager's speed, optimised 0.50 times a's, first call 3 s, equal values",
        "b: not taken: no",
    ]


def test_the_summary_counts_goals_and_names_what_is_slower():
    found = [
        result("fast", 4.0, goal=2.0, has_goal=True),
        result("slow", 0.5),
        result("failed", differences=["x"]),
    ]
    family, goals, slower, differing = summary(found).splitlines()
    assert "1.41 times" in family and "2 cases" in family
    assert goals == "goals reached: 1 of 1"
    assert slower == "below 0.97: slow"
    assert differing == "bits differ: failed"


AGAINST = [
    ("met", PeerResult("numba", versus=0.9), "0.90 yes"),
    ("missed", PeerResult("numba", versus=0.89), "0.89 no"),
    ("refused", PeerResult("numba", failure="no", refused=True), "numba refuses"),
    ("late", PeerResult("numba", failure="not done"), "numba failed"),
    ("unasked", PeerResult("swift", versus=2.0), "-"),
]


@pytest.mark.parametrize("name, peer, text", AGAINST)
def test_a_row_tells_whether_a_goal_against_a_peer_was_reached(name, peer, text):
    found = result(name, 2.0, peers=[peer], against={"numba": 0.9})
    assert against_text(found) == text
    assert text in row(found).splitlines()[0]


def test_goals_against_peers_are_counted_and_those_missed_are_named():
    found = [
        result(name, 2.0, goal=3.0, has_goal=True, peers=[peer], against={"numba": 0.9})
        for name, peer, _ in AGAINST
    ]
    line = "goals against numba reached: 1 of 2; 1 refused by it, 2 not measured"
    assert line in summary(found).splitlines()
    texts = goals.shortfalls(found)
    assert "missed: 0.89 of numba's speed, goal 0.9" in texts
    assert len([text for text in texts if "of eager's speed, goal 3" in text]) == 5
    assert len(texts) == 6
