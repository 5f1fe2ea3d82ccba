#!/usr/bin/env python3
# PCA of synthetic "faces": mean, eigenfaces, reconstruction error, outliers
import sys

import numpy as np

rng = np.random.RandomState(42)


def smooth(img, times):
    for _ in range(times):
        img = (img + np.roll(img, 1, 0) + np.roll(img, -1, 0) + np.roll(img, 1, 1)) / 4
    return img


def make_faces(count, size):
    basis = [smooth(rng.randn(size, size), 12) for _ in range(6)]
    faces = []
    for _ in range(count):
        weights = rng.randn(len(basis))
        face = sum(w * b for w, b in zip(weights, basis))
        faces.append((face + 0.02 * rng.randn(size, size)).ravel())
    return np.asarray(faces)


def pca(X, k):
    mean = X.mean(axis=0)
    Xc = X - mean
    U, s, Vt = np.linalg.svd(Xc, full_matrices=False)
    signs = np.sign(Vt[np.arange(len(Vt)), np.abs(Vt).argmax(axis=1)])
    Vt = Vt * signs[:, None]
    return mean, Vt[:k], s**2 / (len(X) - 1)


def standardize(X):
    mu = X.mean(axis=0)
    sigma = X.std(axis=0)
    sigma[sigma == 0] = 1
    return (X - mu) / sigma


count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
size = 32 if count > 100 else 12
faces = make_faces(count, size)
print("data", faces.shape, "norm %.4f" % np.linalg.norm(faces))

mean, components, variances = pca(faces, 10)
explained = np.cumsum(variances) / variances.sum()
for k, share in enumerate(explained[:8], 1):
    print(f"{k} components explain {100 * share:.2f} %")

for k in (1, 2, 4, 8):
    scores = (faces - mean) @ components[:k].T
    back = scores @ components[:k] + mean
    error = np.sqrt(np.mean((faces - back) ** 2, axis=1))
    print("k=%d rmse %.5f, worst face %d" % (k, error.mean(), error.argmax()))

Z = standardize(faces)
corr = Z.T @ Z / len(Z)
upper = corr[np.triu_indices(len(corr), 1)]
print(
    "correlation: mean %.4f, 5%% %.4f, 95%% %.4f" % (upper.mean(), *np.percentile(upper, [5, 95]))
)

# power iteration, compared with the SVD
v = np.ones(faces.shape[1])
C = np.cov(faces, rowvar=False)
for i in range(200):
    w = C @ v
    w /= np.linalg.norm(w)
    if np.linalg.norm(w - v) < 1e-9:
        break
    v = w
print("power iteration: |cos| = %.6f, eigenvalue %.6f" % (abs(v @ components[0]), v @ C @ v))
