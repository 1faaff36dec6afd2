r"""
Ricci flow in two gauges
========================

Ricci flow is only weakly parabolic: it commutes with diffeomorphisms. DeTurck's trick adds a Lie derivative,

.. math:: \partial_t g_{ij} = -2R_{ij} + \nabla_i W_j + \nabla_j W_i,

and makes it strictly parabolic; both flows give the same geometry up to a diffeomorphism. On a torus of dimension two
there is a third way to see it: a metric :math:`g = u\,\delta` stays conformally flat under Ricci flow,
:math:`\partial_t u = \Delta_0 \log u`. We run the one equation on such a metric, and the other on the same metric in
sheared coordinates. What does not depend on coordinates must agree at each time: the area, and the integral of the
squared curvature.

The limit is known as well. The conformal flow ends on the flat metric with the area of the first one. So does
DeTurck's, and straightens the coordinates on the way: the diffeomorphisms follow the harmonic map heat flow to the
flat torus, which ends on a translation.
"""

import numpy as np

import geomflow as gf

# %%
# One geometry, two states
# ------------------------
# The shear is :math:`F(x, y) = (x + \tfrac1{20}\sin 2\pi y,\; y)`, and
# :math:`F^*(u\,\delta) = (u\circ F)\left[(\mathrm dx + s\,\mathrm dy)^2 + \mathrm dy^2\right]` with
# :math:`s = \tfrac{\pi}{10}\cos 2\pi y`.
grid = gf.Torus(dim=2).grid(48, scheme="spectral")
factor = grid.scalar("1 + cos(2*pi*x)*sin(2*pi*y)/3 + sin(2*pi*x)/6")

u = "(1 + cos(2*pi*(x + sin(2*pi*y)/20))*sin(2*pi*y)/3 + sin(2*pi*(x + sin(2*pi*y)/20))/6)"
s = "pi*cos(2*pi*y)/10"
metric = grid.metric([[u, f"{u}*{s}"], [f"{u}*{s}", f"{u}*(1 + ({s})^2)"]])
metric

# %%
# Two equations
# -------------
times = np.linspace(0.0, 0.05, 11)
deturck = gf.solve(gf.RicciFlow(gauge="deturck"), metric, t1=0.05, save_at=times, rtol=1e-7)
conformal = gf.solve(gf.ConformalRicciFlow(), factor, t1=0.05, save_at=times, rtol=1e-7)
print(deturck.outcome)
gf.plot.monitors(deturck)

# %%
gf.plot.snapshots(deturck, ["scalar curvature", "g_xx", "g_xy"])
# sphinx_gallery_thumbnail_number = 2

# %%
# What does not depend on the gauge
# ---------------------------------
# The curvature of the conformal metric is :math:`R = -u^{-1}\Delta_0\log u`.
for t, g, u in zip(times, deturck.states, conformal.states):
    R = -u.map(np.log).laplacian() / u
    by_gauge, by_factor = (g.scalar() ** 2).integral(g), (R**2 * u).integral()
    print(f"t = {t:.3f}   ∫R²dμ: {by_gauge:12.8f} {by_factor:12.8f}   area: {g.volume():.10f} {u.integral():.10f}")
    assert abs(by_gauge - by_factor) < 1e-4 * by_factor
    assert abs(g.volume() - u.integral()) < 1e-6

# %%
# The limit
# ---------
# The flat metric of the same area, in straight coordinates.
limit = gf.solve(gf.RicciFlow(gauge="deturck"), deturck.last, t1=0.5, rtol=1e-7).last
flat = grid.metric(factor.mean() * np.eye(2))
print(f"distance from the limit: {limit.max_distance(flat):.1e}")
assert limit.max_distance(flat) < 1e-5
