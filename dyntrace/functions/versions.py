"""Versions: the code objects that the functions of one code object have run, the newest first.

A version is the original with stubs in it (`weaving.weave.Woven`). Putting one to use gives it to
every function; frames of older versions run on, and come over at their next recorder. Invariant:
the newest version changes in one step, whatever interrupts its use; a function to which the program
has given other code keeps that. Read `weaving.bypasses` for what changes in code that runs.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import CodeType, FunctionType

from dyntrace.record import replace
from dyntrace.runtime.handles import NATIVE
from dyntrace.trace.marks import remember_original
from dyntrace.trace.regions.flush import Layout
from dyntrace.weaving.bypasses import Bypasses
from dyntrace.weaving.weave import Woven

__all__ = ["Landing", "Versions"]

MAX_VERSIONS = 8

Landing = tuple[CodeType, int]  # where a frame goes on: the code, and a byte offset in it


class Versions:
    """The versions of one code object.

    newest        what its functions run now
    count         the versions since the start, or the last reset
    compiles      those that were ever made
    replacements  the frames that came over to a newer version
    functions     those that run the versions, held weakly
    on_new_code   who else is told of new code: the frame hook, or the sampler's service
    """

    def __init__(self, original: CodeType) -> None:
        self._original = weakref.ref(original)
        self.copy = original.replace()
        self.functions: weakref.WeakSet[FunctionType] = weakref.WeakSet()
        self.on_new_code: Callable[[CodeType], None] | None = None
        self.bypasses = Bypasses()
        self.newest = Woven(self.copy)
        self.count = 0
        self.compiles = 0
        self.replacements = 0

    @property
    def code(self) -> CodeType:
        """What the functions run now."""
        return self.original if self.newest.is_idle() else self.newest.code

    @property
    def original(self) -> CodeType:
        """The user's code, which nothing here keeps alive, or an equal copy after its end."""
        return self._original() or self.copy

    def use(self, woven: Woven) -> None:
        """Have every function run `woven`."""
        old, self.newest = self.code, woven
        remember_original(woven.code, self.original)
        for function in list(self.functions):
            if function.__code__ is old:
                function.__code__ = self.code
        if self.on_new_code is not None:
            self.on_new_code(self.code)

    def count_one(self, woven: Woven) -> None:
        """Note a version that is put to use next."""
        self.count += 1
        self.compiles += 1
        self.bypasses.add(woven.code, woven.bypasses)

    def moved(self, layout: Layout | None, state: int) -> Woven:
        """Bring a layout's bypasses to a state in every version; what to use as the newest now.

        That is another code object where the jump cannot be exchanged in code that runs. None
        stands for the recorders.
        """
        newest = self.newest
        code = self.bypasses.move(layout, state, newest.code)
        return newest if code is newest.code else replace(newest, code=code)

    def may_learn(self) -> bool:
        """Whether the next version may have recorders."""
        return self.count < MAX_VERSIONS

    def may_grow(self) -> bool:
        """Whether there may be a next version."""
        return self.count <= MAX_VERSIONS

    def landing(self, unit: int, woven: Woven | None = None) -> Landing | None:
        """Where a frame that stands before `unit` goes on, in `woven` or the newest version."""
        woven = woven or self.newest
        if not NATIVE or unit not in woven.landings:
            return None
        return woven.code, woven.landings[unit]
