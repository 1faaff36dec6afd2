r"""
Ricci–Yang–Mills flow
=====================

A metric and a U(1) connection (Streets 2010; Young 2008): its curvature :math:`F` bends the metric, and the metric says
how :math:`F` diffuses,

.. math:: \partial_t g_{ij} = -2R_{ij} + F_{ik}F_j{}^k,\qquad \partial_t A = \operatorname{div} F,\qquad F = \mathrm dA.

Up to diffeomorphisms it climbs, as Perelman found for Ricci flow, the least eigenvalue :math:`\lambda` of
:math:`-4\Delta + R - \tfrac14|F|^2`.
"""

import numpy as np

import geomflow as gf

# %%
# A bundle with a twist
# ---------------------
# A connection of a twisted bundle over the torus is not a one-form, but its curvature is a two-form: we evolve
# :math:`F` itself, whose rate is :math:`\mathrm d\operatorname{div}F`. The circles of the bundle have the length one,
# so that :math:`\int F`, here 1, is its Chern number.
grid = gf.Torus(dim=2).grid(24, order=8)
g = grid.metric([["1 + cos(2*pi*y)/5", "sin(2*pi*x)/10"], ["sin(2*pi*x)/10", "1 + sin(2*pi*x)/5"]])
start = grid.fields(g=g, F=grid.form({"xy": "1 + 2*cos(2*pi*x)*cos(2*pi*y)"}))
flow = gf.Flow.from_expression({"g": "-2*Ric[i,j] + F[i,k]*F[j,k]", "F": "d(div(F))"}, gauge="deturck")
print(*(block.verdict for block in flow.character(start)), sep="\n")
flow

# %%
sol = gf.solve(flow, start, t1=0.05, save_at=[0.005, 0.015, 0.05], rtol=1e-7)
print(sol.outcome)
gf.plot.snapshots(sol, ["F_xy", "scalar curvature of g"])

# %%
# What rises, and what stays
# --------------------------
# The least eigenvalue is a rate of a linear flow on the state as it is: :math:`w` decays like :math:`e^{-\lambda t}`.
# The flux of :math:`F`, which says which bundle it is, stays; the diffeomorphisms of the gauge keep it to the order
# of the grid.
heat = gf.Flow.from_expression({"w": "4*laplacian(w) - (R - dot(F, F)/4)*w"})


def least_eigenvalue(state):
    return -heat.linearise(grid.fields(**state.parts, w=0)).spectrum(1)[0].real


eigenvalues = [least_eigenvalue(state) for state in sol.states]
fluxes = [state["F"].values[..., 0, 1].mean() for state in sol.states]
for t, eigenvalue, flux in zip(sol.times, eigenvalues, fluxes):
    print(f"t = {t:.3f}   λ = {eigenvalue:9.6f}   ∫F = {flux:.12f}")
assert np.all(np.diff(eigenvalues) > 0)
assert np.ptp(fluxes) < 1e-8

# %%
# In space
# --------
# With a one-form for the unknown, :math:`\mathrm dF = 0` to rounding.
space = gf.Torus(dim=3).grid(12)
connection = space.form(["cos(2*pi*y)/10", "sin(2*pi*z)/10", "cos(2*pi*(x + y))/10"])
flow = gf.Flow.from_expression({"g": "-2*Ric[i,j] + F[i,k]*F[j,k]", "A": "div(F)"}, where={"F": "d(A)"},
                               gauge="deturck")
last = gf.solve(flow, space.fields(g=space.random_metric(seed=2), A=connection), t1=1e-3).last["A"].values
unit = np.eye(3, dtype=int)
slopes = np.array([[space.derivative(last[..., j], unit[i]) for j in range(3)] for i in range(3)])
F = slopes - slopes.swapaxes(0, 1)
closed = sum(space.derivative(F[i, j], unit[k]) for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)))
print(f"|F| is up to {np.abs(F).max():.2f}, and |dF| up to {np.abs(closed).max():.0e}")
assert np.abs(closed).max() < 1e-12
