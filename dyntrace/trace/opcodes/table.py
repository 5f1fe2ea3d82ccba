"""The table of handlers and the decorator that fills it; see the package's text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from dyntrace.trace.frame import Frame

__all__ = ["HANDLERS", "Handler", "opcode"]

Handler: TypeAlias = Callable[[Frame, Any], "int | None"]
HANDLERS: dict[str, Handler] = {}


def opcode(name: str) -> Callable[[Handler], Handler]:
    """Register the handler of micro-op `name`; a second one is a mistake."""

    def add(handler: Handler) -> Handler:
        if name in HANDLERS:
            raise ValueError(f"micro-op {name} has two handlers")
        HANDLERS[name] = handler
        return handler

    return add
