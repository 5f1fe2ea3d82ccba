"""Whole programs, as `python -m dyntrace run` runs them: only code where time goes is compiled.

`sampling` finds warm code and imports next to nothing, `glance` tells whether that code deals with
arrays, `dyntrace.budget` limits the time spent on it, `serving` compiles it and moves running
frames into it. `accounts` and `screen` count and print where the time went. Read `sampling` first.
"""
