"""Graphs, heaps, union-find, topological order, and an LRU cache under load."""

import heapq
import random
import sys
from collections import OrderedDict, defaultdict, deque
from functools import lru_cache


class Graph:
    def __init__(self):
        self.edges = defaultdict(dict)

    def add(self, a, b, weight):
        self.edges[a][b] = weight
        self.edges[b][a] = weight

    def dijkstra(self, source):
        distance = {source: 0}
        heap = [(0, source)]
        while heap:
            d, node = heapq.heappop(heap)
            if d > distance[node]:
                continue
            for other, weight in self.edges[node].items():
                if d + weight < distance.get(other, float("inf")):
                    distance[other] = d + weight
                    heapq.heappush(heap, (d + weight, other))
        return distance

    def bfs(self, source):
        level = {source: 0}
        queue = deque([source])
        while queue:
            node = queue.popleft()
            for other in self.edges[node]:
                if other not in level:
                    level[other] = level[node] + 1
                    queue.append(other)
        return level

    def kruskal(self):
        parent = {node: node for node in self.edges}

        def find(x):
            while parent[x] != x:
                parent[x] = parent[parent[x]]
                x = parent[x]
            return x

        total = 0
        ordered = sorted((w, a, b) for a, row in self.edges.items() for b, w in row.items())
        for weight, a, b in ordered:
            ra, rb = find(a), find(b)
            if ra != rb:
                parent[ra] = rb
                total += weight
        return total


class LRUCache:
    def __init__(self, capacity):
        self.capacity = capacity
        self.data = OrderedDict()
        self.hits = self.misses = 0

    def get(self, key, compute):
        if key in self.data:
            self.hits += 1
            self.data.move_to_end(key)
        else:
            self.misses += 1
            self.data[key] = compute(key)
            if len(self.data) > self.capacity:
                self.data.popitem(last=False)
        return self.data[key]


def topological(dependencies):
    waiting = {node: len(needs) for node, needs in dependencies.items()}
    users = defaultdict(list)
    for node, needs in dependencies.items():
        for need in needs:
            users[need].append(node)
    ready = [node for node, count in waiting.items() if count == 0]
    order = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for user in users[node]:
            waiting[user] -= 1
            if waiting[user] == 0:
                heapq.heappush(ready, user)
    return order


@lru_cache(maxsize=None)
def partitions(n, largest):
    if n == 0:
        return 1
    if n < 0 or largest == 0:
        return 0
    return partitions(n - largest, largest) + partitions(n, largest - 1)


def n_queens(n, row=0, columns=0, left=0, right=0):
    if row == n:
        return 1
    free = ~(columns | left | right) & ((1 << n) - 1)
    found = 0
    while free:
        bit = free & -free
        free ^= bit
        found += n_queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return found


def main(nodes=4000):
    rng = random.Random(17)
    graph = Graph()
    for node in range(1, nodes):
        for _ in range(3):
            graph.add(node, rng.randrange(node), rng.randint(1, 50))
    distance = graph.dijkstra(0)
    print("furthest:", max(distance.items(), key=lambda item: (item[1], item[0])))
    print("mean distance: %.4f" % (sum(distance.values()) / len(distance)))
    print("levels:", max(graph.bfs(0).values()))
    print("spanning tree:", graph.kruskal())

    tasks = {t: sorted({rng.randrange(t) for _ in range(2)}) if t else [] for t in range(nodes)}
    order = topological(tasks)
    print("order:", order[:10], len(order))

    cache = LRUCache(nodes // 20)
    total = sum(
        cache.get(int(rng.paretovariate(1.1)) % nodes, lambda k: k * k) for _ in range(20 * nodes)
    )
    print("cache:", cache.hits, cache.misses, total)
    print("partitions:", partitions(min(120, nodes), 60))
    print("queens:", [n_queens(n) for n in range(4, 9 if nodes > 1000 else 7)])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
