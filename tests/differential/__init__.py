"""Differential testing: the optimised function against eager NumPy, everything observable compared."""

from tests.differential.harness import check, check_calls, explanation, optimised
from tests.differential.inputs import DTYPES, FLOATS, LAYOUTS, laid_out, numbers

__all__ = [
    "DTYPES",
    "FLOATS",
    "LAYOUTS",
    "check",
    "check_calls",
    "explanation",
    "laid_out",
    "numbers",
    "optimised",
]
