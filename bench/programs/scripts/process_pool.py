"""Work spread over processes: a pool, a pipe, and a subprocess."""

import multiprocessing as mp
import subprocess
import sys

import numpy as np


def estimate(args):
    seed, n = args
    rng = np.random.default_rng(seed)
    xy = rng.random((n, 2))
    return int(np.count_nonzero((xy**2).sum(axis=1) < 1.0))


def collatz_longest(bounds):
    best = (0, 0)
    for n in range(*bounds):
        k, m = 0, n
        while m != 1:
            m = m // 2 if m % 2 == 0 else 3 * m + 1
            k += 1
        best = max(best, (k, n))
    return best


def square_server(connection):
    while True:
        item = connection.recv()
        if item is None:
            break
        connection.send(item**2)
    connection.close()


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    with mp.Pool(2) as pool:
        hits = pool.map(estimate, [(seed, n) for seed in range(8)])
        print("pi is about", 4 * sum(hits) / (8 * n))
        step = max(10, n // 40)
        chunks = [(1 + k * step, 1 + (k + 1) * step) for k in range(4)]
        print("longest collatz:", max(pool.imap_unordered(collatz_longest, chunks)))

    here, there = mp.Pipe()
    server = mp.Process(target=square_server, args=(there,))
    server.start()
    for value in (3, 2.5, np.arange(4)):
        here.send(value)
        print("squared:", here.recv())
    here.send(None)
    server.join()
    print("exit code", server.exitcode)

    code = "import sys; print(sum(int(line) for line in sys.stdin))"
    numbers = "\n".join(str(k) for k in range(1000))
    done = subprocess.run(
        [sys.executable, "-c", code], input=numbers, capture_output=True, text=True
    )
    print("subprocess says", done.stdout.strip(), done.returncode)


if __name__ == "__main__":
    main()
