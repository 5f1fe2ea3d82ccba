"""Guard steps: where values come from and what they must be, alike in C and in Python."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyntrace import config
from dyntrace.runtime import region as twin

f8 = np.dtype("f8")
FIRST = ("argument", 0, None, "none", None, None)


def argument(guard, c=None, d=None, index=0):
    return ("argument", index, None, guard, c, d)


def passes(runtime, *steps, args=(), use=None):
    """The value of the last step (or `use`) if every guard holds, else None."""
    uses = (len(steps) - 1 if use is None else use,)
    region = runtime.Region([(steps, uses, lambda value: (value,), False)])
    return region.handle(*args)


# Sources -----------------------------------------------------------------------------------------
def test_global_is_read_anew_and_falls_back_to_builtins(runtime):
    names = {"__builtins__": __builtins__, "a": 1}
    region = runtime.Region()
    region.add(((("global", names, "a", "none", None, None),), (0,), lambda x: x, False))
    assert region.handle() == 1
    names["a"] = 2
    assert region.handle() == 2
    del names["a"]
    assert region.handle() is None
    assert passes(runtime, ("global", names, "len", "none", None, None)) == (len,)
    names["__builtins__"] = {"len": 5}
    assert passes(runtime, ("global", names, "len", "none", None, None)) == (5,)


class Plain:
    shadowed = 1
    list_default = ()

    def method(self): ...

    @property
    def computed(self):
        raise AssertionError("a guard ran a property")

    def __init__(self, **values):
        self.__dict__.update(values)


class Slotted:
    __slots__ = ("other", "x")


class Loud(Plain):
    def __getattr__(self, name):
        raise AssertionError("a guard ran __getattr__")

    def __getattribute__(self, name):
        if name == "__dict__":
            return super().__getattribute__(name)
        raise AssertionError("a guard ran __getattribute__")


def read(runtime, base, name, guard="none", c=None):
    found = passes(
        runtime,
        argument(guard, c),
        ("attribute", 0, name, "none", None, None),
        args=(base,),
    )
    return found if found is None else found[0]


@pytest.mark.parametrize("guard", ["none", "exact", "plain"])
@pytest.mark.parametrize("cls", [Plain, Loud])
def test_attribute_is_the_instances_own(runtime, cls, guard):
    base = cls(x=5, shadowed=2, method=3)
    assert read(runtime, base, "x", guard, cls) == 5
    assert read(runtime, base, "shadowed", guard, cls) == 2
    assert read(runtime, base, "method", guard, cls) == 3
    assert read(runtime, base, "computed", guard, cls) is None
    assert read(runtime, base, "absent", guard, cls) is None
    assert read(runtime, base, "list_default", guard, cls) is None
    assert read(runtime, cls(shadowed=Plain.shadowed), "shadowed", guard, cls) == 1
    assert read(runtime, cls(), "shadowed", guard, cls) is None
    assert read(runtime, cls(), "method", guard, cls) is None


class Constructed:
    def __init__(self, x):
        self.x = x


def test_attribute_of_an_instance_without_a_dict_of_its_own(runtime):
    many = [Constructed(i) for i in range(10)]
    assert [read(runtime, base, "x", "plain", Constructed) for base in many] == list(range(10))
    many[3].x = 7
    many[4].__dict__["x"] = 8
    many[5].__dict__ = {"x": 9}
    assert [read(runtime, base, "x") for base in many[3:6]] == [7, 8, 9]


@pytest.mark.parametrize("guard", ["none", "plain"])
def test_slot_is_read(runtime, guard):
    base = Slotted()
    assert read(runtime, base, "x", guard, Slotted) is None
    base.x = 5
    assert read(runtime, base, "x", guard, Slotted) == 5
    assert read(runtime, base, "missing", guard, Slotted) is None


def test_attribute_of_classes_modules_and_numbers(runtime):
    assert read(runtime, Plain, "shadowed") is None
    assert read(runtime, 5, "real") is None
    assert read(runtime, np.ones(2), "shape") is None
    assert read(runtime, np, "pi") == np.pi


def test_lacking_an_attribute_can_be_told(runtime):
    def lacks(base, name):
        step = ("lacks", 0, name, "is", True, None)
        return passes(runtime, FIRST, step, args=(base,)) == (True,)

    assert lacks(Plain(), "x") and lacks(Plain(), "shadowed") and lacks(Slotted(), "x")
    assert not lacks(Plain(x=1), "x") and not lacks(Plain(shadowed=1), "shadowed")


def test_module_value_is_read_from_its_dict(runtime):
    step = ("module", 0, "pi", "none", None, None)
    assert passes(runtime, FIRST, step, args=(np,)) == (np.pi,)
    assert passes(runtime, FIRST, step, args=(SimpleNamespace(pi=3),)) is None
    step = ("module", 0, "no_such_name", "none", None, None)
    assert passes(runtime, FIRST, step, args=(np,)) is None


def test_cell_contents_are_read(runtime):
    def make(fill):
        if fill:
            value = 5
        return lambda: value

    step = ("cell", 0, None, "none", None, None)
    assert passes(runtime, FIRST, step, args=make(True).__closure__) == (5,)
    assert passes(runtime, FIRST, step, args=make(False).__closure__) is None
    assert passes(runtime, FIRST, step, args=(5,)) is None


@pytest.mark.parametrize("index", [0, 2, -1, -3, 3, -4, 10**30])
def test_item_of_exact_sequences(runtime, index):
    step = ("item", 0, index, "none", None, None)
    expected = ([1, 2, 3][index],) if -3 <= index < 3 else None
    assert passes(runtime, FIRST, step, args=((1, 2, 3),)) == expected
    assert passes(runtime, FIRST, step, args=([1, 2, 3],)) == expected
    assert passes(runtime, FIRST, step, args=("abc",)) is None


def test_item_of_a_dict(runtime):
    for key in ("a", 7):
        step = ("item", 0, key, "none", None, None)
        assert passes(runtime, FIRST, step, args=({key: 1},)) == (1,)
        assert passes(runtime, FIRST, step, args=({},)) is None

    class Counting(dict):
        def __missing__(self, key):
            raise AssertionError("a guard ran __missing__")

    assert passes(runtime, FIRST, ("item", 0, "a", "none", None, None), args=(Counting(),)) is None


def test_parts_of_a_function(runtime):
    def function(a, b=1, *, c=2):
        return runtime

    for part in ("code", "defaults", "kwdefaults", "closure"):
        step = ("function", 0, part, "none", None, None)
        expected = getattr(function, f"__{part}__")
        assert passes(runtime, FIRST, step, args=(function,)) == (expected,)
        assert passes(runtime, FIRST, step, args=(len,)) is None
    step = ("function", 0, "defaults", "none", None, None)
    assert passes(runtime, FIRST, step, args=(lambda: 0,)) == (None,)


def test_class_look_up_binds_nothing(runtime):
    def lookup(base, name):
        return passes(runtime, FIRST, ("class", 0, name, "none", None, None), args=(base,))

    assert lookup(Loud, "method") == (Plain.__dict__["method"],)
    assert lookup(Plain, "computed") == (Plain.__dict__["computed"],)
    assert lookup(bool, "real") == (int.__dict__["real"],)
    assert lookup(Plain, "absent") is None
    assert lookup(Plain(), "method") is None


# Guards ------------------------------------------------------------------------------------------
def accepts(runtime, value, guard, c=None, d=None):
    return passes(runtime, argument(guard, c, d), args=(value,)) is not None


def test_array_guard_takes_the_same_dtype_and_dimensions(runtime):
    class Array(np.ndarray):
        pass

    array = np.ones((2, 3))
    assert accepts(runtime, array, "array", f8, 2)
    assert not accepts(runtime, array, "array", f8, 1)
    assert not accepts(runtime, array, "array", np.dtype("f4"), 2)
    assert not accepts(runtime, array.view(Array), "array", f8, 2)
    assert not accepts(runtime, array.tolist(), "array", f8, 2)
    assert not accepts(runtime, np.float64(1), "array", f8, 0)
    assert accepts(runtime, np.array(1.0), "array", f8, 0)


def test_array_guard_takes_equal_dtypes_and_no_special_ones(runtime):
    unpickled = pickle.loads(pickle.dumps(f8.newbyteorder("S"))).newbyteorder("S")
    assert unpickled is not f8
    swapped = f8.newbyteorder("S")
    noted = np.dtype("f8", metadata={"a": 1})
    ones = np.ones(3)
    assert accepts(runtime, ones.view(unpickled), "array", f8, 1)
    assert accepts(runtime, ones, "array", unpickled, 1)
    for special in (swapped, noted):
        assert not accepts(runtime, ones.astype(special), "array", f8, 1)
        assert not accepts(runtime, ones.astype(special), "array", special, 1)
    i4 = np.dtype("i4")
    fields = np.dtype((i4, {"real": ("i2", 0), "imag": ("i2", 2)}))
    assert not accepts(runtime, np.zeros(3, fields), "array", i4, 1)
    assert not accepts(runtime, np.zeros(3, fields), "array", fields, 1)


@pytest.mark.parametrize("dtype", ["U3", "S3", "M8[s]", "O", "i4,i4"])
def test_array_guard_never_takes_other_dtypes(runtime, dtype):
    dtype = np.dtype(dtype)
    assert not accepts(runtime, np.zeros(3, dtype), "array", dtype, 1)


def test_exact_and_identity_guards(runtime):
    one = object()
    assert accepts(runtime, True, "exact", bool)
    assert not accepts(runtime, True, "exact", int)
    assert accepts(runtime, one, "is", one)
    assert not accepts(runtime, object(), "is", one)
    assert accepts(runtime, None, "is", None)


NAN = float("nan")
VALUES = [
    0, 1, 2**70, True, False, None, Ellipsis, 0.0, -0.0, 1.0, NAN, 1j, complex(0.0, -0.0),
    complex(NAN, 1), "", "a", "ab", b"a", (), (1, 0.0), (1, -0.0), (1, (2, "a")), slice(None),
    slice(1, 2.0), slice(1, 2), np.float64(1), np.float64(-0.0), np.float64(0.0), np.float32(1),
    np.int64(1), np.bool_(True), np.complex64(1), [1], {1: 2}, f8, int, np.longdouble(1),
]  # fmt: skip


def same(one, other):
    """What the value guard means: the text shows exact type and bits of plain constants."""
    plain = (int, bool, float, complex, str, bytes, tuple, slice, np.generic)
    if one is other:
        return True
    return isinstance(one, plain) and type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize("wanted", VALUES, ids=repr)
def test_value_guard_wants_exact_type_and_bits(runtime, wanted):
    for value in VALUES:
        assert accepts(runtime, value, "value", wanted) == same(value, wanted), value


def test_value_guard_compares_copies(runtime):
    for value in VALUES:
        made = pickle.loads(pickle.dumps(value))
        plain = type(value) not in (list, dict, np.longdouble, type(f8))
        assert accepts(runtime, made, "value", value) == (plain or made is value), value


def test_sequence_guard_takes_the_same_type_and_length(runtime):
    assert accepts(runtime, (1, 2), "sequence", tuple, 2)
    assert not accepts(runtime, (1, 2, 3), "sequence", tuple, 2)
    assert not accepts(runtime, [1, 2], "sequence", tuple, 2)
    assert accepts(runtime, [1, 2], "sequence", list, 2)
    assert accepts(runtime, {"a": 1}, "sequence", dict, 1)
    result = np.linalg.eigh(np.eye(2))
    assert accepts(runtime, result, "sequence", type(result), 2)

    class Liar(list):
        def __len__(self):
            raise AssertionError("a guard ran __len__")

    assert accepts(runtime, Liar([1]), "sequence", Liar, 1)


def test_plain_guard_sees_changes_of_the_class(runtime):
    class Base:
        pass

    class Model(Base):
        pass

    model = Model()
    model.x = 1
    steps = (argument("plain", Model), ("attribute", 0, "x", "none", None, None))
    region = runtime.Region([(steps, (1,), lambda x: x, False)])
    assert region.handle(model) == 1
    assert region.handle(Base()) is None
    assert region.handle(model) == 1
    Base.x = property(lambda self: 5)
    assert region.handle(model) is None
    region.add((steps, (1,), lambda x: x, False))
    assert region.handle(model) is None  # a property now


@pytest.mark.parametrize("change", ["__bases__", "__getattr__", "unrelated"])
def test_any_change_of_the_class_ends_the_plain_guard(runtime, change):
    class Base:
        pass

    class Other:
        pass

    class Model(Base):
        pass

    model = Model()
    region = runtime.Region([((argument("plain", Model),), (0,), lambda x: x, False)])
    for _ in range(3):
        assert region.handle(model) is model
    setattr(Model, change, (Other,) if change == "__bases__" else 5)
    assert region.handle(model) is None


# The twins against each other --------------------------------------------------------------------
BASES = [
    Plain(x=1, shadowed=2), Constructed((1, 2)), Slotted(), np, {"x": 1, 3: 2}, (1, (2, 3)), [4],
    len, read, Plain, Loud, np.ones(2), np.ones((2, 2), "f4"), 5, 5.0, "x", None,
    read.__code__, Plain.computed, (lambda: BASES).__closure__,
]  # fmt: skip
NAMES = st.sampled_from(["x", "shadowed", "method", "computed", "pi", "__dict__", "__class__"])
KEYS = st.one_of(NAMES, st.integers(-3, 3))


def sources(position):
    base = st.integers(0, max(position - 1, 0))
    first = [st.tuples(st.just("argument"), st.integers(0, 2), st.none())]
    names = st.just({"x": 5, "__builtins__": __builtins__})
    first.append(st.tuples(st.just("global"), names, st.sampled_from(["x", "len", "no"])))
    later = [
        st.tuples(st.sampled_from(["attribute", "lacks", "module", "class"]), base, NAMES),
        st.tuples(st.sampled_from(["cell", "type"]), base, st.none()),
        st.tuples(st.just("item"), base, KEYS),
        st.tuples(st.just("function"), base, st.sampled_from(["code", "defaults", "closure"])),
    ]
    return st.one_of(first + later if position else first)


GUARDS = st.one_of(
    st.just(("none", None, None)),
    st.just(("none", None, None)),
    st.tuples(st.just("exact"), st.sampled_from([Plain, int, tuple, type]), st.none()),
    st.tuples(st.just("plain"), st.sampled_from([Plain, Loud, Slotted, Constructed]), st.none()),
    st.tuples(st.sampled_from(["is", "value"]), st.sampled_from([1, "x", (1, 2), np]), st.none()),
    st.tuples(st.just("array"), st.sampled_from([f8, np.dtype("f4")]), st.integers(0, 2)),
    st.tuples(st.just("sequence"), st.sampled_from([tuple, list, dict]), st.integers(0, 3)),
)


@st.composite
def programs(draw):
    steps = []
    for position in range(draw(st.integers(1, 5))):
        steps.append(draw(sources(position)) + draw(GUARDS))
    return tuple(steps)


@pytest.mark.skipif(not config.native, reason="the extension is not in use")
@settings(max_examples=600, deadline=None)
@given(programs(), st.lists(st.sampled_from(range(len(BASES))), min_size=3, max_size=3))
def test_twins_read_and_check_alike(steps, picks):
    from dyntrace import _native

    args = tuple(BASES[pick] for pick in picks)
    uses = tuple(range(len(steps)))
    answers = []
    for implementation in (twin, _native):
        region = implementation.Region([(steps, uses, lambda *values: values, False)])
        answers.append(region.handle(*args))
    one, other = answers
    assert (one is None) == (other is None)
    if one is not None:
        assert all(a is b or same(a, b) for a, b in zip(one, other, strict=True))
