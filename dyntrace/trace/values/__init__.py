"""Symbolic values: what the tracer has on its stack and in its locals instead of objects.

One family a file: `base` (nodes, outside objects, constants), `containers`, `callables`.
Values never act; the algorithms stand in `trace.semantics.protocol` and fill in per value type.
"""
