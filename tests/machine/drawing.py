"""Random straight-line functions over two arrays, for Hypothesis to draw and to shrink.

Invariant: `bodies` gives text whose every line is NumPy work that a region can hold, with at most
one write to an argument, at the end; names are assigned before they are used. Shapes need not fit:
what eager refuses, a graph must decline.
"""

from __future__ import annotations

from hypothesis import strategies as st

UNARY = (
    *("np.exp({a})", "np.sqrt({a})", "np.abs({a})", "-{a}", "np.sin({a})", "np.square({a})"),
    *("np.tanh({a})", "np.floor({a})", "np.sign({a})", "np.isnan({a}) * {a}", "np.log1p({a})"),
    *("np.rint({a})", "np.cbrt({a})", "{a} ** 2", "{a} ** 0.5", "np.conj({a})"),
    *("np.logical_not({a})", "np.reciprocal({a})"),
)
BINARY = (
    *("{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / {b}", "np.maximum({a}, {b})"),
    *("np.minimum({a}, {b})", "{a} // {b}", "{a} % {b}", "np.hypot({a}, {b})"),
    *("np.arctan2({a}, {b})", "np.where({a} > {b}, {a}, {b})", "{a} < {b}"),
    *("np.fmax({a}, {b})", "np.copysign({a}, {b})", "({a} + {b}) * {a}"),
    *("({a} == {b}) + {a}", "np.add({a}, {b}, dtype='d')"),
)
NUMBERS = (
    "{a} * 2",
    "{a} + 0.5",
    "3 - {a}",
    "{a} / 3",
    "{a} * np.float32(2)",
    "{a} > 1",
    "1 / {a}",
    "{a} + True",
    "{a} * -1",
)
VIEWS = (
    *("{a}.T", "{a}[::-1]", "{a}[..., ::-1]", "{a}[1:]", "{a}[..., 1:]", "{a}[:-1]"),
    *("{a}[::2]", "{a}[None]", "{a}[..., None]", "{a}[0]", "{a}[..., 0]", "{a}.ravel()"),
    *("{a}.reshape(-1)", "{a}.copy()", "{a}[...]", "{a}.swapaxes(0, -1)", "{a}.astype('f')"),
    *("np.broadcast_to({a}, (2, *{a}.shape))", "{a}.reshape(-1, 1)"),
    *("{a}.astype('d')", "np.asfortranarray({a})"),
)
REDUCTIONS = (
    *("{a}.sum()", "{a}.sum(axis=0)", "{a}.sum(axis=-1)", "{a}.mean(axis=-1, keepdims=True)"),
    *("{a}.max()", "{a}.min(axis=0)", "{a}.std(axis=0)", "{a}.prod(axis=-1)"),
    *("np.any({a} > 0, axis=0)", "{a}.argmax()", "{a}.var()", "({a} * {a}).sum(axis=0)"),
    *("np.cumsum({a}, axis=-1)", "np.linalg.norm({a})", "np.count_nonzero({a})", "{a} @ {b}"),
)
OWN = (
    "{o} += {a}",
    "{o} *= 2",
    "{o}[...] = {a}",
    "{o}[1:] = {o}[:-1]",
    "{o}[::-1] = {o}",
    "{o}[0] = 1",
    "{o}[1:] += {o}[:-1]",
)
EFFECTS = (
    *("x += {a}", "x[...] = {a}", "x[1:] = x[:-1] * 2", "x[::-1] = {a}"),
    *("x[..., 0] = {b}[..., -1]", "x *= {b}", "np.add({a}, {b}, out=x)"),
    *("x[1:-1] = x[2:] + x[:-2]", "x[:] = x.T", "x -= x.mean(axis=0)", "np.exp({a}, out=x)"),
    *("y[1:] = x[1:]", "x[...] = y[..., ::-1]"),
)
FORMS = UNARY + BINARY * 2 + NUMBERS + VIEWS + REDUCTIONS


@st.composite
def bodies(draw):
    """The body of a function of x and y."""
    names, owned, lines = ["x", "y"], [], []
    for number in range(draw(st.integers(1, 8))):
        pick = {key: draw(st.sampled_from(names)) for key in "ab"}
        if owned and draw(st.integers(0, 5)) == 0:
            lines.append(draw(st.sampled_from(OWN)).format(o=draw(st.sampled_from(owned)), **pick))
            continue
        form = draw(st.sampled_from(FORMS))
        inner = draw(st.booleans())
        if inner and form in BINARY + UNARY:  # an operand that is on the stack only
            pick["a"] = "(" + draw(st.sampled_from(BINARY[:6] + VIEWS[:6])).format(**pick) + ")"
        name = f"t{number}"
        lines.append(f"{name} = {form.format(**pick)}")
        names.append(name)
        if form in UNARY[:1] + BINARY[:4]:
            owned.append(name)
    if draw(st.integers(0, 3)) == 0:
        pick = {key: draw(st.sampled_from(names)) for key in "ab"}
        lines.append(draw(st.sampled_from(EFFECTS)).format(**pick))
        return "\n".join([*lines, "return x, y"])
    results = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    return "\n".join([*lines, f"return {', '.join(dict.fromkeys([names[-1], *results]))}"])


def operands(layouts, dtypes):
    """Shape, dtypes, layouts and data of x and y."""
    shapes = (
        (6, 6),
        (5, 7),
        (1, 8),
        (40, 33),
        (3, 4, 5),
        (70,),
        (130,),
        (2, 300),
        (300, 2),
        (0, 4),
    )
    return st.tuples(
        st.sampled_from(shapes),
        st.sampled_from(dtypes),
        st.sampled_from(dtypes),
        st.sampled_from(layouts),
        st.sampled_from(layouts),
        st.sampled_from(("quiet", "odd", "wide")),
        st.sampled_from(("ignore", "ignore", "raise")),
    )
