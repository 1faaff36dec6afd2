"""What a run computes: density, differential, rates and dissipation over real coordinates, with Fourier derivatives."""

import numpy as np
import pytest

from geomflow.core import graph as gr
from geomflow.field import ComplexTorus, Torus
from geomflow.symbolic import functionals as fn
from geomflow.symbolic.variation.potentials import PotentialAlgebra

POINTS = {2: 24, 3: 12, 4: 10}


class Spectral:
    """Evaluates stages on a periodic grid of the unit cell."""

    def __init__(self, dim):
        n = POINTS[dim]
        self.axes = np.meshgrid(*[np.arange(n) / n] * dim, indexing="ij")
        self.k = np.meshgrid(*[2j * np.pi * np.fft.fftfreq(n, 1 / n)] * dim, indexing="ij")

    def derivative(self, values, index):
        symbol = np.ones_like(self.k[0])
        for k, times in zip(self.k, index):
            symbol = symbol * k**times
        return np.fft.ifftn(symbol * np.fft.fftn(values)).real

    def values(self, stages, nodes, fields, parameters=()):
        fields = dict(fields)
        for stage in stages:
            fields.update(zip(stage.names, self.nodes(stage.nodes, fields, dict(parameters))))
        return self.nodes(nodes, fields, dict(parameters))

    def nodes(self, nodes, fields, parameters):
        point = {}
        for leaf in gr.leaves(nodes):
            if leaf.op == "symbol":
                point[leaf] = parameters[leaf.data]
            else:
                name, index = leaf.data
                point[leaf] = self.derivative(fields[name], index) if any(index) else fields[name]
        return [np.broadcast_to(v, self.axes[0].shape) for v in gr.evaluate(nodes, point)]

    def integral(self, staged, fields, parameters=()):
        return float(np.mean(self.values(staged.stages, staged.outputs, fields, parameters)[0]))

    def wave(self, random, size):
        total = 0.0
        for axis in self.axes:
            total = total + np.cos(2 * np.pi * (axis + random.random()))
        return size * (total + np.sin(2 * np.pi * (self.axes[0] + self.axes[1] + random.random())))


TORUS = ComplexTorus(dim=1)
POTENTIALS = {
    "kenergy": fn.KEnergy, "calabi": fn.Calabi, "ef": lambda t: fn.EF(t, "v^3"), "eg": lambda t: fn.EG(t, "v^-2"),
    "aubin-i": fn.AubinI, "aubin-j": fn.AubinJ, "ding": fn.Ding, "j": fn.JFunctional,
    "density": lambda t: fn.from_density(t, "R^2*v + dot(v, phi)"),
    "sum": lambda t: fn.KEnergy(t) + fn.EF(t, "v^2") / 2,
}
METRICS = {
    "volume": fn.Volume, "scalar-squared": fn.ScalarSquared, "ricci-squared": fn.RicciSquared, "f": fn.PerelmanF,
    "f-coupled": fn.PerelmanFCoupled, "w": fn.PerelmanW, "density": lambda t: fn.from_density(t, "R^2 + dot(R, f)"),
}


def potential_state(grid, random):
    return {"phi": grid.wave(random, 0.004), "psi": grid.wave(random, 1.0)}


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("name", POTENTIALS)
def test_differential_is_the_derivative_of_the_density(name, dim):
    grid, random = Spectral(2 * dim), np.random.default_rng(1)
    functional = POTENTIALS[name](ComplexTorus(dim=dim))
    state = potential_state(grid, random)
    exact = grid.integral(functional.differential, state)
    step = 1e-6
    ends = [grid.integral(functional.density, state | {"phi": state["phi"] + s * step * state["psi"]}) for s in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(exact, rel=2e-4, abs=1e-5)


@pytest.mark.parametrize(("name", "metric"), [
    *((name, metric) for name in ("kenergy", "ef", "calabi", "eg") for metric in ("mabuchi", "L2")),
    ("kenergy", "dirichlet"), ("ef", "dirichlet"),  # the others are not local there
])  # fmt: skip
def test_dissipation_is_the_fall_of_the_energy(name, metric):
    grid, random = Spectral(2), np.random.default_rng(2)
    functional = POTENTIALS[name](TORUS)
    state = potential_state(grid, random)
    program = functional.gradient_flow(metric).system()
    parameters = {}
    for average in program.averages:
        top, bottom = grid.values(program.stages, [average.top, average.bottom], state)
        parameters[average.parameter] = top.mean() / bottom.mean()
    rate, dissipation = grid.values(program.stages, [*program.rates, program.dissipation], state, parameters)
    fall = functional.factor * grid.integral(functional.differential, state | {"psi": rate})
    assert fall == pytest.approx(-dissipation.mean(), rel=1e-5)
    assert fall < 0


def metric_state(grid, names, random):
    dim = len(grid.axes)
    state = {n: float(n[2] == n[3]) + grid.wave(random, 0.02) for n in names if n.startswith("g_")}
    state |= {"f": grid.wave(random, 0.1), "log_measure": grid.wave(random, 0.1), "h_f": grid.wave(random, 1.0)}
    return state | {f"h{n[1:]}": grid.wave(random, 1.0) for n in state if n.startswith("g_")}, dim


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("name", METRICS)
def test_differential_of_metric_functional(name, dim):
    grid, random = Spectral(dim), np.random.default_rng(3)
    functional = METRICS[name](Torus(dim=dim))
    state, _ = metric_state(grid, functional.unknowns, random)
    parameters = {"tau": 0.3}
    exact = grid.integral(functional.differential, state, parameters)
    step, ends = 1e-6, []
    for s in (1, -1):
        moved = {n: state[n] + s * step * state[f"h{n[1:]}" if n != "f" else "h_f"] for n in functional.unknowns}
        ends.append(grid.integral(functional.density, state | moved, parameters))
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(exact, rel=2e-4, abs=1e-5)


@pytest.mark.parametrize("metric", ["ebin", "L2"])
@pytest.mark.parametrize("name", ["volume", "scalar-squared", "ricci-squared", "f"])
def test_metric_dissipation_is_the_fall_of_the_energy(name, metric):
    grid, random = Spectral(2), np.random.default_rng(4)
    functional = METRICS[name](Torus(dim=2))
    state, _ = metric_state(grid, functional.unknowns, random)
    program = functional.gradient_flow(metric).system()
    *rates, dissipation = grid.values(program.stages, [*program.rates, program.dissipation], state)
    direction = {f"h{n[1:]}": r for n, r in zip(program.unknowns, rates)}
    fall = functional.factor * grid.integral(functional.differential, state | direction)
    assert fall == pytest.approx(-dissipation.mean(), rel=1e-6)
    assert fall < 0


def test_perelman_f_rises_along_its_flow_and_so_does_the_coupled_one():
    grid, random = Spectral(2), np.random.default_rng(5)
    functional = fn.PerelmanF(Torus(dim=2))
    state, _ = metric_state(grid, functional.unknowns, random)
    flow = functional.coupled_flow().system()
    *rates, dissipation = grid.values(flow.stages, [*flow.rates, flow.dissipation], state)
    direction = {f"h{n[1:]}" if n != "f" else "h_f": r for n, r in zip(flow.unknowns, rates)}
    rise = grid.integral(functional.coupled().differential, state | direction)
    assert -2 * rise == pytest.approx(-dissipation.mean(), rel=1e-5)
    assert rise > 0


def test_half_speed_and_kahler_ricci_rates():
    grid, random = Spectral(4), np.random.default_rng(6)
    torus = ComplexTorus(dim=2)
    state = potential_state(grid, random)
    half, whole = (e.gradient_flow("mabuchi").system() for e in (fn.EF(torus, "v*log(v)"), fn.KEnergy(torus)))
    slow, fast = (grid.values(p.stages, p.rates, state)[0] for p in (half, whole))
    np.testing.assert_allclose(2 * slow, fast, rtol=1e-10, atol=1e-9)
    ricci = fn.EF(torus, "v*log(v)").gradient_flow("dirichlet").system()
    rate = grid.values(ricci.stages, ricci.rates, state, {"mean": 0.0})[0]
    hessian_trace = grid.nodes([fn.EF(torus, "v").realisation(PotentialAlgebra()).frame.explicit_ratio], state, {})[0]
    np.testing.assert_allclose(rate - rate.mean(), np.log(hessian_trace) - np.log(hessian_trace).mean(), atol=1e-12)


@pytest.mark.parametrize("kind", [fn.ScalarSquared, fn.RicciSquared, fn.PerelmanF])
@pytest.mark.parametrize("dim", [2, 3])
def test_no_stage_computes_a_quantity_twice(kind, dim):
    for stage in kind(Torus(dim=dim)).gradient_flow().flat.program.stages:
        assert len(set(stage.nodes)) == len(stage.nodes), stage.names
