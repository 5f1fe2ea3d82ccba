"""numba: `njit` on the function and on the module's functions it calls."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from bench.peers.installed import installed_version


class NumbaPeer:
    """Compiles at the first call; `fastmath` is off, as by default, so the bits may agree."""

    name = "numba"

    def version(self) -> str | None:
        return installed_version("numba")

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import numba

        namespace = function.__globals__
        for name in called_functions(function):
            namespace[name] = numba.njit(namespace[name])
        compiled: Callable[..., Any] = numba.njit(function)
        return compiled

    def as_numpy(self, result: Any) -> Any:
        return result


def called_functions(function: Any) -> Iterator[str]:
    """Names of the Python functions of its module that `function` may call, itself left out."""
    waiting, seen = [function], {function.__name__}
    while waiting:
        caller = waiting.pop()
        for name in caller.__code__.co_names:
            found = caller.__globals__.get(name)
            if isinstance(found, types.FunctionType) and name not in seen:
                seen.add(name)
                waiting.append(found)
                yield name
