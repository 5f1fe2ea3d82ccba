"""A cart that is held at a set point by a PID controller through a Kalman filter."""

import sys

import numpy as np


class PID:
    def __init__(self, kp, ki, kd, limit):
        self.kp, self.ki, self.kd, self.limit = kp, ki, kd, limit
        self.integral = 0.0
        self.previous = None

    def update(self, error, dt):
        self.integral += error * dt
        derivative = 0.0 if self.previous is None else (error - self.previous) / dt
        self.previous = error
        output = self.kp * error + self.ki * self.integral + self.kd * derivative
        if output > self.limit:
            self.integral -= error * dt  # anti wind-up
            return self.limit
        if output < -self.limit:
            self.integral -= error * dt
            return -self.limit
        return output


class KalmanFilter:
    def __init__(self, F, B, H, Q, R):
        self.F, self.B, self.H, self.Q, self.R = F, B, H, Q, R
        self.x = np.zeros((F.shape[0], 1))
        self.P = np.eye(F.shape[0])

    def predict(self, u):
        self.x = self.F @ self.x + self.B * u
        self.P = self.F @ self.P @ self.F.T + self.Q

    def update(self, z):
        y = z - self.H @ self.x
        S = self.H @ self.P @ self.H.T + self.R
        K = self.P @ self.H.T @ np.linalg.inv(S)
        self.x = self.x + K @ y
        self.P = (np.eye(len(self.x)) - K @ self.H) @ self.P
        return y


class Cart:
    def __init__(self, mass=1.0, friction=0.2):
        self.mass, self.friction = mass, friction
        self.position = self.velocity = 0.0

    def push(self, force, dt):
        acceleration = (force - self.friction * self.velocity) / self.mass
        self.velocity += acceleration * dt
        self.position += self.velocity * dt


def simulate(steps, dt=0.01, seed=8):
    rng = np.random.default_rng(seed)
    cart = Cart()
    pid = PID(12.0, 2.0, 7.0, 25.0)
    F = np.array([[1, dt], [0, 1 - 0.2 * dt]])
    kf = KalmanFilter(
        F, np.array([[0], [dt]]), np.array([[1.0, 0]]), 1e-4 * np.eye(2), np.array([[0.05]])
    )
    log = np.zeros((steps, 4))
    force = 0.0
    for k in range(steps):
        target = 1.0 if (k // 500) % 2 == 0 else -0.5
        cart.push(force + rng.normal(0, 0.05), dt)
        kf.predict(force)
        kf.update(np.array([[cart.position + rng.normal(0, 0.2)]]))
        force = pid.update(target - kf.x[0, 0], dt)
        log[k] = target, cart.position, kf.x[0, 0], force
    return log


steps = int(sys.argv[1]) if len(sys.argv) > 1 else 30000
log = simulate(steps)
error = log[:, 0] - log[:, 1]
print("rms tracking error  %.6f" % np.sqrt(np.mean(error**2)))
print("rms estimate error  %.6f" % np.sqrt(np.mean((log[:, 1] - log[:, 2]) ** 2)))
print("largest force       %.6f" % np.abs(log[:, 3]).max())
print("saturated           %d of %d steps" % ((np.abs(log[:, 3]) >= 25).sum(), steps))
overshoot = log[:500, 1].max() - 1.0
print("first overshoot     %.4f" % overshoot)
