"""A neural network from scratch: layers, losses, Adam; trained on XOR and on two spirals."""

import sys

import numpy as np


class Layer:
    def parameters(self):
        return []


class Dense(Layer):
    def __init__(self, fan_in, fan_out, rng):
        self.W = rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out))
        self.b = np.zeros(fan_out)
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T

    def parameters(self):
        return [("W", self), ("b", self)]


class ReLU(Layer):
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class Tanh(Layer):
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, grad):
        return grad * (1 - self.out**2)


class SoftmaxCrossEntropy:
    def forward(self, logits, y):
        shifted = logits - logits.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        self.p = exps / exps.sum(axis=1, keepdims=True)
        self.y = y
        return -np.mean(np.log(self.p[np.arange(len(y)), y] + 1e-12))

    def backward(self):
        grad = self.p.copy()
        grad[np.arange(len(self.y)), self.y] -= 1
        return grad / len(self.y)


class Adam:
    def __init__(self, model, lr=0.01, betas=(0.9, 0.999), eps=1e-8):
        self.model, self.lr, self.betas, self.eps = model, lr, betas, eps
        self.state = {}
        self.t = 0

    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for name, layer in self.model.parameters():
            value, grad = getattr(layer, name), getattr(layer, "d" + name)
            key = (id(layer), name)
            m, v = self.state.get(key, (np.zeros_like(value), np.zeros_like(value)))
            m = b1 * m + (1 - b1) * grad
            v = b2 * v + (1 - b2) * grad**2
            self.state[key] = m, v
            m_hat = m / (1 - b1**self.t)
            v_hat = v / (1 - b2**self.t)
            setattr(layer, name, value - self.lr * m_hat / (np.sqrt(v_hat) + self.eps))


class Network:
    def __init__(self, *layers):
        self.layers = layers
        self.loss = SoftmaxCrossEntropy()

    def __call__(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self):
        grad = self.loss.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]

    def accuracy(self, x, y):
        return float((self(x).argmax(axis=1) == y).mean())


def spirals(n, rng, turns=1.75, noise=0.1):
    t = np.sqrt(rng.random(n)) * turns * 2 * np.pi
    arm = rng.integers(0, 2, n)
    phase = t + arm * np.pi
    xy = np.stack([t * np.cos(phase), t * np.sin(phase)], axis=1) / (turns * 2 * np.pi)
    return xy + noise * rng.normal(size=xy.shape) * 0.3, arm


def train(net, x, y, epochs, batch, rng, lr=0.01):
    optimizer = Adam(net, lr)
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        total = 0.0
        for start in range(0, len(x), batch):
            index = order[start : start + batch]
            total += net.loss.forward(net(x[index]), y[index]) * len(index)
            net.backward()
            optimizer.step()
        if epoch % max(1, epochs // 5) == 0:
            print(f"  epoch {epoch:4d} loss {total / len(x):.5f} accuracy {net.accuracy(x, y):.4f}")


def main():
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    rng = np.random.default_rng(0)
    print("XOR")
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    y = np.array([0, 1, 1, 0])
    net = Network(Dense(2, 8, rng), Tanh(), Dense(8, 2, rng))
    train(net, x, y, 4 * epochs, 4, rng, lr=0.05)
    print("  predicted", net(x).argmax(axis=1))
    print("two spirals")
    x, y = spirals(1000, rng)
    net = Network(Dense(2, 64, rng), ReLU(), Dense(64, 64, rng), ReLU(), Dense(64, 2, rng))
    train(net, x, y, epochs, 50, rng)
    print("  final accuracy", net.accuracy(x, y))


if __name__ == "__main__":
    main()
