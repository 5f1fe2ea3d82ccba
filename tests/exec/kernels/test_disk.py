"""Object code on disk: what is kept, who may have written it, and what a broken disk costs."""

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dyntrace import config
from dyntrace.exec.kernels import disk

KEY, OTHER = "00" + "1" * 62, "ff" + "2" * 62
IMAGE = bytes(range(256)) * 40


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """The folder of the cache, which is not there yet."""
    monkeypatch.setattr(config, "cache", True)
    monkeypatch.setattr(config, "cache_folder", str(tmp_path / "kept"))
    return tmp_path / "kept"


def entry(kept, key=KEY):
    return kept / (key + disk.SUFFIX)


def test_what_is_stored_is_loaded(kept):
    assert disk.load(KEY) is None
    disk.store(KEY, IMAGE)
    assert disk.load(KEY) == IMAGE
    assert disk.load(OTHER) is None


def test_folder_and_entries_are_the_users_own(kept):
    disk.store(KEY, IMAGE)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(kept).stat().st_mode) == 0o600
    assert os.listdir(kept) == [KEY + disk.SUFFIX]


def test_key_depends_on_text_processor_and_version(monkeypatch):
    keys = {disk.key_of("a", "b"), disk.key_of("ab", ""), disk.key_of("", "ab")}
    monkeypatch.setattr(config, "version", "0.0.0")
    keys.add(disk.key_of("a", "b"))
    assert len(keys) == 4
    assert all(len(key) == 64 for key in keys)


def damaged(content):
    yield b""
    yield content[:7]
    yield content[:-1]
    yield content + b"\0"
    yield b"x" + content[1:]
    for place in (len(disk.MAGIC), len(content) // 2, len(content) - 1):
        yield content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_damaged_entry_is_ignored_and_replaced(kept):
    disk.store(KEY, IMAGE)
    for broken in damaged(entry(kept).read_bytes()):
        entry(kept).write_bytes(broken)
        assert disk.load(KEY) is None
        disk.store(KEY, IMAGE)
        assert disk.load(KEY) == IMAGE


def test_entry_under_another_name_is_ignored(kept):
    disk.store(KEY, IMAGE)
    entry(kept).rename(entry(kept, OTHER))
    assert disk.load(OTHER) is None


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_entry_that_others_may_write_is_ignored(kept, mode):
    disk.store(KEY, IMAGE)
    entry(kept).chmod(mode)
    assert disk.load(KEY) is None


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_folder_that_others_may_write_is_not_used(kept, mode):
    disk.store(KEY, IMAGE)
    kept.chmod(mode)
    assert disk.load(KEY) is None
    disk.store(OTHER, IMAGE)
    assert not entry(kept, OTHER).exists()


def test_what_belongs_to_another_user_is_not_used(kept, monkeypatch):
    disk.store(KEY, IMAGE)
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert disk.load(KEY) is None
    disk.store(OTHER, IMAGE)
    assert not entry(kept, OTHER).exists()


def test_link_pipe_or_folder_in_the_place_of_an_entry_is_ignored(kept, tmp_path):
    disk.store(KEY, IMAGE)
    entry(kept).rename(tmp_path / "elsewhere")
    handles = len(os.listdir("/proc/self/fd"))
    entry(kept).symlink_to(tmp_path / "elsewhere")
    assert disk.load(KEY) is None
    entry(kept).unlink()
    os.mkfifo(entry(kept))
    assert disk.load(KEY) is None
    entry(kept).unlink()
    entry(kept).mkdir()
    assert disk.load(KEY) is None
    disk.store(KEY, IMAGE)
    assert os.listdir(kept) == [KEY + disk.SUFFIX]
    assert len(os.listdir("/proc/self/fd")) == handles


def test_file_in_the_place_of_the_folder_is_left_alone(kept):
    kept.write_text("mine")
    disk.store(KEY, IMAGE)
    assert disk.load(KEY) is None
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("refused", ["open", "makedirs", "replace", "fstat"])
def test_disk_that_refuses_costs_the_cache_only(kept, monkeypatch, refused):
    def refuse(*args, **options):
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, refused, refuse)
        disk.store(KEY, IMAGE)
        assert disk.load(KEY) is None
    assert not kept.exists() or os.listdir(kept) == []
    disk.store(KEY, IMAGE)
    assert disk.load(KEY) == IMAGE


def test_entry_whose_use_cannot_be_noted_is_loaded(kept, monkeypatch):
    def refuse(*args, **options):
        raise OSError(30, "read-only file system")

    disk.store(KEY, IMAGE)
    monkeypatch.setattr(os, "utime", refuse)
    assert disk.load(KEY) == IMAGE


def test_large_entry_is_not_kept(kept):
    disk.store(KEY, bytes(disk.MAX_SIZE + 1))
    assert not kept.exists()


def test_oldest_use_is_removed_first(kept, monkeypatch):
    monkeypatch.setattr(disk, "MAX_FILES", 3)
    keys = [f"ff{number:062}" for number in range(6)]
    for age, key in enumerate(keys):
        disk.store(key, IMAGE)
        os.utime(entry(kept, key), (1000 + age, 1000 + age))
    assert disk.load(keys[0]) == IMAGE  # its use is noted
    disk.prune()
    assert {key for key in keys if entry(kept, key).exists()} == {keys[0], keys[4], keys[5]}
    monkeypatch.setattr(disk, "MAX_TOTAL", len(IMAGE) + 200)
    disk.prune()
    assert {key for key in keys if entry(kept, key).exists()} == {keys[0]}


def test_storing_prunes_now_and_then(kept, monkeypatch):
    monkeypatch.setattr(disk, "MAX_FILES", 0)
    disk.store(OTHER, IMAGE)
    assert entry(kept, OTHER).exists()
    disk.store(KEY, IMAGE)  # one of those keys at which files are counted
    assert os.listdir(kept) == []


def test_leftovers_of_killed_processes_are_removed_after_an_hour(kept):
    disk.store(OTHER, IMAGE)
    old, new = kept / ("a" + disk.UNFINISHED), kept / ("b" + disk.UNFINISHED)
    foreign = kept / "README"
    for file in (old, new, foreign):
        file.write_bytes(b"")
    then = time.time() - 2 * disk.MAX_UNFINISHED
    os.utime(old, (then, then))
    os.utime(foreign, (then, then))
    disk.prune()
    assert sorted(os.listdir(kept)) == sorted([new.name, foreign.name, OTHER + disk.SUFFIX])


def test_readers_meet_whole_entries_while_others_write(kept):
    disk.store(KEY, IMAGE)
    done, seen = threading.Event(), set()

    def write():
        while not done.is_set():
            disk.store(KEY, IMAGE)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(300):
        seen.add(disk.load(KEY))
    done.set()
    for writer in writers:
        writer.join()
    assert seen == {IMAGE}
    assert os.listdir(kept) == [KEY + disk.SUFFIX]


def folder_with(monkeypatch, **variables):
    monkeypatch.setattr(config, "cache", True)
    monkeypatch.setattr(config, "cache_folder", "")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return disk.folder()


def test_folder_is_the_users_cache_directory(monkeypatch, tmp_path):
    home = str(tmp_path)
    assert folder_with(monkeypatch, XDG_CACHE_HOME="/caches", HOME=home) == "/caches/dyntrace"
    assert folder_with(monkeypatch, HOME=home) == f"{home}/.cache/dyntrace"
    assert folder_with(monkeypatch, HOME=home, XDG_CACHE_HOME="here") == f"{home}/.cache/dyntrace"


def test_home_of_somebody_else_is_not_used(monkeypatch, tmp_path):
    assert folder_with(monkeypatch, HOME=str(tmp_path / "none")) is None
    assert folder_with(monkeypatch, HOME="relative") is None
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert folder_with(monkeypatch, HOME=str(tmp_path)) is None


def test_no_folder_no_cache(monkeypatch):
    monkeypatch.setattr(config, "cache", False)
    disk.store(KEY, IMAGE)
    disk.prune()
    assert disk.folder() is None
    assert disk.load(KEY) is None


@pytest.mark.parametrize(
    "value, found",
    [("0", "False ''"), ("", "True ''"), ("1", "True ''"), ("/some/where", "True '/some/where'")],
)
def test_variable_turns_it_off_or_names_the_folder(value, found):
    program = "from dyntrace import config; print(config.cache, repr(config.cache_folder))"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DYNTRACE_CACHE": value},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert ran.stdout.strip() == found
