"""The programs that are timed, by family, as users write them.

Invariant: nothing here knows of dyntrace. A file holds plain functions, makers of their arguments,
and at its end `WORKLOADS`, which says how they are run; makers draw with fixed seeds, so that every
call gets equal arguments. `bench.catalogue` collects them; a new workload is one entry there.
"""
