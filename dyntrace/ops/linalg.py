"""Products of vectors and matrices, and `numpy.linalg`.

All of it may run BLAS or LAPACK, whose bits depend on the number of threads: nodes keep the very
operands, whole, and never run beside another (`blas`). A singular matrix raises, as in eager NumPy.
"""

from __future__ import annotations

import numpy as np

from dyntrace.ops.functions import Line, Refusal, captured, register

PRODUCTS: tuple[Line | Refusal, ...] = (
    captured("dot", "a b out", blas=True),
    captured("vdot inner", "a b", blas=True),
    captured("outer kron", blas=True),
    captured("tensordot", blas=True, static="axes"),
    captured("einsum einsum_path", aliases=True, blas=True),
)

LINEAR_ALGEBRA: tuple[Line | Refusal, ...] = (
    captured("cholesky inv pinv solve det slogdet", blas=True),
    captured("eig eigh eigvals eigvalsh svd svdvals qr lstsq", blas=True),
    captured("norm vector_norm matrix_norm", static="ord", blas=True),
    captured("cond", static="p", blas=True),
    captured("matrix_rank multi_dot tensorinv tensorsolve", blas=True),
    captured("matrix_power", aliases=True, blas=True),
    captured("matmul vecdot outer tensordot cross", blas=True),
    captured("diagonal matrix_transpose", aliases=True),
    captured("trace"),
)

register(np, "numpy", "linalg", PRODUCTS)
register(np.linalg, "numpy.linalg", "linalg", LINEAR_ALGEBRA)
