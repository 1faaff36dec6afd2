"""Small modes decay along derived flows at the rates that the second variation predicts.

The predictions are those of `flow.decay_rate(k)`, and are compared with the table of rates in closed form too: with
λ = |k|²/2, Kähler–Ricci λ, K-energy at half speed λ², Calabi 2λ², E_F F''(1)λ², E_G 2G(1)λ³.
"""

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn

AMPLITUDE = 1e-6
POINTS = {1: 16, 2: 8}
WAVES = {1: [(1, 0), (1, 1)], 2: [(1, 1, 0, 1)]}

FLOWS = {
    "kahler-ricci": (lambda t: fn.EF(t, "v*log(v)").gradient_flow("dirichlet"), lambda lam: lam),
    "monge-ampere": (lambda t: fn.EF(t, "(v-1)^2/2").gradient_flow("dirichlet"), lambda lam: lam),
    "k-energy at half speed": (lambda t: fn.EF(t, "v*log(v)").gradient_flow("mabuchi"), lambda lam: lam**2),
    "calabi": (lambda t: fn.KEnergy(t).gradient_flow("mabuchi"), lambda lam: 2 * lam**2),
    "E_F (v-1)^2": (lambda t: fn.EF(t, "(v-1)^2").gradient_flow("mabuchi"), lambda lam: 2 * lam**2),
    "E_G v^-2": (lambda t: fn.EG(t, "v^-2").gradient_flow("mabuchi"), lambda lam: 2 * lam**3),
    "E_G v^-1": (lambda t: fn.EG(t, "v^-1").gradient_flow("mabuchi"), lambda lam: 2 * lam**3),
    "E_G 3v + 2/v": (lambda t: fn.EG(t, "3*v + 2/v").gradient_flow("mabuchi"), lambda lam: 10 * lam**3),
}


def wave(grid, numbers):
    """cos(k·x) on the grid and k, for a unit torus."""
    k = 2 * np.pi * np.array(numbers)
    return np.cos(sum(kj * xj for kj, xj in zip(k, grid.coordinates(), strict=True))), k


CASES = [(name, dim, w) for name in FLOWS for dim in WAVES for w in WAVES[dim]
         if not (name.startswith("E_G") and dim == 2)]  # sixth order in four real dimensions compiles for long


@pytest.mark.parametrize(("name", "dim", "numbers"), CASES)
def test_potentials_decay_at_the_predicted_rate(name, dim, numbers):
    make, law = FLOWS[name]
    torus = gf.ComplexTorus(dim=dim)
    grid, flow = torus.grid(POINTS[dim], scheme="spectral"), make(torus)
    mode, k = wave(grid, numbers)
    expected = law(float(k @ k) / 2)
    predicted = float(flow.decay_rate(numbers) * (2 * np.pi) ** flow.linearisation.order)
    assert predicted == pytest.approx(expected, rel=1e-13)
    sol = gf.solve(flow, grid.potential(AMPLITUDE * mode), t1=1 / expected, stepper="semi-implicit", rtol=1e-15,
                   atol=1e-7 * AMPLITUDE)
    assert sol.outcome.kind == "finished"
    ends = [float((state.values * mode).sum()) for state in (sol.states[0], sol.last)]
    assert np.log(ends[0] / ends[1]) / sol.times[-1] == pytest.approx(predicted, rel=1e-4)
