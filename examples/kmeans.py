"""Cluster points of the plane with Lloyd's k-means algorithm."""

import numpy as np


def make_points(rng, centres, per_cluster, spread):
    blocks = [rng.normal(centre, spread, size=(per_cluster, 2)) for centre in centres]
    points = np.concatenate(blocks)
    rng.shuffle(points)
    return points


def assign(points, means):
    """Index of the nearest mean of every point, and the squared distance to it."""
    difference = points[:, np.newaxis, :] - means[np.newaxis, :, :]
    distance = np.sum(difference**2, axis=2)
    labels = np.argmin(distance, axis=1)
    return labels, distance[np.arange(len(points)), labels]


def update(points, labels, means):
    """The centre of each cluster; an empty cluster keeps its mean."""
    new = np.empty_like(means)
    for k in range(len(means)):
        members = points[labels == k]
        if len(members) == 0:
            new[k] = means[k]
        else:
            new[k] = members.mean(axis=0)
    return new


def kmeans(points, k, max_rounds=100):
    means = points[:k].copy()
    for round_number in range(1, max_rounds + 1):
        labels, distance = assign(points, means)
        new = update(points, labels, means)
        moved = np.linalg.norm(new - means)
        means = new
        print(f"round {round_number:2d}: inertia {distance.sum():12.4f}, moved {moved:.6f}")
        if moved < 1e-9:
            break
    return means, labels


def main():
    rng = np.random.default_rng(7)
    centres = np.array([[0.0, 0.0], [6.0, 1.0], [1.0, 7.0], [7.0, 8.0], [-5.0, 4.0]])
    points = make_points(rng, centres, 600, 0.9)
    means, labels = kmeans(points, len(centres))
    order = np.lexsort((means[:, 1], means[:, 0]))
    sizes = np.bincount(labels, minlength=len(means))
    for k in order:
        x, y = means[k]
        print(f"cluster at ({x:7.4f}, {y:7.4f}) with {sizes[k]} points")


if __name__ == "__main__":
    main()
