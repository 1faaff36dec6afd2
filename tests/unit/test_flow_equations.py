"""The equations: their expressions, what they accept, and how they read."""

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError, PositivityError, UnknownNameError
from geomflow.flow.equations.ricci import deturck_rates
from geomflow.symbolic.jets import MetricNodes, metric_nodes


@pytest.mark.parametrize("coordinates", [("x", "y"), ("x", "y", "z"), ("x", "y", "z", "w")])
def test_the_deturck_form_equals_minus_two_ricci_plus_the_lie_derivative(coordinates):
    metric = MetricNodes(coordinates, metric_nodes(coordinates)[1])
    drift = metric.lie_derivative(metric.deturck_field(None))
    difference = deturck_rates(metric) - (drift - 2 * metric.ricci)
    assert gr.all_zero(difference.ravel())


def test_equations_read_as_in_the_textbook():
    assert str(gf.CalabiFlow()) == "calabi: Derivative(phi(t), t) = R - Rbar"
    assert str(gf.RicciFlow()) == "ricci: Derivative(g_ij(t), t) = -2*R_ij"
    assert "log" in gf.KahlerRicciFlow(speed=2)._repr_latex_()


def test_components_are_written_out():
    x, y = sympy.symbols("x y", real=True)
    phi = sympy.Function("phi")(sympy.Symbol("t"), x, y)
    left, right = gf.KahlerRicciFlow().components(gf.ComplexTorus(dim=1))[0].args
    assert left == sympy.Derivative(phi, sympy.Symbol("t"))
    assert sympy.expand(sympy.exp(right) - (1 + (phi.diff(x, 2) + phi.diff(y, 2)) / 2)) == 0


def test_a_state_of_the_wrong_kind_is_named():
    scalar = gf.Torus(dim=2).grid(16).scalar("1")
    with pytest.raises(InputError, match=r"'ricci' acts on a MetricField.*a ScalarField was given"):
        gf.solve(gf.RicciFlow(), scalar, t1=1)
    with pytest.raises(InputError, match="acts on a PotentialField"):
        gf.solve(gf.CalabiFlow(), scalar, t1=1)


def test_an_unknown_gauge_is_named():
    with pytest.raises(UnknownNameError, match="did you mean 'deturck'"):
        gf.RicciFlow(gauge="deturk")


def test_dimension_one_has_no_ricci_flow():
    with pytest.raises(InputError, match="needs dim = 2 or more"):
        gf.solve(gf.RicciFlow(), gf.Torus(dim=1).grid(16).metric([["2"]]), t1=1)


def test_conformal_factors_are_positive_and_two_dimensional():
    with pytest.raises(PositivityError, match="conformal factor must be positive"):
        gf.solve(gf.ConformalRicciFlow(), gf.Torus(dim=2).grid(16).scalar("cos(2*pi*x)"), t1=1)
    with pytest.raises(InputError, match="real dimension 2"):
        gf.solve(gf.ConformalRicciFlow(), gf.Torus(dim=3).grid(16).scalar("1"), t1=1)


def test_a_prescribed_density_is_positive():
    phi = gf.ComplexTorus(dim=1).grid(16).potential("0")
    with pytest.raises(PositivityError, match="density must be positive"):
        gf.solve(gf.KahlerRicciFlow(density="cos(2*pi*x)"), phi, t1=1)


@pytest.mark.parametrize("speed", [-1, 0, float("nan"), float("inf"), "fast", None])
def test_speeds_are_positive_numbers(speed):
    with pytest.raises(InputError, match=f"speed is {speed!r}; it must be a positive number"):
        gf.KahlerRicciFlow(speed=speed)


@pytest.mark.parametrize("rate", [lambda u: u, ["__import__('os')"], None])
def test_rates_are_text_or_exact_expressions(rate):
    with pytest.raises(ExpressionError, match="is not a rate"):
        gf.Flow.from_expression(rate).bind(gf.Torus(dim=1).grid(16).scalar(1))


@pytest.mark.parametrize(("rate", "make", "t"), [
    ({"g_xx": "-1", "g_xy": "0", "g_yy": "0"},
     lambda: gf.Torus(dim=2).grid(8).metric([["2", "0"], ["0", "1"]]), 2.0),
    ({"g_xx": "-1"}, lambda: gf.Torus(dim=1).grid(8).metric([["2"]]), 2.0),
    ("u", lambda: gf.ComplexTorus(dim=1).grid(32, scheme="spectral").potential("cos(2*pi*x)/100"), None),
    ("u", lambda: gf.ComplexTorus(dim=1).grid(32, scheme="spectral").potential(
        "cos(2*pi*x)/100", reference=[["1/2 + sin(2*pi*y)/1000"]]), None)])
def test_a_users_equation_ends_where_its_metric_does(rate, make, t):
    sol = gf.solve(gf.Flow.from_expression(rate), make(), t1=9.0)
    assert sol.outcome.kind == "singular"
    assert "positivity is lost (the smallest leading principal minor of g" in sol.outcome.message
    expected = np.log(0.5 / (np.pi**2 / 100)) if t is None else t
    assert sol.times[-1] == pytest.approx(expected, rel=3e-3)


def test_a_users_equation_runs_like_the_built_in_one():
    grid = gf.Torus(dim=2).grid(32)
    start = grid.scalar("1 + cos(2*pi*x)*sin(2*pi*y)/4")
    own = gf.Flow.from_expression("laplacian(log(u))")
    ours = gf.solve(own, start, t1=0.02, rtol=1e-8).last
    theirs = gf.solve(gf.ConformalRicciFlow(), start, t1=0.02, rtol=1e-8).last
    assert ours.max_distance(theirs) < 1e-4 * start.norm()


def test_a_users_system_runs():
    grid = gf.Torus(dim=2).grid(24, scheme="spectral")
    start = grid.metric([["1 + cos(2*pi*y)/10", "0"], ["0", "1"]])
    flow = gf.Flow.from_expression({"g_xx": "c*laplacian(g_xx)", "g_xy": "0", "g_yy": "d(g_yy, x, x)"}, c=2)
    sol = gf.solve(flow, start, t1=0.01, rtol=1e-8)
    y = grid.points()[..., 1]
    exact = 1 + np.cos(2 * np.pi * y) / 10 * np.exp(-2 * 4 * np.pi**2 * 0.01)
    assert np.abs(sol.last.values[..., 0, 0] - exact).max() < 1e-6


def test_sympy_rates_are_taken():
    x = sympy.Symbol("x")
    u = sympy.Function("u")(x)
    grid = gf.Torus(dim=1).grid(32, scheme="spectral")
    sol = gf.solve(gf.Flow.from_expression(u.diff(x, 2)), grid.scalar("sin(2*pi*x)"), t1=0.01, rtol=1e-8)
    assert sol.last.values.max() == pytest.approx(np.exp(-4 * np.pi**2 * 0.01), rel=1e-5)


@pytest.mark.parametrize(("rate", "message"), [
    ("laplacian(u) + kapa*u", "unknown name 'kapa'"), ("d(u, q)", "unknown name 'q'"),
    ("kappa*d(u)", "was expected, and this is a covector"),
    ("__import__('os').system('true')", "may be written here|unknown function"),
    ("laplacain(u)", "did you mean 'laplacian'"),
])
def test_bad_rates_are_named(rate, message):
    start = gf.Torus(dim=1).grid(16).scalar("0")
    with pytest.raises(ExpressionError, match=message):
        gf.solve(gf.Flow.from_expression(rate, kappa=1), start, t1=1)


def test_rates_must_match_the_components():
    metric = gf.Torus(dim=2).grid(16).metric()
    with pytest.raises(ExpressionError, match="unknown name 'u'"):
        gf.solve(gf.Flow.from_expression("laplacian(u)"), metric, t1=1)
    with pytest.raises(InputError, match="give one for each"):
        gf.solve(gf.Flow.from_expression({"g_xx": "0", "g_xy": "0"}), metric, t1=1)
    with pytest.raises(InputError, match="component 'g_yy'"):
        gf.solve(gf.Flow.from_expression({"g_xx": "0", "g_xy": "0", "g_zz": "0"}), metric, t1=1)


def test_the_normalised_flow_keeps_the_volume():
    grid = gf.Torus(dim=2).grid(12, scheme="spectral")
    sol = gf.solve(gf.RicciFlow(gauge="deturck", normalised=True), grid.random_metric(3, 0.2, 1), t1=0.005, rtol=1e-8)
    assert sol["volume"][-1] == pytest.approx(sol["volume"][0], rel=1e-7)


@pytest.mark.parametrize("flow", [gf.CalabiFlow(), gf.KahlerRicciFlow()])
def test_one_compiled_routine_serves_all_kahler_classes(flow):
    grid = gf.ComplexTorus(dim=1).grid(8)
    forms = [grid.hermitian([[f"({c} + cos(2*pi*x)/9)/2"]]) for c in (1, 3)]
    one, other = (flow.on(grid.potential("cos(2*pi*y)/300", reference=form)) for form in forms)
    assert (one.program, one.stages, one.monitors) == (other.program, other.stages, other.monitors)
    assert one.statics.tolist() != other.statics.tolist()
