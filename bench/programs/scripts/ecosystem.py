"""Rabbits, foxes and grass on a torus: a class hierarchy and a lot of random numbers."""

import random
import sys
from abc import ABC, abstractmethod


class World:
    def __init__(self, size, seed):
        self.size = size
        self.rng = random.Random(seed)
        self.grass = [[10] * size for _ in range(size)]
        self.creatures = []
        self.born = {}
        self.time = 0

    def add(self, creature):
        self.creatures.append(creature)
        name = type(creature).__name__
        self.born[name] = self.born.get(name, 0) + 1

    def at(self, x, y):
        return self.places.get((x % self.size, y % self.size), ())

    def tick(self):
        self.time += 1
        for row in self.grass:
            for j, height in enumerate(row):
                if height < 10:
                    row[j] = height + 1
        self.places = {}
        for creature in self.creatures:
            self.places.setdefault((creature.x, creature.y), []).append(creature)
        for creature in list(self.creatures):
            if creature.alive:
                creature.act()
        self.creatures = [c for c in self.creatures if c.alive]

    def census(self):
        counts = {"Rabbit": 0, "Fox": 0}
        for creature in self.creatures:
            counts[type(creature).__name__] += 1
        return counts


class Creature(ABC):
    start_energy = 10
    split_energy = 20

    def __init__(self, world, x, y):
        self.world, self.x, self.y = world, x, y
        self.energy = self.start_energy
        self.alive = True
        self.age = 0

    def move(self):
        self.x = (self.x + self.world.rng.choice((-1, 0, 1))) % self.world.size
        self.y = (self.y + self.world.rng.choice((-1, 0, 1))) % self.world.size

    def act(self):
        self.age += 1
        self.energy -= 1
        self.move()
        self.eat()
        if self.energy <= 0 or self.age > self.max_age:
            self.alive = False
        elif self.energy >= self.split_energy:
            self.energy //= 2
            child = type(self)(self.world, self.x, self.y)
            child.energy = self.energy
            self.world.add(child)

    @property
    @abstractmethod
    def max_age(self): ...

    @abstractmethod
    def eat(self): ...


class Rabbit(Creature):
    max_age = 40

    def eat(self):
        bite = min(4, self.world.grass[self.x][self.y])
        self.world.grass[self.x][self.y] -= bite
        self.energy += bite - 1


class Fox(Creature):
    start_energy = 25
    split_energy = 60
    max_age = 60

    def eat(self):
        for other in self.world.at(self.x, self.y):
            if isinstance(other, Rabbit) and other.alive:
                other.alive = False
                self.energy += 12
                break

    def move(self):
        super().move()
        if self.energy > 30:
            super().move()


def main(size=40, ticks=220):
    world = World(size, seed=12)
    for kind, count in ((Rabbit, size * 6), (Fox, size)):
        for _ in range(count):
            world.add(kind(world, world.rng.randrange(size), world.rng.randrange(size)))
    for _ in range(ticks):
        world.tick()
        if world.time % max(1, ticks // 10) == 0:
            counts = world.census()
            grass = sum(map(sum, world.grass)) / size**2
            print(
                f"t={world.time:4d} rabbits {counts['Rabbit']:5d} foxes {counts['Fox']:4d} "
                f"grass {grass:.3f}"
            )
    print("ever born:", world.born)


if __name__ == "__main__":
    main(*[int(a) for a in sys.argv[1:]])
