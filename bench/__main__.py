"""`python -m bench`; see `bench.command`."""

import sys

try:
    import pyperf  # noqa: F401
except ImportError:
    sys.exit("the benchmark needs pyperf; install it with: pip install '.[bench]'")

from bench.command import main

if __name__ == "__main__":
    sys.exit(main())
