"""The public functions: optimize, explain, verify, stats, disable, graph_break, is_tracing, reset.

`optimize` unwraps what it is given (a method, partial or callable object) down to a Python function
and hands that to `functions.optimised`. Invariant: a call of an optimised function runs no code of
this module. `report` and `verification` are imported only when `explain`, `stats` or `verify` asks
for them. Read `functions.family` next.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
import warnings
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dyntrace.breaks import DISABLED, NOT_PYTHON
from dyntrace.errors import DyntraceWarning
from dyntrace.exec.backends.names import get_backend, register_backend
from dyntrace.exec.jobs.threads import get_num_threads, set_num_threads
from dyntrace.exec.machine_resources import arena_trim
from dyntrace.functions.family import Family, live_compiled
from dyntrace.functions.hooked import Hooked
from dyntrace.functions.optimised import optimised
from dyntrace.runtime.handles import hook_install, hook_remove
from dyntrace.trace.marks import graph_break, is_disabled, left_alone, tag_of

if TYPE_CHECKING:
    from dyntrace.report.data import Explanation, Stats

__all__ = [
    "disable",
    "explain",
    "explanations",
    "get_num_threads",
    "graph_break",
    "is_tracing",
    "optimize",
    "register_backend",
    "reset",
    "set_num_threads",
    "stats",
    "verify",
]

_ACCEPTED = "a Python function, method, callable object, or nothing for a `with` block"


def optimize(fn: Any = None, *, backend: str = "numpy", fullgraph: bool = False) -> Any:
    """A function that does what `fn` does, with its NumPy work captured in graphs.

    As a call or decorator: takes a function, lambda, closure, (bound, class or static) method,
    generator or async function, `functools.partial` or callable object; returns the same kind of
    thing. A built-in, C function or class comes back unchanged. Without `fn`: a decorator, and a
    context manager that optimises every Python frame this thread enters inside the block.

    backend    "numpy", "reference", or a name given to `register_backend`
    fullgraph  raise GraphBreakError, with reason and line, at each graph break; breaks on a path
               that ends in a `raise` are exempt, since nothing is captured there

    Raises TypeError if `fn` is not callable, BackendError (a ValueError) if there is no such
    backend.
    """
    if fn is None:
        return _Optimizer(backend, fullgraph)
    get_backend(backend)
    return _optimize(fn, Family(backend, fullgraph))


NO_HOOK = (
    "frames cannot be optimised without dyntrace's native module, so the block runs as it is; "
    "optimize the functions themselves, or install with a C compiler at hand"
)


class _Optimizer:
    """`optimize()` without a function: a decorator and a context manager."""

    def __init__(self, backend: str, fullgraph: bool) -> None:
        get_backend(backend)
        self._backend = backend
        self._fullgraph = fullgraph

    def __call__(self, fn: Any) -> Any:
        return optimize(fn, backend=self._backend, fullgraph=self._fullgraph)

    def __enter__(self) -> _Optimizer:
        if not hook_install(hooked(self._backend).replacement):
            warnings.warn(DyntraceWarning(NO_HOOK), stacklevel=2)
        return self

    def __exit__(self, *exception: object) -> None:
        hook_remove()


def _optimize(fn: Any, family: Family) -> Any:
    maker = _MAKERS.get(type(fn))
    if maker is not None:
        return maker(fn, family)
    if not callable(fn):
        raise TypeError(f"optimize takes {_ACCEPTED}; got {type(fn).__name__}")
    call = inspect.getattr_static(type(fn), "__call__", None)
    if isinstance(fn, type) or not isinstance(call, types.FunctionType):
        return fn
    return types.MethodType(optimised(call, family), fn)


_MAKERS: Mapping[type, Callable[[Any, Family], Any]] = MappingProxyType(
    {
        types.FunctionType: lambda fn, family: fn if is_disabled(fn) else optimised(fn, family),
        types.MethodType: lambda fn, family: types.MethodType(
            _optimize(fn.__func__, family), fn.__self__
        ),
        staticmethod: lambda fn, family: staticmethod(_optimize(fn.__func__, family)),
        classmethod: lambda fn, family: classmethod(_optimize(fn.__func__, family)),
        functools.partial: lambda fn, family: functools.partial(
            _optimize(fn.func, family), *fn.args, **fn.keywords
        ),
    }
)


_hooked: dict[str, Hooked] = {}


def hooked(backend: str) -> Hooked:
    """The compiled code that the frame hook uses for `backend`; one for all `with` blocks."""
    if backend not in _hooked:
        _hooked[backend] = Hooked(backend)
    return _hooked[backend]


# reports ------------------------------------------------------------------------------------------


def explain(fn: Any) -> Callable[..., Explanation]:
    """A function that runs `fn` once, optimised, and returns what was captured and what was not.

    The call has the effects of calling `fn`; a generator is iterated and a coroutine run to its
    end. If `fn` raises, the exception propagates. Callees and loops are compiled when they are
    first met, so that one call shows everything.
    """
    fast = fn if _tag(fn) is not None else optimize(fn)
    tag = _tag(fast)

    def explained(*args: Any, **kwargs: Any) -> Explanation:
        if tag is None:
            _run_to_the_end(fast(*args, **kwargs))
            return explanation_of(fn, fast)
        tag.family.lose_patience()
        try:
            _run_to_the_end(fast(*args, **kwargs))
        finally:
            tag.family.regain_patience()
        return explanation_of(fn, fast)

    return explained


def _run_to_the_end(result: Any) -> None:
    """Iterate a generator and run a coroutine, which have executed nothing so far."""
    if isinstance(result, types.GeneratorType):
        for _ in result:
            continue
    elif isinstance(result, types.CoroutineType):
        _run_coroutine(result)
    elif isinstance(result, types.AsyncGeneratorType):
        _run_coroutine(_drained(result))


def _run_coroutine(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run it in a new asyncio event loop.

    A coroutine written for another framework (trio, curio) stops at its first wait: asyncio answers
    what it yields there with RuntimeError("Task got bad yield") (Lib/asyncio/tasks.py).
    """
    import asyncio

    try:
        asyncio.run(coroutine)
    except RuntimeError as error:
        if "got bad yield" not in str(error):
            raise


async def _drained(items: types.AsyncGeneratorType[Any, Any]) -> None:
    async for _ in items:
        continue


def _is_disabled(fn: Any) -> bool:
    return isinstance(fn, types.FunctionType) and is_disabled(fn)


def _tag(fn: Any) -> Any:
    while not isinstance(fn, types.FunctionType):
        inner = getattr(fn, "__func__", None) or getattr(fn, "func", None)
        if inner is None:
            return None
        fn = inner
    return tag_of(fn)


def explanation_of(fn: Any, fast: Any) -> Explanation:
    """The findings on an optimised callable and the callees it is optimised with."""
    from dyntrace.report.collect import add_compiled
    from dyntrace.report.collect_loops import what_loops_lack
    from dyntrace.report.data import Explanation

    name = getattr(fn, "__qualname__", type(fn).__name__)
    tag = _tag(fast)
    if tag is None:
        reason = DISABLED if _is_disabled(fn) else NOT_PYTHON
        note = f"{reason.code}: {reason.text}; {reason.why}"
        return Explanation(notes=[note], name=name)
    found = Explanation(name=name)
    all_compiled = list(tag.family.all_compiled())
    for compiled in all_compiled:
        add_compiled(found, compiled)
    found.notes += what_loops_lack(all_compiled)
    return found


def explanations() -> list[Explanation]:
    """The findings on all compiled code that is alive, where there is anything to report."""
    from dyntrace.report.collect import add_compiled
    from dyntrace.report.data import Explanation

    result = []
    for compiled in live_compiled():
        found = Explanation(name=compiled.name, filename=compiled.original.co_filename)
        add_compiled(found, compiled)
        compiled_loops = any(loop.compiled for loop in found.loops)
        if found.graphs or found.breaks or found.retired or found.left_alone or found.notes:
            result.append(found)
        elif compiled_loops:
            result.append(found)
    return result


def stats(fn: Any) -> Stats:
    """Counters of an optimised function and the callees optimised with it.

    Raises TypeError if `fn` was not returned by `optimize`.
    """
    tag = _tag(fn)
    if tag is None:
        raise TypeError("stats takes a function returned by optimize")
    from dyntrace.report.collect import stats_of

    return stats_of(list(tag.family.all_compiled()))


def verify(fn: Any, *, backend: str = "numpy", calls: int = 3) -> Callable[..., Any]:
    """A function that runs `fn` eagerly and optimised from equal states and compares everything.

    It compares the result's bits, dtype, shape, strides and aliasing, mutated arguments and
    globals, output, warnings, and exceptions. Each call runs both functions `calls` times and
    returns the result of the last optimised run; only that run's effects remain. If a run differs,
    it takes back all effects and raises VerificationError with the differences.

    Before each run it restores, in place, what arguments, `__self__`, closures, defaults, globals
    and attributes hold, and everything reachable from there: containers, arrays and the buffers
    they view, random generators, positions in files. It draws from generators and other iterators
    once; every run gets an iterator over the same items.

    Some state cannot be restored: contents of files, caches that held entries before, the clock,
    state of other modules. If runs differ, the eager function therefore runs twice more. Facts that
    differ among eager runs are not blamed on dyntrace: the result is returned, and an
    `errors.StateWarning` names what was not compared. `verify` holds references to what it
    restores, so `x.resize(...)` inside `fn` needs `refcheck=False` under it.
    """

    from dyntrace.verification import verification

    @functools.wraps(fn)
    def verified(*args: Any, **kwargs: Any) -> Any:
        return verification.verify(fn, optimize(fn, backend=backend), args, kwargs, calls=calls)

    return verified


# control ------------------------------------------------------------------------------------------


def disable(fn: Any) -> Any:
    """A copy of function `fn` that dyntrace neither inlines nor optimises; also a decorator.

    `optimize` returns the copy unchanged. Inside `with optimize()` the copy runs as it is, but the
    functions it calls are optimised.

    Raises TypeError if `fn` is not a Python function.
    """
    if not isinstance(fn, types.FunctionType):
        raise TypeError(f"disable takes a Python function; got {type(fn).__name__}")
    tag = tag_of(fn)
    original = fn if tag is None else tag.original
    copy = types.FunctionType(
        left_alone(original.__code__),
        original.__globals__,
        original.__name__,
        original.__defaults__,
        original.__closure__,
    )
    functools.update_wrapper(copy, original)
    copy.__kwdefaults__ = original.__kwdefaults__
    return copy


def is_tracing() -> bool:
    """Whether the function that calls this is running compiled code of dyntrace's."""
    code = sys._getframe(1).f_code
    return any(
        compiled.code is code and compiled.code is not compiled.original
        for compiled in live_compiled()
    )


def reset() -> None:
    """Forget everything learnt: optimised functions start again at their next call.

    Also gives the memory that is kept for later temporaries back to the system.
    """
    for compiled in live_compiled():
        compiled.reset()
    for hook in _hooked.values():
        hook.forget()
    _hooked.clear()
    arena_trim(0)
