"""dyntrace: NumPy programs accelerated unchanged, by tracing their CPython bytecode.

`dyntrace.api` says what the public functions do, `docs/architecture.md` how. The tracer is imported
when one of them is first asked for, so `import dyntrace` costs a program next to nothing.
"""

from typing import TYPE_CHECKING, Any

from dyntrace.isolation import isolated_imports

with isolated_imports():
    from dyntrace import config as config  # first: it says what a sub-interpreter lacks
    from dyntrace import errors

if TYPE_CHECKING:
    from dyntrace.api import (
        disable,
        explain,
        get_num_threads,
        graph_break,
        is_tracing,
        optimize,
        register_backend,
        reset,
        set_num_threads,
        stats,
        verify,
    )

__version__ = config.version
__all__ = [
    "disable",
    "errors",
    "explain",
    "get_num_threads",
    "graph_break",
    "is_tracing",
    "optimize",
    "register_backend",
    "reset",
    "set_num_threads",
    "stats",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import `dyntrace.api` when the first public function is asked for, and bind all of them."""
    if name not in __all__:
        raise AttributeError(f"module 'dyntrace' has no attribute {name!r}")
    with isolated_imports():
        from dyntrace import api

    globals().update((public, getattr(api, public)) for public in __all__ if public != "errors")
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
