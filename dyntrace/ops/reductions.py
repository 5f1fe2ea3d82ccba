"""Reductions, scans and statistics, with their nan-variants.

Those written in Python that may warn (an empty mean, an all-NaN slice, degrees of freedom) run as
quiet twins (`ops.quiet`); the methods `mean`, `std` and `var` do too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dyntrace.graph.kinds import ArrayKind, Kind, NumpyScalarKind
from dyntrace.graph.node import Op
from dyntrace.ops.call import Call, Refused
from dyntrace.ops.functions import Line, Refusal, captured, register
from dyntrace.ops.probe import Parameters, probing
from dyntrace.ops.quiet import WouldWarn, quiet, quiet_method
from dyntrace.ops.registry import Record, add_method


def unless_empty(function: Callable[..., Any]) -> Callable[..., Any]:
    """The twin of `function`, for one that calls the method `mean`, which warns if it is empty."""
    twin = quiet(function)

    def call(first: Any, *args: Any, **kwargs: Any) -> Any:
        if np.size(first) == 0:
            raise WouldWarn
        return twin(first, *args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    return call


LINES: tuple[Line | Refusal, ...] = (
    captured("sum prod all any max min amax amin argmax argmin ptp", exact=True),
    captured("cumsum cumprod cumulative_sum cumulative_prod", exact=True),
    captured("mean std var", exact=True, twin=True),
    captured("count_nonzero trace", exact=True),
    captured("nansum nanprod nancumsum nancumprod"),
    captured("nanmax nanmin nanmean nanstd nanvar nanmedian nanargmax nanargmin", twin=True),
    captured("nanpercentile nanquantile percentile quantile median", twin=True, heavy=True),
    captured("average", target=unless_empty(np.average)),
    captured("cov corrcoef", target=None, twin=True, blas=True),
    captured("diff gradient ediff1d trapezoid cross", writes=""),
    captured("trapz", until=(2, 0)),
    captured("convolve correlate", blas=True, writes=""),
    captured("bincount", "x weights minlength", writes=""),
    captured("digitize", writes=""),
    captured("histogram histogram_bin_edges histogram2d histogramdd", twin=True, writes=""),
)

METHODS = {
    "mean": "axis dtype out keepdims where",
    "std": "axis dtype out ddof keepdims where mean correction",
    "var": "axis dtype out ddof keepdims where mean correction",
}


def _method_twin(name: str) -> Callable[..., Any]:
    twin = quiet_method(name)

    def call(array: Any, /, *args: Any, **kwargs: Any) -> Any:
        if type(array) is np.ndarray:
            return twin(array, *args, **kwargs)
        return getattr(array, name)()

    call.__name__ = call.__qualname__ = name
    return call


def _register_method(name: str, parameters: str) -> None:
    names = ("self", *parameters.split())
    op = Op(
        f"ndarray.{name}", _method_twin(name), "reduction", "method", exact=True, writes=(3, "out")
    )
    infer = probing(op, Parameters(names))

    def checked(call: Call) -> Kind:
        if not isinstance(call.args[0].kind, ArrayKind):
            plain = len(call.args) == 1 and not call.kwargs
            if not plain or not isinstance(call.args[0].kind, NumpyScalarKind):
                raise Refused("DT201")
        return infer(call)

    add_method(name, Record(op, checked))


register(np, "np", "reduction", LINES)
for _name, _parameters in METHODS.items():
    _register_method(_name, _parameters)
