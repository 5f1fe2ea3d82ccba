"""Symbolic values: the tracer has them on its stack and in its slots instead of objects.

`base` has results of nodes, outside objects and constants, `containers` and `callables` the others.
Invariant: values are data; the algorithms on them are in `trace.semantics`. Read `base` next.
"""
