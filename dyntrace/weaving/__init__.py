"""Weaving: region plans and recorders become stubs in a code object. Read `weaving.weave` first."""
