"""Reductions along an axis, and small models: tables of rows at fixed sizes."""

import numpy as np

from bench.workload import Workload


def random(*shape, seed=21):
    """Numbers in [0.5, 1.5)."""
    return np.random.default_rng(seed).random(shape) + 0.5


def softmax(x):
    shifted = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return shifted / np.sum(shifted, axis=-1, keepdims=True)


def layer_norm(x, gain, bias, epsilon=1e-5):
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return gain * (x - mean) / np.sqrt(variance + epsilon) + bias


def gelu(x):
    """Hendrycks and Gimpel's approximation with tanh, arXiv 1606.08415."""
    return 0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


def gelu_network(x, first, first_bias, second, second_bias):
    hidden = gelu(x @ first + first_bias)
    return hidden @ second + second_bias


def row_distances(points, centre):
    difference = points - centre
    return np.sqrt(np.sum(difference * difference, axis=1))


def logistic_step(features, labels, weights, rate=0.1):
    predicted = 1.0 / (1.0 + np.exp(-(features @ weights)))
    gradient = features.T @ (predicted - labels) / len(labels)
    return weights - rate * gradient


def histogram_equalisation(image, levels=256):
    histogram, edges = np.histogram(image.ravel(), bins=levels, range=(0.0, 256.0))
    cumulative = histogram.cumsum()
    scaled = 255.0 * cumulative / cumulative[-1]
    return np.interp(image.ravel(), edges[:-1], scaled).reshape(image.shape)


def mandelbrot(real, imaginary, steps=30):
    c = real[None, :] + 1j * imaginary[:, None]
    z = np.zeros_like(c)
    counts = np.zeros(c.shape, dtype=np.int64)
    for step in range(steps):
        inside = np.abs(z) < 2.0
        counts[inside] = step
        z[inside] = z[inside] ** 2 + c[inside]
    return counts


def covariance(data):
    centred = data - data.mean(axis=0)
    return centred.T @ centred / (data.shape[0] - 1.0)


def correlation_columns(data):
    scaled = (data - np.mean(data, axis=0)) / np.std(data, axis=0)
    return scaled.T @ scaled / data.shape[0]


def kmeans_step(points, centres):
    squared = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    nearest = squared.argmin(axis=1)
    return nearest, np.sqrt(squared.min(axis=1)).mean()


def batch_norm_relu(x, epsilon=1e-5):
    """Over the first three axes of (batch, height, width, channels)."""
    mean = np.mean(x, axis=(0, 1, 2), keepdims=True)
    deviation = np.sqrt(np.var(x, axis=(0, 1, 2), keepdims=True) + epsilon)
    return np.maximum((x - mean) / deviation, 0.0)


def table(columns, *, vectors=0):
    """A maker of `size` rows of `columns` numbers, and vectors of one row's length."""
    return lambda size: (
        random(size, columns),
        *(random(columns, seed=22 + index) for index in range(vectors)),
    )


def network(size):
    return (
        random(size, 512) - 1.0,
        random(512, 1024, seed=22) / 32.0,
        random(1024, seed=23) - 1.0,
        random(1024, 256, seed=24) / 32.0,
        random(256, seed=25) - 1.0,
    )


def labelled(size):
    features = random(size, 50) - 1.0
    labels = (features.sum(axis=1) > 0.0).astype(np.float64)
    return features, labels, random(50, seed=22) - 1.0


def picture(size):
    return (np.floor(127.0 * random(size, size) ** 2) % 256.0,)


def plane(size):
    return np.linspace(-2.0, 0.5, size), np.linspace(-1.25, 1.25, size)


def clusters(size):
    return random(size, 8), random(12, 8, seed=22)


def images(size):
    return (random(size, 32, 32, 16),)


WORKLOADS = (
    Workload("softmax", softmax, table(1000), (2000,), small=20, goals={2000: 4.0}),
    Workload(
        "layer_norm", layer_norm, table(1024, vectors=2), (2000,), small=20, goals={2000: 3.2}
    ),
    Workload("gelu_network", gelu_network, network, (512,), small=8, goals={512: 1.1}),
    Workload(
        "row_distances",
        row_distances,
        table(128, vectors=1),
        (20_000,),
        small=100,
        goals={20_000: 1.5},
    ),
    Workload("logistic_step", logistic_step, labelled, (200_000,), small=500, goals={200_000: 1.2}),
    Workload("histogram_equalisation", histogram_equalisation, picture, (1024,), small=48),
    Workload("mandelbrot", mandelbrot, plane, (300,), small=24),
    Workload("covariance", covariance, table(200), (5000,), small=50),
    Workload("correlation_columns", correlation_columns, table(200), (5000,), small=50),
    Workload("kmeans_step", kmeans_step, clusters, (20_000,), small=200),
    Workload("batch_norm_relu", batch_norm_relu, images, (32,), small=2),
)
