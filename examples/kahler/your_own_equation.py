r"""
Your own equation
=================

An equation of your own is a line of text, compiled like the built-in ones. On a torus of dimension two, Ricci flow of
:math:`g = u\,(\mathrm dx^2 + \mathrm dy^2)` is logarithmic diffusion,

.. math:: \partial_t u = \Delta_0 \log u, \qquad R = -\frac{\Delta_0 \log u}{u},

so we can write it ourselves and compare with `ConformalRicciFlow`.
"""

import numpy as np

import geomflow as gf

# %%
# In the text, ``u`` is the unknown; ``laplacian`` and ``d(u, x)`` differentiate any expression.
mine = gf.Flow.from_expression("laplacian(log(u))")
mine

# %%
u0 = gf.Torus(dim=2).grid(64, order=4).scalar("1 + cos(2*pi*x)*sin(2*pi*y)/2 + cos(4*pi*x)/5")
sol = gf.solve(mine, u0, t1=0.02, save_at=10, rtol=1e-8)
print(sol.outcome)
gf.plot.snapshots(sol)

# %%
# The check
# ---------
# The built-in flow is discretised in two stages and this one in a single stage, so they agree to the order of the grid;
# with spectral derivatives they agree to the tolerance of the steps.
spectral = gf.Torus(dim=2).grid(64, scheme="spectral").scalar(u0.values)
ours = gf.solve(mine, spectral, t1=0.02, rtol=1e-8).last
theirs = gf.solve(gf.ConformalRicciFlow(), spectral, t1=0.02, rtol=1e-8).last
print(f"largest difference: {ours.max_distance(theirs):.1e}")
assert ours.max_distance(theirs) < 1e-6
assert abs(ours.mean() - u0.mean()) < 1e-9  # the area is conserved
assert np.ptp(ours.values) < np.ptp(u0.values) / 4
