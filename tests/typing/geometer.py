"""What a differential geometer writes: exact curvature, a derived flow, a run, and how it ended."""

from __future__ import annotations

import numpy as np

import geomflow as gf


def sphere() -> gf.Metric:
    """The round sphere, exact: its curvature, in LaTeX too."""
    chart = gf.Chart("theta phi")
    metric = gf.Metric(chart, [["1", "0"], ["0", "sin(theta)^2"]])
    print(metric.ricci, metric.scalar, metric.christoffel, metric.riemann)
    return metric


def fubini() -> gf.KahlerMetric:
    """Fubini–Study from its potential."""
    metric = gf.KahlerMetric.from_potential(gf.ComplexChart("z"), "log(1 + z*zb)")
    print(metric.ricci, metric.realify().scalar)
    return metric


def calabi_flow() -> float:
    """The gradient flow of the K-energy, derived and run."""
    torus = gf.ComplexTorus(dim=1)
    energy = gf.functionals.KEnergy(torus)
    flow = energy.gradient_flow("mabuchi")
    print(flow.equation, flow.latex(), flow.decay_rate([1, 0]))
    phi = torus.grid(32, scheme="spectral").potential("cos(2*pi*x)*cos(2*pi*y)/200")
    sol = gf.solve(flow, phi, t1=1e-5, save_at=4, events=[gf.SteadyState(1e-9)], monitors={"mean": mean})
    if sol.outcome.kind is gf.OutcomeKind.finished:
        print(sol.outcome.message)
    last: float = sol.last.density().max()
    fall: np.ndarray = np.diff(sol["energy"])
    return last + float(fall.max()) + sol.last.distance(phi) + energy(sol.last)


def mean(t: float, phi: object) -> float:
    """A monitor of one's own."""
    return t


def ricci_flow() -> tuple[float, ...]:
    """Ricci–DeTurck flow of a metric on a torus, until the curvature is large."""
    torus = gf.Torus(dim=2)
    g = torus.grid((32, 48), order=4).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
    sol = gf.solve(gf.RicciFlow(gauge="deturck"), g, t1=1e-4, stepper="rk45", events=gf.CurvatureBlowUp(1e6))
    heat = gf.Flow.from_expression("kappa*laplacian(u)", kappa=0.1)
    u = gf.solve(heat, g.grid.scalar("sin(2*pi*x)"), t1=1e-3).last
    widths = [state.eigenvalue_range()[1] - state.eigenvalue_range()[0] for state in sol.states]
    return (*widths, u.max(), sol.last.scalar().integral(sol.last))


if __name__ == "__main__":
    print(sphere(), fubini(), calabi_flow(), ricci_flow())
