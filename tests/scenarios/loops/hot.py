"""hot(fn, *args): calls whose loops run long enough to be worth compiling, each compared with eager.

PASSES is enough for a loop to become hot within one call. TROUBLE is a pass in its middle in which
programs raise, warn, print or meet a value they have not met before. `hot` compares everything
that `check` compares: results bit for bit, changed arguments, memory they share, prints, warnings
with their lines, exceptions with their tracebacks.
"""

from tests.differential import check, check_calls

PASSES = 3000
TROUBLE = 700


def hot(fn, *args, make=None, drive=None, action="always", calls=4):
    """Compare `calls` calls of one optimised function with eager ones."""
    __tracebackhide__ = True
    check(fn, *args, make=make, drive=drive, action=action, calls=calls)


def hot_then(fn, warm, *others):
    """Compare calls on `warm`, then one on each tuple of `others`, then one on `warm` again."""
    __tracebackhide__ = True
    check_calls(fn, [warm, warm, warm, *others, warm])
