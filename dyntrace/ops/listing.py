"""The listing: every public callable of NumPy with its treatment, and the totals.

Covers `numpy`, `numpy.linalg`, `numpy.fft`, `numpy.random.Generator` and `numpy.ndarray` (methods,
operators and attributes) of the installed NumPy. Invariant: every callable has a treatment; one
that is in no table would be shown as "unlisted". `python -m dyntrace ops` prints
`format_listing()`. Read `ops.registry` next.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from dyntrace.ops import registry
from dyntrace.ops.python.operators import BINARY, SYMBOLS
from dyntrace.ops.registry import Record, Treatment

__all__ = ["Row", "format_listing", "listing", "totals"]

CAPTURED = "captured"
UNLISTED = "unlisted"


class Row(NamedTuple):
    """One callable: its qualified name, "captured", "native", "break" or "unlisted", and why."""

    name: str
    treatment: str
    reason: str = ""


# For each operator method of ndarray, the key of the operator record that captures its instruction.
_BINARY = tuple([name for name, (_, inplace) in BINARY.items() if inplace is not None])
_OPERATORS: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        **{f"__{name}__": (name, False) for name in _BINARY},
        **{f"__r{name}__": (name, False) for name in _BINARY},
        **{f"__i{name}__": (name, True) for name in _BINARY},
        **{f"__{name}__": (name, False) for name in SYMBOLS.values()},
        **{f"__{name}__": (name, False) for name in "getitem setitem abs invert contains".split()},
        "__neg__": ("negative", False),
        "__pos__": ("positive", False),
    }
)
_CALLS: Mapping[str, Any] = MappingProxyType(
    {
        "__bool__": bool,
        "__complex__": complex,
        "__divmod__": divmod,
        "__float__": float,
        "__index__": operator.index,
        "__int__": int,
        "__len__": len,
        "__rdivmod__": divmod,
    }
)
_SPECIAL = frozenset({*_OPERATORS, *_CALLS, "__array__", "__copy__", "__deepcopy__"})
_REMOVED = frozenset({"itemset", "newbyteorder", "ptp"})  # NumPy 2.0 keeps stubs that only raise


def listing() -> list[Row]:
    """A row for every public callable, in the order of the namespaces, then by name."""
    return [*_functions(), *_ufunc_methods(), *_generator(), *_array()]


def totals(rows: list[Row]) -> dict[str, int]:
    """The number of rows of each treatment."""
    return dict(Counter(row.treatment for row in rows))


def format_listing() -> str:
    """The listing as text: a line for each callable, then the totals and the captured share."""
    rows = listing()
    width = max(len(row.name) for row in rows)
    lines = [f"{row.name:<{width}}  {row.treatment:<8}  {row.reason}".rstrip() for row in rows]
    counts = totals(rows)
    share = 100 * counts.get(CAPTURED, 0) / len(rows)
    parts = ", ".join(f"{counts[name]} {name}" for name in sorted(counts))
    lines += ["", f"NumPy {np.__version__}: {len(rows)} callables: {parts}"]
    lines += [f"captured: {share:.1f} %"]
    return "\n".join(lines)


def _functions() -> Iterator[Row]:
    for prefix, namespace in (("numpy", np), ("numpy.linalg", np.linalg), ("numpy.fft", np.fft)):
        for name in sorted(dir(namespace)):
            target = None if name.startswith("_") else getattr(namespace, name)
            if callable(target):
                yield _row(f"{prefix}.{name}", registry.record_of(target))


def _ufunc_methods() -> Iterator[Row]:
    for name in sorted(dir(np.ufunc)):
        if not name.startswith("_") and callable(getattr(np.ufunc, name)):
            yield _row(f"numpy.ufunc.{name}", registry.record_of(getattr(np.add, name)))


def _generator() -> Iterator[Row]:
    for name in sorted(dir(np.random.Generator)):
        if not name.startswith("_") and callable(getattr(np.random.Generator, name)):
            yield _row(f"numpy.random.Generator.{name}", registry.RANDOM)


def _array() -> Iterator[Row]:
    for name in sorted(dir(np.ndarray)):
        value = getattr(np.ndarray, name)
        if name not in _REMOVED and (name in _SPECIAL or not name.startswith("_")):
            yield _row(f"numpy.ndarray.{name}", _of_array(name, value))


def _of_array(name: str, value: Any) -> Record | Treatment | None:
    if name in _OPERATORS:
        return registry.operator_record(*_OPERATORS[name])
    if name in _CALLS:
        return registry.record_of(_CALLS[name])
    return registry.method(name) or registry.attribute(name) or registry.array_treatment(name)


def _row(name: str, found: Record | Treatment | None) -> Row:
    if found is None:
        return Row(name, UNLISTED)
    if isinstance(found, Treatment):
        return Row(name, found.how, f"{found.code} {found.reason.text}")
    return Row(name, CAPTURED)
