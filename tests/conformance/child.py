"""The script that a child process runs: one module, plain or traced. Its argument is a JSON object.

    python child.py REQUEST, or python -m dyntrace run child.py REQUEST

Invariant: an interrupt raises KeyboardInterrupt whatever the parent was started by, and a test that
takes ever more memory gets a MemoryError before the machine has none left.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import sys

MOST_MEMORY = 8 << 30
HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> None:
    request = json.loads(sys.argv[1])
    sys.argv = [HERE]
    sys.path[0] = os.path.dirname(os.path.dirname(HERE))  # only while the runner is imported
    from tests.conformance import records, through

    if request["suite"] == "python":
        from tests.conformance.unittest_suite import run
    else:
        from tests.conformance.pytest_suite import run
    del sys.path[0]
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, resource.RLIM_INFINITY))
    writer = records.Writer(request["results"])
    way = request["through"]
    run(
        request["target"],
        through.wrapper(way),
        writer,
        through.InternalErrors(way),
        frozenset(request["left_out"]),
    )
    writer.finished(*through.captured(way))
    writer.close()


if __name__ == "__main__":
    main()
