"""Trouble at will in machine code, and eyes on its memory accesses. For tests only.

`forced_troubles` has each check of loops that are compiled meanwhile ask whether it is the chosen
one. `watched_memory` has the text of such loops call back before each element is read or written.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
from dataclasses import dataclass, field
from unittest import mock

from numpy.lib.array_utils import byte_bounds

from dyntrace import config
from dyntrace.exec.kernels import loop_programs
from dyntrace.exec.kernels.emission import Emission

ACCESS = re.compile(r"(?:load (\w+)|store (\w+) \S+), ptr (%v\d+), align 1$")
BYTES = {"i8": 1, "i16": 2, "i32": 4, "i64": 8, "float": 4, "double": 8}


class Troubles(ctypes.Structure):
    """What machine code reads: the chosen check, and after how many of its visits it is to fail.

    chosen  the number of a check, -1 for each one
    every   the period, 0 for never
    visits  of the chosen check since the last trouble
    failed  how often it was made to fail
    """

    _fields_ = [(name, ctypes.c_int64) for name in ("chosen", "every", "visits", "failed")]


@contextlib.contextmanager
def forced_troubles():
    """Yields the Troubles, and a list as long as there are checks in the texts."""
    troubles, checks, own = Troubles(-1, 0, 0, 0), [], Emission.check

    def check(emission, bad, cause, lineno):
        if bad == "false":
            return
        forced = _asked(emission.writer, ctypes.addressof(troubles), len(checks))
        checks.append((cause, lineno))
        own(emission, emission.writer.op(f"or i1 {bad}, {forced}"), cause, lineno)

    with mock.patch.object(Emission, "check", check):
        yield troubles, checks


def _asked(writer, address, number):
    """Whether the check `number` is to fail now, as an i1."""
    places = [f"inttoptr (i64 {address + 8 * word} to ptr)" for word in range(4)]
    chosen, every, visits, failed = (writer.op(f"load i64, ptr {place}") for place in places)
    here = writer.op(f"icmp eq i64 {chosen}, {number}")
    meant = writer.op(f"or i1 {here}, {writer.op(f'icmp eq i64 {chosen}, -1')}")
    more = writer.op(f"add i64 {visits}, {writer.op(f'zext i1 {meant} to i64')}")
    due = writer.op(f"icmp uge i64 {more}, {every}")
    fails = writer.op(f"and i1 {meant}, {due}")
    fails = writer.op(f"and i1 {fails}, {writer.op(f'icmp ne i64 {every}, 0')}")
    writer.do(f"store i64 {writer.op(f'select i1 {fails}, i64 0, i64 {more}')}, ptr {places[2]}")
    one = writer.op(f"zext i1 {fails} to i64")
    writer.do(f"store i64 {writer.op(f'add i64 {failed}, {one}')}, ptr {places[3]}")
    return fails


@dataclass
class Watched:
    """The blocks of memory that loops may touch, how often they did, and where else they went."""

    blocks: list = field(default_factory=list)
    accesses: int = 0
    strayed: list = field(default_factory=list)

    def allow(self, *arrays):
        self.blocks += [byte_bounds(array) for array in arrays]

    def seen(self, address, size):
        self.accesses += 1
        if not any(low <= address and address + size <= high for low, high in self.blocks):
            self.strayed.append((address, size))


@contextlib.contextmanager
def watched_memory():
    """Yields a Watched that is told of each element that machine code reads or writes."""
    watched = Watched()
    callback = ctypes.PYFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(watched.seen)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    own = loop_programs.llvm.compile_text

    def compile_text(text):
        return own("\n".join(_with_eyes(text, address)))

    with (
        mock.patch.object(loop_programs.llvm, "compile_text", compile_text),
        mock.patch.object(config, "cache", False),  # its keys do not tell such code from other
    ):
        yield watched


def _with_eyes(text, address):
    for number, line in enumerate(text.split("\n")):
        found = ACCESS.search(line)
        if found:
            kind, pointer = found[1] or found[2], found[3]
            yield f"  %eye{number} = ptrtoint ptr {pointer} to i64"
            callee = f"inttoptr (i64 {address} to ptr)"
            yield f"  call void {callee}(i64 %eye{number}, i64 {BYTES[kind]})"
        yield line
