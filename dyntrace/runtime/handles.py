"""The one door to what runs under compiled code: native where it is built, Python elsewhere.

Invariant: whichever is chosen, names and behaviour are the same, except that without the extension
`osr` and `patch_jump` always answer False and the frame hook installs nothing. `NATIVE` says which
is in use. Read `runtime.region` for what a region is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dyntrace import config

__all__ = [
    "NATIVE",
    "Handle",
    "Region",
    "hook_forget",
    "hook_install",
    "hook_remove",
    "hook_resume",
    "hook_set",
    "hook_suspend",
    "osr",
    "patch_jump",
    "recording_gate",
    "set_clock",
    "sheltered",
    "tracing_active",
]

if TYPE_CHECKING or not config.native:
    from dyntrace.runtime.absent import (
        hook_forget,
        hook_install,
        hook_remove,
        hook_resume,
        hook_set,
        hook_suspend,
        osr,
        patch_jump,
        sheltered,
    )
    from dyntrace.runtime.interruption import recording_gate, tracing_active
    from dyntrace.runtime.region import Handle, Region
    from dyntrace.runtime.trial import set_clock

    NATIVE = False
else:
    from dyntrace._native import (
        Handle,
        Region,
        hook_forget,
        hook_install,
        hook_remove,
        hook_resume,
        hook_set,
        hook_suspend,
        osr,
        patch_jump,
        recording_gate,
        set_clock,
        sheltered,
        tracing_active,
    )

    NATIVE = True
