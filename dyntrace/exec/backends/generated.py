"""The `numpy` backend: a graph as one generated Python function over NumPy's own calls.

The source is generated and compiled at the first call: many regions behind branches never run, and
the machine runs most of the others. The generator is imported then, too. Read
`exec.backends.generation` next.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

from dyntrace.errors import InternalError
from dyntrace.graph.node import Graph


def compile_graph(graph: Graph) -> Callable[..., Any]:
    """A function of the input values that runs the graph once."""
    namespace: dict[str, Any] = {"__name__": "dyntrace.exec.generated"}
    region = FunctionType(_unfinished.__code__, namespace, "region")
    namespace["finish"] = partial(_finish, weakref.ref(region), graph)
    return region


def _unfinished(*values: Any) -> Any:
    """The code of a region until its first call; `finish` is in the globals of each region."""
    return finish(*values)  # type: ignore[name-defined]  # noqa: F821


def _finish(region_of: Callable[[], FunctionType | None], graph: Graph, *values: Any) -> Any:
    """Give the region its generated code, and run it."""
    from dyntrace.exec.backends.generation import generated_code

    region = region_of()
    assert region is not None
    try:
        region.__code__ = generated_code(graph, region.__globals__)
    except (RecursionError, MemoryError, InternalError):
        raise
    except Exception as error:
        raise InternalError(f"no code can be generated for a graph: {error}") from error
    return region(*values)
