"""A small model object whose method takes one of two paths, depending on the data it is given."""

import numpy as np


class CentredModel:
    def __init__(self, weights, bias=0.5):
        self.weights = weights
        self.bias = bias
        self.positive_calls = 0

    def __call__(self, x):
        scores = x @ self.weights + self.bias
        if np.mean(x) > 0:
            self.positive_calls += 1
            return np.maximum(scores, 0.0)
        return np.exp(scores) / (1.0 + np.exp(scores))

    def fit_bias(self, batches):
        """Shift the bias so that the scores of all batches have mean zero."""
        total = 0.0
        for batch in batches:
            total += np.mean(batch @ self.weights)
        self.bias = -total / len(batches)
        return self


def main():
    rng = np.random.default_rng(19)
    model = CentredModel(rng.normal(size=8))
    batches = [rng.normal(loc=0.2 * (-1) ** i, size=(64, 8)) for i in range(40)]
    first = [model(batch) for batch in batches]
    print(f"{model.positive_calls} batches with a positive mean")
    print(f"sum of the outputs {sum(np.sum(out) for out in first):.8f}")
    model.fit_bias(batches)
    print(f"bias {model.bias:.8f}")
    for i, batch in enumerate(batches[:6]):
        out = model(batch)
        print(f"batch {i}: shape {out.shape}, mean {out.mean():.8f}, largest {out.max():.8f}")
    print(f"{model.positive_calls} batches with a positive mean")


if __name__ == "__main__":
    main()
