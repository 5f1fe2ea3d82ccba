#!/usr/bin/env python
"""Make and summarise CSV files of measurements.

csv_report.py make out.csv --rows 1000
csv_report.py report in.csv --by station --out summary.csv
csv_report.py demo
"""

import argparse
import csv
import datetime as dt
import os
import random
import statistics
import sys
import tempfile

FIELDS = ["when", "station", "temperature", "humidity", "comment"]


def make(args):
    rng = random.Random(args.seed)
    start = dt.datetime(2024, 1, 1)
    with open(args.path, "w", newline="") as f:
        writer = csv.DictWriter(f, FIELDS)
        writer.writeheader()
        for i in range(args.rows):
            writer.writerow(
                {
                    "when": (start + dt.timedelta(minutes=10 * i)).isoformat(),
                    "station": rng.choice(["north", "south", "harbour", 'the "old" mill, east']),
                    "temperature": "" if rng.random() < 0.01 else round(rng.gauss(12, 6), 2),
                    "humidity": rng.randint(20, 100),
                    "comment": rng.choice(["", "", "ok", "check; sensor", "two\nlines"]),
                }
            )
    print("wrote", args.rows, "rows")
    return 0


def read(path):
    with open(path, newline="") as f:
        for number, row in enumerate(csv.DictReader(f), 2):
            try:
                row["temperature"] = float(row["temperature"])
            except ValueError:
                row["temperature"] = None
            row["humidity"] = int(row["humidity"])
            row["when"] = dt.datetime.fromisoformat(row["when"])
            yield row


def report(args):
    groups = {}
    missing = 0
    for row in read(args.path):
        if row["temperature"] is None:
            missing += 1
            continue
        key = row["when"].strftime("%Y-%m") if args.by == "month" else row["station"]
        groups.setdefault(key, []).append((row["temperature"], row["humidity"]))
    lines = []
    for key, values in sorted(groups.items()):
        temperatures, humidities = zip(*values)
        lines.append(
            [
                key,
                len(values),
                f"{statistics.fmean(temperatures):.3f}",
                f"{statistics.median(temperatures):.2f}",
                f"{statistics.pstdev(humidities):.3f}",
            ]
        )
    if args.out:
        with open(args.out, "w", newline="") as f:
            csv.writer(f).writerows([["group", "n", "mean", "median", "spread"], *lines])
    for line in lines:
        print("{:24} {:>6} {:>9} {:>8} {:>8}".format(*line))
    print(missing, "rows without temperature")
    return 0 if lines else 1


def demo(args):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data.csv")
        out = os.path.join(folder, "summary.csv")
        status = main(["make", path, "--rows", str(args.rows)])
        status |= main(["report", path, "--by", "station", "--out", out])
        status |= main(["report", path, "--by", "month"])
        with open(out) as f:
            print(f.read())
    return status


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sub = parser.add_subparsers(dest="command", required=True)
    p = sub.add_parser("make", help="write random measurements")
    p.add_argument("path")
    p.add_argument("--rows", type=int, default=1000)
    p.add_argument("--seed", type=int, default=0)
    p.set_defaults(function=make)
    p = sub.add_parser("report", help="summarise a file")
    p.add_argument("path")
    p.add_argument("--by", choices=["station", "month"], default="station")
    p.add_argument("--out")
    p.set_defaults(function=report)
    p = sub.add_parser("demo", help="both, in a temporary folder")
    p.add_argument("--rows", type=int, default=30000)
    p.set_defaults(function=demo)
    args = parser.parse_args(argv)
    args.seed = getattr(args, "seed", 0)
    return args.function(args)


if __name__ == "__main__":
    sys.exit(main())
