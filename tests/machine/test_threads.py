"""Several threads in one program: while it is described, and while plans are made and evicted.

Invariant: a plan that is in use is not made anew, and each call has results of its own.
"""

import sys
import threading
import time

import numpy as np
import pytest

from dyntrace import config
from dyntrace.exec.lower import choice
from tests.machine.capturing import capture, function

if not config.native:
    pytest.skip("there is no machine", allow_module_level=True)

from dyntrace._native import Program


@pytest.fixture
def restless():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def lowered(body):
    x = np.ones((3, 4))
    return choice.lowered(capture(function(body, "x"), x).graph)


def together(work, count=4):
    errors = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_threads_that_describe_a_program_at_once(restless):
    spec = lowered("return x * 2.0 + 1.0, x.sum()")

    def describe():
        time.sleep(0.001)
        return spec

    for _ in range(30):
        program = Program(describe, lambda x: None)

        def work(number, program=program):
            for _ in range(3):
                ((result, total),) = program(np.full((2, 2), float(number)))
                assert result.tolist() == [[2.0 * number + 1.0] * 2] * 2
                assert total == 4.0 * number

        together(work)
        assert program.runs == 12


def test_threads_with_more_shapes_than_plans_are_kept(restless):
    spec = lowered("t = np.sqrt(x * 2.0 + 1.0)\nreturn t, t.sum(axis=1), x.T + 1.0")
    program = Program(lambda: spec, lambda x: None)
    sizes = (1, 2, 3, 5, 40, 100, 300)
    inputs = [np.random.default_rng(k).random((k, 2 * k)) for k in sizes]
    wanted = [[value.tobytes() for value in program(x)[0]] for x in inputs]

    def work(number):
        for turn in range(150):
            place = (turn * (number + 1)) % len(sizes)
            assert [value.tobytes() for value in program(inputs[place])[0]] == wanted[place]

    together(work)
    assert program.twin_runs == 0
