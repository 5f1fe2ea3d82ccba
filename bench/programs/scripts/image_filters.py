# image processing without PIL: blur, Sobel, median, histogram equalisation, Otsu, labels
import sys

import numpy as np


def make_image(n):
    y, x = np.mgrid[0:n, 0:n]
    img = 80 + 40 * np.sin(x / 9.0) * np.cos(y / 14.0)
    for cx, cy, r in ((0.3, 0.3, 0.12), (0.7, 0.4, 0.2), (0.45, 0.8, 0.1)):
        img[(x - cx * n) ** 2 + (y - cy * n) ** 2 < (r * n) ** 2] += 90
    noise = np.random.default_rng(5).normal(0, 12, (n, n))
    return np.clip(img + noise, 0, 255).astype(np.uint8)


def convolve(img, kernel):
    kh, kw = kernel.shape
    padded = np.pad(img.astype(float), ((kh // 2,), (kw // 2,)), mode="edge")
    out = np.zeros(img.shape)
    for i in range(kh):
        for j in range(kw):
            out += kernel[i, j] * padded[i : i + img.shape[0], j : j + img.shape[1]]
    return out


def gaussian(sigma):
    r = int(3 * sigma)
    x = np.arange(-r, r + 1)
    g = np.exp(-(x**2) / (2 * sigma**2))
    k = np.outer(g, g)
    return k / k.sum()


def sobel(img):
    kx = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    gx, gy = convolve(img, kx), convolve(img, kx.T)
    return np.hypot(gx, gy), np.arctan2(gy, gx)


def median3(img):
    p = np.pad(img, 1, mode="edge")
    h, w = img.shape
    stack = np.stack([p[i : i + h, j : j + w] for i in range(3) for j in range(3)])
    return np.median(stack, axis=0)


def equalize(img):
    hist = np.bincount(img.ravel(), minlength=256)
    cdf = hist.cumsum()
    cdf = (cdf - cdf.min()) * 255 / (cdf.max() - cdf.min())
    return cdf[img].astype(np.uint8)


def otsu(img):
    hist = np.bincount(img.ravel(), minlength=256) / img.size
    best, threshold = -1.0, 0
    for t in range(1, 256):
        w0, w1 = hist[:t].sum(), hist[t:].sum()
        if w0 == 0 or w1 == 0:
            continue
        m0 = (np.arange(t) * hist[:t]).sum() / w0
        m1 = (np.arange(t, 256) * hist[t:]).sum() / w1
        between = w0 * w1 * (m0 - m1) ** 2
        if between > best:
            best, threshold = between, t
    return threshold


def label(mask):
    labels = np.zeros(mask.shape, dtype=int)
    current = 0
    for i, j in np.argwhere(mask):
        if labels[i, j]:
            continue
        current += 1
        stack = [(i, j)]
        while stack:
            a, b = stack.pop()
            if (
                0 <= a < mask.shape[0]
                and 0 <= b < mask.shape[1]
                and mask[a, b]
                and not labels[a, b]
            ):
                labels[a, b] = current
                stack += [(a + 1, b), (a - 1, b), (a, b + 1), (a, b - 1)]
    return labels, current


n = int(sys.argv[1]) if len(sys.argv) > 1 else 400
img = make_image(n)
print("image", img.shape, img.mean(), img.std())
blurred = convolve(img, gaussian(2.0))
print("blurred", blurred.mean(), blurred.std())
magnitude, angle = sobel(blurred)
print("edges", magnitude.max(), np.histogram(angle, bins=8)[0])
print("median", median3(img).std())
print("equalised", equalize(img).mean(), equalize(img).std())
t = otsu(blurred.astype(np.uint8))
mask = blurred > t
small = mask[:: max(1, n // 100), :: max(1, n // 100)]
labels, count = label(small)
sizes = np.bincount(labels.ravel())[1:]
print("threshold", t, "objects", count, "largest", sorted(int(s) for s in sizes)[-3:])
unsharp = np.clip(img + 1.5 * (img - blurred), 0, 255)
print("unsharp", unsharp.std())
