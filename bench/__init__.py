"""The benchmark: NumPy programs timed under plain CPython and optimised, in interleaved pairs.

`python -m bench` runs it; `docs/benchmarks.md` says what it prints and how it measures. Invariant:
it measures dyntrace through its public functions, so it measures what a user gets; only
`bench.shares` and `bench.captured` look into graphs. Read `bench.command`, then `bench.measure`.
"""
