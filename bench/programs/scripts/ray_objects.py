"""A tiny ray tracer, objects all the way down (after 'Ray Tracing in One Weekend')."""

import math
import random
import sys


class Vec3:
    __slots__ = ("x", "y", "z")

    def __init__(self, x=0.0, y=0.0, z=0.0):
        self.x, self.y, self.z = x, y, z

    def __add__(self, other):
        return Vec3(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vec3(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, k):
        if isinstance(k, Vec3):
            return Vec3(self.x * k.x, self.y * k.y, self.z * k.z)
        return Vec3(self.x * k, self.y * k, self.z * k)

    __rmul__ = __mul__

    def __neg__(self):
        return Vec3(-self.x, -self.y, -self.z)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def length(self):
        return math.sqrt(self.dot(self))

    def unit(self):
        return self * (1.0 / self.length())

    def reflect(self, n):
        return self - n * (2 * self.dot(n))


class Ray:
    def __init__(self, origin, direction):
        self.origin = origin
        self.direction = direction

    def at(self, t):
        return self.origin + self.direction * t


class Material:
    def __init__(self, color, mirror=0.0):
        self.color = color
        self.mirror = mirror


class Shape:
    def __init__(self, material):
        self.material = material

    def hit(self, ray):
        raise NotImplementedError


class Sphere(Shape):
    def __init__(self, center, radius, material):
        super().__init__(material)
        self.center, self.radius = center, radius

    def hit(self, ray):
        oc = ray.origin - self.center
        b = oc.dot(ray.direction)
        c = oc.dot(oc) - self.radius**2
        disc = b * b - c
        if disc < 0:
            return None
        root = math.sqrt(disc)
        for t in (-b - root, -b + root):
            if t > 1e-4:
                return t
        return None

    def normal(self, point):
        return (point - self.center) * (1 / self.radius)


class Floor(Shape):
    def hit(self, ray):
        if abs(ray.direction.y) < 1e-9:
            return None
        t = -(ray.origin.y + 0.5) / ray.direction.y
        return t if t > 1e-4 else None

    def normal(self, point):
        return Vec3(0, 1, 0)


class Scene:
    light = Vec3(5, 5, -5)

    def __init__(self):
        self.shapes = []

    def add(self, shape):
        self.shapes.append(shape)
        return self

    def closest(self, ray):
        best, found = math.inf, None
        for shape in self.shapes:
            t = shape.hit(ray)
            if t is not None and t < best:
                best, found = t, shape
        return best, found

    def color(self, ray, depth=3):
        t, shape = self.closest(ray)
        if shape is None:
            return Vec3(0.5, 0.7, 1.0) * (0.5 * (ray.direction.y + 1.0))
        point = ray.at(t)
        normal = shape.normal(point)
        to_light = (self.light - point).unit()
        shadow = self.closest(Ray(point, to_light))[1] is not None
        brightness = 0.1 if shadow else max(0.1, normal.dot(to_light))
        result = shape.material.color * brightness
        if shape.material.mirror and depth:
            bounced = Ray(point, ray.direction.reflect(normal).unit())
            m = shape.material.mirror
            result = result * (1 - m) + self.color(bounced, depth - 1) * m
        return result


def render(scene, width, height, samples, rng):
    rows = []
    eye = Vec3(0, 0.3, -3)
    for j in range(height):
        row = []
        for i in range(width):
            total = Vec3()
            for _ in range(samples):
                u = (i + rng.random()) / width * 2 - 1
                v = 1 - (j + rng.random()) / height * 2
                total += scene.color(Ray(eye, Vec3(u * 1.5, v, 2).unit()))
            row.append(total * (1 / samples))
        rows.append(row)
    return rows


if __name__ == "__main__":
    width = int(sys.argv[1]) if len(sys.argv) > 1 else 72
    scene = Scene().add(Floor(Material(Vec3(0.6, 0.6, 0.5), 0.1)))
    rng = random.Random(11)
    for k in range(4):
        color = Vec3(rng.random(), rng.random(), rng.random())
        scene.add(Sphere(Vec3(k - 1.5, 0.1 * k, 0.3 * k), 0.45, Material(color, 0.4)))
    image = render(scene, width, width // 2, 3, rng)
    for row in image:
        print("".join(" .:-=+*#%@"[min(9, int(10 * p.length() / 1.8))] for p in row))
    mean = sum((p for row in image for p in row), Vec3()) * (1 / (width * (width // 2)))
    print("mean colour %.6f %.6f %.6f" % (mean.x, mean.y, mean.z))
