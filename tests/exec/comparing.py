"""Everything two results must have in common: bits, dtype, shape, strides, flags, sharing."""

import numpy as np


def same(found, wanted):
    """Assert that two results cannot be told apart (NaN payloads excepted)."""
    assert type(found) is type(wanted), (type(found), type(wanted))
    if isinstance(wanted, np.ndarray):
        assert found.dtype == wanted.dtype and found.shape == wanted.shape
        assert found.strides == wanted.strides, (found.strides, wanted.strides)
        assert (found.base is None) == (wanted.base is None)
        assert found.flags.owndata == wanted.flags.owndata
        assert found.flags.writeable == wanted.flags.writeable
        same_bits(found, wanted)
    elif isinstance(wanted, np.generic):
        same_bits(np.asarray(found), np.asarray(wanted))
    elif isinstance(wanted, (tuple, list)):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted)
        same(list(found.values()), list(wanted.values()))
    elif isinstance(wanted, slice):
        same([found.start, found.stop, found.step], [wanted.start, wanted.stop, wanted.step])
    else:
        assert repr(found) == repr(wanted)


def same_bits(found, wanted):
    """Assert equal bits; any NaN equals any other."""
    np.testing.assert_array_equal(found, wanted)
    if wanted.dtype.kind in "fc":
        np.testing.assert_array_equal(np.signbit(found.real), np.signbit(wanted.real)) if _no_nan(
            wanted
        ) else None


def _no_nan(array):
    return not np.isnan(array).any()
