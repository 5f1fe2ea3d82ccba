"""Loops: which loops a code object has, and tracing one, with the kinds it meets, to blocks.

Read `sites` for the loops of a code object, then `loop_tracer`.
"""
