"""Small metrics from reports about symbolic packages, with values from textbooks: each stands for a kind."""

import pytest
import sympy
from sympy import Rational, cosh, exp, sin

from geomflow.symbolic import Chart, ComplexChart, KahlerMetric, Metric, is_zero

x, y, s = sympy.symbols("x y s")
f, g = sympy.Function("f"), sympy.Function("g")


def typed_in(expression, **functions):
    """The expression with closed forms for its unknown functions."""
    for name, form in functions.items():
        expression = expression.replace(sympy.Function(name), form)
    return expression.doit()


def at(expression, **point):
    """The value at a point by name, to 30 digits."""
    return sympy.N(expression.subs({symbol: point[symbol.name] for symbol in expression.free_symbols}), 30)


@pytest.mark.parametrize("argument", [x + 1, 2 * x, x**2, x * y, x - y, sin(x)], ids=str)
def test_a_warping_by_an_unknown_function_of_any_argument(argument):
    unknown = Metric("x y", [[1, 0], [0, f(argument) ** 2]]).scalar
    known = Metric("x y", [[1, 0], [0, exp(argument) ** 2]]).scalar
    place = {"x": Rational(3, 7), "y": Rational(-2, 5)}
    assert abs(at(typed_in(unknown, f=exp), **place) - at(known, **place)) < 1e-25


def test_known_curvatures_with_unknown_functions():
    chart = Chart("x y")
    moved = Metric(chart, [[1, 0], [0, f(2 * x) ** 2]]).scalar
    assert is_zero(moved * f(2 * x) + 8 * f(s).diff(s, 2).subs(s, 2 * x), chart)
    radius = x**2 + y**2
    conformal = Metric(chart, [[f(radius), 0], [0, f(radius)]]).scalar
    assert is_zero(typed_in(conformal, f=lambda u: 1 / (1 + u)) - 4 / (1 + radius), chart)
    assert is_zero(Metric("x", [[1]]).laplacian(f(2 * x)) - 4 * f(s).diff(s, 2).subs(s, 2 * x), (x,))
    pulled = Metric("X Y", [[1, 0], [0, "F(X)^2"]], functions="F").pullback(chart, ["2*x", "y"]).scalar
    assert is_zero(pulled.replace(sympy.Function("F"), f) * f(2 * x) + 2 * f(s).diff(s, 2).subs(s, 2 * x), chart)


def test_a_rotation_invariant_potential():
    norm = "(abs(z1)^2 + abs(z2)^2)"
    unknown = KahlerMetric.from_potential("z1 z2", f"{norm} + F{norm}", functions="F")
    known = KahlerMetric.from_potential("z1 z2", f"{norm} + {norm}^2/10")
    for entry, other in zip(unknown.matrix, known.matrix, strict=True):
        assert is_zero(typed_in(entry, F=lambda u: u**2 / 10) - other, known.chart)


def test_one_function_at_two_arguments():
    metric = Metric("x y", [[f(x) + f(y), 0], [0, g(x) + g(y)]])
    known = Metric("x y", [["2 + x^2/5 + y^2/5", 0], [0, "4 + sin(x) + sin(y)"]])
    place = {"x": Rational(7, 10), "y": Rational(3, 10)}
    found = typed_in(metric.scalar, f=lambda u: 1 + u**2 / 5, g=lambda u: 2 + sin(u))
    assert abs(at(found, **place) - at(known.scalar, **place)) < 1e-25


def test_names_that_give_way():
    line = KahlerMetric.from_potential("z", "x*log(1 + abs(z)^2)", parameters="x")
    assert str(line.scalar) == str(line.realify().scalar) == "4/x"
    pulled = Metric("X Y", [["1 + x^2*X^2", 0], [0, 1]], parameters="x").pullback("x y", ["x", "y"])
    assert str(pulled.matrix[0, 0]) == "x**2*x_1**2 + 1"
    equations = Metric("r s", [[1, 0], [0, "r^2"]]).geodesic_equations()
    assert not any("s(s)" in str(e) or "s(s(" in str(e) for e in equations)


def test_a_complex_parameter_has_a_conjugate():
    t, z = sympy.Symbol("t", complex=True), sympy.Symbol("z")
    entry = KahlerMetric.from_potential(ComplexChart("z"), sympy.log(1 + sympy.Abs(z - t) ** 2)).matrix[0, 0]
    half = Rational(1, 2)
    assert at(entry, z=half, zb=half, t=sympy.I, tb=-sympy.I) == sympy.N(Rational(16, 81), 30)


@pytest.mark.parametrize("text", ["abs(x + 1) - (x + 1)", "sqrt(x*y) - sqrt(x)*sqrt(y)", "acos(cos(x)) - x"])
def test_what_is_zero_on_one_branch_only(text):
    assert is_zero(text).zero is False


def test_the_volume_form_of_a_friedmann_metric():
    entries = ["-1", "a(t)^2/(1 - k*r^2)", "a(t)^2*r^2", "a(t)^2*r^2*sin(theta)^2"]
    rows = [[entry if i == j else 0 for j in range(4)] for i, entry in enumerate(entries)]
    metric = Metric("t r theta phi", rows, parameters="k", functions="a")
    density = typed_in(metric.volume_form, a=lambda t: -sympy.Integer(2))
    right = 8 * Rational(9, 4) * sin(1) / sympy.sqrt(Rational(5, 4))
    assert abs(at(density, r=Rational(3, 2), theta=-1, k=1) - sympy.N(right, 30)) < 1e-25


def test_the_ricci_tensor_of_colliding_waves_fits_in_a_line():
    u, v = sympy.symbols("u v", real=True)
    U, V, W, M = (sympy.Function(name)(u, v) for name in "UVWM")
    plane = exp(-U) * sympy.Matrix([[exp(V) * cosh(W), -sympy.sinh(W)], [-sympy.sinh(W), exp(-V) * cosh(W)]])
    ricci = Metric([u, v, x, y], sympy.diag(sympy.Matrix([[0, -exp(-M)], [-exp(-M), 0]]), plane)).ricci[0, 0]
    right = (U.diff(u, 2) + U.diff(u) * M.diff(u)
             - (U.diff(u) ** 2 + W.diff(u) ** 2 + V.diff(u) ** 2 * cosh(W) ** 2) / 2)
    assert is_zero(ricci - right, (u, v))
    assert len(str(ricci)) < 200


@pytest.mark.parametrize("names, profile, curvature", [("ϕ theta", "sin(ϕ)", 2), ("lambda t", "sinh(lambda)", -2),
                                                       ("µ in", "sin(μ)", 2)])  # fmt: skip
def test_any_word_is_a_coordinate(names, profile, curvature):
    assert Metric(names, [["1", "0"], ["0", f"({profile})^2"]]).scalar == curvature
