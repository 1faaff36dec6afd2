"""Along every well-posed derived flow, with every stepper for each functional, the energy never rises.

An explicit pair without damping runs at its limit of stability, where each step errs by the tolerance in the shortest
waves. Their share in an energy of ∂⁴φ is k⁸ times larger, so that rk23 and rk45 are given a tolerance of 1e-9; rkc,
which damps short waves, rk4 at its stability bound and semi-implicit steps run as `solve` has them by default.
"""

from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import geomflow as gf
from geomflow import functionals as fn
from geomflow.testing import amplitudes, seeds

STEPS = 8
TOLERANCES = {"rk4": 1e-6, "rk23": 1e-9, "rk45": 1e-9, "rkc": 1e-6, "semi-implicit": 1e-6}
FEW = settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])

POTENTIALS = {
    "kenergy": (fn.KEnergy, ("mabuchi", "dirichlet", "L2")),
    "ef v log v": (lambda t: fn.EF(t, "v*log(v)"), ("mabuchi", "dirichlet", "L2")),
    "ef (v-1)^2": (lambda t: fn.EF(t, "(v-1)^2"), ("mabuchi", "dirichlet", "L2")),
    "eg v^-2": (lambda t: fn.EG(t, "v^-2"), ("mabuchi", "L2")),
    "eg v^-1": (lambda t: fn.EG(t, "v^-1"), ("mabuchi", "L2")),
    "calabi": (fn.Calabi, ("mabuchi", "L2")),
    "j": (fn.JFunctional, ("mabuchi", "L2")),
    "ding": (fn.Ding, ("mabuchi", "L2")),
    "sum": (lambda t: fn.KEnergy(t) + fn.EF(t, "v^2") / 2, ("mabuchi", "dirichlet")),
}
METRICS = {
    "scalar-squared": (fn.ScalarSquared, ("ebin", "L2")),
    "ricci-squared": (fn.RicciSquared, ("ebin",)),
    "lambda": (fn.PerelmanLambda, ("weighted",)),
    "volume": (fn.Volume, ("ebin", "L2")),
}


def cases(table):
    """Every stepper on a functional's first metric; those for stiff flows on the others, and for λ, an eigenvalue."""
    return [(name, metric, stepper) for name, (_, metrics) in table.items() for metric in metrics
            for stepper in (TOLERANCES if metric == metrics[0] and name != "lambda" else ("rkc", "semi-implicit"))]


@cache
def flow(kind, dim, name, metric):
    torus, table = (gf.ComplexTorus(dim), POTENTIALS) if kind == "complex" else (gf.Torus(dim), METRICS)
    return table[name][0](torus).gradient_flow(metric)


def random_wave(grid, random, size):
    """Waves with wave numbers up to two, the highest second derivative about `size`."""
    total = np.zeros(grid.shape)
    for _ in range(4):
        k = 2 * np.pi * random.integers(-2, 3, size=grid.dim)
        phase = sum(kj * x for kj, x in zip(k, grid.coordinates())) + 2 * np.pi * random.random()
        total += np.cos(phase) / max(1.0, float(k @ k))
    return size * total / 4


def assert_falls(flow, state, stepper):
    problem = gf.Descent(flow).bind(state)
    fastest = problem.spectral_radius(0.0, problem.y0) if problem.spectral_radius else 1.0
    sol = gf.solve(flow, state, t1=200 / fastest, stepper=stepper, max_steps=STEPS, rtol=TOLERANCES[stepper])
    assert sol.outcome.kind in ("finished", "interrupted")
    energy = sol["energy"]
    assert len(energy) > 1
    assert (sol["dissipation"] >= 0).all()
    assert (np.diff(energy) <= 1e-12 * np.abs(energy).max()).all()
    if sol["dissipation"][0] * sol.times[-1] > 1e-9 * abs(energy[0]):
        assert energy[-1] < energy[0]


@pytest.mark.parametrize(("name", "metric", "stepper"), cases(POTENTIALS))
@given(seed=seeds, size=amplitudes)
@FEW
def test_energy_of_potentials_falls(name, metric, stepper, seed, size):
    grid = gf.ComplexTorus(dim=1).grid(12, scheme="spectral")
    state = grid.potential(random_wave(grid, np.random.default_rng(seed), size))
    assert_falls(flow("complex", 1, name, metric), state, stepper)


@pytest.mark.parametrize(("name", "metric", "stepper"), cases(METRICS))
@given(seed=seeds, size=amplitudes)
@FEW
def test_energy_of_metrics_falls(name, metric, stepper, seed, size):
    random, grid = np.random.default_rng(seed), gf.Torus(dim=2).grid(12, scheme="spectral")
    waves = [random_wave(grid, random, size) for _ in range(3)]
    state = grid.metric(np.eye(2) + np.stack([waves[0], waves[1], waves[1], waves[2]], axis=-1).reshape(12, 12, 2, 2))
    assert_falls(flow("real", 2, name, metric), state, stepper)
