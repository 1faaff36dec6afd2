r"""
Bach flow
=========

In dimension four the Weyl energy :math:`\mathcal E = \int\lvert W\rvert^2\,\mathrm dV` does not see conformal
factors. Its gradient is Bach's tensor (1921), of fourth order in the metric,

.. math:: B_{ij} = \nabla^k(\nabla_k P_{ij} - \nabla_j P_{ik}) + P^{kl}W_{ikjl},\qquad
    P = \tfrac12\bigl(\mathrm{Ric} - \tfrac16 R g\bigr),\qquad
    \partial_t\mathcal E = -4\int\lvert B\rvert^2\,\mathrm dV\quad\text{along}\quad\partial_t g = B.

It is symmetric, free of trace and of divergence, and zero where the metric is conformal to an Einstein metric.
"""

import numpy as np

import geomflow as gf

TENSORS = {
    "P": "(Ric - R*g/6)/2",
    "D": "nabla(P)",
    "C": "D[i,j,k] - D[i,k,j]",
    "B": "nabla(C)[i,j,k,k] + P[k,l]*Weyl[i,k,j,l]",
}
grid = gf.Torus(dim=4).grid((12, 12, 1, 1), order=8)  # four dimensions, and nothing depends on z and w
start = grid.metric([
    ["1 + cos(2*pi*y)/20", "sin(2*pi*x)/40", 0, 0],
    ["sin(2*pi*x)/40", 1, 0, 0],
    [0, 0, "1 + cos(2*pi*x)/20", 0],
    [0, 0, 0, "1 - sin(2*pi*(x + y))/20"],
])
bare = gf.Flow.from_expression("B", where=TENSORS)
for block in bare.character(start):
    print(block.verdict)

# %%
# A gauge
# -------
# Five of ten directions are not damped: four of diffeomorphisms, one of conformal factors. The gauge adds to the flow
# a Lie derivative of fourth order, and :math:`\frac1{12}\Delta R\,g` (Bahuaud and Helliwell 2011), of the strength of
# the flow itself. Then all short waves are damped as :math:`\exp(-\frac14\lvert k\rvert^4 t)`.
flow = gf.Flow.from_expression("B", where=TENSORS, gauge="deturck+conformal")
for block in flow.character(start):
    print(block.verdict)
print(flow.on(start).facts["gauge"])

# %%
# The flow linearised at the flat metric is a matrix on the ten polarisations of a wave, with one eigenvalue:
linear, wave = flow.linearise(grid.metric()), grid.scalar("cos(2*pi*(x + y))").values
matrix = [2 * (linear.apply(np.multiply.outer(unit, wave)) * wave).mean(axis=(1, 2, 3, 4)) for unit in np.eye(10)]
rates, exact = np.linalg.eigvals(matrix).real, -((8 * np.pi**2) ** 2) / 4
print(f"from {rates.min():.3f} to {rates.max():.3f}, exactly {exact:.3f}")
assert np.abs(rates / exact - 1).max() < 1e-3

# %%
# A run
# -----
# :math:`\lvert W\rvert^2 = \lvert\mathrm{Rm}\rvert^2 - 2\lvert\mathrm{Ric}\rvert^2 + \frac13R^2`. The energy
# falls; the volume stays, for neither :math:`B` nor the gauge changes it.
energy = gf.functionals.Functional.from_density(gf.Torus(dim=4), "Rm2 - 2*Ric2 + R^2/3", fields="g")
sol = gf.solve(flow, start, t1=2e-3, stepper="rk45", save_at=8, monitors={"energy": lambda t, g: energy(g)})
print(f"{sol.outcome.message} ∫|W|² falls from {sol['energy'][0]:.3f} to {sol['energy'][-1]:.3f}.")
assert np.all(np.diff(sol["energy"]) < 0)
gf.plot.monitors(sol, ["energy", "curvature_max", "volume"])

# %%
# The law of the energy
# ---------------------
# Its rate along the flow is :math:`-4\int\lvert B\rvert^2\,\mathrm dV`, whatever the gauge: here by
# differences, at some metrics of the run.


def rate(equation, metric):
    """∂_t g, as a tensor field."""
    problem = equation.bind(metric)
    values = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, values)
    return values


def squared(tensor, metric):
    """∫|B|² dV."""
    raised = np.linalg.solve(metric.values, tensor.values)
    return (np.einsum("...ij,...ji", raised, raised) * metric.volume_density().values).mean()


STEP = 1e-6
for metric in sol.states[:2]:
    descent = -4 * squared(metric.change(rate(bare, metric)), metric)
    for equation in (bare, flow):
        change = STEP * rate(equation, metric)
        ends = [energy(metric.unpack(metric.pack() + sign * change)) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * STEP)
        print(f"dE/dt = {slope:9.2f}, -4∫|B|² = {descent:9.2f}")
        assert abs(slope / descent - 1) < 1e-3

# %%
# What is fixed
# -------------
# Metrics conformal to the flat one, up to the error of the grid:
factor = "exp(cos(2*pi*x)*cos(2*pi*y)/10)"
conformal = grid.metric([[factor if i == j else 0 for j in range(4)] for i in range(4)])
sizes = [np.abs(rate(bare, metric)).max() for metric in (conformal, start)]
print(f"|B| is {sizes[0]:.1e} of a conformally flat metric, {sizes[1]:.1e} at the start")
assert sizes[0] < 1e-2 * sizes[1]
