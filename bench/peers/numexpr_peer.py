"""numexpr: turns a function into one expression, if it is one.

numexpr takes expressions, not functions. If a function consists of assignments to names and a final
`return`, each name is replaced by the expression assigned to it, and `np.exp(…)` becomes `exp(…)`.
Any other function is refused, with the line that is not part of an expression.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, NoReturn

from bench.peers.installed import installed_version
from bench.peers.protocol import Refused

FUNCTIONS = {
    name: name
    for name in (
        "where sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh "
        "log log10 log1p exp expm1 sqrt floor ceil"
    ).split()
} | {"abs": "abs", "absolute": "abs"}
OPERATORS = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.operator, ast.unaryop, ast.cmpop,
    ast.Constant, ast.Name, ast.Call, ast.expr_context,
)  # fmt: skip
LONGEST = 20_000  # characters; replacing names repeats their expressions


class NumexprPeer:
    """numexpr evaluates the expression in blocks, on its own threads."""

    name = "numexpr"

    def version(self) -> str | None:
        return installed_version("numexpr")

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        expression = one_expression(function)
        import numexpr

        signature = inspect.signature(function)
        evaluate = numexpr.evaluate

        def call(*arguments: Any) -> Any:
            bound = signature.bind(*arguments)
            bound.apply_defaults()
            return evaluate(expression, local_dict=bound.arguments, global_dict={})

        return call

    def as_numpy(self, result: Any) -> Any:
        return result


def one_expression(function: Callable[..., Any]) -> str:
    """The function as numexpr writes it; raises Refused where it is more than an expression."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    inlining = Inlining()
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                inlining.known[name] = inlining.visit(value)
            case ast.Return(value=ast.expr() as value):
                return checked(ast.unparse(inlining.visit(value)))
            case ast.Expr(value=ast.Constant()):
                continue
            case _:
                refuse(statement)
    raise Refused("it takes one expression, and this function returns nothing")


def checked(expression: str) -> str:
    if len(expression) > LONGEST:
        raise Refused("it takes one expression; this one is too long when names are replaced")
    return expression


def refuse(node: ast.AST) -> NoReturn:
    line, text = getattr(node, "lineno", "?"), ast.unparse(node).splitlines()[0]
    raise Refused(f"it takes one expression of its own functions, not {text!r}, line {line}")


class Inlining(ast.NodeTransformer):
    """Replaces names by their expressions, and NumPy's functions by numexpr's."""

    def __init__(self) -> None:
        self.known: dict[str, ast.expr] = {}

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, OPERATORS):
            refuse(node)
        return super().generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.known.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        match node.func:
            case ast.Attribute(value=ast.Name(id="np"), attr=name) if name in FUNCTIONS:
                arguments = [self.visit(argument) for argument in node.args]
                return ast.Call(ast.Name(FUNCTIONS[name], ast.Load()), arguments, [])
        refuse(node)
