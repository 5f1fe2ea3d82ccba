"""The family `programs`: whole scripts and test suites, run as processes, plain and by dyntrace.

`scripts/` and `suites/` hold them, written as anybody writes them; nothing in them knows of
dyntrace. `bench.programs.known` lists them, `bench.programs.process` runs one,
`bench.programs.measure` times pairs of runs. Invariant: a program is never left out silently; one
whose packages are not installed has a row that says so.
"""
