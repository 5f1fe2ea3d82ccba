"""Graphs captured from real functions, run by a backend beside eager NumPy.

`capture(fn, *samples)` lets the tracer make the graph; a `Proof` then calls what the backends made
of it, directly, on operands that two builds give: so no region retires and nothing but the backend
is under test. Invariant: each check either finds results equal to eager's in every respect, or a
decline (None or an exception) that left every input untouched and is counted; declines without a
cause in eager's own outcome may not be more than the proof allows. An internal error is neither: it
leaves the check as it is. Guards are not in a graph: a
function whose trace depends on a shape does not belong here.
"""

from __future__ import annotations

import ast
import functools
import inspect
import operator
import textwrap
import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

import dyntrace
from dyntrace import incidents
from dyntrace.errors import InternalError
from dyntrace.exec.backends.names import get_backend
from dyntrace.verification.snapshot import copies
from tests.machine.comparing import differences, leaves, memory, memory_differences
from tests.machine.operands import FULL, TIMES

BACKENDS = ("numpy", "reference")
_seen = []


class Declined(Exception):
    """The compiled graph left the work to the original instructions."""


class NotCaptured(Exception):
    """The function is not one graph: nothing to prove."""


def _compile_graph(graph):
    """A backend that remembers each graph that runs, and with which values."""
    run = get_backend("reference")(graph)

    def remembering(*values):
        result = run(*values)
        _seen.append((graph, values, result))
        return result

    return remembering


dyntrace.register_backend("remembering", _compile_graph)


def function(body, parameters="x, y", **names):
    """A function made of text; a body without `return` is an expression."""
    if "return" not in body and "\n" not in body and "=" not in body.replace("==", ""):
        body = f"return {body}"
    text = f"def f({parameters}):\n" + textwrap.indent(textwrap.dedent(body), "    ") + "\n"
    space = {"np": np, "__name__": "proof", **names}
    exec(compile(text, "<proof>", "exec"), space)
    space["f"].text = text
    return space["f"]


def expression(text, parameters="x, y", **names):
    """A function that returns the value of an expression."""
    return function(f"return {text}", parameters, **names)


def functions_of(cases):
    """The functions in the body of a class, in their order: a table of named programs."""
    return [value for name, value in vars(cases).items() if name[0] != "_"]


@functools.cache
def text_of(fn):
    """What a lambda returns, or the body of a function, as source text in a normal form."""
    text = getattr(fn, "text", None)
    if text is not None:
        return text
    source = textwrap.dedent(inspect.getsource(fn)).strip()
    if fn.__name__ != "<lambda>":
        return "\n".join(map(ast.unparse, ast.parse(source).body[0].body))
    found = ast.walk(ast.parse(f"({source[source.index('lambda') :].rstrip(',')})"))
    return ast.unparse(next(node for node in found if isinstance(node, ast.Lambda)).body)


def name_of(fn):
    """What a test of the function is called: its name, or what it returns if it is a lambda."""
    return text_of(fn) if fn.__name__ == "<lambda>" else fn.__name__


@dataclass
class Captured:
    """A function, its graph, and which of the function's arguments are the graph's inputs."""

    fn: object
    graph: object
    order: list
    runs: dict = field(default_factory=dict)

    def run(self, backend, args):
        """The outputs, effects done; Declined if the backend gave up."""
        compiled = self.runs.get(backend)
        if compiled is None:
            compiled = self.runs[backend] = get_backend(backend)(self.graph)
        before = memory(args)
        try:
            result = compiled(*(args[place] for place in self.order))
        except InternalError:
            raise
        except Exception as error:
            result, cause = None, error
        else:
            cause = None
        if result is None:
            assert memory(args) == before, "a decline after a write"
            raise Declined(repr(cause)) from cause
        return self._committed(result, args, before)

    def on(self, backend):
        """A function of the arguments: the outputs, and whether the graph has an effect."""
        return lambda args: (self.run(backend, args), self.graph.effect is not None)

    def _committed(self, result, args, before):
        if self.graph.effect is None:
            assert memory(args) == before, "a write without an effect"
            return result
        if result is True:
            return ()
        assert memory(args) == before, "the effect was done before its commit"
        *outputs, commit = result
        commit()
        return outside(outputs, args)


def capture(fn, *samples):
    """The one graph of the function; NotCaptured where it is not all of its work."""
    fast = dyntrace.optimize(fn, backend="remembering")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(3):
            args = copies(samples)
            del _seen[:]
            wanted = fast(*args)
    seen = _seen[:]
    del _seen[:]
    if len(seen) != 1:
        raise NotCaptured(f"{len(seen)} graphs")
    ((graph, values, result),) = seen
    order = [_position(args, value) for value in values]
    if None in order:
        raise NotCaptured("the graph has inputs that are not arguments")
    if graph.effect is None and not _are_same(leaves(result), leaves(wanted)):
        raise NotCaptured("the graph is not all of the function")
    return Captured(fn, graph, order)


def _are_same(found, wanted):
    return len(found) == len(wanted) and all(map(operator.is_, found, wanted))


def _position(args, value):
    places = [place for place, item in enumerate(args) if item is value]
    return places[0] if len(places) == 1 else None


def kinds(args):
    """What a region guards: types, dtypes and numbers of dimensions, but not the byte order."""
    return tuple(
        f"{item.dtype.char}{item.ndim}" if isinstance(item, np.ndarray) else type(item).__name__
        for item in args
    )


class Eager(NamedTuple):
    """What eager made of a check: its result or error, what it left in its arguments, the mode."""

    result: object
    error: Exception | None
    args: tuple
    mode: str
    may_decline: bool


@dataclass
class Proof:
    """Checks of one theme, counted: `ran` and `declined` without cause, by backend."""

    allowed: float = 0.0
    backends: tuple = BACKENDS
    checks: int = 0
    ran: int = 0
    caused: int = 0
    declined: list = field(default_factory=list)
    found: list = field(default_factory=list)
    missed: list = field(default_factory=list)
    captures: dict = field(default_factory=dict)
    noted: int = field(default_factory=incidents.count)

    def check(self, fn, build, mode="ignore", label="", may_decline=False):
        """Run `fn` on two builds of its arguments, eagerly and by each backend, and compare.

        The graph is captured once for each combination of kinds, on the first arguments of them.
        What eager refuses must be declined; False if there is no graph yet that could. Every
        backend but the first takes each fourth check.
        """
        wanted_args = build()
        key = kinds(wanted_args)
        wanted, error = _eager(fn, wanted_args, mode)
        failed = error is not None and not isinstance(error, FloatingPointError)
        if failed and self.captures.get((fn, key)) is None:
            return False
        captured = self._captured(fn, build(), key)
        if captured is None:
            return True
        self.checks += 1
        for backend in self.backends if self.checks % 4 == 1 else self.backends[:1]:
            where = f"{text_of(fn)}[{backend}] {key} {label} {mode}"
            eager = Eager(wanted, error, wanted_args, mode, may_decline)
            lines = self._compared(captured.on(backend), build(), eager, where)
            self.found += [f"{where}: {line}" for line in lines]
        return True

    def _captured(self, fn, samples, key):
        place = (fn, key)
        if place not in self.captures:
            try:
                self.captures[place] = capture(fn, *samples)
            except NotCaptured as error:
                self.captures[place] = None
                self.missed.append(f"{text_of(fn)} {key}: {error}")
            except Exception as error:
                if isinstance(error, InternalError) or not _is_eagers(error, fn, samples):
                    raise
                self.captures[place] = None  # under `mode` a flag was raised before that
        return self.captures[place]

    def _compared(self, run, args, eager, where):
        """Where the run on `args` differs from eager's; a decline is counted, with its cause."""
        try:
            with warnings.catch_warnings(), np.errstate(all=eager.mode):
                warnings.simplefilter("error")
                result, has_effect = run(args)
        except Declined as declined:
            if eager.error is None and not eager.may_decline:
                self.declined.append(f"{where}: {declined}")
            self.caused += eager.error is not None or eager.may_decline
            return []
        self.ran += 1
        if eager.error is not None:
            return [f"ran, where eager raises {eager.error}"]
        wanted = outside(eager.result, eager.args) if has_effect else eager.result
        return differences(result, wanted, args, eager.args) + memory_differences(args, eager.args)

    def require(self, ran=1, missed=0):
        """Fail on any difference, on too few runs, and on too many declines without a cause."""
        __tracebackhide__ = True
        assert incidents.count() == self.noted, "internal errors were noted"
        assert not self.found, "\n".join([f"{len(self.found)} differences", *self.found[:20]])
        reasons = f"not captured: {self.missed[:5]}, declined: {self.declined[:5]}"
        assert self.ran >= ran, f"{self.ran} runs; {reasons}"
        few = FULL or len(self.missed) <= missed * TIMES
        assert few, "\n".join(self.missed[:20])
        limit = self.allowed * (self.ran + len(self.declined))
        counted = f"{len(self.declined)} declines, {self.ran} runs"
        assert len(self.declined) <= limit, "\n".join([counted, *self.declined[:20]])


def outside(results, args):
    """The results that share no memory with the arguments: not what an effect was written to."""
    arrays = [item for item in args if isinstance(item, np.ndarray)]
    return [value for value in leaves(results) if not _is_within(value, arrays)]


def _is_within(value, arrays):
    """Whether a result may be a part of an argument; one of no items may be."""
    return (isinstance(value, np.ndarray) and not value.size) or any(
        value is item or np.may_share_memory(value, item) for item in arrays
    )


def _is_eagers(error, fn, samples):
    """Whether the function itself ends so on these arguments, where no flag is looked at."""
    own = _eager(fn, copies(samples), "ignore")[1]
    return type(own) is type(error) and str(own) == str(error)


def _eager(fn, args, mode):
    with warnings.catch_warnings(), np.errstate(all=mode):
        warnings.simplefilter("error")
        try:
            return fn(*args), None
        except Exception as error:
            return None, error
