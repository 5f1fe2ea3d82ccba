"""Regions, handles and what else compiled code calls: from the extension, or else in Python.

Invariant: names and behaviour are the same either way, except that in Python `osr` and `patch_jump`
always answer False, the frame hook installs nothing, and signal handlers are not delayed. `NATIVE`
tells which way was taken. Other parts of the extension are imported by `graph.instances`,
`exec.backends.machine` and `exec.machine_resources`. Read `runtime.region` next.
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
