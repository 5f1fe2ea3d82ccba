"""The family `programs`: whole scripts and test suites, run as processes, plain and by dyntrace.

They are in `scripts/` and `suites/`, in various styles; none refers to dyntrace.
`bench.programs.known` lists them, `bench.programs.process` runs one, `bench.programs.measure` times
pairs of runs. Invariant: no program is left out silently; if its packages are not installed, its
row says so.
"""
