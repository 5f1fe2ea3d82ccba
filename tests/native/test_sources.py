"""The shape of the C files: who calls whom, what is called how, how large things are."""

import collections
import re
import subprocess
import sysconfig
from functools import cache
from pathlib import Path

import numpy
import pytest

from tests.native.building import COMPILER

PACKAGE = Path(__file__).parent.parent.parent / "dyntrace"
NATIVE = PACKAGE / "_native"
SOURCES = sorted(NATIVE.rglob("*.c"))
HEADERS = sorted(NATIVE.rglob("*.h"))
C_SUFFIXES = {".c", ".h", ".def"}
SAMPLER = sorted((PACKAGE / "_sampler").rglob("*.c"))

# A file includes headers of its own folder and of those before it.
FOLDERS = [
    "os",
    "cpython",
    "vm/array",
    "vm/description",
    "vm/loops",
    "vm/program",
    "vm/group",
    "vm/plan",
    "vm",
    "ahead",
    "region",
    ".",
]
# CPython looks the function up by this name.
FORCED = {"PyInit__native"}

NOISE = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
FUNCTION = re.compile(
    r"^(?P<kind>[A-Za-z_][^\n;{}=/#]*)\n(?P<name>\w+)\([^;{]*\)\n\{\n(?P<body>.*?)^\}",
    re.MULTILINE | re.DOTALL,
)
VARIABLE = re.compile(
    r"^(?!static|typedef|extern|return)[A-Za-z_][\w ]*?\b(\w+)(?: = [^;(]*|\s*);", re.MULTILINE
)
# Frames, thread states and the fields of code objects, beyond the calls that CPython documents.
INTERNAL = re.compile(
    r"PY_VERSION_HEX|Py_BUILD_CORE|pycore_|_PyInterpreterFrame|\bFrame \*|_PyRuntime|_PyType_Lookup"
    r"|\bco_[a-z]|\b(?:ts|tstate|thread|state)->(?:interp|context|c_|py_|datastack|eval|cframe)"
)


@cache
def code(path):
    """The text without comments and literals; lines stay where they are."""
    return NOISE.sub(lambda match: " " + "\n" * match[0].count("\n"), path.read_text("utf-8"))


@cache
def words(path):
    return set(re.findall(r"\w+", code(path)))


def functions(path):
    """The functions that a file defines: (whether static, name, lines)."""
    for match in FUNCTION.finditer(code(path)):
        static = re.search(r"\bstatic\b", match["kind"]) is not None
        yield static, match["name"], match[0].count("\n") + 1


@cache
def homes(*sources):
    """The file of the extension that defines each function that is not static."""
    found = collections.defaultdict(list)
    for path in sources or SOURCES:
        for static, name, _ in functions(path):
            if not static and path not in found[name]:  # a version of it for each system
                found[name].append(path)
    return found


def name_of(path):
    return path.relative_to(NATIVE).as_posix()


def folder_of(path):
    return path.relative_to(NATIVE).parent.as_posix()


def included(path):
    text = path.read_text("utf-8")
    return [NATIVE / name for name in re.findall(r'^#include "([^"]+\.h)"', text, re.MULTILINE)]


each_source = pytest.mark.parametrize("path", SOURCES, ids=name_of)
each_file = pytest.mark.parametrize("path", [*SOURCES, *HEADERS], ids=name_of)


def calls_between(sources):
    """The files that each file calls, by the names of their functions."""
    found = homes(*sources)
    return {
        path: {home for name, (home,) in found.items() if home != path and name in words(path)}
        for path in sources
    }


@pytest.mark.parametrize("sources", [SOURCES, SAMPLER], ids=["native", "sampler"])
def test_files_call_each_other_without_cycles(sources):
    graph = calls_between(sources)
    done, path = set(), []

    def visit(file):
        assert file not in path, " -> ".join(f.name for f in [*path[path.index(file) :], file])
        if file not in done:
            path.append(file)
            for other in sorted(graph[file]):
                visit(other)
            done.add(path.pop())

    for file in graph:
        visit(file)


def test_the_check_sees_the_calls_between_files():
    assert len(homes()) > 100
    assert name_of(homes()["pool_run"][0]) == "os/pool.c"
    assert "pool_run" in words(NATIVE / "vm/group/tiles.c")
    calls = {
        path.stem: {home.stem for home in found} for path, found in calls_between(SAMPLER).items()
    }
    assert {"reach", "sampler", "tally"} <= calls["ticker"]
    assert "ticker" not in calls["sampler"]


def test_each_function_has_one_home():
    assert {name: paths for name, paths in homes().items() if len(paths) > 1} == {}


@each_source
def test_the_name_of_a_public_function_begins_with_that_of_its_file(path):
    stems = {path.stem, path.stem.removesuffix("s")}
    public = [name for static, name, _ in functions(path) if not static and name not in FORCED]
    odd = [name for name in public if not any(f"{name}_".startswith(f"{s}_") for s in stems)]
    assert odd == []


@each_source
def test_functions_that_only_their_file_uses_are_static(path):
    macros = [re.findall(r"^#define .*", code(header), re.MULTILINE) for header in HEADERS]
    elsewhere = set(re.findall(r"\w+", str(macros)))
    elsewhere.update(*(words(other) for other in SOURCES if other != path))
    public = {name for static, name, _ in functions(path) if not static}
    assert public - elsewhere - FORCED == set()


@each_source
def test_public_functions_are_declared_in_the_header_of_their_file(path):
    public = {name for static, name, _ in functions(path) if not static} - FORCED
    header = path.with_suffix(".h")
    assert public <= (words(header) if header.exists() else set())


@each_file
def test_files_stay_small(path):
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= (500 if path.suffix == ".c" else 200)


@pytest.mark.parametrize("extension", ["_native", "_sampler"])
def test_lines_stay_within_100_columns(extension):
    """Of the tables too; as ruff has it for Python."""
    files = [path for path in (PACKAGE / extension).rglob("*.*") if path.suffix in C_SUFFIXES]
    long = [
        f"{path.name}:{number}"
        for path in sorted(files)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > 100
    ]
    assert files and long == []


@each_file
def test_functions_stay_within_60_lines(path):
    assert [(name, size) for _, name, size in functions(path) if size > 60] == []


@each_file
def test_files_open_with_a_comment(path):
    text = path.read_text("utf-8")
    assert text.startswith("/* ") and text.index("*/") < 1500


@each_file
def test_what_is_internal_to_cpython_stands_in_one_folder(path):
    if folder_of(path) != "cpython":
        assert INTERNAL.findall(code(path)) == []


@each_source
def test_a_file_includes_its_header_before_the_others(path):
    header = path.with_suffix(".h")
    others = [one for one in included(path) if folder_of(one) != "cpython" or one == header]
    if header.exists():
        assert others[0] == header


def test_headers_with_functions_to_define_have_a_file_of_their_name():
    for header in HEADERS:
        declared = {name for name in homes() if re.search(rf"\b{name}\(", code(header))}
        defined = {name for _, name, _ in functions(header)}
        inside = {name for name in declared if homes()[name] == [header.with_suffix(".c")]}
        assert declared - inside - defined == set(), name_of(header)


@each_file
def test_files_include_from_folders_before_their_own(path):
    mine = FOLDERS.index(folder_of(path))
    for header in included(path):
        assert header.exists(), header
        assert FOLDERS.index(folder_of(header)) <= mine, f"{name_of(path)} includes {header}"


@each_file
def test_switches_over_codes_have_no_default(path):
    """So that -Werror=switch finds the case that a new row of instructions.def needs."""
    switches = re.findall(r"switch \((.*?)\) \{\n(.*?)\n    \}", code(path), re.DOTALL)
    numbers = {"descr->type_num", "type", "itemsize"}  # NumPy's types, and sizes
    assert [over for over, body in switches if "default:" in body and over not in numbers] == []


@each_file
def test_fields_that_hold_codes_are_of_their_enumeration(path):
    fields = "\n".join(
        re.findall(r"\bstruct(?: \w+)? \{(.*?)^\}", code(path), re.DOTALL | re.MULTILINE)
    )
    names = "code|kind|split|mode|exact|columns|where"
    assert re.findall(rf"\b(?:uint8_t|int|char) (?:{names})\b", fields) == []


def test_an_instruction_without_a_planner_does_not_compile(tmp_path):
    """A new row is a new value of InstrCode, which every switch over instructions has to name."""
    include = [f"-I{path}" for path in (sysconfig.get_path("include"), numpy.get_include())]
    (tmp_path / "vm").mkdir()
    table = (NATIVE / "vm/instructions.def").read_text("utf-8")
    last = re.search(r"^INSTRUCTION\(ASSIGN, .*\n", table, re.MULTILINE)[0]
    row = 'INSTRUCTION(SORT, 1, 1, 1, 1, "sort", NO_FIELDS)\n'
    (tmp_path / "vm/instructions.def").write_text(table.replace(last, last + row))
    for name in (
        "vm/plan/plan.c",
        "vm/plan/views.c",
        "vm/program/parse_instruction.c",
        "vm/program/verify.c",
    ):
        command = [COMPILER, "-std=c11", "-Werror=switch", "-fsyntax-only", *include]
        as_it_is = subprocess.run([*command, f"-I{NATIVE}", NATIVE / name], capture_output=True)
        with_row = subprocess.run(
            [*command, f"-I{tmp_path}", f"-I{NATIVE}", NATIVE / name],
            capture_output=True,
            text=True,
        )
        assert as_it_is.returncode == 0, as_it_is.stderr
        assert with_row.returncode != 0 and "SORT" in with_row.stderr, name
