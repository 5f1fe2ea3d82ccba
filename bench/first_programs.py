"""Programs whose first calls `bench.first_call` measures: networks as people publish them.

Each is a source, so that it can be compiled anew for each repetition, with a function `drive` that
makes one step and is the one to optimise. Lines of a made-up length come from `bench.first_call`.
"""

from __future__ import annotations

__all__ = ["ADAM", "LSTM", "many_locals", "named_tuple"]

LSTM = """
import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


class LSTM:
    def __init__(self, n_in, n_hidden, n_out, rng):
        n_z = n_in + n_hidden
        self.n_hidden = n_hidden
        self.params = {}
        for gate in "fioc":
            self.params["W" + gate] = rng.standard_normal((n_hidden, n_z)) * 0.1
            self.params["b" + gate] = np.zeros((n_hidden, 1))
        self.params["Wy"] = rng.standard_normal((n_out, n_hidden)) * 0.1
        self.params["by"] = np.zeros((n_out, 1))

    def forward_step(self, x, h_prev, c_prev):
        p = self.params
        z = np.vstack((h_prev, x))
        f = sigmoid(np.dot(p["Wf"], z) + p["bf"])
        i = sigmoid(np.dot(p["Wi"], z) + p["bi"])
        c_bar = np.tanh(np.dot(p["Wc"], z) + p["bc"])
        c = f * c_prev + i * c_bar
        o = sigmoid(np.dot(p["Wo"], z) + p["bo"])
        h = o * np.tanh(c)
        v = np.dot(p["Wy"], h) + p["by"]
        e = np.exp(v - np.max(v))
        y = e / np.sum(e)
        return y, h, c, (z, f, i, c_bar, c_prev, c, o, h)

    def backward_step(self, target, y, dh_next, dc_next, cache, grads):
        z, f, i, c_bar, c_prev, c, o, h = cache
        p = self.params
        dv = np.copy(y)
        dv[target] -= 1.0
        grads["Wy"] += np.dot(dv, h.T)
        grads["by"] += dv
        dh = np.dot(p["Wy"].T, dv) + dh_next
        do = dh * np.tanh(c) * o * (1.0 - o)
        dc = dc_next + dh * o * (1.0 - np.tanh(c) ** 2)
        dc_bar = dc * i * (1.0 - c_bar ** 2)
        di = dc * c_bar * i * (1.0 - i)
        df = dc * c_prev * f * (1.0 - f)
        dz = np.zeros_like(z)
        for gate, d in (("f", df), ("i", di), ("c", dc_bar), ("o", do)):
            grads["W" + gate] += np.dot(d, z.T)
            grads["b" + gate] += d
            dz += np.dot(p["W" + gate].T, d)
        return dz[: self.n_hidden, :], f * dc

    def train_step(self, inputs, targets, lr):
        h = np.zeros((self.n_hidden, 1))
        c = np.zeros((self.n_hidden, 1))
        ys, caches, loss = [], [], 0.0
        for x, target in zip(inputs, targets):
            y, h, c, cache = self.forward_step(x, h, c)
            loss -= np.log(y[target, 0])
            ys.append(y)
            caches.append(cache)
        grads = {name: np.zeros_like(value) for name, value in self.params.items()}
        dh, dc = np.zeros_like(h), np.zeros_like(c)
        for t in reversed(range(len(targets))):
            dh, dc = self.backward_step(targets[t], ys[t], dh, dc, caches[t], grads)
        for name, grad in grads.items():
            np.clip(grad, -5.0, 5.0, out=grad)
            self.params[name] -= lr * grad
        return loss


def make():
    rng = np.random.default_rng(3)
    inputs = [np.eye(8)[:, k : k + 1] for k in (0, 3, 5, 1, 7, 2)]
    return LSTM(8, 16, 8, rng), inputs, [3, 5, 1, 7, 2, 0], 0.05


def drive(net, inputs, targets, lr):
    return net.train_step(inputs, targets, lr)
"""

ADAM = """
import numpy as np


class Dense:
    def __init__(self, n_in, n_out, rng):
        self.W = rng.standard_normal((n_in, n_out)) * np.sqrt(2.0 / n_in)
        self.b = np.zeros((1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = np.sum(grad, axis=0, keepdims=True)
        return grad @ self.W.T


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class Adam:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = {}, {}, 0

    def update(self, key, param, grad):
        if key not in self.m:
            self.m[key] = np.zeros_like(param)
            self.v[key] = np.zeros_like(param)
        self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * grad
        self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * grad ** 2
        m_hat = self.m[key] / (1 - self.beta1 ** self.t)
        v_hat = self.v[key] / (1 - self.beta2 ** self.t)
        param -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


class Network:
    def __init__(self, sizes, rng):
        self.layers = []
        for n_in, n_out in zip(sizes[:-1], sizes[1:]):
            self.layers += [Dense(n_in, n_out, rng), ReLU()]
        self.layers.pop()
        self.optimizer = Adam(0.01)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def step(self):
        self.optimizer.t += 1
        for index, layer in enumerate(self.layers):
            if isinstance(layer, Dense):
                self.optimizer.update((index, "W"), layer.W, layer.dW)
                self.optimizer.update((index, "b"), layer.b, layer.db)


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def cross_entropy(p, labels):
    return -np.mean(np.log(p[np.arange(len(labels)), labels] + 1e-12))


def make():
    rng = np.random.default_rng(5)
    return Network((10, 16, 16, 4), rng), rng.random((32, 10)), rng.integers(0, 4, 32)


def drive(net, x, labels):
    p = softmax(net.forward(x))
    loss = cross_entropy(p, labels)
    grad = p.copy()
    grad[np.arange(len(labels)), labels] -= 1.0
    net.backward(grad / len(labels))
    net.step()
    return loss
"""


def named_tuple(fields: int) -> str:
    """A function of so many arguments, like the `__new__` of a named tuple."""
    names = ", ".join(f"field_{number}" for number in range(fields))
    return f"""
def make():
    return tuple(range({fields}))


def drive({names}):
    return tuple.__new__(tuple, ({names},))
"""


def many_locals(lines: int) -> str:
    """A function with a local for each line, all of them needed to the end."""
    body = [f"    v{number} = v{number - 1} * 0.5 + x" for number in range(1, lines)]
    total = " + ".join(f"v{number}" for number in range(0, lines, 8))
    statements = "\n".join(body)
    return f"""
import numpy as np


def make():
    return (np.linspace(0.1, 1.0, 10),)


def drive(x):
    v0 = np.sin(x)
{statements}
    return {total}
"""
