"""NumPy's functions by family, each in a small chain, against eager."""

import numpy as np
import pytest

from tests.differential import check, check_calls, laid_out, numbers

X = numbers((4, 5))
V = np.array([3.0, 1.0, 2.0, 5.0, 4.0, 2.0])
W = np.array([1, 3, 0, 2, 3, 1])
SQUARE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])

EXPRESSIONS = {
    "reductions": """
        x.sum() | x.sum(0) | x.sum(axis=1, keepdims=True) | np.sum(x, axis=(0, 1)) | x.prod(1) | x.mean(0)
        x.std() | np.var(x, axis=0) | x.min() | x.max(axis=1) | np.ptp(x) | x.any() | np.all(x > -9, axis=0)
        np.amax(x) | np.median(x) | np.percentile(x, 30) | np.quantile(x, [0.2, 0.7], axis=0) | np.average(x)
        np.average(v, weights=v) | np.count_nonzero(x > 0) | np.nansum(x) | np.nanmean(x, axis=0)
        np.nanmax(x) | np.nanstd(x) | np.nanprod(v) | np.nanmedian(x) | np.nancumsum(v) | x.trace()
        np.trapezoid(v) | np.sum(x, where=x > 0) | np.max(x, initial=0) | np.mean(x, dtype=np.float32)
        np.argmax(x) | x.argmin(axis=0) | np.nanargmax(v) | np.cumsum(x) | x.cumsum(1) | np.cumprod(v)
        np.diff(v) | np.diff(x, n=2, axis=1) | np.ediff1d(v) | np.gradient(v) | np.logical_and.reduce(x > 0)
    """,
    "ufunc methods": """
        np.add.reduce(x) | np.add.reduce(x, axis=1, keepdims=True) | np.multiply.accumulate(v)
        np.add.reduceat(v, [0, 2, 4]) | np.subtract.outer(v, w) | np.maximum.reduce(x, initial=0, axis=0)
        np.minimum.accumulate(x, axis=1) | np.logical_or.reduce(x > 1, axis=None) | np.add(x, 1, where=x > 0, out=x * 0)
        np.add(x, 1, dtype=np.float32) | np.add(x, 1, casting="unsafe", dtype="i4") | np.frexp(v) | np.modf(v)
        np.divmod(v, 2) | np.add(v, w, order="F") | np.matmul(x, x.T) | np.hypot.reduce(v) | np.vecdot(x, x)
    """,
    "shapes": """
        x.reshape(5, 4) | x.reshape(-1) | np.reshape(x, (2, -1), order="F") | x.ravel() | x.flatten("F") | x.T
        x.transpose(1, 0) | np.swapaxes(x, 0, 1) | np.moveaxis(x, 0, -1) | np.expand_dims(x, (0, 3)) | x[None]
        np.squeeze(x[:1]) | np.broadcast_to(v, (2, 6)) | np.atleast_2d(v) | np.atleast_1d(3.0) | np.flip(x, 1)
        np.fliplr(x) | np.flipud(x) | np.rot90(x) | np.roll(x, 2) | np.roll(x, 1, axis=0) | np.tile(v, (2, 2))
        np.repeat(v, 2) | np.repeat(x, [1, 0, 2, 1], axis=0) | np.resize(v, (2, 5)) | np.pad(v, 2) | np.rollaxis(x, 1)
        np.pad(x, ((1, 0), (0, 2)), mode="reflect") | np.broadcast_arrays(v, 1.0) | np.delete(v, 2) | np.append(v, 9)
        np.insert(v, 1, 7.0) | np.trim_zeros(v - 3) | np.ravel(x, "K") | x.squeeze() | np.matrix_transpose(x)
    """,
    "joining": """
        np.concatenate([x, x]) | np.concatenate((x, x * 2), axis=1) | np.stack([v, v], axis=1) | np.vstack([v, v])
        np.hstack((x, x)) | np.dstack([v, v]) | np.column_stack([v, w]) | np.block([[x, x], [x, x]])
        np.split(v, 3) | np.array_split(v, 4) | np.hsplit(x[:, :4], 2) | np.vsplit(x, 2) | np.r_[v, 1, 2] | np.c_[v, w]
        np.concatenate([v, w]) | np.array([v, v * 2]) | np.asarray([v.sum(), 2]) | np.unstack(x)
    """,
    "creation": """
        np.zeros(3) + v[0] | np.ones((2, 3), dtype="f4") * 2 | np.full(4, v[1]) | np.zeros_like(x) + 1
        np.ones_like(v, dtype=int) | np.full_like(x, 3) | np.arange(5) * v[0] | np.arange(0, 1, 0.25) + 1
        np.linspace(0, 1, 7) * 2 | np.logspace(0, 2, 5) | np.geomspace(1, 8, 4) | np.eye(3) * 2 | np.identity(2)
        np.diag(v) | np.diag(x) | np.diagflat(v[:2]) | np.tri(3) | np.tril(x) | np.triu(x, 1) | np.vander(v[:3])
        np.meshgrid(v, w) | np.indices((2, 3)) | np.mgrid[0:3, 0:2] | np.ogrid[0:3, 0:2] | np.fromfunction(np.add, (2, 2))
        np.empty_like(x).shape | np.empty(3).dtype | np.array(v, dtype="c8") | np.array([1, 2.5]) | np.asfortranarray(x)
    """,
    "indexing": """
        x[1] | x[1, 2] | x[:, 1:3] | x[::-1, ::2] | x[..., 0] | x[w[:3]] | x[w[:3], w[:3]] | x[x > 0] | x[:, [0, 2]]
        x[[0, 1], 1:3] | v[w] | v[w > 1] | np.take(v, w) | x.take([0, 2], axis=1) | np.compress([1, 0, 1], v)
        np.choose(w % 2, [v, -v]) | np.select([v > 3, v > 1], [v, -v], default=0) | np.where(x > 0, x, -x)
        np.where(v > 2) | np.nonzero(x > 0) | np.argwhere(x > 1) | np.flatnonzero(v > 2) | np.extract(v > 2, v)
        np.take_along_axis(x, np.argsort(x, axis=1), axis=1) | np.diagonal(x) | x.diagonal(1) | np.ix_([0, 1], [2, 3])
        np.unravel_index(7, (3, 4)) | np.ravel_multi_index((1, 2), (3, 4)) | x.item(3) | x.flat[2] | x[np.ix_([0, 2], [1, 3])]
        np.tril_indices(3) | np.triu_indices(3, 1) | np.diag_indices(3) | np.clip(x, 0, 2) | x.clip(min=1) | v[None, :, None]
    """,
    "sorting": """
        np.sort(v) | np.sort(x, axis=0) | np.argsort(v, kind="stable") | v.argsort()[::-1] | np.lexsort((v, w))
        np.partition(v, 2)[2] | np.argpartition(v, 2)[2] | np.searchsorted(np.sort(v), [2.5, 9]) | np.unique(v)
        np.unique(w, return_counts=True) | np.unique(w, return_index=True, return_inverse=True) | np.sort_complex(v)
        np.union1d(v, w) | np.intersect1d(v, w) | np.setdiff1d(v, w) | np.setxor1d(v, w) | np.isin(v, w)
        np.unique_values(w) | np.digitize(v, [1, 3]) | np.bincount(w) | np.bincount(w, weights=v) | v.searchsorted(3.0)
        np.histogram(v, bins=3) | np.histogram(v, bins=[0, 2, 6], density=True) | np.histogram2d(v, w, bins=2)
        np.unique(x, axis=0) | np.argmax(v == 2) | np.array_equal(v, w) | np.allclose(v, v + 1e-12) | np.isclose(v, w)
    """,
    "linear algebra": """
        m @ m | m @ v[:3] | np.dot(m, m) | np.vdot(v, w) | np.inner(v, w) | np.outer(v, w) | np.tensordot(x, x, axes=([0], [0]))
        np.tensordot(m, m) | np.einsum("ij,jk->ik", m, m) | np.einsum("ii", m) | np.einsum("ij->j", x) | np.kron(v, w)
        np.einsum("ij,kj->ik", x, x, optimize=True) | np.cross(v[:3], w[:3]) | np.linalg.inv(m) | np.linalg.det(m) | np.linalg.norm(x)
        np.linalg.norm(x, axis=1) | np.linalg.norm(v, 1) | np.linalg.norm(m, "nuc") | np.linalg.solve(m, v[:3]) | np.linalg.qr(m)
        np.linalg.svd(x) | np.linalg.svd(x, compute_uv=False) | np.linalg.eigh(m) | np.linalg.eig(m) | np.linalg.eigvalsh(m)
        np.linalg.cholesky(m) | np.linalg.pinv(x) | np.linalg.lstsq(x, np.ones(4), rcond=None) | np.linalg.matrix_rank(x)
        np.linalg.matrix_power(m, 3) | np.linalg.cond(m) | np.linalg.slogdet(m) | np.linalg.multi_dot([m, m, m]) | np.trace(m)
        np.linalg.eigvals(m) | np.linalg.tensorinv(np.eye(4).reshape(2, 2, 2, 2)) | np.linalg.vector_norm(v) | np.linalg.outer(v, v)
    """,
    "transforms": """
        np.fft.fft(v) | np.fft.ifft(np.fft.fft(v)) | np.fft.rfft(v) | np.fft.irfft(np.fft.rfft(v)) | np.fft.fft2(x)
        np.fft.fftn(x, axes=(0,)) | np.fft.fftfreq(6) | np.fft.fftshift(v) | np.fft.ifftshift(v) | np.fft.fft(v, n=8, norm="ortho")
        np.convolve(v, w) | np.convolve(v, [1, 2], "same") | np.correlate(v, w, "full") | np.interp([1.5, 9], np.sort(v), v)
        np.polyfit(np.arange(6), v, 2) | np.polyval([1, 2, 3], v) | np.roots([1, -3, 2]) | np.corrcoef(x) | np.cov(x)
        np.polyadd([1, 2], [3]) | np.i0(v) | np.sinc(v) | np.unwrap(v * 3) | np.angle(v + 1j) | np.real_if_close(v + 0j)
        np.nan_to_num(v / 1) | np.around(x, 1) | np.round(x) | x.round(2) | np.fix(x) | np.heaviside(x, 0.5) | np.trunc(x)
        np.apply_along_axis(np.sum, 0, x) | np.apply_over_axes(np.sum, x, [0]) | np.hamming(5) | np.hanning(5) | np.kaiser(5, 2.0)
    """,
    "types": """
        x.astype("f4") | x.astype(int) | x.view("i8") | x.real | (x + 1j).imag | np.real(x) | np.imag(x + 2j) | np.conj(x + 1j)
        x.tolist() | x.tobytes() | v.item(0) | np.iscomplexobj(x) | np.isrealobj(x) | np.result_type(x, w) | np.can_cast("i4", "f4")
        np.promote_types("i4", "f4") | np.min_scalar_type(300) | np.issubdtype(x.dtype, np.floating) | np.shape(x) | np.ndim(v)
        np.size(x) | np.isscalar(v[0]) | np.iterable(v) | np.asarray(v, dtype="c16") | np.packbits(x > 0) | x.copy() | x.byteswap()
        np.shares_memory(x, x[1:]) | np.may_share_memory(x, v) | np.copy(x) | x.nbytes | x.strides | np.broadcast_shapes((2, 1), (3,))
        np.unpackbits(np.uint8([3, 9])) | np.left_shift(w, 2) | np.bitwise_count(w) | np.invert(w) | np.gcd(w, 6) | np.base_repr(9, 2)
        np.array_repr(v) | np.array2string(x) | str(x) | repr(v) | np.format_float_positional(v[0]) | np.float32(v[0]) | np.int64(w[1])
    """,
}
CASES = [
    pytest.param(part.strip(), id=part.strip())
    for text in EXPRESSIONS.values()
    for line in text.strip().splitlines()
    for part in line.split(" | ")
]


@pytest.mark.parametrize("expression", CASES)
def test_each_function_in_a_chain(expression):
    source = f"""
def program(x, v, w, m):
    x = x * 1.5
    r = {expression}
    y = v + 1
    return r, y, x
"""
    space = {"np": np}
    exec(source, space)
    check(space["program"], X, V, W, SQUARE, calls=3)


@pytest.mark.parametrize(
    "layout", ["F", "stepped", "reversed", "transposed", "unaligned", "read-only"]
)
@pytest.mark.parametrize("family", EXPRESSIONS)
def test_a_family_on_another_layout(family, layout):
    parts = [
        p.strip() for line in EXPRESSIONS[family].strip().splitlines() for p in line.split(" | ")
    ]
    body = "\n".join(f"    out.append(({part}))" for part in parts)
    space = {"np": np}
    exec(f"def program(x, v, w, m):\n    out = []\n{body}\n    return out\n", space)
    arguments = [laid_out(a, layout) for a in (X, V, W, SQUARE)]
    check(space["program"], *arguments, calls=2)


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "int32", "uint8", "bool", "complex128", "longdouble"]
)
@pytest.mark.parametrize("family", ["reductions", "shapes", "indexing", "sorting", "ufunc methods"])
def test_a_family_on_another_dtype(family, dtype):
    """Expressions that eager refuses for the dtype raise alike, each within its own handler."""
    parts = [
        p.strip() for line in EXPRESSIONS[family].strip().splitlines() for p in line.split(" | ")
    ]
    body = "\n".join(
        f"    try:\n        out.append(({part}))\n    except Exception as e:\n        out.append(e)"
        for part in parts
    )
    space = {"np": np}
    exec(f"def program(x, v, w, m):\n    out = []\n{body}\n    return out\n", space)
    check(space["program"], numbers((4, 5), dtype), V.astype(dtype), W, SQUARE, calls=2)


def test_scipy_ufuncs_by_rule():
    special = pytest.importorskip("scipy.special")

    def program(x):
        y = special.erf(x) + special.gamma(x + 1)
        return special.expit(y) * 2, special.xlogy(x, y), special.logsumexp(x)

    check(program, V)


def test_a_user_made_ufunc():
    add_one = np.frompyfunc(lambda v: v + 1, 1, 1)

    def program(x):
        y = x * 2
        return add_one(y), y + 1

    check(program, V)


def test_save_and_load_and_printing(tmp_path):
    def program(x, path):
        y = x * 2
        np.save(path, y)
        z = np.load(path + ".npy") + 1
        np.savetxt(path, z)
        print(np.loadtxt(path), y)
        return z * y

    check(program, V, str(tmp_path / "array"))


def test_printoptions_inside_the_function():
    def program(x):
        y = x / 3
        with np.printoptions(precision=2):
            print(y)
        return str(y)

    check(program, V)


def test_black_scholes_as_one_graph():
    def cdf(x):
        return 0.5 * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))

    def program(s, k, t, r, sigma):
        d1 = (np.log(s / k) + (r + sigma**2 / 2) * t) / (sigma * np.sqrt(t))
        d2 = d1 - sigma * np.sqrt(t)
        call = s * cdf(d1) - k * np.exp(-r * t) * cdf(d2)
        put = k * np.exp(-r * t) * cdf(-d2) - s * cdf(-d1)
        return call, put

    s = np.linspace(50, 150, 21)
    check(program, s, 100.0, np.linspace(0.1, 2, 21), 0.05, 0.2, captured=30, breaks=())


def test_a_network_step_with_hand_written_gradients():
    def program(x, y, w1, w2, rate, steps):
        losses = []
        for _ in range(steps):
            h = np.maximum(x @ w1, 0)
            out = h @ w2
            error = out - y
            losses.append(float((error**2).mean()))
            g2 = h.T @ error
            g1 = x.T @ ((error @ w2.T) * (h > 0))
            w1 -= rate * g1
            w2 -= rate * g2
        return losses, w1, w2

    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in ((16, 4), (16, 2), (4, 8), (8, 2))]
    check(program, *arrays, 1e-3, 12, captured=["operator.matmul"] * 5)


def test_game_of_life_and_mandelbrot():
    def life(board, n):
        for _ in range(n):
            near = sum(
                np.roll(np.roll(board, i, 0), j, 1)
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
                if i or j
            )
            board = (near == 3) | (board & (near == 2))
        return board.astype(int)

    def mandelbrot(c, n):
        z = np.zeros_like(c)
        counts = np.zeros(c.shape, int)
        for _ in range(n):
            inside = np.abs(z) <= 2
            z[inside] = z[inside] ** 2 + c[inside]
            counts += inside
        return counts

    board = (np.arange(64).reshape(8, 8) * 7 % 5 == 0).astype(int)
    check(life, board, 5)
    y, x = np.mgrid[-1:1:9j, -2:1:13j]
    check(mandelbrot, x + 1j * y, 12)


def test_an_n_body_step_with_broadcasting():
    def program(p, v, m, dt, n):
        for _ in range(n):
            d = p[None, :, :] - p[:, None, :]
            r3 = ((d**2).sum(-1) + 0.01) ** 1.5
            a = (d * (m[None, :, None] / r3[:, :, None])).sum(axis=1)
            v += a * dt
            p += v * dt
        return p, v

    rng = np.random.default_rng(1)
    check(program, rng.normal(size=(6, 3)), np.zeros((6, 3)), np.ones(6), 0.01, 8)


def test_k_means_until_it_settles():
    def program(points, centres):
        while True:
            distance = ((points[:, None] - centres[None]) ** 2).sum(-1)
            label = distance.argmin(axis=1)
            moved = np.array([points[label == k].mean(axis=0) for k in range(len(centres))])
            if np.allclose(moved, centres):
                break
            print(np.abs(moved - centres).max())
            centres = moved
        return centres, label

    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 5])
    check(program, points, points[[0, 30]])


def test_arrays_of_many_sizes_through_one_function():
    def program(a, b):
        c = np.sqrt(a * a + b * b)
        return c / (1 + c), c.max(initial=0)

    check_calls(
        program, [(np.ones(n), np.arange(float(n))) for n in (0, 1, 2, 63, 64, 65, 1000, 40000)] * 2
    )
