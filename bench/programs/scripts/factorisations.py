"""LU, Cholesky, QR and eigenvalues, written out and checked against numpy.linalg."""

import sys

import numpy as np


def lu(A):
    """Doolittle with partial pivoting."""
    n = len(A)
    U = A.astype(float).copy()
    L = np.eye(n)
    P = np.eye(n)
    for k in range(n - 1):
        p = k + np.argmax(np.abs(U[k:, k]))
        if p != k:
            U[[k, p], k:] = U[[p, k], k:]
            L[[k, p], :k] = L[[p, k], :k]
            P[[k, p]] = P[[p, k]]
        for i in range(k + 1, n):
            L[i, k] = U[i, k] / U[k, k]
            U[i, k:] = U[i, k:] - L[i, k] * U[k, k:]
    return P, L, U


def cholesky(A):
    n = len(A)
    L = np.zeros_like(A)
    for j in range(n):
        L[j, j] = np.sqrt(A[j, j] - np.sum(L[j, :j] ** 2))
        for i in range(j + 1, n):
            L[i, j] = (A[i, j] - np.sum(L[i, :j] * L[j, :j])) / L[j, j]
    return L


def householder_qr(A):
    m, n = A.shape
    R = A.copy()
    Q = np.eye(m)
    for k in range(n):
        x = R[k:, k]
        v = x.copy()
        v[0] += np.copysign(np.linalg.norm(x), x[0])
        v /= np.linalg.norm(v)
        R[k:, k:] -= 2 * np.outer(v, v @ R[k:, k:])
        Q[:, k:] -= 2 * np.outer(Q[:, k:] @ v, v)
    return Q[:, :n], R[:n]


def forward(L, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


def backward(U, b):
    x = np.zeros_like(b)
    for i in reversed(range(len(b))):
        x[i] = (b[i] - U[i, i + 1 :] @ x[i + 1 :]) / U[i, i]
    return x


def jacobi_eigenvalues(A, sweeps=8):
    A = A.copy()
    n = len(A)
    for _ in range(sweeps):
        for p in range(n - 1):
            for q in range(p + 1, n):
                if abs(A[p, q]) < 1e-14:
                    continue
                theta = 0.5 * np.arctan2(2 * A[p, q], A[q, q] - A[p, p])
                c, s = np.cos(theta), np.sin(theta)
                rp, rq = A[p].copy(), A[q].copy()
                A[p], A[q] = c * rp - s * rq, s * rp + c * rq
                cp, cq = A[:, p].copy(), A[:, q].copy()
                A[:, p], A[:, q] = c * cp - s * cq, s * cp + c * cq
    return np.sort(np.diag(A))


def error(a, b):
    return "%.1e" % max(1e-12, np.max(np.abs(a - b)))


n = int(sys.argv[1]) if len(sys.argv) > 1 else 240
rng = np.random.default_rng(77)
A = rng.normal(size=(n, n))
S = A @ A.T + n * np.eye(n)
b = rng.normal(size=n)

P, L, U = lu(A)
print("lu       ", error(P.T @ L @ U, A))
print("solve    ", error(backward(U, forward(L, P @ b)), np.linalg.solve(A, b)) < "1")
print("det      ", bool(np.isclose(np.prod(np.diag(U)) * np.linalg.det(P), np.linalg.det(A))))
print("cholesky ", error(cholesky(S), np.linalg.cholesky(S)))
Q, R = householder_qr(A)
print("qr       ", error(Q @ R, A), error(Q.T @ Q, np.eye(n)))
small = S[: n // 8, : n // 8]
print("jacobi   ", bool(np.allclose(jacobi_eigenvalues(small), np.linalg.eigvalsh(small))))
print("trace    ", round(float(np.trace(S)), 4))
