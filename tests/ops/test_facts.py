"""Every row of `ops.facts` against NumPy's own loops: the experiments that settled each field.

A loop is called on a whole and on its parts, on other layouts of the same numbers, in place, and by
its address with floating-point flags up. Invariant: a row may promise less than is seen here, where
another processor or NumPy may differ, and never more.
"""

import ctypes
import operator
import platform
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy._core import umath

from dyntrace.ops import facts
from dyntrace.ops.facts import UFUNCS
from tests.machine.comparing import bit_differences
from tests.machine.patterns import patterns

CHARS = "?bhilqBHILQefdgFDG"
SIZE = 448
ANYWHERE = [(start, size) for start in (0, 1, 3, 7, 64, 130, 321) for size in (1, 2, 7, 16, 33, 99)]
AT_64 = [(start, size) for start in (0, 64, 192) for size in (64, 128, SIZE)]
STEPS = (2, 3, -1, -2)
each_row = pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)


@cache
def loops(ufunc):
    """The loops of numbers that a ufunc has: pairs of its operands' and its results' characters."""
    found = [tuple(signature.split("->")) for signature in ufunc.types]
    return [(ins, outs) for ins, outs in dict.fromkeys(found) if set(ins + outs) <= set(CHARS)]


def numbers(char, place):
    """Pairs and triples of all patterns of a dtype, then numbers of all sizes."""
    pool = patterns((15,), char)
    first = [np.resize(pool, 225), np.repeat(pool, 15), np.resize(pool[:13], 225)][place]
    rest = np.random.default_rng(place).normal(size=SIZE - 225) * 10.0 ** (np.arange(223) % 9 - 3)
    dtype = np.dtype(char)
    if dtype.kind in "iu":
        rest = rest.astype(np.int64)
    with np.errstate(all="ignore"):
        return np.concatenate([first, rest.astype(dtype)])


def operands_of(ufunc, ins):
    operands = [numbers(char, place) for place, char in enumerate(ins)]
    if ufunc is np.power and operands[1].dtype.kind == "i":
        operands[1] = operands[1] & 7  # negative exponents raise
    if ufunc is np.ldexp:
        operands[1] = operands[1] % 2000 - 1000
    return operands


def results(ufunc, operands, **how):
    with np.errstate(all="ignore"):
        found = ufunc(*operands, **how)
    return found if isinstance(found, tuple) else (found,)


def differ(found, wanted):
    return any(bit_differences(*map(np.asarray, pair)) for pair in zip(found, wanted, strict=True))


def stepped(values, step):
    found = np.zeros(values.size * abs(step), values.dtype)[::step]
    found[...] = values
    return found


def shifted(values, items):
    found = np.zeros(values.size + items, values.dtype)[items:]
    found[...] = values
    return found


# What the bits depend on -------------------------------------------------------------------------
def parts_differ(ufunc, operands, parts):
    whole = results(ufunc, operands)
    for start, size in parts:
        part = slice(start, start + size)
        found = results(ufunc, [operand[part] for operand in operands])
        if differ(found, [item[part] for item in whole]):
            return f"items {start} to {start + size}"
    return None


def layouts_differ(ufunc, operands):
    """Which layout of the operands and results gives other bits than contiguous ones."""
    wanted = results(ufunc, operands)
    for step, place in product(STEPS, range(ufunc.nin)):
        changed = list(operands)
        changed[place] = stepped(operands[place], step)
        if differ(results(ufunc, changed), wanted):
            return f"operand {place}, step {step}"
    for step in STEPS:
        if differ(results(ufunc, [stepped(operand, step) for operand in operands]), wanted):
            return f"all operands, step {step}"
        outs = tuple(stepped(np.zeros_like(item), step) for item in wanted)
        lossy = UFUNCS[ufunc].lossy_out
        if not lossy and differ(results(ufunc, operands, out=outs), wanted):
            return f"results, step {step}"
    for items in (1, 3):
        if differ(results(ufunc, [shifted(operand, items) for operand in operands]), wanted):
            return f"all operands, {items} items on"
    return in_place_differs(ufunc, operands, wanted) or repeated_differs(ufunc, operands)


def in_place_differs(ufunc, operands, wanted):
    for place, operand in enumerate(operands):
        if ufunc.nout == 1 and operand.dtype == wanted[0].dtype:
            changed = list(operands)
            changed[place] = operand.copy()
            if differ(results(ufunc, changed, out=changed[place]), wanted):
                return f"in place of operand {place}"
    return None


def repeated_differs(ufunc, operands):
    """One number for all, as an array of it and as an operand without a stride."""
    for place, number in product(range(ufunc.nin), range(15) if ufunc.nin > 1 else ()):
        number = operands[place][number * 15 : number * 15 + 1]
        full = [*operands[:place], np.repeat(number, SIZE), *operands[place + 1 :]]
        thin = [*operands[:place], np.broadcast_to(number, SIZE), *operands[place + 1 :]]
        if differ(results(ufunc, thin), results(ufunc, full)):
            return f"operand {place} without a stride"
    return None


@each_row
def test_bits_depend_on_nothing_but_what_the_row_says(ufunc):
    for ins, _ in loops(ufunc):
        exactness = facts.exactness(ufunc, np.dtype(ins[0]))
        operands = operands_of(ufunc, ins)
        parts = AT_64 if exactness == facts.OFFSET_BOUND else ANYWHERE
        assert not parts_differ(ufunc, operands, parts), ins
        if exactness == facts.EXACT:
            assert not layouts_differ(ufunc, operands), ins


def test_the_experiment_sees_what_depends_on_layout():
    operands = operands_of(np.power, "dd")
    assert layouts_differ(np.power, operands) or np.lib.NumpyVersion(np.__version__) < "2.3.0"
    clean = [np.nan_to_num(operand, nan=1.0) for operand in operands]
    assert parts_differ(lambda *values: values[0] * values[0].size, clean, ANYWHERE)


@pytest.mark.parametrize("name", ["remainder", "fmod", "divmod", "floor_divide", "heaviside"])
@pytest.mark.parametrize("char", "efdg")
def test_remainders_and_steps_of_floats_are_the_same_at_any_offset_and_stride(name, char):
    """They were once taken for bound to their offset in one place, and not to strides elsewhere."""
    ufunc = getattr(np, name)
    operands = operands_of(ufunc, char * 2)
    everywhere = [(start, size) for start in range(40) for size in range(1, 40, 3)]
    assert not parts_differ(ufunc, operands, everywhere)
    assert not layouts_differ(ufunc, operands)
    assert facts.exactness(ufunc, np.dtype(char)) == facts.EXACT


# Flags -------------------------------------------------------------------------------------------
class CallInfo(ctypes.Structure):
    """What the capsule of `ufunc._get_strided_loop` holds."""

    _fields_ = [("loop", ctypes.c_void_p), ("context", ctypes.c_void_p), ("data", ctypes.c_void_p)]


LOOP = ctypes.PYFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 5)
DIVIDE = 4 if platform.machine() in ("x86_64", "AMD64") else 2  # FE_DIVBYZERO
pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def clears_flags(ufunc, ins, outs, size, step):
    """Whether NumPy's loop, called on ones, clears the flag of a division by zero before it."""
    dtypes = (*map(np.dtype, ins), *[None] * ufunc.nout)
    found, capsule = ufunc._resolve_dtypes_and_context(dtypes)
    if "".join(dtype.char for dtype in found) != ins + outs:
        return False
    ufunc._get_strided_loop(capsule)
    info = CallInfo.from_address(pointer_of(capsule, b"numpy_1.24_ufunc_call_info"))
    arrays = [np.ones(size * step, char) for char in ins + outs]
    data = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
    strides = (ctypes.c_ssize_t * len(arrays))(*(array.itemsize * step for array in arrays))
    libm = ctypes.PyDLL(None)
    libm.feraiseexcept(DIVIDE)
    LOOP(info.loop)(info.context, data, ctypes.byref(ctypes.c_ssize_t(size)), strides, info.data)
    kept = libm.fetestexcept(DIVIDE)
    libm.feclearexcept(DIVIDE)
    return not kept


@each_row
def test_loops_that_clear_flags_are_known(ufunc):
    for ins, outs in loops(ufunc):
        cleared = [clears_flags(ufunc, ins, outs, *how) for how in product((1, 100), (1, 2))]
        assert not any(cleared) or np.dtype(ins[0]).kind in UFUNCS[ufunc].clears, ins


@each_row
def test_integers_give_integers_without_a_flag_or_an_error_where_the_row_says_so(ufunc):
    found = []
    for ins, outs in loops(ufunc):
        if set(ins) <= set("bhilqBHILQ"):
            one_dtype = len(set(ins + outs)) == 1
            with np.errstate(all="raise"):
                try:
                    ufunc(*(numbers(char, place) for place, char in enumerate(ins)))
                except (FloatingPointError, ValueError):
                    one_dtype = False
            found.append(one_dtype)
    assert (bool(found) and all(found)) >= UFUNCS[ufunc].quiet
    if UFUNCS[ufunc].inplace and found:
        assert all(found) == UFUNCS[ufunc].quiet


# Operators ---------------------------------------------------------------------------------------
each_operator = pytest.mark.parametrize("target", facts.BY_OPERATOR, ids=lambda f: f.__name__)


@each_operator
def test_an_operator_computes_what_its_ufunc_computes(target):
    ufunc = facts.BY_OPERATOR[target]
    for ins, outs in loops(ufunc):
        operands = operands_of(ufunc, ins)
        with np.errstate(all="ignore"):
            found = target(*operands)
        assert found.dtype == np.dtype(outs)
        assert not differ((found,), results(ufunc, operands)), ins


def test_in_place_forms_belong_to_the_same_ufuncs():
    for target, ufunc in facts.BY_OPERATOR.items():
        inplace = getattr(operator, f"i{target.__name__.rstrip('_')}", None)
        assert facts.BY_INPLACE.get(inplace) is (ufunc if UFUNCS[ufunc].inplace else None)
        assert UFUNCS[ufunc].inplace == (inplace is not None)


SYMBOLS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "and_": "&",
    "or_": "|", "xor": "^", "lshift": "<<", "rshift": ">>", "lt": "<", "le": "<=", "eq": "==",
    "ne": "!=", "gt": ">", "ge": ">=",
}  # fmt: skip


@pytest.mark.parametrize("name", SYMBOLS)
def test_numpy_computes_in_large_temporaries_of_the_operands_that_the_row_names(name):
    """A temporary in Fortran order beside an array in C order shows it: the result takes its order."""
    char = "q" if name in ("and_", "or_", "xor", "lshift", "rshift") else "d"
    a, b = np.ones((300, 300), char, order="F"), np.ones((300, 300), char)
    left = eval(f"(a * 1) {SYMBOLS[name]} b").flags.f_contiguous
    right = eval(f"b {SYMBOLS[name]} (a * 1)").flags.f_contiguous
    elides = UFUNCS[facts.BY_OPERATOR[getattr(operator, name)]].elides
    assert (left, right) == (elides != "", elides == facts.EITHER)


@each_operator
def test_scalars_give_what_the_loop_gives_where_the_row_says_so(target):
    ufunc = facts.BY_OPERATOR[target]
    for char in "fd" if UFUNCS[ufunc].scalars else "":
        operands = operands_of(ufunc, char * 2)
        with np.errstate(all="ignore"):
            found = [target(*pair) for pair in zip(*operands, strict=True)]
        assert not differ((np.array(found, char),), results(ufunc, operands))


def test_every_operator_with_a_row_is_tried_for_reuse():
    binary = {target.__name__ for target, ufunc in facts.BY_OPERATOR.items() if ufunc.nin == 2}
    assert set(SYMBOLS) == binary


# Python's integers -------------------------------------------------------------------------------
@each_row
def test_large_integers_that_stay_what_they_are_are_known(ufunc):
    if ufunc.nin == ufunc.nout == 1:
        try:
            with np.errstate(all="ignore"):
                small, large = ufunc(3), ufunc(2**70)
        except TypeError:
            return
        if isinstance(small, np.floating) and type(large) is int:
            assert UFUNCS[ufunc].keeps_ints


@each_row
def test_integers_that_become_a_c_long_beside_floats_are_known(ufunc):
    if ufunc.nin == 2 and any(ins == "dd" for ins, _ in loops(ufunc)):
        try:
            with np.errstate(all="ignore"):
                ufunc(np.ones(3), 2**70)
        except OverflowError:
            assert UFUNCS[ufunc].long_ints


# The table ---------------------------------------------------------------------------------------
def test_every_elementwise_ufunc_of_numbers_has_a_row():
    for name, ufunc in vars(umath).items():
        if not isinstance(ufunc, np.ufunc) or ufunc.signature is not None or name.startswith("_"):
            continue
        assert ufunc in UFUNCS or not loops(ufunc), name


def test_the_table_is_frozen():
    with pytest.raises(TypeError):
        UFUNCS[np.add] = UFUNCS[np.subtract]
    with pytest.raises(AttributeError):
        UFUNCS[np.add].bits = facts.STRIDED
