"""Runs of U(n)-invariant Kähler metrics in the momentum: values found by other formulations, and exact limits."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.linalg

import geomflow as gf
from geomflow.core.errors import ExpressionError, InputError, PositivityError
from geomflow.flow.reduced.fits import approach

MOMENTUM = gf.catalogue.ansatz("momentum", n=2, k=1)
NORMALISED = gf.Flow.from_expression("-Ric + g")
START = "(y-a)*(b-y)/(b-a)"
KOISO_CAO = 0.4673258778314
"""F(2) of the soliton."""


def state(n, a, b, ansatz=MOMENTUM):
    return ansatz.grid(n).state(F=START, a=a, b=b)


@pytest.mark.parametrize(("time", "value"), [(0.25, 0.487303024972), (1.0, 0.471885736462), (25.0, KOISO_CAO)])
def test_the_normalised_flow_in_the_first_chern_class_tends_to_the_soliton(time, value):
    sol = gf.solve(NORMALISED, state(32, 1, 3), time)
    assert sol.last.at("F", [2.0])[0] == pytest.approx(value, abs=1e-11)
    assert (sol.last["a"], sol.last["b"]) == (1.0, 3.0)


@pytest.mark.parametrize(("n", "modes"), [(24, 1e-10), (32, 1e-12)])
def test_values_converge_as_powers(n, modes):
    assert abs(gf.solve(NORMALISED, state(n, 1, 3), 25.0).last.at("F", [2.0])[0] - KOISO_CAO) < modes


@pytest.mark.parametrize(("b", "shift", "slope", "accuracy"), [
    (2, Fraction(6, 13), Fraction(24, 13), 1e-11),
    (3, Fraction(9, 11), Fraction(6, 11), 1e-11),
    (5, Fraction(33, 46), Fraction(3, 23), 1e-10),
])
def test_calabi_flow_tends_to_the_extremal_metric_whose_curvature_is_affine(b, shift, slope, accuracy):
    sol = gf.solve(gf.CalabiFlow(), state(48, 1, b), 100.0)
    places = np.linspace(1, b, 7)
    assert sol.last.scalar_at(places) / 2 == pytest.approx(float(shift) + float(slope) * places, rel=accuracy)
    assert (sol.last["a"], sol.last["b"]) == (1.0, float(b))


def test_the_class_moves_at_its_speed_and_the_volume_with_it():
    sol = gf.solve(gf.KahlerRicciFlow(), state(32, 3, 7), 0.5)
    a, b = 3 - 0.5, 7 - 1.5
    assert (sol.last["a"], sol.last["b"]) == pytest.approx((a, b), abs=1e-12)
    assert sol["volume"][-1] == pytest.approx(2 * np.pi**2 * (b**2 - a**2), rel=1e-12)


@pytest.mark.parametrize(("n", "k", "b", "kind", "time"), [
    (2, 1, 6, "contraction", 1.0),
    (2, 1, 2, "collapse", 0.5),
    (2, 1, 3, "extinction", 1.0),
    (2, 2, 3, "collapse", 0.5),
])
def test_classes_leave_their_cone_in_the_way_and_at_the_time_of_cohomology(n, k, b, kind, time):
    ansatz = gf.catalogue.ansatz("momentum", n=n, k=k)
    sol = gf.solve(gf.KahlerRicciFlow(), ansatz.grid(32).state(F=f"{k}*" + START, a=1, b=b), 5.0)
    assert sol.outcome.kind.value == "singular"
    assert sol.singularity.kind == kind
    assert sol.singularity.time == pytest.approx(time, abs=1e-12)
    assert sol.singularity.rate == "type I"
    by_curvature = approach(sol.monitor_times, sol["riemann_max"])
    assert abs(by_curvature.time - time) < 0.05 * (time - sol.times[-1])


def test_a_class_that_stays_is_no_singularity():
    sol = gf.solve(gf.KahlerRicciFlow(), state(16, 3, 7), 0.1)
    assert sol.singularity is None
    assert sol["a"][-1] == sol.last["a"]


@pytest.mark.parametrize(("b", "shift", "slope"), [(2, 6 / 13, 24 / 13), (5, 33 / 46, 3 / 23)])
def test_extremal_metrics_are_where_calabi_flow_stands_still(b, shift, slope):
    found = MOMENTUM.steady(gf.CalabiFlow(), 32, F=START, a=1, b=b)
    places = np.linspace(1, b, 7)
    assert found.state.scalar_at(places) / 2 == pytest.approx(shift + slope * places, rel=1e-9)
    assert (found.state["a"], found.state["b"]) == (1.0, float(b))


@pytest.mark.parametrize("n", [2, 3])
def test_fubini_study_shrinks_to_a_point(n):
    ball = gf.catalogue.ansatz("momentum-ball", n=n)
    sol = gf.solve(gf.KahlerRicciFlow(), ball.grid(16).state(F="y*(b-y)/b", b=1), 1.0)
    assert sol.singularity.kind == "extinction"
    assert sol.singularity.time == pytest.approx(1 / (n + 1), abs=1e-10)
    shares = np.linspace(0, 1, 5)
    assert sol.last.at("F", sol.last["b"] * shares) == pytest.approx(sol.last["b"] * shares * (1 - shares), rel=1e-9)


def test_volume_of_the_normalised_flow_is_kept_in_any_class():
    sol = gf.solve(gf.KahlerRicciFlow(normalised=True), state(24, 1, 2.5), 0.1)
    assert sol["volume"] == pytest.approx(sol["volume"][0], rel=1e-11)


def test_a_run_that_is_kept_is_loaded_with_its_class(tmp_path):
    whole = gf.solve(NORMALISED, state(24, 1, 3), 0.5, store=tmp_path / "whole.zarr")
    loaded = gf.load(tmp_path / "whole.zarr")
    assert loaded.last["b"] == 3.0
    assert np.array_equal(loaded.last.pack(), whole.last.pack())


def test_states_that_are_no_metrics_are_refused():
    grid = MOMENTUM.grid(24)
    for given, error, told in [
        ({"F": START, "a": 3, "b": 1}, PositivityError, "outside of its cone"),
        ({"F": START, "a": 0, "b": 1}, PositivityError, "outside of its cone"),
        ({"F": START, "a": 1, "b": 1}, PositivityError, "outside of its cone"),
        ({"F": START, "a": -1, "b": 1}, PositivityError, "outside of its cone"),
        ({"F": START, "a": 1, "b": np.inf}, PositivityError, "outside of its cone"),
        ({"F": START, "a": 1, "b": "c"}, InputError, "the end 'b' is a number, and 'c' was given"),
        ({"F": START + "*(1 - 2*(y-a)*(b-y))", "a": 1, "b": 3}, PositivityError, "must be positive between"),
        ({"F": START + "*(1 + sin(40*y)*(y-a)*(b-y)/2)", "a": 1, "b": 3}, InputError, "does not resolve 'F'"),
        ({"F": "2*" + START, "a": 1, "b": 3}, InputError, "first end, y = 1, the slope of the profile is 2.0, and"),
        ({"F": START + "*(1 - (y-a)/4)", "a": 1, "b": 3}, InputError, "y = 3, the slope of the profile is -0.5, and"),
        ({"F": "(y-a)^2*(b-y)", "a": 1, "b": 3}, InputError, "the slope of the profile is 0, and a smooth"),
        ({"F": "1/4", "a": 1, "b": 3}, InputError, "first end, y = 1, the profile does not vanish"),
        ({"F": "(y-a)*(3-y)/(3-a)", "a": 1, "b": 2}, InputError, "last end, y = 2, the profile does not vanish"),
        ({"F": "-" + START, "a": 1, "b": 3}, PositivityError, "must be positive"),
        ({"F": START + "*x", "a": 1, "b": 3}, ExpressionError, "x"),
        ({"F": START, "a": 1}, InputError, "'b' has no value"),
    ]:
        with pytest.raises(error, match=told):
            grid.state(**given)
    assert grid.state(F=START, a=1, b="5/2")["b"] == 2.5
    with pytest.raises(InputError, match="spectral"):
        MOMENTUM.grid(24, order=4)
    with pytest.raises(InputError, match="outside of the span"):
        grid.state(F=START, a=1, b=3).at("F", [0.5])


def koiso_cao(y):
    """F of the soliton on CP² blown up at a point, F' + F/y − αF = 2 − y by its integrating factor, and α."""
    alpha = mpmath.findroot(lambda c: mpmath.quad(lambda s: mpmath.exp(-c * s) * s * (2 - s), [1, 3]), 0.5)
    inner = mpmath.quad(lambda s: mpmath.exp(-alpha * s) * s * (2 - s), [1, y])
    return mpmath.exp(alpha * y) / y * inner, alpha


def decays(count):
    """Eigenvalues of ψ ↦ (y e^{−αy} F ψ')'/(y e^{−αy}) + ψ, by Galerkin's method: 1 the class, 0 a scale of z."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    y = 2 + nodes
    alpha = float(koiso_cao(2)[1])
    F = np.array([float(koiso_cao(mpmath.mpf(s))[0]) for s in y])
    density = y * np.exp(-alpha * y) * weights
    basis = np.polynomial.legendre.legvander(nodes, 24)
    slopes = np.stack([np.polynomial.legendre.Legendre.basis(k).deriv()(nodes) for k in range(25)], axis=1)
    stiffness, mass = (slopes.T * (F * density)) @ slopes, (basis.T * density) @ basis
    return 1 - np.sort(scipy.linalg.eigh(stiffness, mass, eigvals_only=True))[:count]


def test_the_soliton_is_the_exact_one_and_is_reached_at_the_rate_of_its_operator():
    found = MOMENTUM.steady("-Ric + g", 32, F=START, a=1, b=3)
    places = [1.2, 2.0, 2.7]
    exact = [float(koiso_cao(mpmath.mpf(s))[0]) for s in places]
    assert found.state.at("F", places) == pytest.approx(exact, abs=1e-12)
    rate = decays(3)
    assert rate[:2] == pytest.approx([1.0, 0.0], abs=1e-9)
    assert found.linearised.spectrum(3)[2] == pytest.approx(rate[2], abs=1e-7)
    sol = gf.solve(NORMALISED, state(32, 1, 3), 8.0, save_at=[7.0, 8.0])
    excess = [s.at("F", places) - exact for s in sol.states[-2:]]
    assert np.log(excess[1] / excess[0]) == pytest.approx([rate[2]] * 3, rel=1e-6)


def test_the_slope_of_the_potential_is_that_of_the_limit():
    """R + Δf = 4 and f = αy: 4 − R is 2α at the first end, where F = 0 and F' = 1, and −2α at the last."""
    last = gf.solve(NORMALISED, state(32, 1, 3), 16.0).last
    alpha = float(koiso_cao(2)[1])
    assert (4 - last.scalar_at([1.0, 3.0])) / 2 == pytest.approx([alpha, -alpha], abs=1e-10)


def calabi_decays(b, count):
    """Rates of ψ_t = −2E²((yψ)''/y)'' about the extremal E, ψ = ψ' = 0 at the ends, by Galerkin's method.

    ∫ yψφ/2E² and ∫ (yψ)''(yφ)''/y for ψ = (y − 1)²(b − y)² P_k.
    """
    nodes, weights = np.polynomial.legendre.leggauss(60)
    y = np.polynomial.Polynomial([(1 + b) / 2, (b - 1) / 2])
    closing = ((y - 1) * (b - y)) ** 2
    basis = [closing * np.polynomial.Legendre.basis(k).convert(kind=np.polynomial.Polynomial) for k in range(20)]
    values = np.stack([f(nodes) for f in basis], axis=1)
    bends = np.stack([(y * f).deriv(2)(nodes) for f in basis], axis=1) * (2 / (b - 1)) ** 2
    places, profile = y(nodes), MOMENTUM.extremal().of(a=1, b=b).at(y(nodes))
    mass = (values.T * (weights * places / (2 * profile**2))) @ values
    return -scipy.linalg.eigh((bends.T * (weights / places)) @ bends, mass, eigvals_only=True)[:count]


@pytest.mark.parametrize("b", [2, 3, 5])
def test_calabi_flow_comes_near_at_the_rate_of_its_operator(b):
    rates = calabi_decays(b, 3)
    found = MOMENTUM.steady(gf.CalabiFlow(), 24, F=START, a=1, b=b)
    assert found.linearised.spectrum(3) == pytest.approx(rates, rel=1e-8)
    times = np.array([11.0, 13.0]) / -rates[0]
    sol = gf.solve(gf.CalabiFlow(), state(24, 1, b), times[1], save_at=times)
    exact, places = MOMENTUM.extremal().of(a=1, b=b), 1 + (b - 1) * np.array([0.25, 0.5, 0.75])
    excess = [s.at("F", places) - exact.at(places) for s in sol.states[-2:]]
    assert np.log(excess[1] / excess[0]) / np.diff(times) == pytest.approx([rates[0]] * 3, rel=1e-5)
