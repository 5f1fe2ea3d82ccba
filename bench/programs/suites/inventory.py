"""A small stock-keeping library, the subject of test_inventory.py."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

import numpy as np


class Unit(Enum):
    PIECE = "piece"
    KILO = "kg"


class OutOfStock(Exception):
    def __init__(self, item, wanted, available):
        super().__init__(f"{item}: wanted {wanted}, only {available} left")
        self.item = item


@dataclass(order=True)
class Item:
    name: str
    price: Decimal = field(compare=False)
    unit: Unit = field(default=Unit.PIECE, compare=False)


class Inventory:
    def __init__(self):
        self._stock = {}
        self._history = []
        self._watchers = []

    def add(self, item, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self._stock.setdefault(item.name, [item, 0])[1] += amount
        self._record("add", item.name, amount)

    def take(self, name, amount):
        item, available = self._stock.get(name, (None, 0))
        if amount > available:
            raise OutOfStock(name, amount, available)
        self._stock[name][1] -= amount
        self._record("take", name, amount)
        return item.price * amount

    def _record(self, action, name, amount):
        self._history.append((action, name, amount))
        for watcher in self._watchers:
            watcher(action, name, amount)

    def watch(self, watcher):
        self._watchers.append(watcher)
        return watcher

    def __len__(self):
        return len(self._stock)

    def __contains__(self, name):
        return name in self._stock and self._stock[name][1] > 0

    def __iter__(self):
        return (name for name in sorted(self._stock) if name in self)

    def value(self):
        return sum((item.price * amount for item, amount in self._stock.values()), Decimal(0))

    def demand(self, name, window=7):
        """Moving average of what was taken, as an array."""
        taken = np.array([a for action, n, a in self._history if (action, n) == ("take", name)])
        if len(taken) < window:
            return np.array([])
        return np.convolve(taken, np.ones(window) / window, mode="valid")

    def dumps(self):
        return json.dumps(
            [
                {
                    "name": item.name,
                    "price": str(item.price),
                    "unit": item.unit.value,
                    "amount": amount,
                }
                for item, amount in self._stock.values()
            ]
        )

    @classmethod
    def loads(cls, text):
        inventory = cls()
        for entry in json.loads(text):
            amount = entry.pop("amount")
            item = Item(entry["name"], Decimal(entry["price"]), Unit(entry["unit"]))
            if amount:
                inventory.add(item, amount)
        return inventory
