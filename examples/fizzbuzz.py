"""FizzBuzz with arrays, printing from inside the loop."""

import numpy as np


def fizzbuzz(limit):
    numbers = np.arange(1, limit + 1)
    by_three = numbers % 3 == 0
    by_five = numbers % 5 == 0
    for i in range(limit):
        if by_three[i] and by_five[i]:
            print("FizzBuzz")
        elif by_three[i]:
            print("Fizz")
        elif by_five[i]:
            print("Buzz")
        else:
            print(numbers[i])
    return int(np.sum(numbers[~(by_three | by_five)]))


def scalar_fizzbuzz(n):
    """The same, one NumPy scalar at a time."""
    total = np.int64(0)
    for number in np.arange(1, n + 1):
        if number % 15 == 0:
            word = "FizzBuzz"
        elif number % 3 == 0:
            word = "Fizz"
        elif number % 5 == 0:
            word = "Buzz"
        else:
            word = str(number)
            total += number
        print(word, end=" ")
    print()
    return total


def main():
    print("sum of the plain numbers:", fizzbuzz(50))
    print("sum of the plain numbers:", scalar_fizzbuzz(50))


if __name__ == "__main__":
    main()
