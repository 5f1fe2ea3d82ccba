"""Object code on disk: a second run of a program starts with the loops of the first compiled.

Each entry is a file of the user's cache directory, named by a hash of all that its code depends on:
the text, the processor, the compiler and dyntrace. It holds a hash of its name and its contents.
Invariants: what is loaded was stored by this user, whole, under this name; a folder or file that is
another user's, or that others may write, is not used; what the file system refuses costs the cache,
never the program. Read `loop_programs` for the caller.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dyntrace import config

__all__ = ["folder", "key_of", "load", "prune", "store"]

MAGIC = b"dyntrace loop 1\n"
_START = len(MAGIC) + 32  # where the object file begins, behind the hash
SUFFIX, UNFINISHED = ".loop", ".new"
MAX_SIZE = 4 << 20  # bytes of one entry
MAX_TOTAL, MAX_FILES = 64 << 20, 2000
MAX_UNFINISHED = 3600.0  # seconds until the file of a process that was killed is removed
_PRUNING = ("00", "20", "40", "60", "80", "a0", "c0", "e0")  # one key in 32 begins like this
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW


def key_of(text: str, processor: str) -> str:
    """The name of the entry for the machine code of `text`."""
    parts = (MAGIC.decode(), config.version, processor, text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def folder() -> str | None:
    """The folder of the entries, which need not exist; None if nothing is to be kept."""
    if not config.cache:
        return None
    if config.cache_folder:
        return os.path.abspath(config.cache_folder)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = os.path.expanduser("~")
        if not os.path.isabs(home) or not _ours(home):
            return None
        base = os.path.join(home, ".cache")
    return os.path.join(base, "dyntrace")


def load(key: str) -> bytes | None:
    """The object file that was stored under `key`, if there is one and it is whole."""
    try:
        with _opened() as place:
            return None if place is None else _read(place, key)
    except OSError:
        return None


def store(key: str, image: bytes) -> None:
    """Keep an object file, if that is possible."""
    if len(image) > MAX_SIZE:
        return
    with suppress(OSError), _opened(create=True) as place:
        if place is not None:
            _write(place, key, image)
            if key.startswith(_PRUNING):  # seldom: it looks at each file
                _prune(place)


def prune() -> None:
    """Remove the entries that have not been used for longest, while there are too many."""
    with suppress(OSError), _opened() as place:
        if place is not None:
            _prune(place)


# the folder ---------------------------------------------------------------------------------------


def _ours(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


@contextmanager
def _opened(create: bool = False) -> Iterator[int | None]:
    """The folder's descriptor, so that it stays the one that was looked at; None if unsafe."""
    path = folder()
    if path is None:
        yield None
        return
    if create:
        os.makedirs(path, mode=0o700, exist_ok=True)
    place = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield place if _safe(os.fstat(place)) else None
    finally:
        os.close(place)


def _safe(found: os.stat_result) -> bool:
    """Whether a folder or file is this user's, and nobody else may write to it."""
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


# entries ------------------------------------------------------------------------------------------


def _hash(key: str, image: bytes) -> bytes:
    return hashlib.sha256(key.encode() + image).digest()


def _read(place: int, key: str) -> bytes | None:
    # O_NONBLOCK: opening a pipe that lies in the place of an entry must not wait for a writer.
    handle = os.open(key + SUFFIX, os.O_RDONLY | os.O_NONBLOCK | _OPEN, dir_fd=place)
    try:
        found = os.fstat(handle)
        if not (stat.S_ISREG(found.st_mode) and _safe(found)):
            return None
        with open(handle, "rb", closefd=False) as file:
            content = file.read(_START + MAX_SIZE)
        image = content[_START:]
        if content[:_START] != MAGIC + _hash(key, image):
            return None
        _note_use(handle)
        return image
    finally:
        os.close(handle)


def _note_use(handle: int) -> None:
    """Entries that are used stay longest. The disk of one that is only read may be read-only."""
    with suppress(OSError):
        os.utime(handle)


def _write(place: int, key: str, image: bytes) -> None:
    """Write beside the entry and rename: a reader sees the old one or the new one, whole."""
    unfinished = f"{key}.{os.urandom(8).hex()}{UNFINISHED}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN
    handle = os.open(unfinished, flags, 0o600, dir_fd=place)
    try:
        with open(handle, "wb") as file:
            file.write(MAGIC + _hash(key, image) + image)
        os.replace(unfinished, key + SUFFIX, src_dir_fd=place, dst_dir_fd=place)
    except OSError:
        os.unlink(unfinished, dir_fd=place)
        raise


# bounds -------------------------------------------------------------------------------------------


def _prune(place: int) -> None:
    """OSError if another process prunes as well: then it is left to that one."""
    entries, now = [], time.time()
    with os.scandir(place) as listed:
        for one in listed:
            found = one.stat(follow_symlinks=False)
            if one.name.endswith(SUFFIX):
                entries.append((found.st_mtime, found.st_size, one.name))
            elif one.name.endswith(UNFINISHED) and now - found.st_mtime > MAX_UNFINISHED:
                os.unlink(one.name, dir_fd=place)
    total, count = sum(size for _, size, _ in entries), len(entries)
    for _, size, name in sorted(entries):
        if total <= MAX_TOTAL and count <= MAX_FILES:
            return
        os.unlink(name, dir_fd=place)
        total, count = total - size, count - 1
