"""Conway's Game of Life on a torus."""

import numpy as np

GLIDER = np.array([[0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=np.uint8)


def neighbours(board):
    total = np.zeros_like(board)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dy or dx:
                total += np.roll(np.roll(board, dy, axis=0), dx, axis=1)
    return total


def step(board):
    around = neighbours(board)
    return ((around == 3) | ((board == 1) & (around == 2))).astype(np.uint8)


def place(board, pattern, row, column):
    height, width = pattern.shape
    board[row : row + height, column : column + width] = pattern


def show(board):
    for row in board:
        print("".join(".#"[cell] for cell in row))


def main():
    board = np.zeros((16, 32), dtype=np.uint8)
    place(board, GLIDER, 1, 1)
    place(board, GLIDER[::-1], 9, 20)
    show(board)

    for generation in range(1, 61):
        board = step(board)
        if generation % 20 == 0:
            print(f"generation {generation}: {board.sum()} alive")
            show(board)

    rng = np.random.default_rng(3)
    soup = (rng.random((128, 128)) < 0.3).astype(np.uint8)
    for generation in range(100):
        previous, soup = soup, step(soup)
        if generation % 25 == 0:
            changed = np.count_nonzero(previous != soup)
            print(f"soup {generation:3d}: alive {int(soup.sum())}, changed {changed}")


if __name__ == "__main__":
    main()
