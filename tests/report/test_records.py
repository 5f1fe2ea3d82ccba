"""Reports on graphs and breaks built by hand: counts, texts, HTML."""

import operator
from html.parser import HTMLParser

import numpy as np
import pytest

import dyntrace
from dyntrace.breaks import CATALOGUE
from dyntrace.graph.kinds import ArrayKind
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from dyntrace.report.data import BreakReport, Explanation, GraphReport, Stats
from dyntrace.report.html import page
from dyntrace.report.records import place
from dyntrace.report.text import all_findings_text

VECTOR = ArrayKind(np.dtype(np.float64), 1)
ADD = Op("operator.add", operator.add, "operator", style="infix", exact=True)
SIN = Op("np.sin", np.sin, "ufunc", exact=True)


def sine_of_sum(filename="model.py"):
    """The graph of `np.sin(a + b)`."""
    a, b = (Node(INPUT, (i,), (), VECTOR, Origin(filename, 0)) for i in range(2))
    total = Node(ADD, (a, b), (), VECTOR, Origin(filename, 7))
    sine = Node(SIN, (total,), (), VECTOR, Origin(filename, 8, temporaries=(0,)))
    return Graph(inputs=[a, b], nodes=[total, sine], outputs=[sine])


def report(**changes):
    fields = {"filename": "model.py", "lineno": 7, "end_lineno": 8, "calls": 5, "deopts": 2}
    return GraphReport(sine_of_sum(), **(fields | changes))


def explanation():
    found = BreakReport.of("DT101", "model.py", 9, "call of <print> & co")
    return Explanation([report(names=("a", "b"))], [found], ["a note with <angles>"], "model.f")


def test_counts_follow_from_graphs_and_breaks():
    found = explanation()
    assert (found.graph_count, found.graph_break_count, found.op_count) == (1, 1, 2)
    assert found.break_reasons is found.breaks


def test_completed_calls_count_as_executed_operations():
    assert report().executed == 6
    assert report(calls=0, deopts=0).executed == 0


def test_the_code_of_a_graph_runs_and_names_the_users_lines():
    code = report(names=("a", "b")).code
    namespace = {"a": np.arange(3.0), "b": np.ones(3)}
    exec(code, namespace)
    assert np.array_equal(namespace["outputs"][0], np.sin(np.arange(3.0) + 1))
    assert "model.py:7" in code and "model.py:8" in code


def test_str_gives_summary_graph_break_hint_and_note():
    text = str(explanation())
    assert text.startswith("model.f: 1 graph with 2 operations, 1 break\n")
    assert "graph 1: model.py:7-8, 2 operations, ran 3 times, replayed 2 times" in text
    assert "    import numpy as np\n" in text
    assert "break 1: DT101 at model.py:9: " in text and "call of <print> & co" in text
    assert CATALOGUE["DT101"].why in text and CATALOGUE["DT101"].fix in text
    assert text.endswith("note: a note with <angles>")


def test_str_of_an_empty_explanation_is_one_line():
    assert str(Explanation(name="f")) == "f: no graphs, no breaks"
    assert str(Explanation()) == "<unnamed>: no graphs, no breaks"


def test_places_below_the_working_directory_are_relative(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert place(str(tmp_path / "a.py"), 3) == "a.py:3"
    assert place("/elsewhere/a.py", 3) == "/elsewhere/a.py:3"
    assert place("<string>", 3) == "<string>:3"


def test_several_explanations_print_below_each_other():
    text = all_findings_text([Explanation(name="f"), Explanation(name="g")])
    assert text.splitlines() == ["f: no graphs, no breaks", "-" * 80, "g: no graphs, no breaks"]


@pytest.mark.parametrize("calls, words", [(0, "not called yet"), (1, "ran once")])
def test_usage_is_told_in_words(calls, words):
    assert words in str(Explanation([report(calls=calls, deopts=0)]))


class Checker(HTMLParser):
    """Collects text and tags, and sees that tags close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.tags = [], "", []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("make", [lambda found: found.to_html(), lambda found: found._repr_html_()])
def test_html_is_well_formed_escaped_and_self_contained(make):
    text = make(explanation())
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert "call of <print> & co" in checker.text and "a note with <angles>" in checker.text
    assert "<print>" not in text and "<angles>" not in text
    assert not any({"src", "href"} & attrs.keys() for _, attrs in checker.tags)
    assert not {"script", "link", "img"} & {tag for tag, _ in checker.tags}


def test_to_html_writes_the_page_it_returns(tmp_path):
    path = tmp_path / "out.html"
    text = explanation().to_html(path)
    assert path.read_text(encoding="utf-8") == text
    assert text.startswith("<!DOCTYPE html>")


def test_a_page_holds_all_explanations_and_its_title():
    text = page([Explanation(name="f"), Explanation(name="g")], title="a <script>")
    assert "f: no graphs" in text and "g: no graphs" in text
    assert "<title>a &lt;script&gt;</title>" in text


def test_an_unknown_break_code_is_a_key_error():
    with pytest.raises(KeyError):
        BreakReport.of("DT000", "f.py", 1)


def test_stats_start_at_zero():
    stats = Stats()
    assert (stats.compiles, stats.graph_calls, stats.deopts, stats.internal_errors) == (0, 0, 0, 0)


# In an interactive session ------------------------------------------------------------------------
def test_every_record_is_shown_on_one_line():
    def program(a, flag):
        b = a * 2 + 1
        print(end="")
        return (b - 1).sum() if flag else b

    program.__qualname__ = "long_name" * 40
    found = dyntrace.explain(program)(np.arange(3.0), True)
    assert repr(found).startswith("<Explanation of long_name") and "; print() shows all>" in repr(
        found
    )
    assert repr(found).count("graphs with") == 1 and str(found) != repr(found)
    records = [found, *found.graphs, *found.breaks, dyntrace.stats(dyntrace.optimize(program))]
    records += [graph.graph for graph in found.graphs]
    records += [node for graph in found.graphs for node in graph.graph.nodes]
    assert len(records) >= 6
    for record in records:
        assert "\n" not in repr(record) and len(repr(record)) <= 140, repr(record)
