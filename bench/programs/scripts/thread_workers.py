"""Producers and consumers, a thread pool on arrays, locks and a shared histogram."""

import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

SENTINEL = None


class Histogram:
    def __init__(self, bins):
        self.counts = np.zeros(bins, dtype=np.int64)
        self.lock = threading.Lock()

    def add(self, values):
        counts = np.bincount(values, minlength=len(self.counts))
        with self.lock:
            self.counts += counts


def producer(jobs, count, size):
    for seed in range(count):
        jobs.put((seed, size))


def consumer(jobs, histogram, results):
    while True:
        job = jobs.get()
        if job is SENTINEL:
            break
        seed, size = job
        data = np.random.default_rng(seed).normal(size=size)
        smoothed = np.convolve(data, np.ones(9) / 9, mode="same")
        bins = np.clip((smoothed * 20 + 50).astype(int), 0, 99)
        histogram.add(bins)
        results[seed] = float(np.sum(np.sqrt(smoothed**2 + 1.0)))


def block_sum(a, start, stop):
    block = a[start:stop]
    return float((np.sin(block) ** 2 + np.cos(block) ** 2 - 0.5 * block).sum())


class Account:
    def __init__(self):
        self.balance = 0
        self.lock = threading.RLock()

    def deposit(self, amount, times):
        for _ in range(times):
            with self.lock:
                self.balance += amount


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    jobs, histogram, results = queue.Queue(maxsize=8), Histogram(100), {}
    workers = [threading.Thread(target=consumer, args=(jobs, histogram, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    producer(jobs, 40, size)
    for _ in workers:
        jobs.put(SENTINEL)
    for worker in workers:
        worker.join()
    print("jobs:", len(results), "total %.6f" % sum(results[k] for k in sorted(results)))
    print("histogram:", histogram.counts[40:60], histogram.counts.sum())

    a = np.linspace(0, 100, 20 * size)
    edges = np.linspace(0, len(a), 17).astype(int)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(block_sum, a, i, j) for i, j in zip(edges[:-1], edges[1:])]
        print("blocks: %.6f" % sum(f.result() for f in futures))
        squares = list(pool.map(lambda k: k * k, range(200)))
    print("squares:", sum(squares))

    account = Account()
    threads = [threading.Thread(target=account.deposit, args=(k, size // 20)) for k in (1, 2, 3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("balance:", account.balance, account.balance == 6 * (size // 20))


if __name__ == "__main__":
    main()
