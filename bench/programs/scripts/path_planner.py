"""A* and Dijkstra on a grid with obstacles, then smoothing of the path."""

import heapq
import sys

import numpy as np


class GridMap:
    def __init__(self, size, density, seed):
        rng = np.random.default_rng(seed)
        self.grid = rng.random((size, size)) < density
        self.cost = 1 + 4 * rng.random((size, size))
        self.size = size
        self.grid[0, 0] = self.grid[-1, -1] = False

    def free(self, i, j):
        return 0 <= i < self.size and 0 <= j < self.size and not self.grid[i, j]

    def neighbors(self, node):
        i, j = node
        for di, dj in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)):
            if self.free(i + di, j + dj):
                length = 1.4142135623730951 if di and dj else 1.0
                yield (i + di, j + dj), length * self.cost[i + di, j + dj]


class Node:
    def __init__(self, position, g, h, parent):
        self.position, self.g, self.h, self.parent = position, g, h, parent

    def __lt__(self, other):
        return (self.g + self.h, self.position) < (other.g + other.h, other.position)


def astar(world, start, goal, weight=1.0):
    def heuristic(p):
        return weight * float(np.hypot(p[0] - goal[0], p[1] - goal[1]))

    open_list = [Node(start, 0.0, heuristic(start), None)]
    best = {start: 0.0}
    expanded = 0
    while open_list:
        node = heapq.heappop(open_list)
        if node.g > best[node.position]:
            continue
        expanded += 1
        if node.position == goal:
            return node, expanded
        for position, cost in world.neighbors(node.position):
            g = node.g + cost
            if g < best.get(position, float("inf")):
                best[position] = g
                heapq.heappush(open_list, Node(position, g, heuristic(position), node))
    return None, expanded


def backtrack(node):
    path = []
    while node:
        path.append(node.position)
        node = node.parent
    return np.array(path[::-1], dtype=float)


def smooth(path, weight_data=0.1, weight_smooth=0.3, tolerance=1e-4):
    new = path.copy()
    change = tolerance
    rounds = 0
    while change >= tolerance and rounds < 500:
        change = 0.0
        for i in range(1, len(path) - 1):
            before = new[i].copy()
            new[i] += weight_data * (path[i] - new[i])
            new[i] += weight_smooth * (new[i - 1] + new[i + 1] - 2 * new[i])
            change += np.abs(before - new[i]).sum()
        rounds += 1
    return new, rounds


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    world = GridMap(size, 0.25, seed=4)
    goal = (size - 1, size - 1)
    for name, weight in [("dijkstra", 0.0), ("A*", 1.0), ("weighted A*", 2.5)]:
        node, expanded = astar(world, (0, 0), goal, weight)
        if node is None:
            print(name, "found no path,", expanded, "expanded")
            continue
        path = backtrack(node)
        print(f"{name:12} cost {node.g:.4f}, {len(path)} cells, {expanded} expanded")
    if node is not None:
        smoothed, rounds = smooth(path)
        lengths = [np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for p in (path, smoothed)]
        print("smoothing: %d rounds, length %.4f -> %.4f" % (rounds, *lengths))


main()
