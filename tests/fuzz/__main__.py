"""python -m tests.fuzz --programs 20000 --seed 1: random programs, eager against optimised.

With `--loops` or `--numbers`, programs whose loops are compiled when they are first met.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import faulthandler
import random
import sys
import time

from tests.differential import harness
from tests.fuzz.differ import Case
from tests.fuzz.minimise import minimised
from tests.scenarios.loops.hot import at_once


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--statements", type=int, default=12)
    options.add_argument("--shrink", type=int, default=3, help="how many differences to minimise")
    options.add_argument("--stop", type=int, default=20, help="differences after which to stop")
    options.add_argument("--through", default="optimize", choices=sorted(harness.WAYS))
    options.add_argument("--loops", action="store_true", help="loop programs")
    options.add_argument("--numbers", action="store_true", help="loop programs about numbers")
    chosen = options.parse_args()
    harness.choose(chosen.through)
    with at_once() if chosen.loops or chosen.numbers else contextlib.nullcontext():
        return compared(chosen)


def drawn(seed, chosen):
    if chosen.numbers:
        return Case.of_numbers(random.Random(seed), f"numbers {seed}")
    if chosen.loops:
        return Case.looping(random.Random(seed), chosen.statements, f"loop {seed}")
    return Case.seeded(seed, chosen.statements)


def compared(chosen):
    """Compare the programs that were asked for; the exit status."""
    started, differing, captured, written = time.monotonic(), [], 0, 0
    for number in range(chosen.programs):
        seed = chosen.seed * 1_000_000 + number
        faulthandler.dump_traceback_later(60, exit=True)
        case = drawn(seed, chosen)
        found = case.differences()
        if found:
            differing.append(seed)
            report(case, found, len(differing) <= chosen.shrink)
            if len(differing) >= chosen.stop:
                break
        if number % 50 == 0:
            captured += captured_operations(case)
            written += written_operations(case)
    elapsed = time.monotonic() - started
    print(f"{number + 1} programs, {len(differing)} differ, {elapsed:.0f} s")
    print(f"operations in graphs / in the sampled sources: {captured} / {written}")
    if differing:
        print("seeds:", *differing)
    return 1 if differing else 0


def report(case, found, shrink):
    if shrink:
        faulthandler.cancel_dump_traceback_later()
        case = minimised(case)
        found = case.differences() or found
    print(f"--- {case.label}", case.source if shrink else "", *found[:20], sep="\n", flush=True)


def captured_operations(case):
    program = case.function()
    arrays = case.arguments[0]()
    box = program.__globals__["Box"](arrays[0])
    try:
        return harness.explanation(program, *arrays, [], {}, box).op_count
    except Exception:
        return 0


def written_operations(case):
    """Operators and calls in the text of the program, counted once each."""
    kinds = (ast.BinOp, ast.Compare, ast.UnaryOp, ast.Subscript, ast.AugAssign, ast.Call)
    body = ast.parse(case.source).body[-1]
    return sum(isinstance(node, kinds) for node in ast.walk(body))


if __name__ == "__main__":
    sys.exit(main())
