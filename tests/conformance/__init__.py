"""Test suites that others wrote, run plain and traced: does a test end the same way?

CPython's own test modules come from the interpreter at hand, NumPy's and SciPy's from the installed
packages. Each module runs in processes of its own, once plain and once traced, and the outcomes are
compared test by test. `python -m tests.conformance --help` says how to choose.

    discovery -> copies -> process (child -> unittest_suite | pytest_suite) -> comparison -> report

Invariant: a plain process never imports dyntrace. What is known to differ, and why, is data in
`known.toml`; a difference that is not in it fails the run.
"""
