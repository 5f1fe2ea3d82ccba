"""Fault injection for tests: make chosen regions decline after their guards have passed.

`force_deopt` is None in normal use. An entry that is added to a region while it is set calls it
with the region before each run, and declines if it returns true. Invariant: an entry that is added
in normal use costs nothing more. Read `weaving.regions`, which adds entries, next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["force_deopt", "guarded_run"]

force_deopt: Callable[[Any], bool] | None = None


def guarded_run(region: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """`run`, or if `force_deopt` is set now, a callable that asks it before each run."""
    if force_deopt is None:
        return run

    def asking(*values: Any) -> Any:
        return None if force_deopt is not None and force_deopt(region) else run(*values)

    asking.quiet = getattr(run, "quiet", False)  # type: ignore[attr-defined]
    return asking
