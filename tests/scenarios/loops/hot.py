"""hot(fn, *args): calls whose loops run long enough to be worth compiling, each compared with eager.

PASSES is enough for a loop to become hot within one call. TROUBLE is a pass in its middle in which
programs raise, warn, print or meet a value they have not met before. Loops are compiled when they
are first met, so what runs as machine code does not depend on the clock. `hot` compares everything
that `check` compares: results bit for bit, changed arguments, memory they share, prints, warnings
with their lines, exceptions with their tracebacks.
"""

import contextlib

from dyntrace import config
from tests.differential import check, check_calls

PASSES = 3000
TROUBLE = 700


@contextlib.contextmanager
def at_once():
    """Loops are compiled when they are first met, and the program waits for it."""
    before, config.loops_at_once = config.loops_at_once, True
    try:
        yield
    finally:
        config.loops_at_once = before


def hot(fn, *args, make=None, drive=None, action="always", calls=4):
    """Compare `calls` calls of one optimised function with eager ones."""
    __tracebackhide__ = True
    with at_once():
        check(fn, *args, make=make, drive=drive, action=action, calls=calls)


def hot_then(fn, warm, *others):
    """Compare calls on `warm`, then one on each tuple of `others`, then one on `warm` again."""
    __tracebackhide__ = True
    with at_once():
        check_calls(fn, [warm, warm, warm, *others, warm])
