"""The shape of the package: who imports whom, how large things are, what each module opens with."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "dyntrace"
MODULES = sorted(ROOT.rglob("*.py"))

# A module imports only from rooms of a lower rank, or from its own room.
RANKS = {
    "errors": 0,
    "config": 0,
    "debugging": 0,
    "incidents": 0,
    "isolation": 0,
    "record": 0,
    "registries": 0,
    "breaks": 0,
    "budget": 0,
    "users": 0,
    "graph": 1,
    "asm": 1,
    "ops": 2,
    "trace": 3,
    "exec": 3,
    "runtime": 4,
    "weaving": 5,
    "compile": 6,
    "functions": 7,
    "api": 8,
    "programs": 8,
    "report": 8,
    "verification": 8,
    "__main__": 9,
    "__init__": 9,
}
# Records that travel upwards: the report's plain data is made where the findings are.
SHARED = {("api", "report")}
# Of the rooms that share a rank, the first does not import the second.
APART = {("graph", "asm"), ("asm", "graph"), ("exec", "trace")}


def room(path_or_name):
    """The room of a module file or of a dotted module name."""
    if isinstance(path_or_name, Path):
        parts = path_or_name.relative_to(ROOT).with_suffix("").parts
        return parts[0]
    parts = path_or_name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def dotted(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


KNOWN = {dotted(path): path for path in MODULES}


def imports(path, *, at_import_time=False):
    """The dyntrace modules `path` imports, as dotted names of existing modules."""
    nodes = module_level(tree(path)) if at_import_time else ast.walk(tree(path))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in KNOWN else node.module)
    return {name for name in found if name in KNOWN}


def module_level(module):
    """The nodes that run when the module is imported, `if TYPE_CHECKING:` left out."""
    waiting = list(module.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            waiting.extend(child for child in ast.iter_child_nodes(node))


def functions(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or 0) - node.lineno + 1


def name_of(path):
    return str(path.relative_to(ROOT))


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


@each_module
def test_imports_go_from_higher_rooms_to_lower_ones(path):
    mine = room(path)
    assert mine in RANKS, f"{mine} has no rank"
    for name in imports(path):
        theirs = room(name)
        if theirs == mine or (mine, theirs) in SHARED:
            continue
        assert RANKS[theirs] <= RANKS[mine], f"{mine} imports {name}"
        assert (mine, theirs) not in APART, f"{mine} imports {name}"


def test_modules_import_each_other_without_cycles():
    graph = {dotted(path): imports(path, at_import_time=True) for path in MODULES}
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for other in sorted(graph[name]):
                visit(other)
            done.add(path.pop())

    for name in graph:
        visit(name)


@each_module
def test_modules_stay_within_500_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@each_module
def test_functions_stay_within_60_lines(path):
    assert [(node.name, size) for node, size in functions(path) if size > 60] == []


def test_most_functions_are_short():
    sizes = sorted(size for path in MODULES for _, size in functions(path))
    assert sizes[len(sizes) // 2] <= 10
    assert sum(size <= 22 for size in sizes) >= 0.9 * len(sizes)


@each_module
def test_modules_open_with_a_docstring(path):
    module = tree(path)
    if module.body:
        text = ast.get_docstring(module)
        assert text, "no module docstring"
        lines = len(text.splitlines())
        assert 1 <= lines <= 12, f"a docstring of {lines} lines"


SENDS = re.compile(r"\b[Rr]ead `([\w.]+)`")
C_FILE = re.compile(r"`(_native|_sampler)/([\w/]+\.(?:c|h|def))`")


def docstrings(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


def is_module(path, name):
    """Whether a docstring of `path` may call a module `name`: from the package or a folder on."""
    folders = [ROOT, *(folder for folder in path.parents if ROOT in folder.parents)]
    end = name.removeprefix("dyntrace.").replace(".", "/")
    return any(
        (folder / f"{end}.py").exists() or (folder / end / "__init__.py").exists()
        for folder in folders
    )


@each_module
def test_docstrings_send_to_modules_and_files_that_exist(path):
    text = "\n".join(docstrings(path))
    assert [name for name in SENDS.findall(text) if not is_module(path, name)] == []
    files = [ROOT / folder / name for folder, name in C_FILE.findall(text)]
    assert [file for file in files if not file.exists()] == []


@each_module
def test_version_checks_stand_in_one_file(path):
    found = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in {"sys.version_info", "sys.hexversion"}
    ]
    assert not found or name_of(path) == "asm/versions/__init__.py"


@each_module
def test_no_module_imports_the_bytecode_library_which_serves_the_tests(path):
    names = {
        alias.name.split(".")[0]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
    }
    assert "bytecode" not in names


DOORS = {
    *("exec/backends/machine.py", "exec/machine_resources.py"),
    *(
        "exec/kernels/addresses.py",
        "exec/kernels/loop_programs.py",
        "graph/instances.py",
        "runtime/handles.py",
    ),
}


@each_module
def test_the_native_module_has_few_doors(path):
    found = any(
        isinstance(node, ast.ImportFrom) and node.module == "dyntrace._native"
        for node in ast.walk(tree(path))
    )
    assert not found or name_of(path) in DOORS


@each_module
def test_no_module_has_a_name_that_says_nothing(path):
    assert path.stem not in {"utils", "helpers", "misc", "common"}


@each_module
def test_no_handler_swallows_everything_in_silence(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            silent = all(isinstance(child, ast.Pass) for child in node.body)
            assert caught, f"line {node.lineno}: a bare except"
            assert not (silent and caught in {"Exception", "BaseException"}), f"line {node.lineno}"


def test_rooms_are_the_folders_and_modules_there_are():
    assert {room(path) for path in MODULES} <= set(RANKS)
