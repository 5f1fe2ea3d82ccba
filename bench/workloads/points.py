"""Points, vectors and colours: many short rows, as in geometry, graphics and particle systems."""

import numpy as np

from bench.workload import Workload

LIGHT = np.array([0.48, 0.6, 0.64])


def random(*shape, seed=51):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def distances_between(first, second):
    return np.sqrt(((first - second) ** 2).sum(axis=1))


def unit_vectors(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def diffuse_shading(normals, colours):
    facing = np.maximum(np.sum(normals * LIGHT, axis=-1, keepdims=True), 0.0)
    return np.clip(0.1 * colours + 0.9 * facing * colours, 0.0, 1.0)


def particle_distances(points):
    difference = points[:, None, :] - points[None, :, :]
    return np.sqrt((difference**2).sum(axis=-1))


def spans(boxes):
    return (boxes.max(axis=1) - boxes.min(axis=1)) * 0.5


def luminance(pixels):
    weighted = pixels * np.array([0.2126, 0.7152, 0.0722])
    return weighted.sum(axis=-1) ** 0.45


def bounce(positions, velocities, dt=0.01):
    moved = positions + velocities * dt
    outside = (moved < 0.0) | (moved > 1.0)
    turned = np.where(outside, -velocities, velocities)
    return np.clip(moved, 0.0, 1.0), turned, 0.5 * (turned**2).sum(axis=1)


def two(size):
    return random(size, 3), random(size, 3, seed=52)


def one(size):
    return (random(size, 3) - 1.0,)


def pixels(size):
    return (random(size, size, 3),)


SIZES = (1_000, 100_000)
WORKLOADS = (
    Workload("distances_between", distances_between, two, SIZES, goals=dict.fromkeys(SIZES, 3.0)),
    Workload("unit_vectors", unit_vectors, one, SIZES, goals=dict.fromkeys(SIZES, 2.5)),
    Workload("diffuse_shading", diffuse_shading, two, SIZES, goals=dict.fromkeys(SIZES, 2.0)),
    Workload("particle_distances", particle_distances, one, (200,), small=40, goals={200: 4.0}),
    Workload("spans", spans, one, SIZES, goals=dict.fromkeys(SIZES, 3.0)),
    Workload("luminance", luminance, pixels, (400,), small=40, goals={400: 2.0}),
    Workload("bounce", bounce, two, SIZES, goals=dict.fromkeys(SIZES, 1.5)),
)
