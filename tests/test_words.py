"""Words: each has one meaning and one home, and no two things share a name."""

import ast
import collections
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dyntrace"
ROWS = [
    [cell.strip() for cell in line.strip("|\n ").split("|")]
    for line in (ROOT / "docs" / "words.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| word")
]
MOST_WORDS = 20
STRUCTURE = re.compile(r"^\} (\w+);|^struct (\w+) \{", re.MULTILINE)


def python_home(path):
    """What a dotted path stands for: a module, or something public in one."""
    module, _, name = path.rpartition(".")
    found = importlib.import_module(module)
    return getattr(found, name) if hasattr(found, name) else importlib.import_module(path)


def structures():
    """Each C structure with the files that define one of that name."""
    found = collections.defaultdict(list)
    for folder in (PACKAGE / "_native", PACKAGE / "_sampler"):
        for path in sorted(folder.rglob("*.[ch]")):
            for match in STRUCTURE.finditer(path.read_text(encoding="utf-8")):
                found[match[1] or match[2]].append(path.name)
    return found


def public_classes():
    """Each public class with the modules that define one of that name."""
    found = collections.defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(PACKAGE)))
    return found


def test_there_are_few_words_and_each_stands_once():
    words = [word for word, _, _ in ROWS]
    assert 10 < len(words) <= MOST_WORDS
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(("word", "meaning", "home"), ROWS, ids=[row[0] for row in ROWS])
def test_each_word_has_its_home(word, meaning, home):
    assert meaning and "\n" not in meaning
    in_header = re.fullmatch(r"`(\w+)` in `dyntrace/(\S+)`", home)
    if in_header:
        assert in_header[2].rpartition("/")[2] in structures()[in_header[1]], word
    else:
        assert python_home(home.strip("`")) is not None


def test_no_two_public_classes_share_a_name():
    assert {name: places for name, places in public_classes().items() if len(places) > 1} == {}


def test_no_two_structures_share_a_name():
    assert {name: places for name, places in structures().items() if len(places) > 1} == {}
