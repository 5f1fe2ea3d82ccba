"""The catalogue of break reasons: why an instruction, a call or a function was not captured.

Each reason stands here once, with its code, what it is, why it forces a break, and what the user
can do. Codes are stable: none is ever reused. `trace.frame.Break` is the exception that ends a
region with a reason; `asm.versions` and `ops` name reasons in their tables; `runtime.causes` maps
causes of retirement to DT7xx. `report` and `programs.screen` print them, and `tests/test_breaks.py`
has a program that meets each.
"""

from __future__ import annotations

from dyntrace.record import record
from dyntrace.registries import Registry

__all__ = ["CATALOGUE", "BreakReason", "reason"]


@record(frozen=True)
class BreakReason:
    """One entry: `code` (DTnnn), `text` (what), `why` (why it breaks) and `fix` (what to do)."""

    code: str
    text: str
    why: str
    fix: str


CATALOGUE: Registry[str, BreakReason] = Registry()


def _add(code: str, text: str, why: str, fix: str) -> BreakReason:
    if code in CATALOGUE:
        raise ValueError(f"break code {code} is listed twice")
    CATALOGUE[code] = BreakReason(code, text, why, fix)
    return CATALOGUE[code]


def reason(code: str) -> BreakReason:
    """The entry of `code`; KeyError if there is none."""
    return CATALOGUE[code]


# DT1xx: calls ------------------------------------------------------------------------------------
OPAQUE_CALL = _add(
    "DT101",
    "call of a function that cannot be traced",
    why="its effects are unknown, so all array work before it must be finished first",
    fix="nothing is wrong; move it out of the hot loop if the report shows it matters",
)
UNKNOWN_CALLEE = _add(
    "DT102",
    "call of an object that is not known until it runs",
    why="it is not found in a global, a closure, an attribute of a plain instance or a module",
    fix="nothing is wrong; the call runs as it is",
)
NOT_INLINED = _add(
    "DT103",
    "call of a Python function that cannot be inlined",
    why="its body has a loop, a branch on data, an effect or a break of its own",
    fix="nothing is wrong; its own body is optimised separately",
)
RECURSION = _add(
    "DT104",
    "call too deep to inline",
    why="inlining stops at a fixed depth, so that recursive functions end",
    fix="nothing is wrong; the call runs as it is",
)
CALL_BINDING = _add(
    "DT105",
    "arguments that do not fit the function's signature as traced",
    why="CPython raises its own error, or unpacks the arguments, when the call runs",
    fix="check the call's arguments, or pass them one by one instead of unpacked",
)
USER_BREAK = _add(
    "DT106",
    "graph_break() in the source",
    why="the program asks for a break here",
    fix="remove the call of dyntrace.graph_break()",
)
DISABLED = _add(
    "DT107",
    "call of a function marked with dyntrace.disable",
    why="the program asks that this function is not traced",
    fix="remove dyntrace.disable from the function",
)
UNKNOWN_METHOD = _add(
    "DT108",
    "method that the tracer does not model",
    why="the effects of the method are unknown",
    fix="nothing is wrong; the call runs as it is",
)

# DT2xx: NumPy operations -------------------------------------------------------------------------
OBJECT_OPERAND = _add(
    "DT201",
    "an operand is an object NumPy would convert by running Python code",
    why="converting it may run code of its class, which must happen exactly once",
    fix="convert it to an array or a number before the array work",
)
UNFORESEEN = _add(
    "DT202",
    "the result of this call could not be foreseen",
    why="the call failed, or warned, on small arrays of the operands' dtypes and dimensions",
    fix="nothing is wrong; the call runs as it always did",
)
CALLBACK = _add(
    "DT203",
    "a function is handed to NumPy, which calls it back",
    why="the function is Python code with effects of its own",
    fix="write the computation with array operations if it matters",
)
RANDOM_DRAW = _add(
    "DT204",
    "a random draw",
    why="it advances the generator's stream, which must happen exactly once, in order",
    fix="nothing is wrong; draw before the array work, and in one call rather than many",
)
MAKES_TEXT = _add(
    "DT205",
    "reads or writes files, prints, or makes text",
    why="its effects, or the text, are not array work",
    fix="move it out of the hot loop",
)
ALWAYS_WARNS = _add(
    "DT206",
    "the call always warns",
    why="the warning must carry the file and line of the call",
    fix="write what the warning asks for",
)
DATA_DIMENSIONS = _add(
    "DT207",
    "the number of dimensions of the result depends on shapes or data",
    why="shapes are not guarded, so the result's kind is learnt by looking at it",
    fix="pass the axis",
)
CHANGE_IN_PLACE = _add(
    "DT208",
    "changes an array in place in a way that cannot be deferred",
    why="it changes the array's shape, type, flags or memory, or can fail half-way",
    fix="make a new array instead",
)
DEPRECATED = _add(
    "DT209",
    "a deprecated function",
    why="it warns, or will",
    fix="use the function its documentation names",
)
EXPOSES_MEMORY = _add(
    "DT210",
    "exposes the array's memory or the object behind it",
    why="what it shows of memory and ownership belongs to the real array only",
    fix="nothing is wrong; ask after the array work",
)
VALUE_NEEDED = _add(
    "DT211",
    "the value decides what the call does, and the region computes it",
    why="the trace needs the value, which exists only when the region has run",
    fix="compute it before the array work, or pass a constant",
)
NOT_NUMERIC = _add(
    "DT212",
    "an array or scalar of objects, text, dates, records or foreign byte order",
    why="its operations run Python code or are not numeric",
    fix="convert it if it matters: astype(float), view('i8') of dates, one field of a record array",
)
CONFIGURATION = _add(
    "DT213",
    "configuration or introspection, no array work",
    why="there is nothing to capture",
    fix="nothing is wrong",
)
NOT_A_PLAIN_ARRAY = _add(
    "DT214",
    "makes an object that is not a plain array",
    why="iterators, matrices, records and the like are opaque objects",
    fix="use plain arrays if it matters",
)
MAY_FAIL_HALF_WAY = _add(
    "DT215",
    "a write that may fail half-way",
    why="what was written before the failure must stay written, once",
    fix="nothing is wrong; the instruction runs as it always did",
)

ARRAY_SUBCLASS = _add(
    "DT216",
    "an array of a subclass of ndarray (masked, matrix, recarray or of the program's own)",
    why="its class may replace any operation by Python code",
    fix="work on np.asarray of it where the plain array will do",
)

UNSEEN_ITEMS = _add(
    "DT217",
    "a container or object that is not looked into",
    why="it has more than 256 items or attributes (64 if two levels down), lies more than two "
    "levels down, or has keys other than str and int",
    fix="pass arrays in smaller groups, or read what is needed into a local variable before",
)

# DT3xx: bytecode instructions --------------------------------------------------------------------
SUSPENSION = _add(
    "DT301",
    "the function is suspended or resumed here (yield, await, async for)",
    why="other code runs while it waits, and may see or change every array",
    fix="nothing is wrong; array work on both sides of it is captured separately",
)
CONTEXT_MANAGER = _add(
    "DT302",
    "entering or leaving a with block",
    why="__enter__ and __exit__ are calls whose effects are unknown",
    fix="put the with block around the loop instead of inside it",
)
RAISE = _add(
    "DT303",
    "raise or assert",
    why="the exception's traceback shows the locals, so all array work before it must be finished",
    fix="nothing is wrong; check arguments before the array work to keep it in one graph",
)
EXCEPTION_HANDLING = _add(
    "DT304",
    "except or finally block is entered, matched or left",
    why="it runs on the interpreter's exception state, which a graph cannot hold",
    fix="nothing is wrong; keep the array work outside the handler where that is easy",
)
IMPORT = _add(
    "DT305",
    "import statement",
    why="importing runs a module's code",
    fix="move the import to the top of the file",
)
CLASS_BUILDING = _add(
    "DT306",
    "class statement",
    why="building a class runs its body and its metaclass",
    fix="move the class out of the function",
)
PATTERN_MATCHING = _add(
    "DT307",
    "match statement tests a class, mapping or sequence pattern",
    why="patterns call the subject's own methods",
    fix="nothing is wrong; array work inside each case is captured",
)
NAMESPACE = _add(
    "DT308",
    "a name is looked up, stored or deleted in a dictionary of names",
    why="class bodies, exec and deleted globals work on mappings that other code can see",
    fix="move the work into a function with local variables",
)
DELETION = _add(
    "DT309",
    "del of an attribute, an item or a closure variable",
    why="deleting calls the object's own methods and cannot be taken back",
    fix="nothing is wrong; del of a plain local variable does not break",
)
SUPER = _add(
    "DT310",
    "super() call",
    why="it looks the method up along the class of the running frame",
    fix="nothing is wrong; keep super() out of hot loops",
)
INTRINSIC = _add(
    "DT311",
    "an interpreter service (generator exit, star import, type parameters)",
    why="it works on the interpreter's own state",
    fix="nothing is wrong",
)
HAND_MADE = _add(
    "DT312",
    "hand-made bytecode in a form that the compiler never emits",
    why="its operands are not where the compiler would put them",
    fix="compile the function from source",
)
NEW_CELL = _add(
    "DT313",
    "a closure variable's cell is made anew",
    why="inner functions made before and after it see different variables",
    fix="nothing is wrong; it comes from a comprehension with a lambda inside",
)

# DT4xx: control flow -----------------------------------------------------------------------------
BRANCH_ON_DATA = _add(
    "DT401",
    "branch on a computed value",
    why="which way it goes is known only when the value is, so the array work before it ends there",
    fix="nothing is wrong; np.where keeps an elementwise choice in one graph",
)
LOOP_INSIDE_INLINED = _add(
    "DT402",
    "loop inside a function that was to be inlined",
    why="only straight-line bodies, and loops over a few known items, are inlined",
    fix="nothing is wrong; the function is optimised on its own",
)
REGION_FULL = _add(
    "DT403",
    "region too large",
    why="a region holds a limited number of operations and inputs; the next one goes on from here",
    fix="nothing is wrong",
)

TOO_MANY_PATHS = _add(
    "DT404",
    "not analysed from here on, since the function has too many paths",
    why="at most 600 stretches of a function are looked at, so that a first call ends",
    fix="split the function",
)

# DT5xx: values and effects -----------------------------------------------------------------------
MAYBE_UNBOUND = _add(
    "DT501",
    "read of a local variable that may be unbound",
    why="CPython raises UnboundLocalError here if it is, so the read runs as it is",
    fix="assign the variable on every path that leads here",
)
UNSUPPORTED_OPERANDS = _add(
    "DT502",
    "operation on a value that is not an array, a number or a container built from them",
    why="it may run code of the value's own class",
    fix="nothing is wrong; keep such values out of hot array code if the report shows it matters",
)
UNKNOWN_VALUE = _add(
    "DT503",
    "operation on a value whose type has not been seen yet",
    why="this line has not run since the function was optimised",
    fix="nothing is wrong; the next compilation knows the type",
)
SECOND_EFFECT = _add(
    "DT504",
    "write to an array from outside the region",
    why="a region ends with one such write, which must be proved unable to fail first",
    fix="nothing is wrong; the write runs inside the region or as it is",
)
ATTRIBUTE_READ = _add(
    "DT506",
    "attribute that is computed when it is read",
    why="reading it may run code of its class or module (a property, a descriptor, __getattr__)",
    fix="read the attribute into a local variable before the array work",
)
ATTRIBUTE_STORE = _add(
    "DT507",
    "store to an attribute, an item, a global name or a container from outside",
    why="other code can see it, so all array work before it must be finished first",
    fix="nothing is wrong",
)
STATE_DEPENDENT = _add(
    "DT509",
    "value that depends on Python state outside the function",
    why="it is read each time it is needed",
    fix="nothing is wrong",
)

# DT6xx: whole functions --------------------------------------------------------------------------
NOT_PYTHON = _add(
    "DT601",
    "not a Python function",
    why="a built-in, C function or class has no bytecode to trace; it is returned unchanged",
    fix="optimize the Python function that calls it",
)
NOT_WOVEN = _add(
    "DT602",
    "code object that cannot be woven",
    why="its bytecode could not be decoded or assembled again; it runs as it was",
    fix="please report it with the function's source",
)
GIVEN_UP = _add(
    "DT603",
    "too many versions",
    why="the types seen here change too often; what is not covered runs as the original bytecode",
    fix="call the function with fewer kinds of arguments, or split it",
)

MANY_KINDS = _add(
    "DT605",
    "more kinds of inputs than a graph has entries for",
    why="a graph serves at most 16 kinds, met in at most 48 calls that miss; with others the "
    "original bytecode runs",
    fix="call the function with fewer dtypes, numbers of dimensions and lengths of lists",
)
MANY_DIMENSIONS = _add(
    "DT606",
    "arrays of more than 24 dimensions",
    why="the virtual machine has no more axes, so this graph runs as calls of NumPy, unfused",
    fix="reshape to fewer dimensions around the work",
)

LOOPS_INTERPRETED = _add(
    "DT607",
    "loops are not compiled to machine code",
    why="the compiler for them, llvmlite, is missing or turned off",
    fix="pip install dyntrace[jit]",
)

MODULE_LEVEL = _add(
    "DT604",
    "NumPy work at module level is not captured",
    why="a module's code keeps its variables in a dictionary that all other code can see",
    fix="move it into a function, such as main(), and call that",
)

# DT7xx: regions that were given up or never made --------------------------------------------------
RETIRED_MISSES = _add(
    "DT701",
    "the region's inputs are of too many kinds",
    why="nearly all calls bring kinds it has no entry for; the original instructions run instead",
    fix="call the function with fewer kinds of arguments, or split it",
)
RETIRED_FLOATING = _add(
    "DT702",
    "floating-point flags are raised here again and again",
    why="warnings must come from the original instructions, so they run instead",
    fix="avoid the division by zero, overflow or invalid value, or ignore it with np.errstate",
)
RETIRED_ERRORS = _add(
    "DT703",
    "operations fail here again and again",
    why="exceptions must come from the original instructions, so they run instead",
    fix="check shapes and values before the array work if failing is usual",
)
RETIRED_DECLINED = _add(
    "DT704",
    "the executor declines here again and again",
    why="it cannot prove that it would do what the original instructions do, so they run instead",
    fix="nothing is wrong",
)
RETIRED_SLOWER = _add(
    "DT705",
    "the original instructions are faster",
    why="both were measured during the first calls",
    fix="nothing is wrong",
)
NOT_WORTH_IT = _add(
    "DT706",
    "too little work for a region",
    why="by an estimate, CPython runs these instructions faster than a graph of them could run",
    fix="nothing is wrong; work on whole arrays instead of single elements gains more",
)

# DT8xx: loops in machine code ---------------------------------------------------------------------
LOOP_LEFT = _add(
    "DT801",
    "the loop ends here",
    why="a break, a return or a test that fails leaves the loop, which is CPython's to do",
    fix="nothing is wrong; the iterations before run in machine code",
)
LOOP_STATE = _add(
    "DT802",
    "a value that machine code cannot hand on from one iteration, or step, to the next",
    why="only numbers, and arrays from before the loop, can be stored when CPython takes over",
    fix="make what an iteration builds and uses local to it, or a number",
)
LOOP_KINDS = _add(
    "DT803",
    "a variable that changes its type from one iteration to the next",
    why="machine code is made for one type of each variable",
    fix="start with a value of the type that later iterations have, such as 0.0 instead of 0",
)
LOOP_ITERATOR = _add(
    "DT804",
    "iteration over something that machine code cannot iterate over",
    why="it takes ranges and arrays, and enumerate, zip and reversed of these",
    fix="iterate over a range or an array",
)
LOOP_UNIT = _add(
    "DT805",
    "an instruction that machine code has no form for",
    why="CPython has to execute it; so it executes the iterations that come to it",
    fix="move it out of the loop if iterations often come to it",
)
LOOP_TOO_LARGE = _add(
    "DT806",
    "a loop with too many steps or combinations of types",
    why="the time to compile it would grow with their product",
    fix="move parts of the body into loops or functions of their own",
)
LOOP_UNBOUND = _add(
    "DT807",
    "a variable that may be unbound where it is read",
    why="some iterations store it and some do not, so it may be unbound when an iteration begins",
    fix="assign a first value to it before the loop",
)
LOOP_OPERATION = _add(
    "DT808",
    "an operation that machine code has no form for",
    why="CPython has to execute it; so it executes the iterations that come to it",
    fix="move it out of the loop, or write it as operations on elements",
)
LOOP_SHORT = _add(
    "DT809",
    "machine code that did few iterations at a time, or none",
    why="entering and leaving it took longer than they do in CPython",
    fix="nothing is wrong; see where iterations left it",
)

CATALOGUE.freeze()
