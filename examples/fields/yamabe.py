r"""
Yamabe flow
===========

Yamabe flow (Hamilton 1989) deforms a metric within its conformal class, at constant volume, towards one of constant
scalar curvature,

.. math:: \partial_t g = (\bar R - R)\,g,\qquad \bar R = \frac{\int R\,\mathrm dV}{\int\mathrm dV}.

The average is a word of the language.
"""

import numpy as np

import geomflow as gf

# %%
# In space
# --------
# Of three dimensions it is degenerate in five of six directions: only the conformal factor moves.
grid = gf.Torus(dim=3).grid(12, scheme="spectral")
start = grid.random_metric(seed=3, amplitude=0.1, modes=1)
flow = gf.Flow.from_expression("(mean(R) - R)*g")
print(*(block.verdict for block in flow.character(start)))
flow

# %%
sol = gf.solve(flow, start, t1=0.05, save_at=10, rtol=1e-7)
gf.plot.monitors(sol, ["curvature_min", "curvature_max", "total_curvature", "volume"])

# %%
# What is kept
# ------------
# The volume, and :math:`g/\det(g)^{1/3}`, which is the conformal class; the total curvature falls.


def conformal_class(metric):
    return metric.values / np.linalg.det(metric.values)[..., None, None] ** (1 / 3)


volumes = sol["volume"]
moved = np.abs(conformal_class(sol.last) - conformal_class(start)).max()
print(f"volume changes by {np.ptp(volumes):.0e}, the conformal class by {moved:.0e}")
assert np.ptp(volumes) < 1e-6
assert moved < 1e-12
assert np.all(np.diff(sol["total_curvature"]) < 1e-12)
spread = sol["curvature_max"] - sol["curvature_min"]
print(f"the range of the curvature falls from {spread[0]:.3f} to {spread[-1]:.1e}")
