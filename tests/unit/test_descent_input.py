"""Bad input to derived flows is named where it is given."""

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn

COMPLEX, REAL = gf.ComplexTorus(dim=1), gf.Torus(dim=2)
POTENTIAL = COMPLEX.grid(8, scheme="spectral").potential("0.001*cos(2*pi*x)")
METRIC = REAL.grid(8, scheme="spectral").metric(np.eye(2))


@pytest.mark.parametrize(("flow", "state", "words"), [
    (lambda: fn.KEnergy(COMPLEX).gradient_flow(), METRIC, ("kenergy-mabuchi", "PotentialField", "MetricField")),
    (lambda: fn.Volume(REAL).gradient_flow(), POTENTIAL, ("volume-ebin", "MetricField", "grid.metric")),
    (lambda: fn.Volume(REAL).gradient_flow(), METRIC.grid.scalar(1), ("ScalarField was given",)),
    (lambda: fn.Volume(REAL).gradient_flow(), gf.Torus(dim=3).grid(8).metric(np.eye(3)), ("x, y,", "own torus")),
    (lambda: fn.KEnergy(gf.ComplexTorus(dim=2)).gradient_flow(), POTENTIAL, ("x1, y1, x2, y2", "own torus")),
    (lambda: fn.PerelmanF(REAL).coupled_flow(), METRIC, ("f beside the metric", "ConjugateHeatFlow")),
    (lambda: fn.PerelmanFCoupled(REAL).gradient_flow(), METRIC, ("needs f beside the metric",)),
])
def test_states_that_do_not_fit(flow, state, words):
    with pytest.raises(gf.GeomflowError) as caught:
        gf.solve(flow(), state, 0.01)
    assert isinstance(caught.value, ValueError)
    for expected in words:
        assert expected in str(caught.value)


def test_a_parameter_without_a_value():
    flow = fn.PerelmanW(REAL).gradient_flow()
    with pytest.raises(gf.GeomflowError, match=r"'tau'.*parameters=\{'tau': 1.0\}"):
        gf.solve(flow, METRIC, 0.01)


def test_a_value_that_is_no_number():
    flow = gf.Descent(fn.PerelmanW(REAL).gradient_flow(), parameters={"tau": "large"}, forced=True)
    with pytest.raises(gf.GeomflowError, match="tau"):
        gf.solve(flow, METRIC, 0.01)


def test_a_parameter_that_the_functional_has_not_got():
    flow = gf.Descent(fn.Volume(REAL).gradient_flow(), parameters={"sigma": 1.0})
    with pytest.raises(gf.GeomflowError, match="sigma"):
        gf.solve(flow, METRIC, 0.01)


def test_a_measure_that_is_not_positive():
    flow = gf.Descent(fn.PerelmanF(REAL).gradient_flow(), measure="cos(2*pi*x)", forced=True)
    with pytest.raises(gf.GeomflowError, match=r"measure must be positive.*-1"):
        gf.solve(flow, METRIC, 0.01)


@pytest.mark.parametrize(("functional", "state"), [
    (fn.Volume(REAL), METRIC), (fn.PerelmanLambda(REAL), METRIC), (fn.KEnergy(COMPLEX), POTENTIAL),
    (fn.PerelmanFCoupled(REAL), METRIC.grid.fields(g=METRIC, f="sin(2*pi*x)")),
])
def test_a_measure_that_nothing_depends_on(functional, state):
    with pytest.raises(gf.GeomflowError, match="no reference measure, and one was given: leave it out"):
        gf.solve(gf.Descent(functional.gradient_flow(), measure=2, forced=True), state, 0.01)


@pytest.mark.parametrize("functional", [fn.PerelmanF(REAL), fn.PerelmanLambda(REAL)])
def test_a_metric_by_name_where_one_alone_is_moved(functional):
    with pytest.raises(gf.GeomflowError, match="moves a metric alone: give the metric itself"):
        gf.solve(functional.gradient_flow(), METRIC.grid.fields(g=METRIC), 0.01)


def test_a_functional_where_a_flow_is_wanted():
    with pytest.raises(gf.GeomflowError, match="gradient_flow"):
        gf.solve(fn.KEnergy(COMPLEX), POTENTIAL, 0.01)
    with pytest.raises(gf.GeomflowError):
        gf.Descent(fn.KEnergy(COMPLEX))


def test_a_functional_on_the_wrong_geometry():
    with pytest.raises(gf.GeomflowError, match="complex"):
        fn.KEnergy(REAL)
    with pytest.raises(gf.GeomflowError, match="real"):
        fn.PerelmanF(COMPLEX)
    with pytest.raises(gf.GeomflowError, match="dimension"):
        fn.Volume(gf.Torus(dim=1))


def test_the_equation_the_name_and_the_components_are_shown():
    flow = gf.Descent(fn.EF(COMPLEX, "v*log(v)").gradient_flow("dirichlet"))
    assert flow.name == "ef-dirichlet"
    assert "phi" in str(flow)
    (equation,) = flow.components(COMPLEX)
    assert "log" in str(equation.rhs)


def test_measure_and_parameters_change_the_run():
    moved = []
    for options in ({}, {"measure": "1 + 0.1*cos(2*pi*x)"}):
        flow = gf.Descent(fn.PerelmanF(REAL).gradient_flow(), forced=True, **options)
        moved.append(gf.solve(flow, METRIC, 1e-4, stepper="rk4", control=gf.FixedStep(1e-4)).last.values)
    np.testing.assert_allclose(moved[0], METRIC.values, atol=1e-14)
    assert np.abs(moved[1] - moved[0]).max() > 1e-4


@pytest.mark.parametrize("metric", ["mabuchi", "L2"])
def test_a_rate_that_is_a_distribution(metric):
    with pytest.raises(gf.GeomflowError, match=r"distribution.*Dirichlet"):
        gf.solve(fn.Sigma(COMPLEX).gradient_flow(metric), POTENTIAL, 0.01)


def test_sigma_runs_in_the_dirichlet_metric():
    sol = gf.solve(fn.Sigma(COMPLEX).gradient_flow("dirichlet"), POTENTIAL, 1e-5, stepper="rk4",
                   control=gf.FixedStep(1e-6))
    assert sol["energy"][-1] < sol["energy"][0]


def test_a_free_function_beside_a_metric_moves_with_it():
    torus = gf.Torus(dim=2)
    grid, energy = torus.grid(12), gf.functionals.from_density(torus, "R^2/100 + dot(f, f)/2 + f^2")
    flow = energy.gradient_flow("ebin")
    assert "Derivative(f(t), t)" in str(flow)
    state = grid.fields(f=grid.random_scalar(2, 0.2), g=grid.random_metric(1, 0.1))
    sol = gf.solve(flow, state, t1=1e-4)
    assert all(sol["energy"][1:] < sol["energy"][:-1])
    assert energy(sol.last) == pytest.approx(sol["energy"][-1])
    assert (sol.last["f"].values != state["f"].values).any()
