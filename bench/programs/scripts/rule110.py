# Elementary cellular automata, in pure Python and with numpy, must agree
import sys

import numpy as np

WIDTH, STEPS = (240, 240) if len(sys.argv) < 2 else (int(sys.argv[1]), 30)


def rule_table(number):
    return [(number >> i) & 1 for i in range(8)]


def run_python(number, width, steps):
    table = rule_table(number)
    cells = [0] * width
    cells[-1] = 1
    history = [cells]
    for _ in range(steps):
        cells = [
            table[4 * cells[i - 1] + 2 * cells[i] + cells[(i + 1) % width]] for i in range(width)
        ]
        history.append(cells)
    return history


def run_numpy(number, width, steps):
    table = np.array(rule_table(number), dtype=np.uint8)
    grid = np.zeros((steps + 1, width), dtype=np.uint8)
    grid[0, -1] = 1
    for t in range(steps):
        row = grid[t]
        grid[t + 1] = table[4 * np.roll(row, 1) + 2 * row + np.roll(row, -1)]
    return grid


def entropy(row):
    p = row.mean()
    if p in (0, 1):
        return 0.0
    return float(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


for number in (30, 54, 90, 110, 184):
    slow = run_python(number, WIDTH, STEPS)
    fast = run_numpy(number, WIDTH, STEPS)
    assert np.array_equal(np.array(slow), fast)
    big = run_numpy(number, WIDTH * 4, STEPS * 10)
    print(
        "rule",
        number,
        "alive",
        int(fast.sum()),
        "entropy %.4f" % np.mean([entropy(row) for row in big[::5]]),
    )
    if number == 110:
        for row in fast[:16]:
            print("".join(" #"[c] for c in row[-60:]))
