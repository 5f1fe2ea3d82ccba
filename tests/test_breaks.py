"""Every reason of the catalogue has a program that meets it, as `explain` tells its user."""

from __future__ import annotations

import copy
import dis
import io
import random
import types
import warnings
from functools import partial
from itertools import cycle

import numpy as np
import pytest

import dyntrace
from dyntrace import config
from dyntrace.breaks import CATALOGUE, EXCEPTION_HANDLING
from dyntrace.graph import kinds
from dyntrace.report.modules import module_level_work
from dyntrace.runtime.handles import set_clock
from dyntrace.trace.code_facts import CodeFacts
from dyntrace.trace.interpreter import trace_region
from dyntrace.trace.state import State
from tests.reasons_of_loops import REASONS_OF_LOOPS, from_source

A = np.arange(1.0, 7.0)
GENERATOR = np.random.default_rng(0)
GATHERED: list[float] = []
PROGRAMS: dict[str, object] = {**REASONS_OF_LOOPS}


def program(code, *args):
    """Register a function, with its arguments, as the program that meets `code`."""

    def add(function):
        assert code not in PROGRAMS, f"{code} has two programs"
        PROGRAMS[code] = (function, args)
        return function

    return add


def codes_of(found):
    """The codes of breaks, those of breaks inside callees included, of loops and of notes."""
    texts = {CATALOGUE[code].text: code for code in CATALOGUE}
    for item in found.breaks:
        yield item.code
        yield from (code for text, code in texts.items() if item.reason.endswith(f": {text}"))
    yield from (item.code for item in found.retired + found.left_alone)
    for loop in found.loops:
        yield from (item.code for item in (*loop.exits, loop.obstacle) if item is not None)
    yield from (note.partition(":")[0] for note in found.notes)


def findings(function, args):
    """What `explain` says after a few calls, so that recorders have brought their news."""
    fast = dyntrace.optimize(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3):
            found = dyntrace.explain(fast)(*copy.deepcopy(args))
    return found


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_program_meets_the_reason(code, monkeypatch):
    assert code in PROGRAMS, f"{code} ({CATALOGUE[code].text}) has no program"
    function, args = PROGRAMS[code]
    if function is None:
        pytest.skip(args[0])
    if code.startswith("DT8") and not config.jit:
        pytest.skip("loops are not compiled here")
    if code == "DT607":
        monkeypatch.setattr(config, "jit", False)
    if code in ("DT705", "DT706"):
        monkeypatch.setattr(config, "measure", True)
    if code == "DT705":
        set_clock(cycle(SLOWER_REGION).__next__)
    try:
        assert code in set(codes_of(findings(function, args)))
    finally:
        set_clock(None)


def test_each_program_is_of_a_reason_in_the_catalogue():
    assert set(PROGRAMS) <= set(CATALOGUE)


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_reason_says_what_why_and_what_to_do(code):
    entry = CATALOGUE[code]
    assert entry.code == code
    assert entry.text and entry.why and entry.fix


def test_breaks_carry_line_reason_why_and_hint():
    def branching(a):
        b = a * 2
        if b.sum() > 3:
            b = b + 1
        return b

    (found,) = [item for item in findings(branching, (A,)).breaks if item.code == "DT401"]
    entry = CATALOGUE["DT401"]
    assert found.lineno == branching.__code__.co_firstlineno + 2
    assert found.filename == __file__
    assert (found.reason, found.why, found.hint) == (entry.text, entry.why, entry.fix)


# DT1xx: calls -------------------------------------------------------------------------------------


@program("DT101", A)
def opaque_call(a):
    GATHERED.append(random.random())
    b = a * 2
    random.random()
    return b + 1


class Adder:
    def __call__(self, a):
        return a + 1


@program("DT102", A)
def callable_object(a, adder=Adder()):
    return adder(a * 2) + 1


def with_a_branch(a):
    return a + 1 if np.sum(a) > 0 else a - 1


@program("DT103", A)
def callee_with_a_branch(a):
    return with_a_branch(a * 2) + 1


@program("DT104", A)
def recursion(a, depth=3):
    return a * 2 if depth == 0 else recursion(a + 1, depth - 1)


def one_argument(a):
    return a + 1


@program("DT105", A)
def wrong_arguments(a):
    b = a * 2
    try:
        return one_argument(b, b)
    except TypeError:
        return b


@program("DT106", A)
def break_on_demand(a):
    b = a * 2
    dyntrace.graph_break()
    return b + 1


@dyntrace.disable
def left_alone(a):
    return a + 1


@program("DT107", A)
def call_of_a_disabled_function(a):
    return left_alone(a * 2) + 1


@program("DT108", A)
def method_without_a_rule(a):
    n = int(a[0])
    return a * n.bit_length()


# DT2xx: NumPy operations --------------------------------------------------------------------------


class Convertible:
    def __array__(self, dtype=None, copy=None):
        return np.ones(6)


@program("DT201", A)
def object_with_a_conversion(a, thing=Convertible()):
    return np.add(a * 2, thing)


@program("DT202", A)
def call_that_cannot_work(a):
    b = a * 2
    try:
        return np.matmul(b, 2.0)
    except ValueError:
        return b


@program("DT203", A)
def function_called_back(a):
    return np.apply_along_axis(lambda row: row[::-1], 0, a * 2) + 1


@program("DT204", A)
def random_draw(a):
    return a * 2 + GENERATOR.normal(size=6)


@program("DT205", A)
def array_as_text(a):
    np.savetxt(io.StringIO(), a * 2)
    return a + 1


@program("DT206", A)
def complex_into_real(a):
    return (a * 1j).astype(np.float64)


@program("DT207", A.reshape(2, 1, 3))
def squeeze_without_an_axis(a):
    return np.squeeze(a * 2) + 1


@program("DT208", A)
def change_of_flags(a):
    b = a * 2
    b.setflags(write=False)
    return b


@program("DT209", A)
def deprecated_method(a):
    b = a * 2
    try:
        return b.tostring()
    except AttributeError:
        return b


@program("DT210", A)
def owner_of_memory(a):
    b = a * 2
    return b[1:].base is b


@program("DT211", A)
def computed_axis(a):
    axis = int(np.sum(a) * 0)
    return np.sum(a * 2, axis=axis)


@program("DT212", np.array([1, None], dtype=object))
def array_of_objects(a):
    return np.ravel(a)


@program("DT213", A)
def question_about_configuration(a):
    b = a * 2
    np.geterr()
    return b + 1


@program("DT214", A)
def iterator_over_an_array(a):
    return [float(item) for item in np.nditer(a * 2)]


@program("DT215", A)
def truths_into_numbers(a):
    b = a * 2
    return np.isnan(b, b)


@program("DT217", [A] * 257)
def list_too_long(arrays):
    return np.stack(arrays) * 2


@program("DT216", np.ma.array([1.0, 2.0], mask=[0, 1]))
def masked_array(a):
    return a + 1


# DT3xx: bytecode instructions ---------------------------------------------------------------------


@program("DT301", A)
def generator(a):
    b = a * 2
    yield b
    yield b + 1


@program("DT302", A)
def block_with_a_manager(a):
    b = a * 2
    with io.StringIO():
        return b + 1


@program("DT303", A)
def raised_error(a):
    b = a * 2
    try:
        raise KeyError
    except KeyError:
        return b + 1


PROGRAMS["DT304"] = (None, ("not a break of its own; see the test of handlers below",))


def test_a_handler_ends_the_trace_and_is_no_break_of_its_own():
    def handled(a):
        try:
            b = a * 2
        except ValueError:
            b = a
        finally:
            a = a + 1
        return b

    facts = CodeFacts.of(handled.__code__)
    handlers = {unit.handler for unit in facts.body.units} - {None}
    assert handlers
    for handler in handlers:
        depth = facts.depths[handler]
        state = State({}, (kinds.UNKNOWN,) * depth)
        trace = trace_region(facts.body, globals(), handler, state, facts.heads)
        assert trace.stop.reason is EXCEPTION_HANDLING
    assert "DT304" not in set(codes_of(findings(handled, (A,))))


@program("DT305", A)
def import_inside(a):
    import math

    return a * math.pi


@program("DT306", A)
def class_inside(a):
    class Inner:
        factor = 2

    return a * Inner.factor


@program("DT307", A)
def match_of_a_sequence(a, shape=(1, 2)):
    b = a * 2
    match list(shape):
        case [first, second]:
            return b + first + second


@program("DT308", A)
def deleted_global(a):
    global PASSING
    PASSING = a * 2
    del PASSING
    return a + 1


@program("DT309", A)
def deleted_item(a):
    kept = {"a": a * 2}
    del kept["a"]
    return a + 1


class Base:
    def scaled(self, a):
        return a * 2


class Derived(Base):
    def scaled(self, a):
        return super().scaled(a + 1) + 1


HAS_SUPER_ATTRIBUTE = "LOAD_SUPER_ATTR" in dis.opmap
PROGRAMS["DT310"] = (
    (lambda a: Derived.scaled(Derived(), a), (A,))
    if HAS_SUPER_ATTRIBUTE
    else (None, ("super() is an ordinary call here",))
)
if HAS_SUPER_ATTRIBUTE:
    PROGRAMS["DT310"] = (Derived.scaled, (Derived(), A))

ALIAS = """
def program(a):
    b = a * 2
    type Numbers = list[float]
    return b + 1
"""
PROGRAMS["DT311"] = (
    (from_source(ALIAS), (A,))
    if from_source(ALIAS)
    else (None, ("there are no such instructions here",))
)


def with_names_of_keywords_from_a_local():
    """`return one(b, a=b)` with the names of keywords loaded from a local, as no compiler does."""

    def keywords(names, a):
        b = a * 2
        return plain_sum(b, other=b)

    code = keywords.__code__
    steps = list(dis.get_instructions(code))
    (place,) = [i for i, step in enumerate(steps) if step.opname == "CALL_KW"]
    changed = bytearray(code.co_code)
    load = steps[place - 1]
    assert load.opname == "LOAD_CONST"
    changed[load.offset : load.offset + 2] = bytes([dis.opmap["LOAD_FAST"], 0])
    return types.FunctionType(code.replace(co_code=bytes(changed)), globals())


def plain_sum(b, other):
    return b + other


PROGRAMS["DT312"] = (
    (with_names_of_keywords_from_a_local(), (("other",), A))
    if "CALL_KW" in dis.opmap
    else (None, ("every form of every instruction is handled here",))
)


def comprehension_with_a_lambda(a):
    return [row() for row in [lambda: a + n for n in range(2)]]


PROGRAMS["DT313"] = (
    (comprehension_with_a_lambda, (A,))
    if "LOAD_FAST_AND_CLEAR" in dis.opmap
    else (None, ("a comprehension is a function of its own here",))
)


# DT4xx: control flow ------------------------------------------------------------------------------


@program("DT401", A)
def branch_on_a_sum(a):
    b = a * 2
    return b + 1 if b.sum() > 0 else b - 1


@program("DT402", A)
def callee_with_a_loop(a):
    return repeated(a * 2) + 1


def repeated(a):
    for _ in range(1000):
        a = a * 0.5
    return a


PROGRAMS["DT403"] = (
    from_source("def program(x):\n" + "    x = x + 1\n" * 450 + "    return x"),
    (A,),
)


PROGRAMS["DT404"] = (
    from_source(
        "def program(a):\n" + "    a = a * 2\n    random.random()\n" * 610 + "    return a"
    ),
    (A,),
)


# DT5xx: values and effects ------------------------------------------------------------------------


@program("DT501", A)
def perhaps_unbound(a, flag=False):
    if flag:
        b = a
    c = a * 2
    try:
        return c + b
    except UnboundLocalError:
        return c


@program("DT502", A)
def sum_of_texts(a, text="x"):
    b = a * 2
    return text + "y", b + 1


@program("DT503", A)
def path_not_run(a, flag=False):
    if flag:
        b = partial(np.add, 1)(a)
        c = a * 2
        return c + GENERATOR.bit_generator + b
    return a + 1


def written(a):
    a[0] = 5.0
    return a + 1


@program("DT504", A)
def callee_that_writes(a):
    return written(a) * 2


class Factor:
    def __get__(self, thing, owner):
        return 2.0


class Computing:
    factor = Factor()


@program("DT506", A)
def computed_attribute(a, thing=Computing()):
    return a * thing.factor


class Holder:
    pass


@program("DT507", A)
def stored_attribute(a, holder=Holder()):
    holder.kept = a * 2
    return a + 1


@program("DT509", A)
def global_that_is_missing(a):
    b = a * 2
    try:
        return b + MISSING
    except NameError:
        return b


# DT6xx: whole functions ---------------------------------------------------------------------------

PROGRAMS["DT601"] = (len, ([1, 2],))


def with_an_unknown_instruction():
    def short(a):
        return a + 1

    code = short.__code__
    unreachable = bytes([dis.opmap["CACHE"], 7]) * 2
    return types.FunctionType(code.replace(co_code=code.co_code + unreachable), globals())


PROGRAMS["DT602"] = (with_an_unknown_instruction(), (A,))


@program("DT607", 50)
def loop_without_a_compiler(n):
    total = 0
    for i in range(n):
        total += i
    return total


PROGRAMS["DT604"] = (None, ("no function of its own; see the test of modules below",))


def test_module_level_work_is_told_without_running_it():
    source = "import numpy as np\nx = np.zeros(3)\nfor i in range(9):\n    x = x + i\n"
    loop, rest = module_level_work(source, "script.py")
    assert (loop.code, loop.lineno, rest.code, rest.lineno) == ("DT604", 3, "DT604", 2)


# Each path is first run long after the one before it was compiled.
PATHS = "".join(
    f"        if turn // 4 == {number}:\n            a = a + random.random() * {number}\n"
    for number in range(12)
)
PROGRAMS["DT603"] = (
    from_source(f"def program(a):\n    for turn in range(48):\n{PATHS}    return a"),
    (A,),
)


@program("DT605", [np.ones((1,) * ndim, char) for ndim in range(1, 4) for char in "bhilBHILfd"] * 9)
def more_kinds_than_entries(arrays):
    known = [x for x in arrays if x.ndim == 1]
    return [x * 2 + x for x in known * 9 + arrays]


@program("DT606", np.ones((1,) * 25))
def more_dimensions_than_the_machine_has(a):
    return a * 2 + 1


# DT7xx: regions that were given up ----------------------------------------------------------------


@program("DT701", [np.ones((1,) * ndim, char) for ndim in range(30) for char in "bhilBHILfd"])
def too_many_kinds(arrays):
    return [x * 2 + x for x in arrays]


@program("DT702", A)
def flags_again_and_again(a):
    for _ in range(10):
        b = a / 0.0
    return b


@program("DT703", A)
def failures_again_and_again(a):
    for _ in range(10):
        try:
            a = a + a[1:]
        except ValueError:
            pass
    return a


@program("DT704", np.arange(6))
def declined_again_and_again(a):
    for _ in range(10):
        a[a] = (a + 1) % 6


# What the clock shows when it is read during four calls: the region takes twice the time.
SLOWER_REGION = [100, 300, 400, 400, 500, 600, 600, 700, 800, 1000]


@program("DT705", np.ones(200_000))
def slower_than_the_original(x):
    for _ in range(100):
        y = np.sqrt(x) + x
    return y


@program("DT706", A)
def single_elements(a):
    a[1] = a[0] * 0.5
    a[2] = a[1] * 0.5
    return a
