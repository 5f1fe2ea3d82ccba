"""Whole programs: attention goes where their time goes, and what is cold costs nothing.

`sampling` finds warm code while importing next to nothing, `glance` judges whether it has to do
with arrays at all, `dyntrace.budget` says how much may be spent on it, and `serving` has it
compiled and put to use in running frames. Read `sampling` first.
"""
