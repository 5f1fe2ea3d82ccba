"""What dyntrace knows of NumPy: importing this package fills the registry, then freezes it.

Each module has one family of operations. Read `ops.registry` first, then `ops.probe`.
"""

from dyntrace.ops import registry
from dyntrace.ops.numpy import (  # noqa: F401 (imported for their entries)
    array_methods,
    creation,
    elementwise,
    fft,
    index_objects,
    indexing,
    linalg,
    opaque,
    polynomials,
    queries,
    reductions,
    shape,
    sorting,
    ufuncs,
)
from dyntrace.ops.python import builtin_functions, operators  # noqa: F401

registry.freeze()
