"""Random graphs of elementwise work, broadcasts, reductions, views and writes, by every backend."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.machine.capturing import Proof, function
from tests.machine.drawing import bodies, operands
from tests.machine.operands import FULL, LAYOUTS, TIMES, operand

EXAMPLES = 20_000 if FULL else 400 * TIMES
COMMON = ("d", "d", "d", "f", "f", "i", "l", "B", "?", "e", "D", "g")


def test_random_graphs_have_eagers_bits_layout_and_effects():
    total = Proof(allowed=0.25)

    @settings(max_examples=EXAMPLES)
    @given(bodies(), st.lists(operands(tuple(LAYOUTS), COMMON), min_size=1, max_size=3))
    def checked(body, cases):
        proof = Proof(allowed=1.0)
        fn = function(body)
        for shape, first, second, layout, other, data, mode in cases:

            def build():
                return operand(data, first, shape, layout), operand(data, second, shape, other, 3)

            for way in dict.fromkeys(("ignore", mode)):
                proof.check(fn, build, way, (shape, layout, other, data))
        proof.require(ran=0, missed=100)
        total.ran += proof.ran
        total.declined += proof.declined

    checked()
    total.require(ran=EXAMPLES // 2)
