"""What has little or nothing to gain, and must not lose: none may fall under 0.97 once warm.

`elements` has loops over single elements and numbers, `loops` some on longer arrays, `numerics`
steps of larger programs, `calls` what is called and made in loops, `networks` long functions.
"""

from bench.workloads.overhead import calls, elements, loops, networks, numerics

WORKLOADS = (
    *elements.WORKLOADS,
    *loops.WORKLOADS,
    *numerics.WORKLOADS,
    *calls.WORKLOADS,
    *networks.WORKLOADS,
)
