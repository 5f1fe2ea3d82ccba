"""Long functions of small arrays, where the first call is what costs: an LSTM step, an Adam net."""

import numpy as np

from bench.workload import Workload, no_harm


def random(*shape, seed=91):
    """Numbers in [-0.5, 0.5)."""
    return np.random.default_rng(seed).random(shape) - 0.5


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm_step(x, h, c, wf, wi, wo, wg, bf, bi, bo, bg):
    """Forward and backward through one cell, written out gate by gate."""
    joined = np.concatenate([x, h], axis=1)
    forget = sigmoid(joined @ wf + bf)
    enter = sigmoid(joined @ wi + bi)
    leave = sigmoid(joined @ wo + bo)
    guess = np.tanh(joined @ wg + bg)
    state = forget * c + enter * guess
    squashed = np.tanh(state)
    output = leave * squashed
    grad = output - 0.1
    d_leave = grad * squashed * leave * (1.0 - leave)
    d_state = grad * leave * (1.0 - squashed**2)
    d_forget = d_state * c * forget * (1.0 - forget)
    d_enter = d_state * guess * enter * (1.0 - enter)
    d_guess = d_state * enter * (1.0 - guess**2)
    d_wf, d_bf = joined.T @ d_forget, d_forget.sum(axis=0)
    d_wi, d_bi = joined.T @ d_enter, d_enter.sum(axis=0)
    d_wo, d_bo = joined.T @ d_leave, d_leave.sum(axis=0)
    d_wg, d_bg = joined.T @ d_guess, d_guess.sum(axis=0)
    d_joined = d_forget @ wf.T + d_enter @ wi.T + d_leave @ wo.T + d_guess @ wg.T
    return output, state, d_joined, d_wf, d_wi, d_wo, d_wg, d_bf, d_bi, d_bo, d_bg


class Dense:
    def __init__(self, fan_in, fan_out, seed):
        self.weight = random(fan_in, fan_out, seed=seed)
        self.bias = np.zeros(fan_out)

    def forward(self, x):
        self.x = x
        self.out = np.tanh(x @ self.weight + self.bias)
        return self.out

    def backward(self, grad):
        grad = grad * (1.0 - self.out**2)
        self.grads = [self.x.T @ grad, grad.sum(axis=0)]
        return grad @ self.weight.T


class Adam:
    def __init__(self, layers, rate=0.01, beta1=0.9, beta2=0.999):
        self.layers, self.rate, self.beta1, self.beta2 = layers, rate, beta1, beta2
        self.m = {}
        self.v = {}
        self.step_number = 0

    def step(self):
        self.step_number += 1
        for index, layer in enumerate(self.layers):
            for name, grad in zip(("weight", "bias"), layer.grads):
                key = (index, name)
                m = self.beta1 * self.m.get(key, 0.0) + (1.0 - self.beta1) * grad
                v = self.beta2 * self.v.get(key, 0.0) + (1.0 - self.beta2) * grad**2
                self.m[key], self.v[key] = m, v
                m_hat = m / (1.0 - self.beta1**self.step_number)
                v_hat = v / (1.0 - self.beta2**self.step_number)
                value = getattr(layer, name)
                setattr(layer, name, value - self.rate * m_hat / (np.sqrt(v_hat) + 1e-8))


def adam_net(x, y, steps=20):
    layers = [Dense(x.shape[1], 16, 92), Dense(16, 16, 93), Dense(16, y.shape[1], 94)]
    optimizer = Adam(layers)
    loss = 0.0
    for _ in range(steps):
        out = x
        for layer in layers:
            out = layer.forward(out)
        grad = 2.0 * (out - y) / len(x)
        loss = np.mean((out - y) ** 2)
        for layer in reversed(layers):
            grad = layer.backward(grad)
        optimizer.step()
    return loss, layers[-1].weight


def cell(size):
    shapes = [(size, 16), (size, 32), (size, 32)] + [(48, 32)] * 4 + [(32,)] * 4
    return tuple(random(*shape, seed=91 + index) for index, shape in enumerate(shapes))


WORKLOADS = (
    no_harm(Workload("lstm_step", lstm_step, cell, (8, 64), small=3)),
    no_harm(
        Workload(
            "adam_net",
            adam_net,
            lambda size: (random(size, 6), random(size, 2, seed=95)),
            (32, 256),
            small=4,
        )
    ),
)
