"""Which modules are found and chosen, where copies are placed, and what the list may say."""

from __future__ import annotations

import pytest

from tests.conformance import __main__ as command
from tests.conformance import discovery, known
from tests.conformance.copies import Copies, with_parent_named
from tests.conformance.discovery import Module
from tests.conformance.through import WAYS


def names(suite, *patterns):
    return [module.name for module in discovery.chosen(suite, patterns)]


def test_a_module_is_chosen_by_its_name():
    assert names("python", "test_dict") == ["test_dict"]


def test_a_package_stands_for_its_modules():
    found = names("python", "test_json")
    assert "test_json.test_decode" in found
    assert all(name.startswith("test_json.") for name in found)


@pytest.mark.parametrize("name", ["test_dataclasses", "test_import"])
def test_tests_in_the_package_itself_are_found(name):
    assert name in names("python", name)


def test_modules_of_a_package_are_chosen_with_or_without_its_name():
    assert names("numpy", "fft") == names("numpy", "numpy.fft")
    assert "numpy.fft.tests.test_pocketfft" in names("numpy", "*.test_pocketfft")


def test_a_pattern_that_names_nothing_is_refused():
    with pytest.raises(LookupError, match="test_dicct"):
        discovery.chosen("python", ["test_dict", "test_dicct"])


@pytest.mark.parametrize("selection", command.selections())
def test_selections_name_modules_that_are_there(selection):
    for part in command.selections()[selection]:
        assert part["through"] in WAYS
        for suite in part.keys() - {"through"}:
            assert names(suite, *part[suite])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from .._thing import a", "from package.part._thing import a"),
        ("    from .. import a", "    from package.part import a"),
        ("from . import a", "from . import a"),
        ("from .other import a", "from .other import a"),
        ("x = 'import from ..'", "x = 'import from ..'"),
    ],
)
def test_imports_from_the_package_around_the_tests_are_spelt_out(source, expected):
    assert with_parent_named(source, "package.part") == expected


def test_copies_are_packages_under_a_name_of_their_own(tmp_path):
    original = tmp_path / "thing"
    tests = original / "part" / "tests"
    tests.mkdir(parents=True)
    (original / "conftest.py").write_text("1")
    (tests / "test_x.py").write_text("from ..x import y\n")
    (tests / "data.txt").write_text("data")
    module = Module("thing", "thing.part.tests.test_x", str(tests / "test_x.py"))
    copied = tmp_path / "copies" / "copied_thing"

    found = Copies(tmp_path / "copies").of(module)

    assert found.target == str(copied / "part" / "tests" / "test_x.py")
    assert (copied / "part" / "tests" / "test_x.py").read_text() == "from thing.part.x import y\n"
    assert (copied / "part" / "tests" / "data.txt").read_text() == "data"
    assert (copied / "conftest.py").read_text() == "1"
    for folder in (copied, copied / "part", copied / "part" / "tests"):
        assert (folder / "__init__.py").exists()


def test_each_entry_of_the_list_has_a_reason_and_names_a_module_or_tests():
    for entry in known.read():
        assert entry.suite in discovery.SUITES
        assert len(entry.reason) > 20
        assert entry.through and set(entry.through) <= set(known.WAYS)
        assert set(entry.pythons) <= {"3.11", "3.12", "3.13"}


def test_an_unknown_key_in_the_list_is_refused(tmp_path):
    path = tmp_path / "known.toml"
    path.write_text('[[difference]]\nsuite = "python"\nmodule = "m"\nreason = "r"\ntest = "x"\n')
    with pytest.raises(TypeError, match="test"):
        known.read(path)
