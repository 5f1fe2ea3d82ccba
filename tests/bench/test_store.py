"""Saved files: what is written is read, by this benchmark and by pyperf."""

import json

import pyperf
import pytest

from bench.result import PeerResult
from bench.store import StoreError, load, save, system_metadata
from tests.bench.synthetic import pairs, result


def some_result():
    peer, failed = PeerResult("swift", 1.0, 2.5), PeerResult("strict", failure="TypeError: no")
    return result(
        "a/10",
        2.0,
        3.0,
        breaks=["DT101", "DT101"],
        peaks=(5, 7),
        captured=0.5,
        peers=[peer, failed],
    )


def test_a_result_comes_back_with_its_pairs(tmp_path):
    path = tmp_path / "saved.json"
    save([some_result()], path, {"dyntrace_numpy": "2.0"})
    (found,) = load(path).values()
    assert (found.case, found.pairs, found.ratio) == ("a/10", pairs(2.0, 3.0), 2.5)
    assert found.spread == (2.25, 2.75)
    assert found.metadata["dyntrace_breaks"] == "DT101 DT101"
    assert found.metadata["dyntrace_peak_optimised"] == 7
    assert found.metadata["dyntrace_peer_swift"] == 2.5
    assert found.metadata["dyntrace_peer_strict"] == "TypeError: no"
    assert found.metadata["dyntrace_numpy"] == "2.0"
    assert "dyntrace_first_call" not in found.metadata


def test_pyperf_reads_the_file(tmp_path):
    path = tmp_path / "saved.json"
    save([some_result()], path, system_metadata())
    suite = pyperf.BenchmarkSuite.load(str(path))
    assert suite.get_benchmark_names() == ["a/10 eager", "a/10 optimised"]
    assert suite.get_benchmark("a/10 eager").median() == 2.5
    assert "python_version" in suite.get_metadata()


def test_a_file_is_written_over(tmp_path):
    path = tmp_path / "saved.json"
    save([result("a", 1.0)], path, {})
    save([result("b", 1.0)], path, {})
    assert list(load(path)) == ["b"]


def test_nothing_measured_leaves_the_file_alone(tmp_path):
    path = tmp_path / "saved.json"
    with pytest.raises(StoreError, match="nothing was measured"):
        save([result("a", differences=["raised"])], path, {})
    assert not path.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match="cannot write"):
        save([some_result()], tmp_path / "no" / "saved.json", {})


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"version": "1.0"}'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(StoreError, match="not a file of saved results"):
        load(path)


def test_other_benchmarks_are_refused(tmp_path):
    path = tmp_path / "other.json"
    run = pyperf.Run([1.0], metadata={"name": "other"}, collect_metadata=False)
    pyperf.BenchmarkSuite([pyperf.Benchmark([run])]).dump(str(path))
    with pytest.raises(StoreError, match="no results of this benchmark"):
        load(path)


def test_values_that_make_no_pairs_are_refused(tmp_path):
    path = tmp_path / "saved.json"
    save([some_result()], path, {})
    suite = json.loads(path.read_text())
    suite["benchmarks"][0]["runs"][0]["values"].pop()
    path.write_text(json.dumps(suite))
    with pytest.raises(StoreError, match="do not make pairs"):
        load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoreError, match="no file"):
        load(tmp_path / "absent.json")
