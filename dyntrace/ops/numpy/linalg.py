"""Products of vectors and matrices, and `numpy.linalg`.

All of it may call BLAS or LAPACK, whose bits depend on the number of threads. So `blas` nodes are
neither split nor run in parallel with others. A singular matrix raises, as in eager NumPy. Some
LAPACK routines print a message for NaN or infinity. A region deopts before it calls one with such
operands, so that the message is printed once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dyntrace.ops.numpy.functions import Line, Refusal, captured, register
from dyntrace.ops.quiet import GivesUp, quiet

PRINTING_ORDERS = (2, -2, "nuc")


def finite_only(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which raises GivesUp unless all operands are finite."""
    clone = quiet(function)

    def call(*args: Any, **kwargs: Any) -> Any:
        for value in args[:2]:
            if type(value) is np.ndarray and not np.isfinite(value).all():
                raise GivesUp
        return clone(*args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    return call


def finite_norm(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, with finite operands only if the order needs singular values of a matrix."""
    checked = finite_only(function)

    def call(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        order = args[0] if args else kwargs.get("ord")
        careful = order in PRINTING_ORDERS and np.ndim(x) > 1
        return checked(x, *args, **kwargs) if careful else function(x, *args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    return call


PRODUCTS: tuple[Line | Refusal, ...] = (
    captured("dot", "a b out", blas=True),
    captured("vdot inner", "a b", blas=True),
    captured("outer kron", blas=True),
    captured("tensordot", blas=True, static="axes"),
    captured("einsum einsum_path", aliases=True, blas=True),
)

LINEAR_ALGEBRA: tuple[Line | Refusal, ...] = (
    captured("cholesky inv pinv solve det slogdet", blas=True),
    captured("eig eigh eigvals eigvalsh qr", blas=True),
    captured("svd svdvals lstsq matrix_rank", wrapper=finite_only, blas=True),
    captured("cond", wrapper=finite_only, static="p", blas=True),
    captured("norm matrix_norm", wrapper=finite_norm, static="ord", blas=True),
    captured("vector_norm", static="ord", blas=True),
    captured("multi_dot tensorinv tensorsolve", blas=True),
    captured("matrix_power", aliases=True, blas=True),
    captured("matmul vecdot outer tensordot cross", blas=True),
    captured("diagonal matrix_transpose", aliases=True),
    captured("trace"),
)

register(np, "numpy", "linalg", PRODUCTS)
register(np.linalg, "numpy.linalg", "linalg", LINEAR_ALGEBRA)
