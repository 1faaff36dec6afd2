"""Derived flows and the flows of the literature are the same runs on the same grid."""

import numpy as np
import pytest
from fields import grid_of

import geomflow as gf
from geomflow import functionals as fn

TEXT = {1: "0.004*cos(2*pi*x) + 0.003*sin(2*pi*(x + y))", 2: "0.004*cos(2*pi*x1)*sin(2*pi*y2) + 0.003*sin(2*pi*x2)"}
POINTS = {1: 16, 2: 6}
STEPS = 20
LOWEST = 2 * np.pi**2
"""λ of the longest wave."""

PAIRS = {
    "Calabi at half speed": (lambda t: fn.EF(t, "v*log(v)").gradient_flow("mabuchi"), gf.CalabiFlow(), 2, LOWEST**2),
    "Calabi": (lambda t: fn.KEnergy(t).gradient_flow("mabuchi"), gf.CalabiFlow(), 1, LOWEST**2),
    "Kähler–Ricci": (lambda t: fn.EF(t, "v*log(v)").gradient_flow("dirichlet"), gf.KahlerRicciFlow(), 1, LOWEST),
    "Hamilton": (lambda t: fn.KEnergy(t).gradient_flow("dirichlet"), gf.KahlerRicciFlow(speed=2), 1, LOWEST),
}


def modulo_constants(state):
    return state.values - state.values.mean()


CASES = [(name, dim, order) for name in PAIRS for dim in POINTS for order in (4, "spectral") if (dim, order) != (2, 4)]


@pytest.mark.parametrize(("name", "dim", "order"), [
    *CASES, pytest.param("Calabi", 2, 4, marks=pytest.mark.slow)])  # each such pair compiles for a minute
def test_runs_agree(name, dim, order):
    make, known, slower, rate = PAIRS[name]
    torus = gf.ComplexTorus(dim=dim)
    state = grid_of(torus, POINTS[dim], order).potential(TEXT[dim])
    t1 = 0.5 / rate
    derived, textbook = (gf.solve(flow, state, speed * t1, stepper="semi-implicit",
                                  control=gf.FixedStep(speed * t1 / STEPS)).last
                         for flow, speed in ((make(torus), slower), (known, 1)))
    scale = np.abs(modulo_constants(state)).max()
    assert np.abs(modulo_constants(textbook)).max() < 0.9 * scale
    np.testing.assert_allclose(modulo_constants(derived), modulo_constants(textbook), atol=1e-10 * scale, rtol=0)
