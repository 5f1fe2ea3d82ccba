"""The benchmark: NumPy programs timed under plain CPython and optimised, in interleaved pairs.

`python -m bench` runs it; `docs/benchmarks.md` says what it prints and how it measures. Invariant:
it uses dyntrace through its public names, so it measures what a user gets. `bench.command` reads
the command line, `bench.measure` does one case; read those two next.
"""
