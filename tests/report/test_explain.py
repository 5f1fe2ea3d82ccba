"""What `explain` and `stats` tell of real functions."""

import linecache

import numpy as np
import pytest

import dyntrace


def line_of(report):
    return linecache.getline(report.filename, report.lineno).strip()


def smooth_and_print(u, steps):
    for _ in range(steps):
        u[1:-1] = 0.5 * (u[:-2] + u[2:])
    print("done")
    return np.sqrt(np.mean(u * u))


def test_graphs_and_breaks_name_the_users_lines(capsys):
    found = dyntrace.explain(smooth_and_print)(np.arange(6.0) ** 2, 4)
    assert capsys.readouterr().out == "done\n"
    assert [line_of(graph) for graph in found.graphs] == [
        "u[1:-1] = 0.5 * (u[:-2] + u[2:])",
        "return np.sqrt(np.mean(u * u))",
    ]
    assert [line_of(one) for one in found.breaks] == ['print("done")']
    assert found.name == "smooth_and_print"
    assert found.op_count == 5 + 3


def test_every_break_has_a_code_a_reason_a_line_and_a_hint():
    found = dyntrace.explain(smooth_and_print)(np.arange(6.0), 1)
    for one in found.break_reasons:
        assert one.code.startswith("DT") and one.reason and one.hint and one.why
        assert one.filename == __file__ and one.lineno > 0


def test_the_code_of_each_graph_runs_on_its_inputs():
    def work(a, b):
        return np.tanh(a @ b) - a.sum(axis=0)

    a, b = np.random.default_rng(0).normal(size=(2, 3, 3))
    (graph,) = dyntrace.explain(work)(a, b).graphs
    namespace = {"a": a, "b": b}
    exec(graph.code, namespace)
    assert np.array_equal(namespace["outputs"][0], work(a, b))


def test_a_while_test_on_data_is_one_break():
    def shrink(x):
        while np.sum(x) > 1:
            x = np.tanh(x)
        return x

    found = dyntrace.explain(shrink)(np.ones(3))
    assert [one.code for one in found.breaks] == ["DT401"]


def test_calls_of_a_graph_are_counted():
    fast = dyntrace.optimize(lambda x: x * 2 + 1)
    for _ in range(5):
        fast(np.ones(3))
    found = dyntrace.explain(fast)(np.ones(3))
    assert sum(graph.calls for graph in found.graphs) >= 5
    assert sum(graph.executed for graph in found.graphs) >= 10


def test_explaining_runs_the_function_once():
    calls = []
    dyntrace.explain(lambda x: calls.append(x * 2))(np.ones(2))
    assert len(calls) == 1


def test_explaining_a_generator_runs_it_to_its_end():
    seen = []

    def produce(x):
        for i in range(3):
            seen.append(i)
            yield x * i

    found = dyntrace.explain(produce)(np.ones(2))
    assert seen == [0, 1, 2]
    assert found.op_count == 1


def test_an_exception_of_the_function_propagates():
    with pytest.raises(ZeroDivisionError):
        dyntrace.explain(lambda x: x + 1 // 0)(np.ones(2))


@pytest.mark.parametrize("builtin", [len, np.sin, dict])
def test_what_has_no_bytecode_comes_back_unchanged_with_a_note(builtin):
    assert dyntrace.optimize(builtin) is builtin
    found = dyntrace.explain(builtin)([] if builtin is not np.sin else 0.5)
    assert found.graph_count == 0
    assert any("not a Python function" in note for note in found.notes)


def test_a_function_without_array_work_has_no_graphs():
    found = dyntrace.explain(lambda a, b: f"{a}-{b}")(1, 2)
    assert (found.graph_count, found.op_count) == (0, 0)


def test_methods_are_named_with_their_class():
    class Model:
        def __init__(self):
            self.w = np.ones(3)

        def score(self, x):
            return np.sum(self.w * x)

    found = dyntrace.explain(Model().score)(np.ones(3))
    assert found.name.endswith("Model.score")
    assert found.op_count == 2


def test_html_of_a_real_explanation_shows_graphs_and_breaks(tmp_path):
    found = dyntrace.explain(smooth_and_print)(np.arange(6.0), 2)
    page = found.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert "np.sqrt(" in page and "DT101" in page and "&quot;" not in found._repr_html_()[:50]


def test_stats_count_compilations_and_graph_calls():
    fast = dyntrace.optimize(lambda x: x * 2)
    before = dyntrace.stats(fast)
    for _ in range(4):
        fast(np.ones(3))
    after = dyntrace.stats(fast)
    assert (before.compiles, before.graph_calls) == (0, 0)
    assert after.compiles >= 1 and after.graphs >= 1 and after.graph_calls >= 3
    assert after.internal_errors == 0


def test_stats_count_what_was_given_back_to_cpython():
    fast = dyntrace.optimize(lambda a, b: a + b)
    fast(np.ones(3), np.ones(3))
    fast(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="could not be broadcast"):
        fast(np.ones(3), np.ones(4))
    assert dyntrace.stats(fast).deopts == 1


@pytest.mark.parametrize("other", [len, 3, lambda x: x])
def test_stats_of_anything_else_is_a_type_error(other):
    with pytest.raises(TypeError, match="optimize"):
        dyntrace.stats(other)
