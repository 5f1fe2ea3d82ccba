"""Train a two-layer network on two interleaved spirals, with gradients written by hand."""

import numpy as np


def spirals(rng, per_class):
    t = np.sqrt(rng.random(per_class)) * 2.0 * np.pi
    arm = np.stack([t * np.cos(t), t * np.sin(t)], axis=1) / (2.0 * np.pi)
    x = np.concatenate([arm, -arm]) + 0.02 * rng.normal(size=(2 * per_class, 2))
    y = np.concatenate([np.zeros(per_class), np.ones(per_class)])
    return x, y[:, np.newaxis]


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class Network:
    def __init__(self, rng, inputs, hidden):
        self.w1 = rng.normal(size=(inputs, hidden)) * 2.0
        self.b1 = rng.normal(size=hidden)
        self.w2 = rng.normal(size=(hidden, 1)) / np.sqrt(hidden)
        self.b2 = np.zeros(1)

    def forward(self, x):
        hidden = np.tanh(x @ self.w1 + self.b1)
        return hidden, sigmoid(hidden @ self.w2 + self.b2)

    def gradients(self, x, y):
        """Loss and the gradient of each parameter, for the mean cross entropy."""
        hidden, p = self.forward(x)
        loss = -np.mean(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))
        d_out = (p - y) / len(x)
        d_w2 = hidden.T @ d_out
        d_b2 = d_out.sum(axis=0)
        d_hidden = (d_out @ self.w2.T) * (1.0 - hidden**2)
        d_w1 = x.T @ d_hidden
        d_b1 = d_hidden.sum(axis=0)
        return loss, (d_w1, d_b1, d_w2, d_b2)

    def parameters(self):
        return (self.w1, self.b1, self.w2, self.b2)

    def accuracy(self, x, y):
        _, p = self.forward(x)
        return np.mean((p > 0.5) == (y > 0.5))


def train(network, x, y, epochs, rate, momentum=0.9):
    velocity = [np.zeros_like(p) for p in network.parameters()]
    for epoch in range(epochs):
        loss, gradients = network.gradients(x, y)
        for p, v, g in zip(network.parameters(), velocity, gradients):
            v *= momentum
            v -= rate * g
            p += v
        if epoch % 100 == 0:
            print(f"epoch {epoch:4d}: loss {loss:.6f}, accuracy {network.accuracy(x, y):.4f}")


def main():
    rng = np.random.default_rng(5)
    x, y = spirals(rng, 200)
    network = Network(rng, 2, 24)
    train(network, x, y, 601, 0.8)
    print(f"final accuracy {network.accuracy(x, y):.4f}")
    print(f"norm of the first layer {np.linalg.norm(network.w1):.6f}")


if __name__ == "__main__":
    main()
