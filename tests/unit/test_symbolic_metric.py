"""Metrics: index order, operators, printing, and errors."""

import pickle

import pytest
import sympy
from sympy import Function, Rational, cos, oo, sin, sqrt

from geomflow.core.errors import ExpressionError, InputError, ShapeError, SymmetryError, UnknownNameError
from geomflow.symbolic import Chart, Metric, catalogue

theta, phi = sympy.symbols("theta phi", real=True)
SPHERE = Metric(Chart("theta phi", ranges={"theta": (0, sympy.pi)}), [[1, 0], [0, "sin(theta)^2"]])
TH = SPHERE.chart.symbols[0]
GENERAL = [
    [Function(f"g{min(i, j)}{max(i, j)}")(*sympy.symbols("x y z", real=True)) for j in range(3)] for i in range(3)
]


def test_the_index_order_of_christoffel_and_riemann():
    assert SPHERE.christoffel[0, 1, 1] == -sin(TH) * cos(TH)
    assert SPHERE.christoffel[1, 0, 1] == SPHERE.christoffel[1, 1, 0] == cos(TH) / sin(TH)
    assert SPHERE.riemann[0, 1, 0, 1] == sin(TH) ** 2
    assert SPHERE.riemann_lower[0, 1, 1, 0] == -(sin(TH) ** 2)
    assert SPHERE.ricci == SPHERE.matrix
    assert SPHERE.scalar == 2
    assert SPHERE.kretschmann == 4


def test_zero_is_printed_as_zero():
    kerr = catalogue.get("kerr").metric
    assert str(kerr.ricci) == str(sympy.zeros(4, 4))
    assert kerr.scalar == 0
    assert SPHERE.bianchi() == sympy.zeros(1, 2)


def test_the_laplacian_of_the_sphere_has_its_eigenvalues():
    assert SPHERE.laplacian("cos(theta)") == -2 * cos(TH)
    assert SPHERE.hessian("cos(theta)") == -cos(TH) * SPHERE.matrix
    assert list(SPHERE.gradient("theta")) == [1, 0]


def test_operators_take_unknown_functions():
    u = Function("u")(TH)
    assert sympy.expand(SPHERE.laplacian(u) - u.diff(TH, 2) - u.diff(TH) * cos(TH) / sin(TH)) == 0


def test_rotations_are_killing_and_the_gradient_of_height_is_conformal():
    assert SPHERE.lie_derivative([0, 1]) == sympy.zeros(2, 2)
    assert SPHERE.lie_derivative(SPHERE.gradient("cos(theta)")) == -2 * cos(TH) * SPHERE.matrix
    tilted = ["sin(phi)", "cos(theta)*cos(phi)/sin(theta)"]
    assert SPHERE.lie_derivative(tilted) == sympy.zeros(2, 2)


def test_volume_and_signature():
    assert SPHERE.volume_form == sin(TH)
    r, th = catalogue.get("schwarzschild").metric.chart.symbols[1:3]
    assert catalogue.get("schwarzschild").metric.volume_form == r**2 * sin(th)


def expanding_universe(**ranges):
    chart = Chart("t r theta phi", ranges=ranges)
    _, r, theta, _ = chart.symbols
    scale, k = Function("a")(chart.symbols[0]), sympy.Symbol("k", real=True)
    spatial = [scale**2 / (1 - k * r**2), scale**2 * r**2, scale**2 * r**2 * sin(theta) ** 2]
    return Metric(chart, sympy.diag(-1, *spatial)), scale, k


def test_the_volume_form_of_an_expanding_universe_is_real():
    metric, scale, k = expanding_universe()
    _, r, theta, _ = metric.chart.symbols
    modulus = sympy.Abs
    expected = modulus(scale) ** 3 * r**2 * modulus(sin(theta)) / sqrt(modulus(1 - k * r**2))
    assert metric.volume_form == expected
    for values in ((0.3, -1, 1.2), (0.7, 4, 2.0), (-1.5, 2, -1.0)):
        value = metric.volume_form.subs({scale: 2}).subs(dict(zip((r, k, theta), values, strict=True)))
        assert value > 0


def test_ranges_take_moduli_away():
    metric, scale, k = expanding_universe(r=(0, oo), theta=(0, sympy.pi))
    _, r, theta, _ = metric.chart.symbols
    assert metric.volume_form == sympy.Abs(scale) ** 3 * r**2 * sin(theta) / sqrt(sympy.Abs(1 - k * r**2))
    half_turn = Metric(Chart("x y", ranges={"x": (sympy.pi, 2 * sympy.pi)}), [["sin(x)^2", 0], [0, -1]])
    assert half_turn.volume_form == -sin(half_turn.chart.symbols[0])


def test_moduli_whose_sign_the_ranges_prove_are_not_there():
    right = Metric(Chart("r theta", ranges={"r": (2, oo)}), [[1, 0], [0, "exp(2*(abs(r - 2) + r - 2))"]])
    assert right.scalar == -8
    assert not right.is_flat
    left = Metric(Chart("r theta", ranges={"r": (-oo, 2)}), [[1, 0], [0, "exp(2*(abs(r - 2) + r - 2))"]])
    assert left.is_flat
    assert left.flatness.status == "proved"
    both = Metric(Chart("r theta"), [[1, 0], [0, "exp(2*(abs(r - 2) + r - 2))"]])
    r = both.chart.symbols[0]
    assert not both.is_flat
    assert [both.scalar.subs(r, value) for value in (1, 3)] == [0, -8]
    assert both.einstein_constant is None


def test_what_is_undecided_is_not_called_flat():
    nowhere = "1/(sqrt(1 - cos(x)^2) - sin(x))"
    metric = Metric(Chart("x y", ranges={"x": (0, sympy.pi)}), [[1, 0], [0, f"1 + {nowhere}"]])
    assert metric.flatness.status == "undecided"
    with pytest.raises(ExpressionError, match="could not be decided"):
        _ = metric.is_flat
    with pytest.raises(ExpressionError, match="could not be decided"):
        metric.is_einstein()


def test_geodesics_of_the_sphere():
    first, second = SPHERE.geodesic_equations("s")
    s = sympy.Symbol("s", real=True)
    t, p = Function("theta")(s), Function("phi")(s)
    assert first.lhs == t.diff(s, 2) - sin(t) * cos(t) * p.diff(s) ** 2
    assert sympy.expand(second.lhs - p.diff(s, 2) - 2 * cos(t) / sin(t) * t.diff(s) * p.diff(s)) == 0


def test_pullbacks_change_coordinates_and_induce_metrics():
    flat = Metric(Chart("x y z"), sympy.eye(3))
    sphere = flat.pullback(SPHERE.chart, ["sin(theta)*cos(phi)", "sin(theta)*sin(phi)", "cos(theta)"])
    assert sphere.matrix == SPHERE.matrix
    plane = Metric(Chart("x y"), sympy.eye(2))
    polar = plane.pullback(Chart("r phi"), {"x": "r*cos(phi)", "y": "r*sin(phi)"})
    assert polar.matrix == sympy.diag(1, polar.chart.symbols[0] ** 2)
    assert polar.is_flat


def test_weyl_vanishes_for_conformally_flat_metrics_and_is_riemann_for_ricci_flat_ones():
    w = Function("w")(*sympy.symbols("x y z w", real=True))
    conformal = Metric(Chart("x y z w"), w**2 * sympy.eye(4))
    assert all(e == 0 for e in conformal.weyl.reshape(256))
    hole = catalogue.get("schwarzschild").metric
    assert hole.weyl == hole.riemann


def test_general_metrics_use_the_graph_and_keep_their_functions():
    metric = Metric(Chart("x y z"), GENERAL)
    entry = metric.ricci[0, 1]
    assert {str(f.func) for f in entry.atoms(sympy.core.function.AppliedUndef)} == {
        "g00",
        "g01",
        "g02",
        "g11",
        "g12",
        "g22",
    }
    flat = {g: int(i == j) for i, row in enumerate(GENERAL) for j, g in enumerate(row)}
    assert entry.subs(flat).doit() == 0


def test_functions_of_some_coordinates_stay_what_they_are_on_the_graph():
    x, y = sympy.symbols("x y", real=True)
    f, rest = Function("f")(x), [Function(n)(x, y) for n in "abc"]
    metric = Metric(Chart("x y"), [[f * rest[0] ** 2, rest[1]], [rest[1], rest[2] + f]])
    assert not metric.scalar.has(f.diff(y))
    assert metric.scalar.has(f.diff(x))
    assert (
        metric.scalar.subs({f: 1, rest[0]: 1, rest[1]: 0, rest[2]: x**2})
        .doit()
        .equals(Metric(Chart("x y"), [[1, 0], [0, 1 + x**2]]).scalar)
    )


def test_parameters_keep_their_assumptions():
    m = sympy.Symbol("m", positive=True)
    metric = Metric(Chart("x y"), [[m, 0], [0, "m*exp(x)"]], parameters=[m])
    assert m in metric.scalar.free_symbols


@pytest.mark.parametrize(
    "components, error, message",
    [
        ([[1, 0]], ShapeError, "2 x 2 components"),
        ([[1, 0, 0], [0, 1, 0]], ShapeError, "2 x 2"),
        (3, ShapeError, "matrix"),
        ("dx^2 + dy^2", ShapeError, "given as rows"),
        ([[1, "x"], [0, 1]], SymmetryError, r"g\[0, 1\] = x"),
        ([["x^2", "x"], ["x", 1]], InputError, "degenerate"),
        ([["sin(x)^2", "sin(x)"], ["sin(x)", 1]], InputError, "degenerate"),
        ([[1, 0], [0, "q"]], ExpressionError, "unknown name 'q'"),
        ([[1, 0], [0, "1/(sin(x)^2 + cos(x)^2 - 1)"]], ExpressionError, "division by zero"),
    ],
)
def test_errors(components, error, message):
    with pytest.raises(error, match=message):
        Metric(Chart("x y"), components)


def test_unknown_symbols_are_refused_when_parameters_are_named():
    b = sympy.Symbol("b")
    with pytest.raises(UnknownNameError, match="'b'"):
        Metric(Chart("x"), [[b]], parameters="a")
    assert Metric(Chart("x"), [[b]]).determinant == b


def test_equal_but_differently_written_entries_are_symmetric():
    metric = Metric(Chart("x y"), [[2, "sin(2*x)/4"], ["sin(x)*cos(x)/2", 1]])
    assert metric.dim == 2


def test_sentences_and_latex():
    assert str(SPHERE).startswith("the metric ds^2 = dtheta^2 + sin(theta)**2 dphi^2 on a real chart")
    assert SPHERE._repr_latex_() == (
        r"$\mathrm{d}s^2 = \mathrm{d}\theta^2 + \sin^{2}{\left(\theta \right)}\,\mathrm{d}\phi^2$"
    )
    assert len(str(Metric(Chart("x y z"), GENERAL).scaled(Rational(1, 2)))) < 600


def test_einstein_and_scaling():
    assert SPHERE.einstein_constant == 1
    assert SPHERE.scaled(4).einstein_constant == Rational(1, 4)
    assert not Metric(Chart("x y"), [[1, 0], [0, "exp(x^2)"]]).is_einstein()


@pytest.mark.parametrize("name", ["kerr", "eguchi-hanson"])
def test_metrics_travel_between_processes(name):
    metric = catalogue.get(name).metric
    metric.ricci
    again = pickle.loads(pickle.dumps(metric))
    assert again.matrix == metric.matrix
    assert again.is_ricci_flat


def test_dimension_one_is_flat():
    line = Metric(Chart("x"), [["1 + x^2"]])
    assert (line.scalar, line.kretschmann, line.is_flat) == (0, 0, True)
