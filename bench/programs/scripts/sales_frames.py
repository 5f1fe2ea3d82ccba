"""Quarterly sales, the pandas way: merge, groupby, pivot, rolling windows."""

import io
import sys

import numpy as np
import pandas as pd

n = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
rng = np.random.default_rng(31)

products = pd.DataFrame(
    {
        "product": [f"P{k:02d}" for k in range(20)],
        "price": np.round(rng.uniform(2, 90, 20), 2),
        "group": rng.choice(["food", "tools", "toys"], 20),
    }
)
sales = pd.DataFrame(
    {
        "day": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 365, n), unit="D"),
        "product": rng.choice(products["product"], n),
        "shop": rng.choice(["Riga", "Oslo", "Bern", "Porto"], n, p=[0.4, 0.3, 0.2, 0.1]),
        "units": rng.poisson(3, n),
    }
)

csv = io.StringIO()
sales.to_csv(csv, index=False)
csv.seek(0)
sales = pd.read_csv(csv, parse_dates=["day"])
print(sales.dtypes.to_string())

table = sales.merge(products, on="product", how="left")
table["revenue"] = table["units"] * table["price"]
print(table.describe()[["units", "revenue"]].round(3).to_string())

by_shop = table.groupby("shop").agg(
    units=("units", "sum"), revenue=("revenue", "sum"), best=("revenue", "max")
)
by_shop["share"] = 100 * by_shop["revenue"] / by_shop["revenue"].sum()
print(by_shop.sort_values("revenue", ascending=False).round(2).to_string())

pivot = table.pivot_table(
    index=table["day"].dt.quarter, columns="group", values="revenue", aggfunc="sum"
)
print(pivot.round(1).to_string())

daily = table.set_index("day").sort_index()["revenue"].resample("D").sum()
smooth = daily.rolling(14, min_periods=1).mean()
print("best fortnight ends", smooth.idxmax().date(), round(smooth.max(), 2))


def discount(row):
    if row["units"] > 6:
        return row["revenue"] * 0.9
    return row["revenue"]


head = table.head(n // 10)
print("after discount:", round(head.apply(discount, axis=1).sum(), 2))
top = table.groupby(["shop", "product"])["units"].sum().groupby(level=0).nlargest(2)
print(top.droplevel(0).to_string())
print("correlation:", round(table["price"].corr(table["revenue"]), 6))
