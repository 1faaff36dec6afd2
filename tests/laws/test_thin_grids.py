"""What does not depend on a coordinate is the same on a grid with one point along it as on one that resolves it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf

SQUARE, SKEW = gf.Torus(2, periods=(1, 1.5)), gf.Torus(2, lattice=[[1, 0.2], [0.3, 1.2]])
SPACE = gf.Torus(3, periods=(1, 1.5, 0.8))
SKEW_SPACE = gf.Torus(3, lattice=[[1, 0, 0.2], [0.3, 1.2, 0], [0.1, 0.2, 0.9]])
HOWS = [{"scheme": "spectral"}, {"order": 4}]
FLOWS = [
    (SQUARE, {"g": "-2*Ric"}, "deturck"),
    (SKEW, {"g": "-2*Ric + 2*d(f)*d(f)", "f": "laplacian(f) + dot(d(f), d(f))"}, None),
    (SQUARE, {"A": "dot(A, A)*A + trace(nabla(A))*d(f)", "f": "mean(f)*trace(nabla(A)) + d(A)[i,j]*d(A)[i,j]"}, None),
]


def spread(values, grid):
    """Values on a thin grid, at all points of another."""
    return np.broadcast_to(values, (*grid.shape, *values.shape[grid.dim:]))


def state_on(thin, seed):
    return thin.fields(g=thin.random_metric(seed, 0.3), f=thin.random_scalar(seed + 1, 0.5),
                       A=thin.form([thin.random_scalar(seed + 2 + n, 0.5).values for n in range(thin.dim)]))


def thickened(state, grid):
    """The same fields, of which none depends on the axes that the thin grid leaves out."""
    return grid.fields(g=grid.metric(spread(state["g"].values, grid)), f=grid.scalar(spread(state["f"].values, grid)),
                       A=grid.form(list(np.moveaxis(spread(state["A"].values, grid), -1, 0))))


def close(one, other):
    return np.abs(one - other).max() < 1e-10 * max(1.0, np.abs(other).max())


@pytest.mark.parametrize("how", HOWS, ids=str)
@pytest.mark.parametrize("torus", [SPACE, SKEW_SPACE], ids=["rectangular", "skew"])
@given(seed=st.integers(0, 2**30), left_out=st.integers(0, 2))
@settings(max_examples=4, deadline=None)
def test_curvature_of_a_metric(torus, how, seed, left_out):
    shape = [9, 10, 11]
    shape[left_out] = 1
    thin, thick = torus.grid(shape, **how), torus.grid(tuple(max(n, 9) for n in shape), **how)
    g = thin.random_metric(seed, 0.3)
    full = thick.metric(spread(g.values, thick))
    for own, other in ((g.ricci(), full.ricci()), (g.christoffel(), full.christoffel()), (g.scalar(), full.scalar()),
                       (g.laplacian(g.volume_density()), full.laplacian(full.volume_density()))):
        assert close(spread(own.values, thick), other.values)
    assert g.volume() == pytest.approx(full.volume(), rel=1e-13)


@pytest.mark.parametrize("torus", [SPACE, SKEW_SPACE], ids=["rectangular", "skew"])
def test_functionals_and_their_flows(torus):
    thin, thick = torus.grid((9, 9, 1), scheme="spectral"), torus.grid(9, scheme="spectral")
    g = thin.random_metric(5, 0.2, modes=1)
    full = thick.metric(spread(g.values, thick))
    for energy in (gf.functionals.EinsteinHilbert(torus), gf.functionals.PerelmanLambda(torus)):
        assert energy(g) == pytest.approx(energy(full), rel=1e-9)
    flow = gf.functionals.PerelmanLambda(torus).gradient_flow()
    own, other = (gf.solve(flow, state, t1=1e-4, rtol=1e-9).last for state in (g, full))
    assert np.abs(own.values - g.values).max() > 1e-4
    assert close(spread(own.values, thick), other.values)


@pytest.mark.parametrize("flow", [gf.KahlerRicciFlow(), gf.CalabiFlow(), gf.Flow.from_expression({"phi": "log(v)"})],
                         ids=["kahler-ricci", "calabi", "typed"])
def test_rates_of_potentials(flow):
    torus, phi, rates = gf.ComplexTorus(2), "cos(2*pi*x1)*cos(2*pi*y1)/200 + sin(2*pi*x1)/300", []
    for grid in (torus.grid((6, 7, 1, 1), scheme="spectral"), torus.grid((6, 7, 5, 5), scheme="spectral")):
        problem = flow.bind(grid.potential(phi))
        rates.append(np.empty_like(problem.y0))
        problem.rate(0.0, problem.y0, rates[-1])
    assert close(np.broadcast_to(rates[0], rates[1].shape), rates[1])


@pytest.mark.parametrize("how", HOWS, ids=str)
@pytest.mark.parametrize(("torus", "rates", "gauge"), FLOWS, ids=["ricci", "harmonic", "forms"])
@given(seed=st.integers(0, 2**30))
@settings(max_examples=2, deadline=None)
def test_rates_and_monitors_of_typed_flows(torus, rates, gauge, how, seed):
    thin, thick = torus.grid((10, 1), **how), torus.grid((10, 9), **how)
    state, found = state_on(thin, seed), []
    typed = gf.Flow.from_expression(rates, gauge=gauge, forced=True)
    for fields in (state, thickened(state, thick)):
        own = fields if len(rates) > 1 else fields["g"]
        problem = typed.bind(own)
        out = np.empty_like(problem.y0)
        problem.rate(0.0, problem.y0, out)
        found.append((np.moveaxis(spread(np.moveaxis(out, 0, -1), thick), -1, 0), problem.observe(0.0, problem.y0)))
    assert close(found[0][0], found[1][0])
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-9, abs=1e-9)


def test_covariance_is_checked_along_the_axes_with_points():
    state = gf.Torus(3).grid((12, 1, 12), scheme="spectral").random_metric(1, 0.2, modes=1)
    gf.testing.check_covariance(lambda g: g.ricci(), state)
    with pytest.raises(gf.testing.LawError, match="not covariant under a curved map"):
        gf.testing.check_covariance(lambda g: g.christoffel().values[..., 0, :, :], state)


def test_energy_is_checked_on_a_thin_grid():
    torus = gf.Torus(3)
    state = torus.grid((9, 1, 9), scheme="spectral").random_metric(1, modes=1)
    gf.testing.check_energy(gf.functionals.PerelmanLambda(torus).gradient_flow(), state)
