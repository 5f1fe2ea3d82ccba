"""K-means with k-means++ seeding, and silhouette scores."""

import sys

import numpy as np


class KMeans:
    def __init__(self, n_clusters=4, max_iter=100, tol=1e-6, seed=0):
        self.n_clusters = n_clusters
        self.max_iter = max_iter
        self.tol = tol
        self.rng = np.random.default_rng(seed)

    def _init_centers(self, X):
        centers = [X[self.rng.integers(len(X))]]
        while len(centers) < self.n_clusters:
            d2 = np.min([np.sum((X - c) ** 2, axis=1) for c in centers], axis=0)
            probabilities = d2 / d2.sum()
            index = np.searchsorted(np.cumsum(probabilities), self.rng.random())
            centers.append(X[index])
        return np.array(centers)

    def _assign(self, X, centers):
        distances = np.linalg.norm(X[:, None, :] - centers[None, :, :], axis=2)
        return np.argmin(distances, axis=1), distances

    def fit(self, X):
        centers = self._init_centers(X)
        for iteration in range(self.max_iter):
            labels, distances = self._assign(X, centers)
            new_centers = np.empty_like(centers)
            for k in range(self.n_clusters):
                members = X[labels == k]
                new_centers[k] = members.mean(axis=0) if len(members) else centers[k]
            shift = np.sqrt(((new_centers - centers) ** 2).sum())
            centers = new_centers
            if shift < self.tol:
                break
        self.n_iter_ = iteration + 1
        self.cluster_centers_ = centers
        self.labels_, distances = self._assign(X, centers)
        self.inertia_ = float((distances.min(axis=1) ** 2).sum())
        return self


def silhouette(X, labels, sample, rng):
    total = 0.0
    for i in rng.choice(len(X), size=sample, replace=False):
        distances = np.sqrt(((X - X[i]) ** 2).sum(axis=1))
        means = [distances[labels == k].mean() for k in np.unique(labels)]
        own = means.pop(int(labels[i]))
        total += (min(means) - own) / max(own, min(means))
    return total / sample


def make_blobs(n, rng):
    truth = np.array([[0, 0], [6, 1], [-4, 5], [2, -6], [7, 7]], dtype=float)
    return np.concatenate([rng.normal(c, 1.1, size=(n // 5, 2)) for c in truth])


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    rng = np.random.default_rng(7)
    X = make_blobs(n, rng)
    for k in range(2, 9):
        model = KMeans(k, seed=k).fit(X)
        score = silhouette(X, model.labels_, min(100, n // 10), rng)
        print(
            f"k={k}  iterations {model.n_iter_:3d}  inertia {model.inertia_:14.4f}  "
            f"silhouette {score:.4f}"
        )
        if k == 5:
            order = np.lexsort(model.cluster_centers_.T)
            print(np.round(model.cluster_centers_[order], 3))
