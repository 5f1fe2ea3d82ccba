"""Programs whose state is in generators, views of memory, arrays, random generators and streams."""

import array
import collections
import ctypes
import io
import itertools
import mmap
import random
import types
import warnings

import numpy as np

from tests.verification.stateful import Case, Programs, data

PROGRAMS = Programs()
program = PROGRAMS.add

# containers ---------------------------------------------------------------------------------------


@program
def containers_of_all_kinds():
    deque, ordered = collections.deque([1, 2], maxlen=2), collections.OrderedDict(a=1, b=2)
    counter, default = collections.Counter("ab"), collections.defaultdict(list)
    held, raw, numbers = {1}, bytearray(b"abc"), array.array("d", [1.0])

    def step(a, d, o, c, f, s, r, n):
        d.append(3)
        o.move_to_end("a")
        c.update("a")
        f["x"].append(1)
        s.add(2)
        r.extend(b"d")
        n.append(2.0)
        return a * len(r) + len(n) + len(s) + c["a"]

    kept = (deque, ordered, counter, default, held, raw, numbers)
    look = lambda: [list(d.items()) if isinstance(d, dict) else list(d) for d in kept]
    return Case(step, (data(), *kept), look=look)


# iterators ----------------------------------------------------------------------------------------


@program
def a_generator_as_argument():
    def chunks():
        for n in range(4):
            yield data() + n

    def total(source):
        result = np.zeros(12)
        for item in source:
            result = result + item * 2
        return result

    return Case(total, (chunks(),))


@program
def a_generator_that_is_half_consumed():
    source = (n * 1.0 for n in itertools.count())
    return Case(
        lambda s, a: a * next(s) + next(s), (source, data()), look=lambda: source.gi_frame is None
    )


@program
def generated_arrays_changed_in_place():
    def total(source):
        result = np.zeros(12)
        for item in source:
            item *= 2
            result = result + item * 2
        return result

    return Case(total, ((data() + n for n in range(3)),))


@program
def iterators_of_all_kinds():
    def total(a, *sources):
        for source in sources:
            a = a * 2 + next(source)
        return a

    kinds = (
        iter([1, 2]),
        iter((1, 2)),
        iter(range(3)),
        iter({1: 2, 3: 4}),
        iter({5}),
        map(float, [1, 2]),
        filter(None, [0, 3]),
        itertools.count(3),
        itertools.cycle([1, 2]),
        itertools.chain([1], [2]),
        reversed([1, 2]),
        iter(lambda: 4, 0),
    )
    return Case(total, (data(), *kinds))


@program
def a_generator_kept_by_an_object():
    class Stream:
        def __init__(self):
            self.source = (n * 0.5 for n in range(10))

        def step(self, a):
            return a * 2 + next(self.source)

    stream = Stream()
    return Case(stream.step, (data(),), look=lambda: type(stream.source).__name__)


@program
def an_iterator_in_a_closure():
    source = iter([1.0, 2.0, 3.0])
    return Case(lambda a: a * 2 + next(source), (data(),))


@program
def an_iterator_of_the_users_own():
    class Count:
        def __init__(self):
            self.n = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.n += 1
            if self.n > 3:
                raise StopIteration
            return self.n

    count = Count()

    def total(a, source):
        for n in source:
            a = a * 2 + n
        return a

    return Case(total, (data(), count), look=lambda: count.n)


# memory -------------------------------------------------------------------------------------------


def scale(a):
    a *= 2.0
    return a + 1.0


@program
def a_view_of_a_bytearray():
    raw = bytearray(data().tobytes())
    return Case(scale, (np.frombuffer(raw),), look=lambda: bytes(raw))


@program
def a_view_of_bytes():
    return Case(lambda a: a * 2 + 1, (np.frombuffer(data().tobytes()),))


@program
def two_views_of_one_bytearray():
    raw = bytearray(data().tobytes())

    def shift(a, b):
        a[:] = b * 2 + 1
        return b + a

    views = np.frombuffer(raw, count=6), np.frombuffer(raw, count=6, offset=32)
    return Case(shift, views, look=lambda: bytes(raw))


@program
def a_memoryview():
    raw = bytearray(data().tobytes())

    def step(view):
        a = np.frombuffer(view)
        a += 1
        return a * 2 + 1

    return Case(step, (memoryview(raw),), look=lambda: bytes(raw))


@program
def an_anonymous_map():
    held = mmap.mmap(-1, 96)
    held[:] = data().tobytes()
    return Case(scale, (np.frombuffer(held),), look=lambda: held[:])


@program
def a_block_of_ctypes():
    block = (ctypes.c_double * 12)(*data())
    return Case(scale, (np.ctypeslib.as_array(block),), look=lambda: list(block))


@program
def an_array_of_the_array_module():
    numbers = array.array("d", data())
    return Case(scale, (np.frombuffer(numbers),), look=lambda: list(numbers))


@program
def an_empty_slice():
    a = data()

    def step(empty, a):
        return empty * 2 + 1, a * 2 + 1, empty.base is a

    return Case(step, (a[3:3], a))


@program
def a_view_of_which_the_owner_is_an_attribute():
    a = data()
    box = types.SimpleNamespace(whole=a, part=a[2:6])

    def step(b):
        b.part += 1
        return b.whole * 2 + 1

    return Case(step, (box,), look=lambda: a)


@program
def an_array_that_is_replaced_and_reshaped():
    box = types.SimpleNamespace(a=data().reshape(3, 4))

    def step(b):
        first = b.a
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy 2.5 deprecates the assignment
            first.shape = (2, 6)
        b.a = first * 2 + 1
        return b.a

    return Case(step, (box,), look=lambda: (box.a.shape, box.a))


@program
def a_masked_array_and_a_record():
    masked = np.ma.masked_array(data(), mask=False)
    record = np.zeros(3, [("x", float), ("n", int)])

    def step(m, r, a):
        m[1] = np.ma.masked
        r["n"] += 1
        return a * 2 + r["n"][0]

    return Case(step, (masked, record, data()), look=lambda: (masked.mask, record.tolist()))


@program
def an_array_of_objects():
    held = np.array([[1], [2, 3]], dtype=object)

    def step(o, a):
        o[0].append(4)
        o[1] = None
        return a * 2 + len(o[0])

    return Case(step, (held, data()), look=lambda: held)


# random generators and streams --------------------------------------------------------------------


@program
def random_generators_as_attributes():
    box = types.SimpleNamespace(
        new=np.random.default_rng(1), old=np.random.RandomState(2), plain=random.Random(3)
    )

    states = (
        lambda: box.new.bit_generator.state,
        lambda: box.old.get_state()[1:],
        box.plain.getstate,
    )

    def step(b, a):
        return a * b.new.random() + b.old.rand() + b.plain.random()

    return Case(step, (box, data()), look=lambda: [repr(state()) for state in states])


@program
def the_global_random_generators():
    def step(a):
        return a * np.random.rand() + random.random()

    return Case(step, (data(),))


@program
def a_stream_in_memory():
    text, raw = io.StringIO("x"), io.BytesIO(b"y")

    def step(t, r, a):
        t.write("seen\n")
        r.write(b"seen")
        return a * t.tell() + r.tell()

    return Case(step, (text, raw, data()), look=lambda: (text.getvalue(), raw.getvalue()))
