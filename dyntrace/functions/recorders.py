"""Recorders: the helpers that stubs call to tell `CompiledCode` what the program has brought.

A recorder tells what it has seen, then has the frame that called it go on in newer code.
Invariant: it is a Python function without a default or a free choice of arguments, so that the
evaluation loop keeps caller and helper in one C frame (`_native/cpython/osr.c`); it keeps no
`CompiledCode` alive.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

from dyntrace.functions.pacing import Silence
from dyntrace.isolation import has_patched_builtins
from dyntrace.runtime.handles import hook_resume, osr

if TYPE_CHECKING:
    from dyntrace.functions.compiled_code import CompiledCode

__all__ = ["recorder"]


def recorder(
    compiled: CompiledCode, method: Callable[..., tuple[CodeType, int] | None], point: int
) -> Callable[..., None]:
    """What stubs call at `point`: `method` of the compiled code gets the values.

    In code from before a `reset` it does nothing: such a frame goes on to its end as it is.
    """
    compiled_of, generation, silence = (
        weakref.ref(compiled),
        compiled.generation,
        Silence(compiled.pace),
    )

    def record(*values: Any) -> None:
        if silence.lasts():
            return hook_resume()
        told = compiled_of()
        current = told is not None and told.generation == generation and not has_patched_builtins()
        landing = method(told, point, values) if current else None
        if landing is not None and osr(*landing):
            told.versions.replacements += 1  # type: ignore[union-attr]
        silence.begins()
        hook_resume()

    return record
