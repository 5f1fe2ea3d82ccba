"""Globals: the kinds of global names, each looked up and described once per analysis.

A trace records the kind of each global that it looks up, whether or not it absorbs the instruction.
A later analysis can use its path again as long as these names have the same kinds. Invariant: what
is recorded are kinds, never the user's objects. Read `trace.regions.paths`, which keeps the kinds
with each path, next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from dyntrace.graph.describe import describe
from dyntrace.graph.identity import Namespace
from dyntrace.graph.instances import MISSING
from dyntrace.graph.kinds import Kind, is_same

__all__ = ["GlobalKinds", "Globals"]

GlobalKinds: TypeAlias = Mapping[tuple[Namespace, str], Kind | None]


class Globals:
    """A cache of the kinds of global names, for all namespaces in one analysis."""

    def __init__(self) -> None:
        self._namespaces: dict[int, tuple[dict[str, Any], Namespace]] = {}
        self._kinds: dict[tuple[Namespace, str], Kind | None] = {}

    def look_up(
        self, namespace: dict[str, Any], name: str, found: dict[tuple[Namespace, str], Kind | None]
    ) -> Kind | None:
        """The kind of a global or built-in, None if there is no such name; added to `found`."""
        key = self._weakly(namespace), name
        kind = found[key] = self._kind(namespace, key)
        return kind

    def still_hold(self, global_kinds: GlobalKinds, nearest: dict[str, Any]) -> bool:
        """Whether each name still has the kind recorded in `global_kinds`.

        `nearest` is the namespace that most of the names are in.
        """
        for (held, name), kind in global_kinds.items():
            namespace = held.find(nearest)
            if namespace is None:
                return False
            now = self._kind(namespace, (self._weakly(namespace), name))
            if now is not kind and (now is None or kind is None or not is_same(now, kind)):
                return False
        return True

    def _weakly(self, namespace: dict[str, Any]) -> Namespace:
        found = self._namespaces.get(id(namespace))
        if found is None:
            found = self._namespaces[id(namespace)] = namespace, Namespace(namespace)
        return found[1]

    def _kind(self, namespace: dict[str, Any], key: tuple[Namespace, str]) -> Kind | None:
        found = self._kinds.get(key, MISSING)
        if found is MISSING:
            value = namespace.get(key[1], MISSING)
            if value is MISSING:
                value = _builtins_of(namespace).get(key[1], MISSING)
            found = self._kinds[key] = None if value is MISSING else describe(value)
        kind: Kind | None = found
        return kind


def _builtins_of(namespace: dict[str, Any]) -> dict[str, Any]:
    found = namespace.get("__builtins__", {})
    return found if isinstance(found, dict) else vars(found)
