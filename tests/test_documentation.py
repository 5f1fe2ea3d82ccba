"""The documentation is true: its programs run, and print what it says they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dyntrace
from dyntrace import config

ROOT = Path(__file__).parent.parent
DOCUMENTS = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))]
LINK = re.compile(r"\]\(([^)#:]+)\)")


# How many runs are spent on measuring depends on the machine's clock.
RUNS = re.compile(r"ran \d+ times(, left out \d+ times to measure the original instructions)?")


# How long compiling a loop takes, and to how much code, depends on the machine.
COMPILED = re.compile(r"compiled in \d+ ms to \d+ bytes")


def as_anywhere(text):
    """What a program prints, without what depends on the machine."""
    return COMPILED.sub("compiled", RUNS.sub("ran", text))


def text_of(document):
    return (ROOT / document).read_text(encoding="utf-8")


def programs():
    """Each python block with the text block that follows it before any other block, if any."""
    for document in DOCUMENTS:
        pattern = r"^```(\w*)\n(.*?)^```$"
        blocks = re.findall(pattern, text_of(document), re.M | re.S)
        for number, (language, code) in enumerate(blocks):
            following = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
            if language == "python":
                expected = following[1] if following[0] == "text" else None
                yield pytest.param(code, expected, id=f"{document}-{number}")


@pytest.mark.parametrize("code, expected", list(programs()))
@pytest.mark.skipif(not config.jit, reason="the printed reports are those of a complete build")
def test_programs_print_what_the_text_says(code, expected, tmp_path):
    session = code.startswith(">>>")
    name = "example.txt" if session else "example.py"
    (tmp_path / name).write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", *(["-m", "doctest"] if session else []), name],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(Path(dyntrace.__file__).parent.parent)},
    )
    assert (done.stderr, done.returncode) == ("", 0), done.stdout
    if expected is not None:
        assert as_anywhere(done.stdout) == as_anywhere(expected)


@pytest.mark.parametrize("document", [*DOCUMENTS, "CHANGELOG.md"])
def test_links_between_documents_lead_somewhere(document):
    folder = (ROOT / document).parent
    assert [
        target for target in LINK.findall(text_of(document)) if not (folder / target).exists()
    ] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_named_in_the_text_exist(document):
    names = re.findall(r"`((?:examples|tests|docs|bench)/[\w/]+\.\w+)`", text_of(document))
    assert [name for name in names if not (ROOT / name).exists()] == []


# A file of the package, and names that are defined in it: "`exec/checks.py`: `check`, `Table.find`".
PLACE = re.compile(r"`([\w/]*[\w]+\.(?:py|c|h|def))`(?::\s+(`[\w.]+`(?:,\s+`[\w.]+`)*))?")
DEFINITION = r"^\s*(?:async def|def|class) {0}\b|^{0}\(|^{0}(?:: [^=]+)? = "


def files_called(name):
    """The files of the package that a document means by `name`: a path, or the end of one."""
    package = ROOT / "dyntrace"
    if name.startswith(("tests/", "bench/", "examples/", "docs/")):
        return [ROOT / name] if (ROOT / name).exists() else []
    if "/" in name:
        return [package / name] if (package / name).exists() else []
    return [*package.rglob(name), *ROOT.glob(name)]


@pytest.mark.parametrize("document", ["docs/architecture.md", "docs/executor.md", "docs/ops.md"])
def test_places_named_in_the_text_are_where_it_says(document):
    lost = []
    for name, definitions in PLACE.findall(text_of(document)):
        sources = [path.read_text(encoding="utf-8") for path in files_called(name)]
        if not sources:
            lost.append(name)
        for defined in re.findall(r"`([\w.]+)`", definitions):
            wanted = re.compile(DEFINITION.format(defined.rpartition(".")[2]), re.M)
            if not any(wanted.search(source) for source in sources):
                lost.append(f"{name}: {defined}")
    assert lost == []


def test_every_public_name_is_in_the_readme():
    text = text_of("README.md")
    assert [
        name for name in dyntrace.__all__ if f"`{name}" not in text and f".{name}" not in text
    ] == []
