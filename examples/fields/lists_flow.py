r"""
Ricci–harmonic flow
===================

List (2008) couples Ricci flow to a function that diffuses; at its steady states, static solutions of Einstein's
equations,

.. math:: \partial_t g = -2\,\mathrm{Ric} + 2a\,\mathrm df\otimes\mathrm df,\qquad \partial_t f = \Delta f.

The least value of :math:`S = R - a|\mathrm df|^2` does not fall, nor does the least eigenvalue :math:`\lambda` of
:math:`-4\Delta + S`, List's form of Perelman's.
"""

import numpy as np

import geomflow as gf

# %%
# In DeTurck's gauge
# ------------------
# The diffeomorphisms move both fields, and the system is parabolic.
grid = gf.Torus(dim=2).grid(24, order=8)
g = grid.metric([["1 + cos(2*pi*y)/5", "sin(2*pi*x)/10"], ["sin(2*pi*x)/10", "1 + sin(2*pi*x)/5"]])
start = grid.fields(g=g, f="cos(2*pi*(x + y))/4 + sin(2*pi*x)/5")
flow = gf.Flow.from_expression({"g": "-2*Ric + 2*a*d(f)*d(f)", "f": "laplacian(f)"}, a=2, gauge="deturck")
print(*(block.verdict for block in flow.character(start)), sep="\n")
flow

# %%
sol = gf.solve(flow, start, t1=0.03, save_at=[0.003, 0.01, 0.03], rtol=1e-7)
print(sol.outcome)
gf.plot.snapshots(sol, ["f", "scalar curvature of g"])
# sphinx_gallery_thumbnail_number = 1

# %%
# What rises
# ----------
# The least eigenvalue is a rate of a linear flow on the state as it is: :math:`w` decays like :math:`e^{-\lambda t}`.
heat = gf.Flow.from_expression({"w": "4*laplacian(w) - (R - a*dot(d(f), d(f)))*w"}, a=2)


def least_eigenvalue(state):
    return -heat.linearise(grid.fields(**state.parts, w=0)).spectrum(1)[0].real


def least_curvature(state):
    g, f = state["g"], state["f"]
    df = np.stack([f.derivative((1, 0)).values, f.derivative((0, 1)).values], axis=-1)
    return (g.scalar().values - 2 * np.einsum("...i,...ij,...j", df, np.linalg.inv(g.values), df)).min()


eigenvalues = [least_eigenvalue(state) for state in sol.states]
minima = [least_curvature(state) for state in sol.states]
for t, eigenvalue, least in zip(sol.times, eigenvalues, minima):
    print(f"t = {t:.3f}   λ = {eigenvalue:8.4f}   min S = {least:8.3f}")
assert np.all(np.diff(eigenvalues) > 0)
assert np.all(np.diff(minima) > 0)

# %%
# A heat mode on a flat metric
# ----------------------------
# With a small :math:`f = \varepsilon\cos 2\pi x\sin 2\pi y` on a flat metric, :math:`f` decays like
# :math:`e^{-8\pi^2t}` up to :math:`\varepsilon^3`, and the metric moves by :math:`\varepsilon^2`.
sizes, off_f, off_g = [0.2, 0.1, 0.05], [], []
grid = gf.Torus(dim=2).grid(16, scheme="spectral")
mode = grid.scalar("cos(2*pi*x)*sin(2*pi*y)")
for size in sizes:
    last = gf.solve(flow, grid.fields(g=grid.metric(), f=mode * size), t1=0.005, rtol=1e-10, stepper="rk45").last
    off_f.append(last["f"].max_distance(mode * (size * np.exp(-8 * np.pi**2 * 0.005))))
    off_g.append(last["g"].max_distance(grid.metric()))
powers = [np.polyfit(np.log(sizes), np.log(errors), 1)[0] for errors in (off_f, off_g)]
print(f"f is off by ε^{powers[0]:.2f}, g by ε^{powers[1]:.2f}")
assert abs(powers[0] - 3) < 0.1
assert abs(powers[1] - 2) < 0.1
