"""Runs a script under a sampler that looks very often, with a budget that never ends: for tests.

`python -m tests.programs.stressed script.py …` finds in seconds what takes a program minutes.
"""

import sys

from dyntrace.__main__ import run_script
from dyntrace.budget import Budget
from dyntrace.programs import sampling

INTERVAL = 200  # microseconds


def main(arguments):
    sampling.INTERVAL, sampling.SAMPLES = INTERVAL, 1
    watch = sampling.Sampling()
    watch.budget = Budget(unlimited=True)
    return run_script(arguments[0], arguments[1:], watch)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
