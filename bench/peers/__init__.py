"""Other tools that speed up NumPy code, timed on the same source.

A peer is one file that follows `peers.protocol`; `peers.run` measures it. Invariant: no peer's
package is imported before the peer is asked for, and none is needed. `KNOWN` lists them.
"""
