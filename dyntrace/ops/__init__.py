"""What dyntrace knows of NumPy: importing this package fills the registry, which is then frozen.

One module per family of operations; read `ops.registry` first, then `ops.probe`.
"""

from dyntrace.ops import (  # noqa: F401 (imported for their entries)
    builtins,
    creation,
    elementwise,
    fft,
    index_objects,
    indexing,
    linalg,
    methods,
    opaque,
    operators,
    polynomials,
    queries,
    reductions,
    shape,
    sorting,
    ufuncs,
)
