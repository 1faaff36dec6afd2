"""Unknown functions of any arguments: an answer with the functions typed in is the answer of what was typed in."""

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, cos, exp, log, sin

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import composed, with_functions
from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric
from geomflow.symbolic.exact import read_array
from geomflow.symbolic.ring import GraphRing
from geomflow.symbolic.tensors import RingTensors

X, Y, T = sympy.symbols("x y t", real=True)
F, G, H = sympy.Function("f"), sympy.Function("g"), sympy.Function("h")
S, R = sympy.symbols("s r")
TYPED = {
    "f": sympy.Lambda(S, 2 + 1 / (1 + S**2)),
    "g": sympy.Lambda(S, 3 + sin(S)),
    "h": sympy.Lambda((S, R), 4 + cos(S - 2 * R) + S / (2 + R**2)),
}
CHART = Chart([X, Y])
ARGUMENTS = [
    X, Y, X + 1, 2 * X, X**2, X * Y, X - T, X**2 + Y**2, sin(X), G(Y), log(2 + X**2), (X + Y) ** 2,
    X**2 + 2 * X * Y + Y**2, F(G(X)), Rational(3, 2), exp(Y) / (1 + X**2),
]  # fmt: skip
arguments = st.sampled_from(ARGUMENTS)
profiles = st.one_of(
    arguments.map(F), arguments.map(G), st.tuples(arguments, arguments).map(lambda p: H(*p)),
    arguments.map(lambda a: 3 + F(a).diff(X) / 40),
)  # fmt: skip
points = st.fixed_dictionaries({s: st.fractions(Rational(1, 9), 1, max_denominator=11) for s in (X, Y, T)})


@st.composite
def matrices(draw):
    """Conformal metrics, warped and unwarped products, and metrics of two functions, in two coordinates."""
    a, b = draw(profiles), draw(profiles)
    return draw(st.sampled_from([
        sympy.diag(a, a), sympy.diag(1, a**2), sympy.diag(a.subs(Y, X), b.subs(X, Y)), sympy.diag(a + b, a * b),
        sympy.Matrix([[a, 1], [1, b]]),
    ]))  # fmt: skip


def typed_in(expression):
    """The expression with the functions typed in, by sympy alone."""
    expression = composed(expression, {}) if isinstance(expression, sympy.Expr) else expression.applyfunc(typed_in)
    for function in (F, G, H):
        expression = expression.replace(function, TYPED[function.__name__])
    return expression.doit()


def _derivative(name, index, args):
    closed = TYPED[name]
    slopes = [(v, k) for v, k in zip(closed.variables, index, strict=True) if k]
    derived = closed.expr.diff(*slopes) if slopes else closed.expr
    return sympy.lambdify(closed.variables, derived, "mpmath")(*args)


NUMBERS = gr.Arithmetic(
    lambda v: {"pi": mpmath.pi, "I": mpmath.j}[v] if isinstance(v, str) else mpmath.mpf(v.numerator) / v.denominator,
    lambda base, e: base ** (mpmath.mpf(e.numerator) / e.denominator),
    lambda name, argument: getattr(mpmath, name)(argument),
    _derivative,
)
DIGITS = 40
"""Pulled-back metrics cancel: double precision keeps six digits of some."""


def value(expression, point):
    """The number at a point, with the typed-in functions and their derivatives wherever unknown ones stand."""
    node = expression if isinstance(expression, gr.Node) else with_functions(expression)
    with mpmath.workdps(DIGITS):
        leaves = {gr.symbol(s.name): NUMBERS.number(v) if hasattr(v, "numerator") else v for s, v in point.items()}
        return gr.evaluate([node], leaves, NUMBERS)[0]


def on_graph(matrix):
    """The curvature of a matrix on the graph."""
    ring = GraphRing(("x", "y"), symbols=(X, Y, T), functions=(F, G, H))
    return RingTensors(ring, read_array(ring, matrix))


def close(a, b):
    return np.isclose(complex(a), complex(b), rtol=1e-12, atol=1e-12)


@settings(max_examples=25)
@given(matrices(), points)
def test_curvature_is_that_of_the_metric_with_the_functions_typed_in(matrix, point):
    typed, graph, metric = on_graph(typed_in(matrix)), on_graph(matrix), Metric(CHART, matrix)
    assert close(value(graph.scalar, point), value(typed.scalar, point))
    assert close(value(metric.scalar, point), value(typed.scalar, point))
    assert close(value(metric.ricci[0, 1], point), value(typed.ricci[0, 1], point))


@settings(max_examples=10)
@given(matrices(), profiles, points)
def test_pulled_back_metrics_keep_their_curvature(matrix, profile, point):
    """R(F*g) = R(g)∘F, where the map contains unknown functions too."""
    moved = Metric(CHART, matrix).pullback(CHART, [2 * X + Y**2 / 3, Y + profile])
    there = point | {X: 2 * point[X] + point[Y] ** 2 / 3, Y: point[Y] + value(profile, point)}
    assert close(value(on_graph(moved.matrix).scalar, point), value(on_graph(typed_in(matrix)).scalar, there))


@settings(max_examples=10)
@given(matrices(), profiles, points)
def test_operators_follow_the_chain_rule(matrix, profile, point):
    metric, typed = Metric(CHART, matrix), on_graph(typed_in(matrix))
    closed = typed.ring.read(typed_in(profile))
    assert close(value(metric.laplacian(profile), point), value(typed.laplacian(closed), point))
    field, expected = typed.ring.array(2), typed.lie_derivative
    field[:] = [closed, typed.ring.read(X * Y)]
    assert close(value(metric.lie_derivative([profile, X * Y])[0, 1], point), value(expected(field)[0, 1], point))


CURVES = ComplexChart("z1 z2")
Z, W, ZB, WB = CURVES.all_symbols
REAL = [Z * ZB, Z * ZB + W * WB, log(1 + W * WB), (Z + ZB) / 3, Z * ZB * W * WB, sympy.I * (W - WB)]


@settings(max_examples=10)
@given(st.sampled_from(REAL), st.sampled_from(REAL), points)
def test_kahler_metrics_of_profiles_are_those_with_the_profiles_typed_in(s, r, point):
    potential = 5 * (Z * ZB + W * WB) + F(s) / 8 + H(s, r) / 9
    metric = KahlerMetric.from_potential(CURVES, potential)
    typed = KahlerMetric.from_potential(CURVES, typed_in(potential))
    a, b = complex(point[X], point[Y]), complex(point[T], -point[X]) / 2
    there = {Z: a, ZB: a.conjugate(), W: b, WB: b.conjugate()}

    def at(expression):
        return value(expression, {z: mpmath.mpc(v) for z, v in there.items()})

    assert all(close(at(e), at(f)) for e, f in zip(metric.matrix, typed.matrix, strict=True))
    assert close(at(metric.determinant), at(typed.determinant))


def test_realified_profiles_have_the_curvature_of_the_complex_metric():
    chart = ComplexChart("z")
    metric = KahlerMetric.from_potential(chart, "abs(z)^2 + f(log(1 + abs(z)^2))", functions="f")
    z, bar = chart.all_symbols
    x, y = chart.real_chart.symbols
    real, point = metric.realify(), {x: Rational(1, 3), y: Rational(2, 5)}
    there = {z: point[x] + sympy.I * point[y], bar: point[x] - sympy.I * point[y]}
    expected = complex(typed_in(metric.scalar).subs(there).n())
    assert close(value(real.scalar, point), expected)


@pytest.mark.parametrize("argument", [X + 1, 2 * X, X**2, X - T, G(X)], ids=str)
def test_sympy_alone_agrees(argument):
    scalar = Metric(CHART, sympy.diag(1, F(argument) ** 2)).scalar
    assert sympy.simplify(typed_in(scalar) + 2 * typed_in(F(argument)).diff(X, 2) / typed_in(F(argument))) == 0


def test_symbols_of_one_name_are_not_mixed_up():
    """sympy takes Subs at symbols of one name for equal: what was made of plain symbols comes back from its cache."""
    plain = sympy.Symbol("x")
    kept = F(plain + 1).diff(plain) / 40
    profile = 3 + F(X + 1).diff(X) / 40
    metric = Metric(CHART, sympy.diag(profile, profile))
    point = {X: Rational(1, 3), Y: Rational(2, 7)}
    assert kept.has(plain)
    assert close(value(metric.scalar, point), value(on_graph(typed_in(sympy.diag(profile, profile))).scalar, point))
    moved = metric.pullback(CHART, [2 * X, Y])
    expected = value(metric.scalar, {X: Rational(2, 3), Y: Rational(2, 7)})
    assert close(value(moved.scalar, point), expected)
    assert abs(expected) > 1e-6
