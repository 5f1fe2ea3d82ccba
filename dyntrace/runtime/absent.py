"""What only C can do, where there is no C: replacing and patching running code, the frame hook.

Invariant: callers need no second code path; a declined replacement means that new code is used
from the next call on, a hook that installs nothing means that callees run as they always did.
Read `runtime.handles` next.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any


def osr(code: CodeType, byte_offset: int) -> bool:
    """Move the caller's caller into `code`: never possible here."""
    return False


def patch_jump(code: CodeType, byte_offset: int, target_byte_offset: int) -> bool:
    """Have a stub in `code` jumped over: never possible here."""
    return False


def hook_install(callback: Callable[[CodeType, dict[str, Any]], CodeType | None]) -> bool:
    """Would see every frame this thread enters; answers False, since nothing was installed."""
    return False


def hook_remove() -> None:
    """Undo the last `hook_install` of this thread."""


def hook_set(code: CodeType, replacement: CodeType | None, address: int = 0) -> None:
    """Would let frames of `code` run `replacement` (None: run as they are) under the hook."""


def hook_forget(code: CodeType) -> None:
    """Would have the hook ask its callback about `code` again."""


def hook_suspend() -> None:
    """Would let Python functions be called without the hook, as `osr` needs it."""


def hook_resume() -> None:
    """Would undo `hook_suspend`."""


def sheltered(function: Callable[..., Any], /, *args: Any) -> Any:
    """Would have handlers of signals wait until the call has returned."""
    return function(*args)
