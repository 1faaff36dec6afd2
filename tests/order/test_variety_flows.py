"""Flows inside families of Hermitian forms: they end at the optimal metric, at the rates that the Laplacian sets."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.core.conventions import k_energy
from geomflow.core.errors import InputError, PositivityError, UnknownNameError
from geomflow.core.outcome import OutcomeKind
from geomflow.fits import FormFlow, decay_rate
from geomflow.fits.family import laplace_values
from geomflow.flow import CurvatureBlowUp, SteadyState
from geomflow.variety.errors import UnderdeterminedError

KAHLER_RICCI, SQUARE, CALABI = FormFlow.kahler_ricci(), FormFlow.square(), FormFlow.calabi()


def family(degree, k, count=4000):
    variety = gv.Fermat(degree)
    points = variety.sample(count, seed=1)
    return gf.fits.form_family(variety, k, points), gf.fits.algebraic_metric(variety, k, points)


@pytest.fixture(scope="module")
def cubic():
    return family(3, 3)


def run(flow, members, units=10.0, **options):
    """`units` late decay times from Fubini–Study."""
    rate = flow.decay_rates(members.state())[0]
    return gf.solve(flow, members.state(), units / rate, **{"rtol": 1e-7, **options})


def check_rates(members, optimum):
    """Convergence of Kähler–Ricci flow and (B.21), λ and 2λ² with one λ, the eigenvalue of −Δ_∂."""
    best = members.state(optimum)
    lowest = laplace_values(best)[0]
    rates = {}
    for flow in (KAHLER_RICCI, SQUARE):
        solution = run(flow, members)
        assert solution.outcome.kind is OutcomeKind.finished
        assert np.all(np.diff(solution["energy"]) <= 0)
        rates[flow] = decay_rate(solution)
        assert rates[flow] == pytest.approx(flow.decay_rates(solution.last)[0], rel=5e-3)
        yield solution, best
    assert rates[KAHLER_RICCI] == pytest.approx(lowest, rel=5e-3)
    assert rates[SQUARE] == pytest.approx(2 * lowest**2, rel=5e-3)
    assert rates[SQUARE] == pytest.approx(2 * rates[KAHLER_RICCI] ** 2, rel=5e-3)


def test_flows_on_the_cubic(cubic):
    for solution, best in check_rates(*cubic):
        assert solution["sigma"][0] > 0.09
        assert solution.last.sigma == pytest.approx(best.sigma, abs=1e-6)
        assert solution.last.distance(best) < 1e-5


def test_flows_on_the_quartic():
    for solution, best in check_rates(*family(4, 4, 2000)):
        assert solution.last.sigma == pytest.approx(best.sigma, rel=1e-2)


@pytest.mark.slow
def test_flows_on_the_quintic():
    for solution, best in check_rates(*family(5, 4)):
        assert solution.last.sigma == pytest.approx(best.sigma, rel=0.02)


def test_calabi_flow_has_the_rate_of_the_square(cubic):
    """(B.9) and (B.21): F''(1) = 2 in both."""
    members, _ = cubic
    assert decay_rate(run(CALABI, members)) == pytest.approx(decay_rate(run(SQUARE, members)), rel=1e-3)


@pytest.mark.parametrize("flow, same", [
    (gf.KahlerRicciFlow(speed=2), FormFlow("2 * v * log(v)", "dirichlet")),
    (gf.CalabiFlow(), CALABI),
])
def test_flows_of_potentials_act_on_families(cubic, flow, same):
    members, _ = cubic
    time = 1 / same.decay_rates(members.state())[0]
    run = [gf.solve(each, members.state(), time, rtol=1e-8, stepper="semi-implicit").last for each in (flow, same)]
    assert run[0].distance(run[1]) == 0
    assert run[0].sigma < 0.8 * members.state().sigma


@pytest.mark.parametrize("flow", [gf.CalabiFlow(), gf.KahlerRicciFlow(), gf.KahlerRicciFlow(speed=3)])
def test_the_energy_is_the_k_energy_whatever_the_speed(cubic, flow):
    """2∫v log v dμ_Ω with ∫dμ_Ω = 2ⁿ times the exact ∫det g, as on a torus; it falls by the dissipation."""
    members, _ = cubic
    problem = flow.bind(members.state())
    state, rate, step = members.state(), np.empty_like(problem.y0), 1e-6
    mass = members.points.mass * 2**members.variety.dim * gv.class_volume(state.metric)
    seen = problem.observe(0.0, problem.y0)
    assert seen["energy"] == pytest.approx(k_energy(state.density, mass), rel=1e-12)
    problem.rate(0.0, problem.y0, rate)
    ends = [problem.observe(0.0, problem.y0 + s * step * rate)["energy"] for s in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(-seen["dissipation"], rel=1e-6)


def test_a_variety_prescribes_the_density(cubic):
    with pytest.raises(InputError, match="leave out the density"):
        gf.solve(gf.KahlerRicciFlow(density="1"), cubic[0].state(), 0.1)


def test_eigenvalue_of_the_flat_cubic():
    """Functions invariant under E[3] and Z_6 on C/ϖZ[ω], g = 4κ|dw|²: λ = 9 (4π/√3ϖ)²/(16κ)."""
    from geomflow.variety.flat import PERIOD

    members, optimum = family(3, 6)
    flat = gv.FlatCurve(members.variety)
    exact = 9 * (4 * pi / (sqrt(3) * PERIOD)) ** 2 / (16 * flat.kappa)
    assert laplace_values(members.state(optimum))[0] == pytest.approx(exact, rel=3e-3)
    for flow, expected in ((KAHLER_RICCI, exact), (SQUARE, 2 * exact**2), (CALABI, 2 * exact**2)):
        assert flow.decay_rates(members.state(optimum))[0] == pytest.approx(expected, rel=3e-3)


@pytest.mark.parametrize("flow", [FormFlow.kahler_ricci(speed=0.5), SQUARE])
def test_the_energy_falls_by_the_dissipation(cubic, flow):
    """E(0) − E(t) = ∫ dissipation dt."""
    from scipy.integrate import simpson

    solution = run(flow, cubic[0], 2.0, rtol=1e-8)
    fallen = solution["energy"][0] - solution["energy"][-1]
    assert simpson(solution["dissipation"], x=solution.monitor_times) == pytest.approx(fallen, rel=1e-5)


def test_the_rate_is_the_projected_rate():
    """Where log v − c is in the family's tangent space, Kähler–Ricci flow moves φ by it: on the cubic of degree 6."""
    members, optimum = family(3, 6)
    best = members.state(optimum)
    shift = np.zeros(members.count)
    shift[1] = 1e-5
    state = best.unpack(best.coefficients + shift)
    problem = KAHLER_RICCI.bind(state)
    rate = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, rate)
    from geomflow.fits.family import tangent

    moved, log_v = tangent(state) @ rate[0], np.log(state.density)
    error = moved - moved.mean() - (log_v - log_v.mean())
    assert np.abs(error).max() < 0.02 * np.abs(log_v).max()


def test_every_stepper_agrees(cubic):
    members, _ = cubic
    ends = [run(KAHLER_RICCI, members, 1.0, stepper=name, rtol=1e-7).last for name in ("semi-implicit", "rk45", "rkc")]
    for other in ends[1:]:
        assert ends[0].distance(other) < 1e-6


def test_volume_and_positivity_are_watched(cubic):
    members, _ = cubic
    solution = run(SQUARE, members, 3.0)
    np.testing.assert_allclose(solution["volume"], 1, atol=0.01)
    assert np.all(solution["positivity"] > 0.5)


def test_events(cubic):
    members, _ = cubic
    steady = run(KAHLER_RICCI, members, 100.0, events=SteadyState(1e-6))
    assert steady.outcome.kind is OutcomeKind.steady
    bent = gf.solve(KAHLER_RICCI, members.state(), 0.1, events=CurvatureBlowUp(0.1))
    assert bent.outcome.kind is OutcomeKind.singular
    half = gf.Event("σ halved", lambda t, state: state.sigma - 0.048)
    assert run(KAHLER_RICCI, members, 8.0, events=half).last.sigma == pytest.approx(0.048, abs=1e-8)


def test_a_run_is_stored_and_resumed(cubic, tmp_path):
    members, _ = cubic
    whole = run(SQUARE, members, 2.0, save_at=4)
    kept = run(SQUARE, members, 2.0, save_at=4, store=tmp_path / "run.zarr")
    again = run(SQUARE, members, 2.0, save_at=4, store=tmp_path / "run.zarr", resume=True)
    np.testing.assert_array_equal(whole.last.coefficients, kept.last.coefficients)
    np.testing.assert_array_equal(kept.times, again.times)


def test_states_are_metrics(cubic):
    members, optimum = cubic
    state = members.state(optimum)
    unseen = members.variety.sample(5000, seed=9)
    assert float(gv.sigma(state.metric, unseen)) == pytest.approx(float(gv.sigma(optimum, unseen)), rel=1e-6)
    assert members.state().sigma == pytest.approx(float(gv.sigma(gv.FubiniStudy(members.variety), members.points)))
    assert "σ = " in repr(state)


def test_bad_input(cubic):
    members, _ = cubic
    with pytest.raises(UnknownNameError, match="inner product"):
        FormFlow("v*log(v)", "euclid")
    with pytest.raises(InputError, match="the speed is 0"):
        FormFlow("v*log(v)", "dirichlet", 0)
    with pytest.raises(InputError, match="F''"):
        FormFlow("-(v - 1)^2", "mabuchi")
    with pytest.raises(InputError, match="form_family"):
        gf.solve(KAHLER_RICCI, members, 1.0)
    with pytest.raises(UnderdeterminedError):
        gf.fits.form_family(members.variety, 6, members.points[:5])
    bad = members.state()
    bad = bad.unpack(bad.coefficients - 20 * np.eye(members.count)[1])
    with pytest.raises(PositivityError):
        gf.solve(KAHLER_RICCI, bad, 1.0)
    with pytest.raises(InputError, match="dissipation fell"):
        decay_rate(run(KAHLER_RICCI, members, 0.1))
