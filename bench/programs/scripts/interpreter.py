"""A small language: tokenizer, recursive-descent parser, tree-walking interpreter."""

import re
import sys

TOKENS = [
    ("NUMBER", r"\d+(\.\d*)?"),
    ("NAME", r"[A-Za-z_]\w*"),
    ("OP", r"==|!=|<=|>=|[-+*/%<>=(){},;]"),
    ("STRING", r'"[^"]*"'),
    ("SKIP", r"[ \t\n]+|#[^\n]*"),
    ("ERROR", r"."),
]
MASTER = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in TOKENS))


class Return(Exception):
    def __init__(self, value):
        self.value = value


class Token:
    def __init__(self, kind, text, position):
        self.kind, self.text, self.position = kind, text, position


def tokenize(source):
    for match in MASTER.finditer(source):
        kind = match.lastgroup
        if kind == "SKIP":
            continue
        if kind == "ERROR":
            raise SyntaxError(f"unexpected {match.group()!r} at {match.start()}")
        yield Token(kind, match.group(), match.start())
    yield Token("END", "", len(source))


class Parser:
    LEVELS = [("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%")]

    def __init__(self, source):
        self.tokens = list(tokenize(source))
        self.index = 0

    @property
    def now(self):
        return self.tokens[self.index]

    def accept(self, *texts):
        if self.now.text in texts and self.now.kind != "STRING":
            self.index += 1
            return self.tokens[self.index - 1].text
        return None

    def expect(self, text):
        if not self.accept(text):
            raise SyntaxError(f"expected {text!r}, not {self.now.text!r}")

    def program(self):
        statements = []
        while self.now.kind != "END":
            statements.append(self.statement())
        return ("block", statements)

    def block(self):
        self.expect("{")
        statements = []
        while not self.accept("}"):
            statements.append(self.statement())
        return ("block", statements)

    def name(self):
        token = self.now
        self.index += 1
        return token.text

    def statement(self):
        if self.accept("def"):
            name = self.name()
            self.expect("(")
            params = []
            while not self.accept(")"):
                params.append(self.name())
                self.accept(",")
            return ("def", name, params, self.block())
        if self.accept("if"):
            test, then = self.expression(), self.block()
            return ("if", test, then, self.block() if self.accept("else") else ("block", []))
        if self.accept("while"):
            return ("while", self.expression(), self.block())
        if self.accept("return"):
            value = self.expression()
            self.expect(";")
            return ("return", value)
        if self.tokens[self.index + 1].text == "=":
            name = self.name()
            self.expect("=")
            value = self.expression()
            self.expect(";")
            return ("assign", name, value)
        value = self.expression()
        self.expect(";")
        return ("expr", value)

    def expression(self, level=0):
        if level == len(self.LEVELS):
            return self.atom()
        left = self.expression(level + 1)
        while op := self.accept(*self.LEVELS[level]):
            left = ("binary", op, left, self.expression(level + 1))
        return left

    def atom(self):
        token = self.now
        self.index += 1
        if token.kind == "NUMBER":
            return ("const", float(token.text) if "." in token.text else int(token.text))
        if token.kind == "STRING":
            return ("const", token.text[1:-1])
        if token.text == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if token.text == "-":
            return ("binary", "-", ("const", 0), self.atom())
        if self.accept("("):
            args = []
            while not self.accept(")"):
                args.append(self.expression())
                self.accept(",")
            return ("call", token.text, args)
        return ("name", token.text)


class Interpreter:
    OPS = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "%": lambda a, b: a % b,
        "<": lambda a, b: a < b,
        ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
    }

    def __init__(self):
        self.functions = {}
        self.executed = 0

    def run(self, source):
        scope = {}
        self.visit(Parser(source).program(), scope)
        return scope

    def visit(self, node, scope):
        self.executed += 1
        return getattr(self, "visit_" + node[0])(node, scope)

    def visit_block(self, node, scope):
        for statement in node[1]:
            self.visit(statement, scope)

    def visit_def(self, node, scope):
        self.functions[node[1]] = node

    def visit_if(self, node, scope):
        self.visit(node[2] if self.visit(node[1], scope) else node[3], scope)

    def visit_while(self, node, scope):
        while self.visit(node[1], scope):
            self.visit(node[2], scope)

    def visit_return(self, node, scope):
        raise Return(self.visit(node[1], scope))

    def visit_assign(self, node, scope):
        scope[node[1]] = self.visit(node[2], scope)

    def visit_expr(self, node, scope):
        self.visit(node[1], scope)

    def visit_const(self, node, scope):
        return node[1]

    def visit_name(self, node, scope):
        try:
            return scope[node[1]]
        except KeyError:
            raise NameError(node[1]) from None

    def visit_binary(self, node, scope):
        return self.OPS[node[1]](self.visit(node[2], scope), self.visit(node[3], scope))

    def visit_call(self, node, scope):
        args = [self.visit(arg, scope) for arg in node[2]]
        if node[1] == "print":
            print(*args)
            return None
        _, _, params, body = self.functions[node[1]]
        try:
            self.visit(body, dict(zip(params, args, strict=True)))
        except Return as result:
            return result.value
        return None


PROGRAM = """
# primes, recursion and a loop
def is_prime(n) {
    if n < 2 { return 0; }
    d = 2;
    while d * d <= n {
        if n % d == 0 { return 0; }
        d = d + 1;
    }
    return 1;
}
def fib(n) { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }
def collatz(n) {
    steps = 0;
    while n != 1 {
        if n % 2 == 0 { n = (n - n % 2) / 2; } else { n = 3 * n + 1; }
        steps = steps + 1;
    }
    return steps;
}
count = 0; i = 0;
while i < LIMIT { count = count + is_prime(i); i = i + 1; }
print("primes below", i, "are", count);
print("fib", fib(DEPTH));
best = 0; i = 1;
while i < LIMIT / 4 {
    c = collatz(i);
    if c > best { best = c; where = i; }
    i = i + 1;
}
print("longest collatz", where, "with", best);
"""

if __name__ == "__main__":
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    source = PROGRAM.replace("LIMIT", str(limit)).replace("DEPTH", str(5 + len(str(limit)) * 3))
    machine = Interpreter()
    machine.run(source)
    print(machine.executed, "nodes executed")
    for bad in ("x = 1 +;", "y = $;", "print(z);"):
        try:
            Interpreter().run(bad)
        except (SyntaxError, NameError) as error:
            print(type(error).__name__, error)
