"""The options of `python -m bench`, and what their values mean.

Invariant: a value that makes no sense is refused with an example of one that does.
`bench.command` acts on them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.catalogue import FIXED, Size
from bench.peers.child import PATIENCE
from bench.workload import NO_HARM


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Times NumPy programs under plain CPython and optimised by dyntrace, in "
        "interleaved pairs, and compares their results bit for bit.",
        epilog=f"Every case is expected to reach {NO_HARM} times eager's speed, some more.",
    )
    add_choices(parser)
    add_measurement(parser)
    add_files(parser)
    return parser


def add_choices(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is run")
    group.add_argument(
        "--family", action="append", default=[], metavar="NAME", help="only this family; repeatable"
    )
    group.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="WORD",
        help="only workloads with WORD in their name; repeatable",
    )
    group.add_argument(
        "--sizes",
        type=size_list,
        metavar="10,1e3,...",
        help=f"scaled workloads at these numbers of elements, the others if {FIXED!r} is listed",
    )
    group.add_argument("--goals", action="store_true", help="only cases with a goal of their own")
    group.add_argument("--list", action="store_true", help="list the cases and stop")


def add_measurement(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is measured")
    group.add_argument("--quick", action="store_true", help="a tenth of the time, no peak memory")
    group.add_argument(
        "--time", type=positive(float), metavar="SECONDS", help="for the pairs of one case"
    )
    group.add_argument(
        "--allocator",
        choices=("pinned", "default"),
        default="pinned",
        help="whether the C allocator keeps its pages (default: pinned)",
    )
    group.add_argument("--threads", type=positive(int), metavar="N", help="dyntrace's threads")
    group.add_argument("--backend", default="numpy", metavar="NAME", help="default: numpy")
    group.add_argument(
        "--memory",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="peak memory, in two child processes per case",
    )
    group.add_argument(
        "--peers", action="store_true", help="also numba, numexpr, JAX, torch.compile if installed"
    )
    group.add_argument(
        "--peer-timeout",
        type=positive(float),
        default=PATIENCE,
        metavar="SECONDS",
        help=f"for one peer on one case, compilation included (default: {PATIENCE:g})",
    )


def add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    group.add_argument(
        "--save", type=Path, metavar="FILE", help="write the results, as pyperf does"
    )
    group.add_argument("--compare", type=Path, metavar="FILE", help="compare with saved results")
    group.add_argument(
        "--fail-over",
        type=percentage,
        metavar="10%",
        help="with --compare: exit with 1 if a ratio fell by more",
    )


def size_list(text: str) -> list[Size]:
    return [FIXED if part.strip() == FIXED else size(part.strip()) for part in text.split(",")]


def size(text: str) -> int:
    """A number of elements; 1e3 is one."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value >= 2 and value.is_integer() and value <= 1e9):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a size; sizes are whole numbers from 2 to 1e9, such as 10,1e3"
        )
    return int(value)


def percentage(text: str) -> float:
    """A fraction, written as a percentage: `10%` is 0.1, and `0.1` is refused as ambiguous."""
    try:
        value = float(text.removesuffix("%")) / 100.0 if text.endswith("%") else math.nan
    except ValueError:
        value = math.nan
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage below 100, such as 10%")
    return value


def positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
        return value

    return convert
