"""Module-level NumPy work is found in the source, where it is and how much."""

import pytest

from dyntrace.report.modules import module_level_work

IMPORT = "import numpy as np\n"


def told(source):
    start = "NumPy work at module level is not captured: "
    return [
        (item.lineno, item.reason.removeprefix(start)) for item in module_level_work(source, "s.py")
    ]


@pytest.mark.parametrize(
    "body, expected",
    [
        ("x = np.zeros(3)\ny = x + 1\n", [(2, "2 statements at lines 2-3")]),
        ("x = np.zeros(3)\nn = 3\ny = x.sum()\n", [(2, "2 statements at lines 2, 4")]),
        ("x = np.pi\n", []),
        ("for i in range(3):\n    x = np.sin(i)\n", [(2, "a loop with 1 statement")]),
        (
            "for i in range(3):\n    while True:\n        x = np.sin(i)\n        x += 1\n",
            [(2, "a loop with 2 statements")],
        ),
        ("for v in np.arange(3):\n    print(v)\n", [(2, "a loop with 2 statements")]),
        ("def f(x):\n    return np.sin(x)\n", []),
        ("class C:\n    table = np.zeros(3)\n", []),
        ("f = lambda x: np.sin(x)\n", []),
        ("if __name__ == '__main__':\n    print(np.ones(3) * 2)\n", [(3, "1 statement at line 3")]),
        (
            "try:\n    a = np.ones(3)\nexcept ValueError:\n    a = None\n",
            [(3, "1 statement at line 3")],
        ),
        (
            "with np.errstate(all='ignore'):\n    a = 1 / np.zeros(2)\n",
            [(2, "2 statements at lines 2-3")],
        ),
        ("text = 'np'\nn = 3 * 4\n", []),
    ],
)
def test_statements_and_loops_with_array_work_are_named(body, expected):
    assert told(IMPORT + body) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import numpy\na = numpy.ones(3)\n",
        "import numpy.linalg\na = numpy.linalg.norm([3])\n",
        "from numpy import ones\na = ones(3)\n",
        "from numpy.random import rand as draw\na = draw(3)\n",
        "from scipy import signal\na = signal.detrend([1, 2])\n",
    ],
)
def test_every_form_of_import_is_followed(source):
    assert told(source) == [(2, "1 statement at line 2")]


@pytest.mark.parametrize(
    "source", ["import math\na = math.sin(3)\n", "from . import numpy\nnumpy.f()\n"]
)
def test_other_modules_are_no_array_work(source):
    assert told(source) == []
