"""Saved results: a pyperf suite, so that `python -m pyperf` reads, shows and compares them too.

Each case is two benchmarks, `CASE eager` and `CASE optimised`; value n of one and value n of the
other are a pair. All other findings are metadata of the second, under names that start with
`dyntrace_`. Both have the metadata that pyperf collects about the system.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyperf

from bench.result import Result
from bench.timing import Pairs, middle, quartiles

EAGER, OPTIMISED = " eager", " optimised"
PREFIX = "dyntrace_"
Value = str | int | float


class StoreError(Exception):
    """Saved results cannot be read or written; the message names the file and the reason."""


@dataclass(frozen=True)
class Saved:
    """One case of a saved file."""

    case: str
    pairs: Pairs
    metadata: Mapping[str, Any]

    @property
    def ratio(self) -> float:
        return middle(self.pairs.ratios())

    @property
    def spread(self) -> tuple[float, float]:
        return quartiles(self.pairs.ratios())


def system_metadata() -> dict[str, Value]:
    """The metadata that pyperf collects about the machine and its state."""
    found = pyperf.Run([1.0], metadata={"name": "system"}).get_metadata()
    return {name: value for name, value in found.items() if name not in ("name", "unit")}


def findings(result: Result) -> dict[str, Value]:
    """A result's figures other than times, in the types that pyperf's metadata allows."""
    found: dict[str, Value] = {
        "goal": result.goal,
        "first_call": result.first_call,
        "captured": result.captured,
        "breaks": " ".join(result.breaks),
        "deopts": result.deopts,
        "retired": result.retired,
        "bits": "; ".join(result.differences) or "equal",
    }
    if result.peaks is not None:
        found["peak_eager"], found["peak_optimised"] = result.peaks
    for peer in result.peers:
        found[f"peer_{peer.name}"] = peer.failure or peer.ratio
        found[f"versus_{peer.name}"] = peer.versus
    return {
        PREFIX + name: value
        for name, value in found.items()
        if not (isinstance(value, float) and math.isnan(value)) and value != ""
    }


def save(results: Iterable[Result], path: Path, metadata: Mapping[str, Value]) -> None:
    """Write the measured results to `path`, over what is there. Raises StoreError."""
    benchmarks = [
        benchmark
        for result in results
        if result.pairs.first
        for benchmark in (
            _benchmark(result.case + EAGER, result.pairs, result.pairs.first, metadata),
            _benchmark(
                result.case + OPTIMISED,
                result.pairs,
                result.pairs.second,
                {**metadata, **findings(result)},
            ),
        )
    ]
    if not benchmarks:
        raise StoreError(f"nothing was measured, so {path} is not written")
    try:
        pyperf.BenchmarkSuite(benchmarks).dump(str(path), replace=True)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def _benchmark(
    name: str, pairs: Pairs, values: list[float], metadata: Mapping[str, Value]
) -> pyperf.Benchmark:
    facts = {**metadata, "name": name, "loops": pairs.loops}
    return pyperf.Benchmark([pyperf.Run(values, metadata=facts, collect_metadata=False)])


def load(path: Path) -> dict[str, Saved]:
    """The cases of a saved file by name. Raises StoreError."""
    if not path.is_file():
        raise StoreError(f"there is no file {path}")
    try:
        suite = pyperf.BenchmarkSuite.load(str(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is not a file of saved results: {error}") from error
    known = {benchmark.get_name(): benchmark for benchmark in suite}
    found = {}
    for name, optimised in known.items():
        case = name.removesuffix(OPTIMISED)
        eager = known.get(case + EAGER)
        if case != name and eager is not None:
            found[case] = _saved(case, eager, optimised)
    if not found:
        raise StoreError(f"{path} holds no results of this benchmark")
    return found


def _saved(case: str, eager: pyperf.Benchmark, optimised: pyperf.Benchmark) -> Saved:
    pairs = Pairs(list(eager.get_values()), list(optimised.get_values()), optimised.get_loops())
    if len(pairs.first) != len(pairs.second):
        raise StoreError(f"{case}: eager and optimised values do not make pairs")
    return Saved(case, pairs, optimised.get_metadata())
