"""Recorders: the helpers that stubs call, to tell `functions.recording` what the program brings.

A recorder passes on what it was shown, then moves the frame that called it to newer code if there
is some. Invariant: it is a Python function without defaults or keyword-only arguments, so that the
evaluation loop runs caller and helper in one C frame (`_native/cpython/osr.c`); it holds its
`CompiledCode` weakly.
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
        alive = compiled_of()
        current = alive is not None and alive.generation == generation
        current = current and not has_patched_builtins()
        landing = method(alive, point, values) if current else None
        if landing is not None and osr(*landing):
            alive.versions.replacements += 1  # type: ignore[union-attr]
        silence.begins()
        hook_resume()

    return record
