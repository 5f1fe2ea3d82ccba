"""dyntrace: NumPy programs accelerated unchanged, by tracing their CPython bytecode.

The public names; see `dyntrace.api` for what they do and `docs/architecture.md` for how.
"""

from dyntrace.isolation import own_names

with own_names():
    from dyntrace import config as config  # first: it says what a sub-interpreter lacks
    from dyntrace import errors
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
