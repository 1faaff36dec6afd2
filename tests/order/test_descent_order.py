"""The dissipation identity d(energy)/dt = −dissipation holds to the order of the discretisation.

d(energy)/dt is the derivative of the discrete energy along the discrete rate, by a central difference; on a spectral
grid that resolves the state only the errors of the difference remain, with stencils those of the stencils.
"""

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn

TEXT = {1: "0.004*cos(2*pi*x) + 0.003*sin(2*pi*(x + y))", 2: "0.001*cos(2*pi*(x1 + y2)) + 0.001*sin(2*pi*x2)"}
METRIC = [["1 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]

POTENTIALS = {
    "calabi": lambda t: fn.KEnergy(t).gradient_flow("mabuchi"),
    "kahler-ricci": lambda t: fn.EF(t, "v*log(v)").gradient_flow("dirichlet"),
    "ef": lambda t: fn.EF(t, "(v-1)^2").gradient_flow("mabuchi"),
    "eg": lambda t: fn.EG(t, "v^-1").gradient_flow("mabuchi"),
    "calabi functional": lambda t: fn.Calabi(t).gradient_flow("mabuchi"),
    "j": lambda t: fn.JFunctional(t).gradient_flow("mabuchi"),
}
METRICS = {
    "volume": lambda t: fn.Volume(t).gradient_flow("ebin"),
    "scalar-squared": lambda t: fn.ScalarSquared(t).gradient_flow("ebin"),
    "ricci-squared": lambda t: fn.RicciSquared(t).gradient_flow("L2"),
    "lambda": lambda t: fn.PerelmanLambda(t).gradient_flow("weighted"),
}


def defect(flow, state, size=1e-3):
    """|d(energy)/dt + dissipation| / dissipation; the difference moves the state by at most `size` times `scale`."""
    problem = gf.Descent(flow).bind(state)
    rate = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, rate)
    varying = np.abs(problem.y0 - problem.y0.mean(axis=tuple(range(1, problem.y0.ndim)), keepdims=True)).max()
    dt = size * varying / np.abs(rate - rate.mean()).max()

    def energy(s):
        return problem.observe(0.0, problem.y0 + s * dt * rate)["energy"]

    slope = (8 * (energy(1) - energy(-1)) - (energy(2) - energy(-2))) / (12 * dt)
    dissipation = problem.observe(0.0, problem.y0)["dissipation"]
    assert dissipation > 0
    return abs(slope + dissipation) / dissipation


@pytest.mark.parametrize(("dim", "points"), [(1, 32), (2, 12)])
@pytest.mark.parametrize("name", POTENTIALS)
def test_dissipation_of_potentials_is_exact_on_spectral_grids(name, dim, points):
    torus = gf.ComplexTorus(dim=dim)
    state = torus.grid(points, scheme="spectral").potential(TEXT[dim])
    assert defect(POTENTIALS[name](torus), state) < 1e-6


@pytest.mark.parametrize("name", METRICS)
def test_dissipation_of_metrics_is_exact_on_spectral_grids(name):
    torus = gf.Torus(dim=2)
    state = torus.grid(48, scheme="spectral").metric(METRIC)
    assert defect(METRICS[name](torus), state, 1e-2) < 1e-6


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("name", ["calabi", "ef"])
def test_dissipation_of_ultralocal_functionals_is_exact_with_stencils(name, order):
    """In complex dimension one Δ_∂ is symmetric on the grid too, and dμ_J Δ_∂ is flat."""
    torus = gf.ComplexTorus(dim=1)
    assert defect(POTENTIALS[name](torus), torus.grid(16, order=order).potential(TEXT[1])) < 1e-9


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("name", ["eg", "scalar-squared"])
def test_dissipation_holds_to_the_order_of_stencils(name, order):
    errors = []
    for points in (24, 48):
        if name in METRICS:
            torus = gf.Torus(dim=2)
            errors.append(defect(METRICS[name](torus), torus.grid(points, order=order).metric(METRIC), 1e-2))
        else:
            torus = gf.ComplexTorus(dim=1)
            state = torus.grid(points, order=order).potential(TEXT[1])
            errors.append(defect(POTENTIALS[name](torus), state, 1e-2))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.4)


@pytest.mark.parametrize("name", ["calabi", "kahler-ricci", "eg"])
def test_the_energy_lost_in_a_run_is_the_dissipation(name):
    torus = gf.ComplexTorus(dim=1)
    flow = POTENTIALS[name](torus)
    state = torus.grid(16, scheme="spectral").potential("0.002*cos(2*pi*x) + 0.001*sin(2*pi*y)")
    t1 = 0.5 / float(flow.decay_rate((1, 0)) * (2 * np.pi) ** flow.linearisation.order)
    sol = gf.solve(flow, state, t1, stepper="semi-implicit", control=gf.FixedStep(t1 / 400))
    times, loss = sol.monitor_times, sol["dissipation"]
    lost = (np.diff(times) * (loss[1:] + loss[:-1]) / 2).sum()
    assert sol["energy"][0] - sol["energy"][-1] == pytest.approx(lost, rel=1e-4)
