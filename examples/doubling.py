"""One function for numbers, text, lists and arrays: it only asks for `+`."""

import numpy as np


def double(a):
    return a + a


def polynomial(x, coefficients):
    """Horner's rule; works for every type that can be multiplied and added."""
    result = 0
    for c in coefficients:
        result = result * x + c
    return result


def main():
    values = [3, 2.5, 1 - 2j, True, "na", [1, 2], (None,), 2**70, np.float32(1.5), np.int8(100)]
    values += [np.arange(4), np.linspace(0, 1, 3), np.array([[True, False]]), np.array(7)]
    for _ in range(3):
        for value in values:
            with np.errstate(over="ignore"):
                result = double(value)
            print(type(result).__name__, result)

    for x in (2, 0.5, 1j, np.float64(3), np.arange(3), np.array([[0.1, 0.2]])):
        print(polynomial(x, (1, -2, 3)))

    try:
        double(None)
    except TypeError as error:
        print("TypeError:", error)


if __name__ == "__main__":
    main()
