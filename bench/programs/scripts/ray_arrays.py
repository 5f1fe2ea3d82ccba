import sys
import numpy as np

# numpy ray tracer: all rays at once, spheres in a loop

w = int(sys.argv[1]) if len(sys.argv) > 1 else 480
h = w * 3 // 4


def normalize(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


class Sphere:
    def __init__(self, center, radius, color, reflection=0.3):
        self.center = np.array(center, dtype=float)
        self.radius = radius
        self.color = np.array(color, dtype=float)
        self.reflection = reflection

    def intersect(self, O, D):
        OC = O - self.center
        b = 2 * np.sum(D * OC, axis=1)
        c = np.sum(OC**2, axis=1) - self.radius**2
        disc = b**2 - 4 * c
        sq = np.sqrt(np.maximum(0, disc))
        near = (-b - sq) / 2
        far = (-b + sq) / 2
        t = np.where((near > 0) & (near < far), near, far)
        return np.where((disc > 0) & (t > 1e-6), t, 1e39)


class Checkered(Sphere):
    def color_at(self, M):
        checker = ((M[:, 0] * 2).astype(int) % 2) == ((M[:, 2] * 2).astype(int) % 2)
        return checker[:, None] * self.color


L = np.array([5.0, 5.0, -10.0])
E = np.array([0.0, 0.35, -1.0])
scene = [
    Sphere((0.75, 0.1, 1.0), 0.6, (0, 0, 1)),
    Sphere((-0.75, 0.1, 2.25), 0.6, (0.5, 0.223, 0.5)),
    Sphere((-2.75, 0.1, 3.5), 0.6, (1, 0.572, 0.184)),
    Checkered((0, -99999.5, 0), 99999.0, (0.75, 0.75, 0.75), 0.25),
]


def raytrace(O, D, bounce=0):
    distances = [s.intersect(O, D) for s in scene]
    nearest = np.minimum.reduce(distances)
    color = np.zeros_like(O)
    for s, d in zip(scene, distances):
        hit = (nearest != 1e39) & (d == nearest)
        if np.any(hit):
            color[hit] += shade(s, O[hit], D[hit], d[hit], bounce)
    return color


def shade(s, O, D, d, bounce):
    M = O + D * d[:, None]
    N = (M - s.center) * (1.0 / s.radius)
    toL = normalize(L - M)
    toO = normalize(E - M)
    nudged = M + N * 0.0001
    light = [other.intersect(nudged, toL) for other in scene]
    seelight = light[scene.index(s)] == np.minimum.reduce(light)
    color = np.full_like(M, 0.05)
    lv = np.maximum(np.sum(N * toL, axis=1), 0)
    diffuse = s.color_at(M) if isinstance(s, Checkered) else s.color
    color += diffuse * (lv * seelight)[:, None]
    if bounce < 2:
        rayD = normalize(D - N * 2 * np.sum(D * N, axis=1)[:, None])
        color += raytrace(nudged, rayD, bounce + 1) * s.reflection
    phong = np.sum(N * normalize(toL + toO), axis=1)
    color += (np.clip(phong, 0, 1) ** 50 * seelight)[:, None]
    return color


r = w / h
x, y = np.meshgrid(np.linspace(-1, 1, w), np.linspace(1 / r + 0.25, -1 / r + 0.25, h))
Q = np.stack([x.ravel(), y.ravel(), np.zeros(w * h)], axis=1)
image = np.clip(raytrace(np.broadcast_to(E, Q.shape), normalize(Q - E)), 0, 1)
image = image.reshape(h, w, 3)

gray = image @ [0.299, 0.587, 0.114]
for row in gray[:: max(1, h // 24), :: max(1, w // 64)]:
    print("".join(" .:-=+*#%@"[int(g * 9.99)] for g in row))
print("mean", image.mean(axis=(0, 1)))
print("histogram", np.histogram(gray, bins=10, range=(0, 1))[0])
