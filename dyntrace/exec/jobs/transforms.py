"""Large Fourier transforms in parts: the lines of an array are transformed independently.

`target_of` returns, for an operation of `numpy.fft`, a clone of NumPy's Python code in which
`_raw_fft`, the transform along one axis, is replaced. The replacement allocates the result that
NumPy would allocate, cuts another axis into parts, and lets NumPy transform each part on a thread.
Invariant: each line is transformed by the loop and the factor that NumPy uses for the whole array,
so bits, layout and errors are the same. Only large arrays of plain numbers are cut. Read
`exec.jobs.threads` next.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.fft import _pocketfft

from dyntrace.exec import environment
from dyntrace.exec.jobs import threads
from dyntrace.graph.kinds import is_plain_dtype
from dyntrace.graph.node import Op
from dyntrace.ops.quiet import quiet_with
from dyntrace.ops.registry import Record, record_of

__all__ = ["target_of"]

NAMES = tuple(
    "fft ifft rfft irfft hfft ihfft fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn".split()
)
LEAST = 2  # lines for each thread

Array = np.ndarray[Any, Any]
Part = tuple[slice, ...]


# Before NumPy 2.4 the bits of a line depend on how many lines one call transforms.
SPLITS = np.lib.NumpyVersion(np.__version__) >= "2.4.0"


def target_of(op: Op) -> Callable[..., Any]:
    """The function that a node of this operation calls."""
    return _TARGETS.get(id(op.target), op.target) if SPLITS else op.target


def _along_axis(
    a: Any, n: Any, axis: Any, is_real: bool, is_forward: bool, norm: Any, out: Any = None
) -> Any:
    """The replacement of `_raw_fft`."""
    parts = _parts(a, n, axis) if out is None else ()
    if not parts:
        return _RAW(a, n, axis, is_real, is_forward, norm, out)
    out = _empty(a, n, axis % a.ndim, is_real, is_forward)
    jobs: list[threads.Job] = []
    try:
        for part in parts[1:]:
            threads.submit(jobs, _RAW, a[part], n, axis, is_real, is_forward, norm, out[part])
        _RAW(a[parts[0]], n, axis, is_real, is_forward, norm, out[parts[0]])
        for job in reversed(jobs):
            job.wait()
    finally:
        threads.drain(jobs)
    return out


def _parts(a: Any, n: Any, axis: Any) -> list[Part]:
    """The parts to cut `a` into, with whole lines along `axis`; [] to leave it in one piece."""
    count = threads.get_num_threads()
    if count < 2 or not environment.is_available() or not _is_plain(a, n, axis):
        return []
    axis %= a.ndim
    long = [other for other in range(a.ndim) if other != axis and a.shape[other] >= LEAST * count]
    if not long:
        return []
    cut = max(long, key=lambda other: abs(a.strides[other]))
    bounds = [a.shape[cut] * part // count for part in range(count + 1)]
    return [(slice(None),) * cut + (slice(*pair),) for pair in pairwise(bounds)]


def _is_plain(a: Any, n: Any, axis: Any) -> bool:
    return (
        type(a) is np.ndarray
        and a.nbytes >= threads.LARGE
        and is_plain_dtype(a.dtype)
        and type(n) in (int, np.int64)
        and n >= 1
        and type(axis) is int
        and -a.ndim <= axis < a.ndim
    )


def _empty(a: Array, n: int, axis: int, is_real: bool, is_forward: bool) -> Array:
    """The array that NumPy allocates for the result."""
    length = int(n) // 2 + 1 if is_real and is_forward else int(n)
    shape = (*a.shape[:axis], length, *a.shape[axis + 1 :])
    to_real = is_real and not is_forward
    dtype = np.result_type(a.real.dtype, 1.0) if to_real else np.result_type(a.dtype, 1j)
    return np.empty_like(a, shape=shape, dtype=dtype) if _KEEPS_ORDER else np.empty(shape, dtype)


def _clones() -> dict[int, Callable[..., Any]]:
    """For each target of the registry, by its identity, its clone with the replacement."""
    found = {}
    for name in NAMES:
        function = getattr(np.fft, name)
        record = record_of(function)
        if isinstance(record, Record):
            found[id(record.op.target)] = quiet_with(function, {_RAW: _along_axis})
    return found


_RAW: Any = getattr(_pocketfft, "_raw_fft", None)
_PARAMETERS = ("a", "n", "axis", "is_real", "is_forward", "norm", "out")
_IS_KNOWN = getattr(getattr(_RAW, "__code__", None), "co_varnames", ())[:7] == _PARAMETERS
_KEEPS_ORDER: bool = np.fft.fft(np.zeros((2, 2), order="F")).strides == (16, 32)
_TARGETS = MappingProxyType(_clones() if _IS_KNOWN else {})
