"""What counts as a difference between two results."""

import numpy as np
import pytest

from bench.bits import differences, distance


@pytest.mark.parametrize(
    "expected, actual, word",
    [
        (np.zeros(2), np.zeros(2, dtype=np.float32), "dtype"),
        (np.zeros((2, 1)), np.zeros(2), "shape"),
        (np.zeros((2, 3)), np.zeros((3, 2)).T, "strides"),
        (np.zeros(2), np.array([0.0, -0.0]), "1 of 2 elements differ, the first at 1"),
        (np.array([1 + 0j]), np.array([complex(1, -0.0)]), "elements differ"),
        (np.zeros(2), [0.0, 0.0], "ndarray became list"),
        (np.float64(1.0), 1.0, "float64 became float"),
        (np.float64(1.0), np.array(1.0), "float64 became ndarray"),
        ((1.0, 2.0), (1.0,), "2 items became 1"),
        ((1.0, np.ones(1)), (1.0, np.zeros(1)), "result[1]"),
        ("a", "b", "'a' became 'b'"),
        (None, 1, "NoneType became int"),
    ],
)
def test_differences_are_told_in_words(expected, actual, word):
    assert word in "\n".join(differences(expected, actual))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "c16", "i4", "?", "M8[s]", "U3"])
def test_copies_do_not_differ(dtype):
    array = np.zeros(3, dtype=dtype)
    assert differences((array, [array[0]]), (array.copy(), [array.copy()[0]])) == []


def test_payloads_of_nan_do_not_count():
    one = np.array([np.nan, 1.0])
    other = one.copy()
    other.view(np.uint64)[0] += 1
    assert np.isnan(other[0]) and one.tobytes() != other.tobytes()
    assert differences(one, other) == []


@pytest.mark.parametrize(
    "expected, actual, far",
    [
        (np.array([1.0, 2.0]), np.array([1.0, 2.0]), 0.0),
        (np.array([1.0, 2.0]), np.array([1.0, 1.0]), 0.5),
        (np.array([1, 2]), np.array([1.0, 2.0]), 0.0),
        (np.zeros(2), np.array([0.0, 0.25]), 0.25),
        (np.zeros(2), np.zeros(3), np.inf),
        ((1.0, 2.0), (1.0, 3.0), 0.5),
        ((1.0,), 1.0, np.inf),
        (None, None, 0.0),
        (None, 1.0, np.inf),
    ],
)
def test_distance_is_relative_to_the_largest_number(expected, actual, far):
    assert distance(expected, actual) == far
