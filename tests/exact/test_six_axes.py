"""Kähler flows in complex dimension three, on grids of six axes: linear rates, and potentials of one complex variable,
which flow as in complex dimension one.

Small modes of the flat metric decay with λ = |k|²/2 of the grid's own Laplacian: Kähler–Ricci flow and the J-flow at λ,
Calabi flow at 2λ².
"""

import numpy as np
import pytest
from fields import grid_of

import geomflow as gf
from geomflow.flow.solver import as_flow

TORUS = gf.ComplexTorus(dim=3)
SLANTED = gf.ComplexTorus(dim=3, lattice=np.eye(6) + 0.25 * np.eye(6, k=1))
AMPLITUDE = 1e-6
MODE = (1, 0, 0, 1, 1, 0)
FLOWS = {
    "kahler-ricci": (lambda torus: gf.KahlerRicciFlow(), lambda lam: lam),
    "calabi": (lambda torus: gf.CalabiFlow(), lambda lam: 2 * lam**2),
    "j": (lambda torus: gf.functionals.JFunctional(torus).gradient_flow(), lambda lam: lam),
}


@pytest.mark.parametrize(("torus", "name", "order"), [
    *((TORUS, name, order) for name in FLOWS for order in (2, "spectral")), (SLANTED, "kahler-ricci", "spectral")])
def test_potentials_decay(torus, name, order):
    make, law = FLOWS[name]
    grid = grid_of(torus, 3, order)
    phase = sum(m * s for m, s in zip(MODE, np.ix_(*[np.arange(3) / 3] * 6), strict=True))
    mode, lam = np.cos(2 * np.pi * phase), -float(grid.laplacian_symbol()[MODE]) / 2
    stepper, accuracy = ("semi-implicit", 1e-7) if name == "calabi" else ("rk45", 1e-8)
    state = grid.potential(AMPLITUDE * mode)
    sol = gf.solve(make(torus), state, 1 / law(lam), stepper=stepper, rtol=1e-15, atol=accuracy * AMPLITUDE)
    assert sol.outcome.kind == "finished"
    decay = np.log(float((state.values * mode).sum()) / float((sol.last.values * mode).sum()))
    assert decay / sol.times[-1] == pytest.approx(law(lam), rel=1e-4)


@pytest.mark.parametrize("order", [2, "spectral"])
@pytest.mark.parametrize("name", FLOWS)
def test_potentials_of_one_variable_flow_as_in_dimension_one(name, order):
    make, curve = FLOWS[name][0], gf.ComplexTorus(dim=1)
    phi = grid_of(curve, 8, order).random_potential(3, amplitude=0.4).values
    rates = []
    for torus, shape in ((curve, (8, 8)), (TORUS, (8, 8, 3, 3, 3, 3))):
        values = np.broadcast_to(phi.reshape(8, 8, *[1] * (len(shape) - 2)), shape)
        state = grid_of(torus, shape, order).potential(values)
        problem = as_flow(make(torus)).bind(state)
        rate = np.empty_like(problem.y0)
        problem.rate(0.0, problem.y0, rate)
        rates.append(rate[0])
    expected = np.broadcast_to(rates[0].reshape(8, 8, 1, 1, 1, 1), rates[1].shape)
    assert np.abs(rates[1] - expected).max() < 1e-10 * np.abs(expected).max()


def test_a_run_goes_on_from_its_store(tmp_path):
    state, path = TORUS.grid(3, order=2).random_potential(1, amplitude=0.2, modes=1), tmp_path / "run.zarr"
    whole = gf.solve(gf.KahlerRicciFlow(), state, 0.01, save_at=2)
    gf.solve(gf.KahlerRicciFlow(), state, 0.01, save_at=2, store=path, max_steps=1)
    resumed = gf.solve(gf.KahlerRicciFlow(), state, 0.01, save_at=2, store=path, resume=True)
    assert whole.steps > 1
    np.testing.assert_array_equal(resumed.last.values, whole.last.values)
    assert (np.diff(whole["energy"]) < 0).all()
