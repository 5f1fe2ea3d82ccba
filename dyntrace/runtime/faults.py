"""Fault injection for tests: make chosen regions decline after their guards have passed.

`force_deopt` is None in normal use. While it is set, functions compiled ask it before each run of
a region, with the region, and deopt if it says so. Read `functions.compiled_code` next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["force_deopt", "guarded_run"]

force_deopt: Callable[[Any], bool] | None = None


def guarded_run(region: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """`run`, asking `force_deopt` first if it is set at this moment."""
    if force_deopt is None:
        return run

    def asking(*values: Any) -> Any:
        return None if force_deopt is not None and force_deopt(region) else run(*values)

    asking.quiet = getattr(run, "quiet", False)  # type: ignore[attr-defined]
    return asking
