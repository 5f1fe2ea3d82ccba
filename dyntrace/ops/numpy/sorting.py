"""Sorting, searching, selecting by position, and sets.

The length of a result often depends on the data; its number of dimensions does not. Read
`ops.numpy.functions` for the fields of a line.
"""

from __future__ import annotations

import numpy as np

from dyntrace.ops.numpy.functions import Line, Refusal, captured, register

LINES: tuple[Line | Refusal, ...] = (
    captured("sort argsort", heavy=True),
    captured("sort_complex partition argpartition", heavy=True),
    captured("lexsort", "keys axis", heavy=True),
    captured("searchsorted", heavy=True),
    captured("argwhere nonzero flatnonzero extract"),
    captured("compress take take_along_axis"),
    captured("unique", static="return_index return_inverse return_counts", heavy=True),
    captured("unique_all unique_counts unique_inverse unique_values", heavy=True),
    captured("intersect1d union1d setdiff1d setxor1d isin", heavy=True),
    captured("in1d", until=(2, 0), heavy=True),
)

register(np, "numpy", "sorting", LINES)
