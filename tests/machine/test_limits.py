"""The machine at its limits: very large results, eight dimensions, huge bounds and long groups.

Invariant: what is beyond a limit is declined or left to the twin, as everything is that the machine
cannot do; it never reads or writes outside of its arrays.
"""

import numpy as np

from tests.machine.capturing import Proof, function


def check(fn, *arrays, may_decline=False, ran=1):
    """Compare on copies of the arrays; of views, on the views themselves."""
    proof = Proof(backends=("numpy",))
    proof.check(fn, lambda: arrays, may_decline=may_decline)
    proof.require(ran=ran)


def test_result_past_the_caches_beside_a_sum_in_parts():
    fn = function("u = x * 2.0\nreturn u, (x + y).sum()")
    x = np.linspace(0.0, 1.0, 3_200_000)
    check(fn, x, x[::-1].copy())
