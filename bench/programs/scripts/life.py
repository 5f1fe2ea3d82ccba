import sys
import time

import numpy as np

GLIDER_GUN = """
........................O...........
......................O.O...........
............OO......OO............OO
...........O...O....OO............OO
OO........O.....O...OO..............
OO........O...O.OO....O.O...........
..........O.....O.......O...........
...........O...O....................
............OO......................
"""


class Life:
    """Conway's game on a torus."""

    def __init__(self, rows, cols):
        self.grid = np.zeros((rows, cols), dtype=np.uint8)
        self.generation = 0

    def place(self, pattern, top, left):
        for i, line in enumerate(pattern.strip().splitlines()):
            for j, char in enumerate(line):
                self.grid[top + i, left + j] = char == "O"

    def neighbours(self):
        g = self.grid
        return sum(
            np.roll(np.roll(g, i, axis=0), j, axis=1)
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if (i, j) != (0, 0)
        )

    def step(self):
        n = self.neighbours()
        self.grid = ((n == 3) | ((self.grid == 1) & (n == 2))).astype(np.uint8)
        self.generation += 1

    def show(self, rows=12, cols=60):
        for row in self.grid[:rows, :cols]:
            print("".join("#" if cell else "." for cell in row))

    @property
    def alive(self):
        return int(self.grid.sum())


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    generations = 600 if size > 100 else 20
    start = time.time()
    game = Life(size, size)
    game.place(GLIDER_GUN, 5, 5)
    history = []
    while game.generation < generations:
        history.append(game.alive)
        game.step()
    game.show()
    print("alive after", game.generation, "generations:", game.alive)
    print("population every 50:", history[::50])

    rng = np.random.default_rng(3)
    soup = Life(size, size)
    soup.grid[:] = rng.random((size, size)) < 0.3
    for _ in range(generations // 2):
        soup.step()
    print("soup:", soup.alive, "density %.5f" % soup.grid.mean())
    print("took", round(time.time() - start, 2), "s", file=sys.stderr)


if __name__ == "__main__":
    main()
