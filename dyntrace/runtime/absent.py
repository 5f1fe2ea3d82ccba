"""Stand-ins for what only C code can do: moving frames, patching running code, the frame hook.

Without the extension `runtime.handles` takes these functions, which do nothing and say so.
Invariant: callers need no second code path. Where `osr` answers False, new code is used from the
next call on; where `hook_install` answers False, callees run as they are. Read `runtime.handles`
next.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any


def osr(code: CodeType, byte_offset: int) -> bool:
    """Would move the caller's caller into `code`; answers False, since only C can."""
    return False


def patch_jump(code: CodeType, byte_offset: int, target_byte_offset: int) -> bool:
    """Would exchange the target of a jump in `code`; answers False, since only C can."""
    return False


def hook_install(callback: Callable[[CodeType, dict[str, Any]], CodeType | None]) -> bool:
    """Would call `callback` for each frame this thread enters; answers False: it is not called."""
    return False


def hook_remove() -> None:
    """Would undo this thread's last `hook_install`."""


def hook_set(code: CodeType, replacement: CodeType | None, address: int = 0) -> None:
    """Would make frames of `code` run `replacement` under the hook; None: `code` itself."""


def hook_forget(code: CodeType) -> None:
    """Would make the hook ask its callback about `code` again."""


def hook_suspend() -> None:
    """Would have Python functions called without the hook, which `osr` requires."""


def hook_resume() -> None:
    """Would undo `hook_suspend`."""


def sheltered(function: Callable[..., Any], /, *args: Any) -> Any:
    """Call `function`; the native one delays signal handlers until the call has returned."""
    return function(*args)
