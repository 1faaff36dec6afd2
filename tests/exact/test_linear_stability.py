"""Spectra of flows linearised at a state: exact at flat metrics, and the late rates of runs elsewhere."""

import numpy as np
import pytest

import geomflow as gf

CURVE, PLANE = gf.ComplexTorus(dim=1), gf.Torus(dim=2)
K2 = 4 * np.pi**2


def flat(count):
    """The smallest |k|² of the unit square torus with multiplicities, without zero."""
    squares = sorted(a * a + b * b for a in range(-4, 5) for b in range(-4, 5))
    return K2 * np.array(squares[1 : count + 1], dtype=float)


def typed(rate):
    return gf.Flow.from_expression({"phi": rate})


TABLE = {
    "kahler-ricci": (gf.KahlerRicciFlow(), lambda lam: lam),
    "calabi": (gf.CalabiFlow(), lambda lam: 2 * lam**2),
    "k-energy": (gf.Descent(gf.functionals.KEnergy(CURVE).gradient_flow()), lambda lam: 2 * lam**2),
    "ef": (gf.Descent(gf.functionals.EF(CURVE, "(v-1)^2").gradient_flow("mabuchi")), lambda lam: 2 * lam**2),
    "eg": (gf.Descent(gf.functionals.EG(CURVE, "v^-1").gradient_flow("mabuchi")), lambda lam: 2 * lam**3),
    "log(v)": (typed("log(v)"), lambda lam: lam),
    "Monge–Ampère": (typed("v - 1"), lambda lam: lam),
    "Hamilton": (typed("2*log(v)"), lambda lam: 2 * lam),
    "k-energy at half speed": (typed("R/2"), lambda lam: lam**2),
    "R": (typed("R - mean(R)"), lambda lam: 2 * lam**2),
    "F''(1) = 12": (typed("-laplacian(4*v^3)/2"), lambda lam: 12 * lam**2),
}
"""Flows of potentials, and the rates of their linearisation at a flat metric, λ an eigenvalue of −Δ_∂."""


@pytest.mark.parametrize("scale", [0.5, 0.8], ids=["flat", "another class"])
@pytest.mark.parametrize("name", TABLE)
def test_flat_tori_have_the_rates_of_the_table(name, scale):
    flow, rate = TABLE[name]
    state = CURVE.grid(8, scheme="spectral").potential("0", reference=[[scale]])
    found = flow.linearise(state).spectrum(13)
    rounding = 1e-10 * rate(32 * K2 / (4 * scale))  # of the shortest wave
    assert abs(found[0]) < rounding  # constants
    np.testing.assert_allclose(found[1:], -rate(flat(12) / (4 * scale)), rtol=1e-7, atol=rounding)


@pytest.mark.parametrize(("rate", "law"), [("log(v)", lambda lam: lam), ("R - mean(R)", lambda lam: 2 * lam**2)])
def test_flat_surfaces_have_the_rates_of_the_table(rate, law):
    state = gf.ComplexTorus(dim=2).grid((7, 1, 7, 1), scheme="spectral").potential("0")
    found = typed(rate).linearise(state).spectrum(13)
    np.testing.assert_allclose(found[1:], -law(flat(12) / 2), rtol=1e-7)


def test_chern_ricci_flow_at_a_flat_metric():
    """Waves of h change by ∂∂̄ of functions alone, which decay at the rate λ; all else stays."""
    state = gf.ComplexTorus(dim=2).grid((5, 1, 5, 1), scheme="spectral").hermitian()
    found = gf.Flow.from_expression({"h": "-ChernRic"}).linearise(state).spectrum(100)
    waves = -np.array([a * a + b * b for a in range(-2, 3) for b in range(-2, 3)]) * K2 / 2
    np.testing.assert_allclose(found, np.sort([*waves, *np.zeros(75)])[::-1], rtol=1e-7, atol=1e-6)


def test_ricci_deturck_at_a_flat_metric():
    found = gf.RicciFlow(gauge="deturck").linearise(PLANE.grid(8, scheme="spectral").metric()).spectrum(15)
    np.testing.assert_allclose(found, [0] * 3 + [-K2] * 12, rtol=1e-7, atol=1e-6)


def test_waves_oscillate():
    grid = PLANE.grid(6, scheme="spectral")
    flow = gf.Flow.from_expression({"f": "p", "p": "laplacian(f) - f"})
    found = flow.linearise(grid.fields(g=grid.metric(), f="0", p="0")).spectrum(72)
    assert np.abs(found.real).max() < 1e-6
    assert np.abs(np.abs(found.imag) - 1).min() < 1e-9
    assert np.abs(np.abs(found.imag) - np.sqrt(1 + K2)).min() < 1e-8


def test_of_waves_that_neither_grow_nor_decay_the_slowest_come_first():
    """Klein–Gordon with mass 2: ω² = 4 + |k|²."""
    grid = gf.Torus(dim=2, periods=(2, 3)).grid(12, scheme="spectral")
    flow = gf.Flow.from_expression({"u": "v", "v": "laplacian(u) - 4*u"})
    found = flow.linearise(grid.fields(u=0, v=0)).spectrum(10)
    squares = 4 + K2 * np.array([0, 1 / 9, 1 / 9, 1 / 4, 1 / 4])
    np.testing.assert_allclose(np.sort(found.imag), np.sort([*np.sqrt(squares), *-np.sqrt(squares)]), rtol=1e-8)
    assert found[:2].imag == pytest.approx([-2, 2], rel=1e-8)


def test_an_unstable_state():
    """Allen–Cahn at 0: u grows at the rate 1 − κ|k|²."""
    flow = gf.Flow.from_expression("kappa*laplacian(u) + u - u^3", kappa=1e-2)
    found = flow.linearise(PLANE.grid(8, scheme="spectral").scalar("0")).spectrum(5)
    np.testing.assert_allclose(found, [1, *(1 - 1e-2 * flat(4))], rtol=1e-8)


def test_the_spectrum_at_a_steady_state_that_is_not_flat_is_the_late_rate():
    """Kähler–Ricci flow towards a prescribed density: a change along the slowest mode decays at its rate."""
    grid = CURVE.grid(12, scheme="spectral")
    flow = gf.KahlerRicciFlow(density="1 + cos(2*pi*x)/2 + sin(2*pi*y)/4")
    end = gf.solve(flow, grid.potential("0"), t1=2.0, stepper="rk45", rtol=1e-11, atol=1e-15).last
    rates, modes = flow.linearise(end).modes(2)
    assert abs(rates[0]) < 1e-6  # constants
    start = grid.potential(end.values + 1e-5 * modes[1, 0] / np.abs(modes[1, 0]).max())
    times = [0.1, 0.2, 0.3]
    sol = gf.solve(flow, start, t1=times[-1], save_at=times, stepper="rk45", rtol=1e-11, atol=1e-16)
    left = [without_mean(state.values - end.values) for state in sol.states[1:]]
    measured = np.diff(np.log([np.linalg.norm(values) for values in left])) / 0.1
    assert measured[-1] == pytest.approx(rates[1], rel=1e-4)
    assert measured[-1] != pytest.approx(-K2 / 2, rel=1e-2)  # it is not that of the flat metric
    density = grid.scalar("1 + cos(2*pi*x)/2 + sin(2*pi*y)/4")
    own = typed("log(v) - log(rho)").linearise(grid.fields(phi=end, rho=density)).spectrum(2)
    np.testing.assert_allclose(own[1], rates[1], rtol=1e-7)


def without_mean(values):
    return values - values.mean()


def test_many_unknowns_are_left_to_arnoldi():
    grid = CURVE.grid(40)
    found = gf.KahlerRicciFlow().linearise(grid.potential("0")).spectrum(5)
    np.testing.assert_allclose(found[1:], [-K2 / 2] * 4, rtol=1e-4)


def test_the_laplacian_of_a_metric_sees_the_shortest_waves():
    """On stencils the only function at rest is the constant, also beside the terms off the diagonal of a metric."""
    grid = PLANE.grid(12)
    metric = grid.metric([["1", "sin(2*pi*x)/5"], ["sin(2*pi*x)/5", "1 + cos(2*pi*y)/5"]])
    flow = gf.Flow.from_expression({"u": "laplacian(u)"})
    found = flow.linearise(grid.fields(g=metric, u="0")).spectrum(144)
    assert abs(found[0]) < 1e-6
    assert found[1] < -K2 / 2
    assert found[-1] < -4 * grid.shape[0] ** 2  # waves of two points


@pytest.mark.parametrize("points", [8, 48])
def test_no_spectrum_where_a_rate_has_no_derivative(points):
    state = PLANE.grid(points).fields(f="cos(2*pi*x)/5")
    with pytest.raises(gf.GeomflowError, match="the linearised rate is nan in"):
        gf.Flow.from_expression({"f": "laplacian(f) + log(f)"}).linearise(state).spectrum(3)
