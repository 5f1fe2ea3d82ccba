"""hot(fn, *args): calls whose loops run long enough to be worth compiling, each compared with eager.

PASSES is enough for a loop to become hot within one call. TROUBLE is a pass in its middle in which
programs raise, warn, print or meet a value they have not met before. Loops are compiled when they
are first met, so what runs as machine code does not depend on the clock. `hot` compares everything
that `check` compares: results bit for bit, changed arguments, memory they share, prints, warnings
with their lines, exceptions with their tracebacks.
"""

import contextlib

from dyntrace import config, optimize
from dyntrace.functions.family import live_compiled
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


def iterations(fn, *args):
    """How many iterations of each loop, by line, run in machine code in a call of its own."""
    optimised = optimize(fn)
    with at_once():
        optimised(*args)
        (found,) = [one for one in live_compiled() if one.original == fn.__code__]
        loops = sorted(found.loops.all(), key=lambda loop: loop.site.lineno)
        before = [sum(program.iterations for program in loop.programs) for loop in loops]
        optimised(*args)
    after = [sum(program.iterations for program in loop.programs) for loop in loops]
    return [late - early for late, early in zip(after, before, strict=True)]


def hot_then(fn, warm, *others):
    """Compare calls on `warm`, then one on each tuple of `others`, then one on `warm` again."""
    __tracebackhide__ = True
    with at_once():
        check_calls(fn, [warm, warm, warm, *others, warm])
