"""The words of the iterator that a loop consumes, by its code.

`_native/ahead/loop_values.h` has the codes. Invariant: the parts are in the order in which
`trace.loops.outer` counts them, and those that change with each iteration in the order of the
head's parameters. Read `loop_text`, the user, next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dyntrace.exec.kernels.held import ArrayParts

__all__ = ["iterator_parts"]

Word = Callable[[str], str]
Array = Callable[[int, "np.dtype[Any]"], ArrayParts]


def iterator_parts(letters: Iterator[str], word: Word, array: Array) -> tuple[list[Any], list[str]]:
    """The parts of an iterator, and those that change; takes its code from `letters`.

    `word` loads the next word as a value of an LLVM type, `array` loads an array of so many axes
    and a dtype.
    """
    letter = next(letters)
    if letter == "r":
        at, step, remaining = (word("i64") for _ in range(3))
        return [at, step, remaining], [at, remaining]
    if letter == "q":
        dtype, ndim = np.dtype(next(letters)), int(next(letters))
        index = word("i64")
        return [index, array(ndim, dtype)], [index]
    if letter in "mu":
        index = word("i64")
        return [index, (word("ptr"), word("i64"))], [index]
    counts = [word("i64")] if letter == "e" else []
    inner_count = 1 if letter == "e" else int(next(letters))
    parts: list[Any] = [*counts]
    state = [*counts]
    for _ in range(inner_count):
        inner_parts, inner_state = iterator_parts(letters, word, array)
        parts += inner_parts
        state += inner_state
    return parts, state
