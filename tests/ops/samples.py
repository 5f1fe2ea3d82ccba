"""Sample arguments for every captured callable, by name; generic ones for the many that take arrays.

A candidate is a tuple of positional arguments, or (arguments, keywords). `candidates(name)` gives
the ones made for a name first. Arrays are made anew for each use, because some functions write.
"""

from __future__ import annotations

import numpy as np


def vector():
    return np.array([0.5, 2.0, 1.25, 3.0])


def square():
    return np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])


def integers():
    return np.array([3, 1, 2, 0])


def truths():
    return np.array([True, False, True, True])


def generic():
    """Arguments that most functions of one, two or three arrays take."""
    v, m, i, b = vector, square, integers, truths
    yield from ((v(),), (m(),), (i(),), (b(),), (2.5,), (3,))
    yield from ((v(), v()), (m(), m()), (i(), i()), (v(), 2), (m(), v()[:3]), (i(), 2))
    yield from ((v(), v(), v()), (m(), 0, 1), (m(), 1), (v(), i()))
    yield from (((v(), v()),), ((m(), m()),), (), (3, 2), (v()[0], 2), (np.array(2.0),), ("1",))


def explicit():
    v, m, i, b = vector, square, integers, truths
    eye4 = np.arange(16.0).reshape(4, 4) + np.eye(4) * 20
    return {
        "numpy.apply_along_axis": [(np.sum, 0, m())],
        "numpy.apply_over_axes": [(np.sum, m(), [0, 1])],
        "numpy.arange": [(4,), (1, 9, 2), (0.0, 1.0, 0.25)],
        "numpy.astype": [(v(), np.float32)],
        "numpy.block": [([[m(), m()], [m(), m()]],)],
        "numpy.broadcast_shapes": [((2, 1), (1, 3))],
        "numpy.broadcast_to": [(v(), (2, 4))],
        "numpy.busday_count": [("2011-01", "2011-02")],
        "numpy.busday_offset": [("2011-10", 0, "forward")],
        "numpy.is_busday": [("2011-07-01",)],
        "numpy.can_cast": [(np.int32, np.float64)],
        "numpy.choose": [(i(), [v(), v(), v(), v()])],
        "numpy.compress": [(b(), v()), (b()[:3], m(), 0)],
        "numpy.copyto": [(v(), 1.0), (v(), v())],
        "numpy.cross": [(v()[:3], v()[:3])],
        "numpy.linalg.cross": [(v()[:3], v()[:3])],
        "numpy.datetime_data": [("M8[D]",)],
        "numpy.datetime64": [("2011-01-01",)],
        "numpy.timedelta64": [(3, "D")],
        "numpy.delete": [(v(), 1), (m(), 1, 0)],
        "numpy.diag_indices": [(3,)],
        "numpy.digitize": [(v(), np.array([0.0, 1.0, 2.0]))],
        "numpy.dtype": [("f4",), (np.int32,)],
        "numpy.einsum": [("ij,jk->ik", m(), m()), ("ii", m())],
        "numpy.einsum_path": [("ij,jk->ik", m(), m())],
        "numpy.extract": [(b(), v())],
        "numpy.eye": [(3,), (3, 4, 1)],
        "numpy.fill_diagonal": [(m(), 2.0)],
        "numpy.finfo": [(np.float64,), ("f4",)],
        "numpy.iinfo": [(np.int32,)],
        "numpy.fromfunction": [(np.add, (3, 3))],
        "numpy.fromiter": [([1, 2, 3], float)],
        "numpy.fromstring": [(("1 2 3",), {"sep": " "})],
        "numpy.frombuffer": [(v(), np.uint8)],
        "numpy.full": [((2, 3), 1.5)],
        "numpy.full_like": [(v(), 2)],
        "numpy.hsplit": [(m(), 3), (m(), [1])],
        "numpy.indices": [((2, 3),)],
        "numpy.insert": [(v(), 1, 5.0)],
        "numpy.interp": [(v(), v()[:2], v()[:2])],
        "numpy.isdtype": [(np.dtype("f8"), "real floating")],
        "numpy.issubdtype": [(np.dtype("f8"), np.floating)],
        "numpy.ix_": [(i(), i())],
        "numpy.linspace": [(0.0, 1.0, 5), ((0.0, 1.0), {"num": 5, "retstep": True})],
        "numpy.mask_indices": [(3, np.triu)],
        "numpy.mintypecode": [(["d", "f"],)],
        "numpy.moveaxis": [(m(), 0, 1)],
        "numpy.ndarray": [((2, 3), float, v().repeat(2))],
        "numpy.packbits": [(b(),), ((b(),), {"bitorder": "little"})],
        "numpy.unpackbits": [(np.array([5, 255], np.uint8),)],
        "numpy.pad": [(v(), 2), (m(), ((1, 1), (2, 0)), "edge")],
        "numpy.partition": [(v(), 1)],
        "numpy.argpartition": [(v(), 1)],
        "numpy.percentile": [(v(), 50), (m(), [25, 75], 0)],
        "numpy.nanpercentile": [(v(), 50), (m(), [25, 75], 0)],
        "numpy.quantile": [(v(), 0.5), (m(), [0.25, 0.75], 0)],
        "numpy.nanquantile": [(v(), 0.5)],
        "numpy.piecewise": [(v(), [v() < 1, v() >= 1], [np.sin, 2.0])],
        "numpy.place": [(v(), b(), 7.0)],
        "numpy.put": [(v(), [0, 2], [9.0, 8.0])],
        "numpy.put_along_axis": [(v(), i(), 1.0, 0)],
        "numpy.putmask": [(v(), b(), 7.0)],
        "numpy.polyfit": [(v(), v(), 1), (v(), v(), 2)],
        "numpy.promote_types": [("f4", np.int64)],
        "numpy.ravel_multi_index": [((i(), i()), (4, 4))],
        "numpy.recarray": [((2,), "f8,i4")],
        "numpy.reshape": [(v(), (2, 2)), (v(), -1)],
        "numpy.resize": [(v(), (3, 3))],
        "numpy.rollaxis": [(m(), 1)],
        "numpy.searchsorted": [(np.array([0.0, 1.0, 2.0]), v())],
        "numpy.select": [([v() < 1, v() > 2], [v(), -v()], 0.0)],
        "numpy.split": [(v(), 2), (v(), [1, 3])],
        "numpy.array_split": [(v(), 3)],
        "numpy.dsplit": [(v().reshape(1, 1, 4), 2)],
        "numpy.vsplit": [(m(), 3)],
        "numpy.squeeze": [(v()[None], 0)],
        "numpy.swapaxes": [(m(), 0, 1)],
        "numpy.take": [(v(), i()), (m(), 1, 0)],
        "numpy.take_along_axis": [(v(), i(), 0)],
        "numpy.tensordot": [(m(), m()), (m(), m(), 1), (m(), m(), ([1], [0]))],
        "numpy.linalg.tensordot": [((m(), m()), {"axes": 1})],
        "numpy.tile": [(v(), 2), (v(), (2, 1))],
        "numpy.tri": [(3,)],
        "numpy.typename": [("d",)],
        "numpy.unravel_index": [(i(), (4, 4))],
        "numpy.linalg.multi_dot": [([m(), m(), m()],)],
        "numpy.linalg.matrix_power": [(m(), 3), (m(), -1)],
        "numpy.linalg.tensorinv": [(eye4.reshape(2, 2, 2, 2),)],
        "numpy.linalg.tensorsolve": [(eye4.reshape(2, 2, 2, 2), m()[:2, :2])],
        "numpy.linalg.norm": [(v(),), (m(), 2), (m(), "fro"), (m(), None, 0)],
        "numpy.linalg.matrix_norm": [((m(),), {"ord": 2})],
        "numpy.ldexp": [(v(), i())],
        "numpy.void": [(8,)],
        "numpy.where": [(b(),), (b(), v(), 0.0)],
        "numpy.ufunc.at": [(v(), [0, 1, 1], 2.0)],
        "numpy.ufunc.reduceat": [(v(), [0, 2])],
        "numpy.ufunc.resolve_dtypes": [((np.dtype("f4"), np.dtype("i2"), None),)],
        "numpy.ndarray.astype": [(v(), np.float32), (v(), "i4")],
        "numpy.ndarray.choose": [(i(), [v(), v(), v(), v()])],
        "numpy.ndarray.compress": [(v(), b())],
        "numpy.ndarray.fill": [(v(), 2.0)],
        "numpy.ndarray.getfield": [(v(), "f4"), (v(), np.float32, 4)],
        "numpy.ndarray.item": [(v(), 1), (m(), 1, 1), (np.float64(2),)],
        "numpy.ndarray.partition": [(v(), 1)],
        "numpy.ndarray.argpartition": [(v(), 1)],
        "numpy.ndarray.put": [(v(), [0, 2], [9.0, 8.0])],
        "numpy.ndarray.reshape": [(v(), 2, 2), (v(), (2, 2)), (v(), -1)],
        "numpy.ndarray.searchsorted": [(np.array([0.0, 1.0, 2.0]), v())],
        "numpy.ndarray.setfield": [(v(), 1.0, "f4", 4)],
        "numpy.ndarray.squeeze": [(v()[None], 0)],
        "numpy.ndarray.swapaxes": [(m(), 0, 1)],
        "numpy.ndarray.take": [(v(), i()), (m(), 1, 0)],
        "numpy.ndarray.to_device": [(v(), "cpu")],
        "numpy.ndarray.view": [(v(),), (v(), "i8"), (v(), np.float32)],
        "numpy.ndarray.__deepcopy__": [(v(), None)],
        "numpy.ndarray.__getitem__": [
            (v(), 1),
            (m(), (slice(None), 1)),
            (v(), b()),
            (m(), i()[1:3]),
        ],
        "numpy.ndarray.__setitem__": [(v(), 1, 2.0), (m(), slice(1, 3), 0.0), (v(), b(), 1.0)],
        "numpy.ndarray.__contains__": [(v(), 2.0)],
        "numpy.ndarray.__int__": [(np.array(3),)],
        "numpy.ndarray.__index__": [(np.array(3),)],
    }


def candidates(name):
    """(args, kwargs) pairs to try for `name`."""
    found = explicit().get(name)
    for sample in found if found is not None else generic():
        if len(sample) == 2 and isinstance(sample[0], tuple) and isinstance(sample[1], dict):
            yield sample
        else:
            yield sample, {}
