"""Loops over elements, rows and Python numbers, written one value at a time.

Each pass does little, so what Python spends between two operations decides. `elements` has loops
over single elements of arrays, `rows` loops over slices and their dots, `scalars` loops over Python
numbers. Compilers for whole functions take most of these sources, so most have a goal against one.
"""

from bench.workloads.loops import elements, rows, scalars

WORKLOADS = (*elements.WORKLOADS, *rows.WORKLOADS, *scalars.WORKLOADS)
