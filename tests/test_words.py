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
# Stems that a Python module and a C file share on purpose, with the reason.
PARALLEL = {
    "dump": "twins: the Python side prints what the C side returns",
    "environment": "twins: the floating-point environment of a thread",
    "failures": "twins: does an exception belong to the program?",
    "floating": "twins: NumPy's floating-point modes inside a region",
    "machine": "the backend, the machine that it feeds",
    "region": "twins: the region",
    "templates": "one makes the templates of a program, the other builds values from them",
    "trial": "twins: is a region faster?",
    "verify": "each defines what is legal: of a graph, of a program",
    "call": "the call of a NumPy function in a graph, the call of a region",
    "calls": "the opcodes that call, the instruction that calls",
    "elementwise": "the functions of NumPy, the instructions that compute them",
    "errors": "the exceptions of dyntrace, the pending one of CPython",
    "instructions": "those of bytecode, those of the machine",
    "items": "of containers as values, of lists that machine code reads",
    "iterators": "how machine code goes through one, how the real one is moved on afterwards",
    "limits": "what a report says of the machine's limits, and those limits",
    "memory": "of arrays that an effect writes, of the process under `run`",
    "operands": "of an operation that is traced, of a group that runs",
    "record": "no twins: cheap dataclasses, the tuples of a description",
    "records": "what a report holds, what the sampler keeps of code objects",
}
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


def modules():
    """The Python modules of the package; each `__init__.py` has its folder's name."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.stem != "__init__"]


def c_files(extension):
    """The C files and headers of an extension module."""
    return sorted((PACKAGE / extension).rglob("*.[ch]"))


def twice(names):
    return sorted(name for name, count in collections.Counter(names).items() if count > 1)


def test_no_two_python_modules_share_a_name():
    assert twice(path.name for path in modules()) == []


@pytest.mark.parametrize("extension", ["_native", "_sampler"])
def test_no_two_c_files_of_an_extension_share_a_name(extension):
    assert c_files(extension)
    assert twice(path.name for path in c_files(extension)) == []


def test_only_module_c_stands_in_both_extensions():
    native, sampler = ({path.name for path in c_files(name)} for name in ("_native", "_sampler"))
    assert native & sampler == {"module.c"}


def test_a_python_module_and_a_c_file_share_a_name_only_on_purpose():
    stems = {path.stem for path in (*c_files("_native"), *c_files("_sampler"))}
    assert stems & {path.stem for path in modules()} == set(PARALLEL)
