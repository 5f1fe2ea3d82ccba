"""Graphs made from small programs written as text: a tracer for straight lines, on `ast`.

Invariant: `Program(text, *values).graph` holds what the tracer of a region would capture of the
function's body, temporaries marked where an operand is not a name; `.eager` is the function itself.
"""

import ast
import operator
import textwrap

import numpy as np

from dyntrace.graph.describe import describe
from dyntrace.graph.node import INPUT, Graph, Node, Op, Origin
from dyntrace.graph.ownership import is_fresh
from dyntrace.graph.verify import verify

BINARY = {
    ast.Add: ("add", operator.add, operator.iadd),
    ast.Sub: ("sub", operator.sub, operator.isub),
    ast.Mult: ("mul", operator.mul, operator.imul),
    ast.Div: ("truediv", operator.truediv, operator.itruediv),
    ast.FloorDiv: ("floordiv", operator.floordiv, operator.ifloordiv),
    ast.Mod: ("mod", operator.mod, operator.imod),
    ast.Pow: ("pow", operator.pow, operator.ipow),
    ast.MatMult: ("matmul", operator.matmul, operator.imatmul),
    ast.BitAnd: ("and", operator.and_, operator.iand),
    ast.BitOr: ("or", operator.or_, operator.ior),
    ast.BitXor: ("xor", operator.xor, operator.ixor),
    ast.LShift: ("lshift", operator.lshift, operator.ilshift),
    ast.RShift: ("rshift", operator.rshift, operator.irshift),
}
COMPARE = {
    ast.Lt: ("lt", operator.lt),
    ast.Gt: ("gt", operator.gt),
    ast.Eq: ("eq", operator.eq),
    ast.NotEq: ("ne", operator.ne),
}
UNARY = {ast.USub: ("neg", operator.neg), ast.Invert: ("invert", operator.invert)}
HEAVY = {"fft", "rfft", "sort", "argsort"}
WRITES = {"sort": (0,), "fill": (0,), "put": (0,), "copyto": (0,), "at": (0,)}
VIEWS = {"reshape", "ravel", "transpose", "asarray", "broadcast_to", "view"}


class Program:
    """One function, its graph for the given argument values, and the function itself."""

    def __init__(self, text, *values, exact=None, checked=True):
        self.text = textwrap.dedent(text)
        namespace = {"np": np}
        exec(compile(self.text, "program.py", "exec"), namespace)
        tree = ast.parse(self.text).body[0]
        self.eager = namespace[tree.name]
        self.graph = Graph()
        self.exact = exact
        self.names = [argument.arg for argument in tree.args.args]
        self.bound = {}
        self.values = {}
        for index, (name, value) in enumerate(zip(self.names, values, strict=True)):
            node = Node(INPUT, (index,), (), describe(value), Origin("program.py", 1))
            self.graph.inputs.append(node)
            self.bound[name] = node
            self.values[node] = _own(value)
        for statement in tree.body:
            getattr(self, "statement_" + type(statement).__name__)(statement)
        if checked:
            verify(self.graph)

    # -- statements ----------------------------------------------------------------------------

    def statement_Assign(self, statement):
        (target,) = statement.targets
        if isinstance(target, ast.Subscript):
            array = self.visit(target.value)
            index = self.visit(target.slice)
            value = self.visit(statement.value)
            op = Op("operator.setitem", operator.setitem, "indexing", "setitem", writes=(0,))
            self.write(op, (array, index, value), (), statement, [array])
        else:
            self.bound[target.id] = self.visit(statement.value)

    def statement_AugAssign(self, statement):
        name, _, target = BINARY[type(statement.op)]
        op = Op(f"operator.i{name}", target, "operator", "inplace", exact=True, writes=(0,))
        array, value = self.visit(statement.target), self.visit(statement.value)
        self.write(op, (array, value), (), statement, [array])

    def statement_Expr(self, statement):
        self.visit(statement.value)

    def statement_Return(self, statement):
        value = self.visit(statement.value)
        self.graph.outputs.extend(value if type(value) is tuple else [value])

    # -- expressions ---------------------------------------------------------------------------

    def visit(self, expression):
        return getattr(self, "visit_" + type(expression).__name__)(expression)

    def visit_Name(self, expression):
        return self.bound[expression.id]

    def visit_Constant(self, expression):
        return expression.value

    def visit_Tuple(self, expression):
        return tuple(self.visit(item) for item in expression.elts)

    def visit_List(self, expression):
        return [self.visit(item) for item in expression.elts]

    def visit_Dict(self, expression):
        pairs = zip(expression.keys, expression.values, strict=True)
        return {key.value: self.visit(value) for key, value in pairs}

    def visit_Slice(self, expression):
        parts = (expression.lower, expression.upper, expression.step)
        return slice(*(None if part is None else self.visit(part) for part in parts))

    def visit_UnaryOp(self, expression):
        value = self.visit(expression.operand)
        name, target = UNARY[type(expression.op)]
        if not isinstance(value, Node):
            return target(value)
        op = Op(f"operator.{name}", target, "operator", "prefix", exact=True)
        return self.add(op, (value,), (), expression, [expression.operand])

    def visit_BinOp(self, expression):
        name, target, _ = BINARY[type(expression.op)]
        op = Op(f"operator.{name}", target, "operator", "infix", exact=self.is_exact(True))
        sources = [expression.left, expression.right]
        return self.add(op, tuple(map(self.visit, sources)), (), expression, sources)

    def visit_Compare(self, expression):
        name, target = COMPARE[type(expression.ops[0])]
        op = Op(f"operator.{name}", target, "operator", "infix", exact=self.is_exact(True))
        sources = [expression.left, *expression.comparators]
        return self.add(op, tuple(map(self.visit, sources)), (), expression, sources)

    def visit_Subscript(self, expression):
        op = Op("operator.getitem", operator.getitem, "indexing", "item", True, aliases=True)
        sources = [expression.value, expression.slice]
        return self.add(op, tuple(map(self.visit, sources)), (), expression, sources)

    def visit_Attribute(self, expression):
        name = expression.attr
        if isinstance(expression.value, ast.Name) and expression.value.id == "np":
            return getattr(np, name)
        op = Op(f"ndarray.{name}", operator.attrgetter(name), "attribute", "attribute", True, True)
        return self.add(op, (self.visit(expression.value),), (), expression, [expression.value])

    def visit_Call(self, expression):
        path = ast.unparse(expression.func)
        if path == "np.dtype":
            return np.dtype(expression.args[0].value)
        name = path.rpartition(".")[2]
        sources = list(expression.args)
        style, target = "call", None
        if path.startswith("np."):
            target = eval(path, {"np": np})
        else:
            style, target, path = "method", getattr(np.ndarray, name), f"ndarray.{name}"
            sources.insert(0, expression.func.value)
        writes = WRITES.get(name, ()) if style == "method" or name != "sort" else ()
        if isinstance(target, np.ufunc):
            writes = (target.nin, "out")
        elif any(keyword.arg == "out" for keyword in expression.keywords):
            writes = ("out",)
        op = Op(
            path,
            target,
            "ufunc" if isinstance(target, np.ufunc) else "call",
            style,
            exact=self.is_exact(isinstance(target, np.ufunc)),
            aliases=name in VIEWS,
            writes=writes,
            heavy=name in HEAVY and not writes,
        )
        args = tuple(map(self.visit, sources))
        kwargs = tuple((keyword.arg, self.visit(keyword.value)) for keyword in expression.keywords)
        found = [args[p] for p in writes if isinstance(p, int) and p < len(args)]
        found += [value for key, value in kwargs if key in writes]
        if found:
            return self.write(op, args, kwargs, expression, found)
        return self.add(op, args, kwargs, expression, sources)

    # -- nodes ---------------------------------------------------------------------------------

    def is_exact(self, otherwise):
        return otherwise if self.exact is None else self.exact

    def add(self, op, args, kwargs, expression, sources):
        node = self.node(op, args, kwargs, expression, sources)
        self.graph.nodes.append(node)
        return node

    def write(self, op, args, kwargs, expression, targets):
        node = self.node(op, args, kwargs, expression, [])
        targets = [item for t in targets for item in (t if type(t) is tuple else (t,))]
        if all(is_fresh(target) for target in targets):
            self.graph.nodes.append(node)
        else:
            assert self.graph.effect is None
            self.graph.effect = node
        returned = op.style == "inplace" or isinstance(op.target, np.ufunc)
        return targets[0] if returned else node

    def node(self, op, args, kwargs, expression, sources):
        temporaries = tuple(
            place
            for place, source in enumerate(sources)
            if not isinstance(source, (ast.Name, ast.Constant)) and isinstance(args[place], Node)
        )
        origin = Origin("program.py", expression.lineno, temporaries)
        node = Node(op, args, kwargs, describe(None), origin)
        values = [self.value(argument) for argument in args]
        with np.errstate(all="ignore"):
            result = op.target(*values, **{name: self.value(value) for name, value in kwargs})
        node = Node(op, args, kwargs, describe(result), origin)
        self.values[node] = result
        return node

    def value(self, argument):
        if isinstance(argument, Node):
            return self.values[argument]
        if type(argument) in (tuple, list):
            return type(argument)(map(self.value, argument))
        if type(argument) is dict:
            return {key: self.value(item) for key, item in argument.items()}
        if type(argument) is slice:
            return slice(*map(self.value, (argument.start, argument.stop, argument.step)))
        return argument


def _own(value):
    """A copy, so that building a graph never writes an argument."""
    return value.copy(order="K") if isinstance(value, np.ndarray) else value
