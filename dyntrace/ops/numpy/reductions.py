"""Reductions, scans and statistics, with their nan-variants.

Functions in Python that may warn (an empty mean, an all-NaN slice, degrees of freedom) run as quiet
clones (`ops.quiet`), and so do the methods `mean`, `std` and `var`. Read `ops.numpy.functions` for
the fields of a line.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import methodcaller
from types import MappingProxyType
from typing import Any

import numpy as np

from dyntrace import breaks
from dyntrace.graph.kinds import Kind
from dyntrace.graph.node import Op
from dyntrace.ops.call import NumpyCall, Refused
from dyntrace.ops.numpy.array_methods import array_record, scalar_record, unless_switched
from dyntrace.ops.numpy.functions import Line, Refusal, captured, register
from dyntrace.ops.probe import Parameters, probing
from dyntrace.ops.quiet import WouldWarn, quiet, quiet_method
from dyntrace.ops.registry import Infer, Record, add_method, add_scalar_method


def unless_empty(function: Callable[..., Any]) -> Callable[..., Any]:
    """The clone of `function`, which raises WouldWarn for an empty array: its `mean` warns."""
    clone = quiet(function)

    def call(first: Any, *args: Any, **kwargs: Any) -> Any:
        if np.size(first) == 0:
            raise WouldWarn
        return clone(first, *args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    return call


KEPT_BY_MEDIAN = unless_switched(3, "overwrite_input", False)
KEPT_BY_QUANTILE = unless_switched(4, "overwrite_input", False)

LINES: tuple[Line | Refusal, ...] = (
    captured("sum prod all any max min amax amin argmax argmin ptp count_nonzero trace"),
    captured("cumsum cumprod cumulative_sum cumulative_prod"),
    captured("mean std var", clone=True),
    captured("nansum nanprod nancumsum nancumprod"),
    captured("nanmax nanmin nanmean nanstd nanvar nanargmax nanargmin", clone=True),
    captured("median nanmedian", clone=True, heavy=True, around=KEPT_BY_MEDIAN),
    captured(
        "percentile quantile nanpercentile nanquantile",
        clone=True,
        heavy=True,
        around=KEPT_BY_QUANTILE,
    ),
    captured("average", wrapper=unless_empty),
    captured("cov corrcoef", wrapper=unless_empty, blas=True),
    captured("diff", aliases=True, writes=""),
    captured("gradient ediff1d trapezoid cross", writes=""),
    captured("trapz", until=(2, 0)),
    captured("convolve correlate", blas=True, writes=""),
    captured("bincount", "x weights minlength", writes=""),
    captured("digitize", writes=""),
    captured(
        "histogram histogram_bin_edges histogram2d histogramdd",
        clone=True,
        aliases=True,
        writes="",
    ),
)

METHODS = MappingProxyType(
    {
        "mean": "axis dtype out keepdims where",
        "std": "axis dtype out ddof keepdims where mean correction",
        "var": "axis dtype out ddof keepdims where mean correction",
    }
)


def _method_record(name: str, names: Parameters) -> Record:
    clone = quiet_method(name)
    op = Op(f"ndarray.{name}", clone, "reduction", "method", exact=True, writes=(3, "out"))
    return array_record(Record(op, probing(op, names)), name)


def _scalar_method_record(name: str, names: Parameters) -> Record:
    return scalar_record(name, names, scalar_statistic(name))


def scalar_statistic(name: str) -> Infer:
    """The inference of `x.var()` on a scalar; refuses arguments, since `ddof` may warn."""
    op = Op(f"generic.{name}", methodcaller(name), "reduction")
    infer = probing(op)

    def checked(call: NumpyCall) -> Kind:
        if len(call.args) > 1 or call.kwargs:
            raise Refused(breaks.UNFORESEEN)
        return infer(call)

    return checked


register(np, "numpy", "reduction", LINES)
for _name, _parameters in METHODS.items():
    _names = Parameters(("self", *_parameters.split()))
    add_method(_name, partial(_method_record, _name, _names))
    add_scalar_method(_name, partial(_scalar_method_record, _name, _names))
