r"""
Calabi flow on a torus
======================

A Kähler metric in the class of the flat one is :math:`\omega = \omega_0 + i\partial\bar\partial\varphi`. Calabi flow

.. math:: \partial_t \varphi = R - \bar R

decreases Mabuchi's K-energy, keeps the volume, and ends on constant scalar curvature, which on a torus means flat.
Near the flat metric a mode of wave vector :math:`k` decays at the rate :math:`|k|^4/2`.

We let a large perturbation flow, look at it, and then measure the rate.
"""

import numpy as np

import geomflow as gf

# %%
# The state
# ---------
# The potential is typed as text. It must keep :math:`\omega` positive, which is checked at every grid point.
T = gf.ComplexTorus(dim=1)
phi = T.grid(64, scheme="spectral").potential("cos(2*pi*x)*cos(2*pi*y)/150 + sin(2*pi*(x + 2*y))/1200")
phi

# %%
# The flow
# --------
flow = gf.CalabiFlow()
flow

# %%
# The run
# -------
# The equation is of fourth order, so the stepper that fits it is semi-implicit.
sol = gf.solve(flow, phi, t1=2e-3, save_at=20, rtol=1e-5)
print(sol.outcome)
gf.plot.monitors(sol)

# %%
# Curvature and potential along the run. In one colour scale the last panels would be blank, so each has its own:
gf.plot.snapshots(sol)
# sphinx_gallery_thumbnail_number = 2

# %%
# What must hold
# --------------
# The energy decreases, the volume stays, the total curvature is zero, and in the end the metric is nearly flat.
energy, volume = sol["energy"], sol["volume"]
assert np.all(np.diff(energy) < 0)
assert np.ptp(volume) < 1e-12 * volume[0]
assert np.max(np.abs(sol["total_curvature"])) < 1e-9
assert sol.last.scalar().norm() < 1e-2 * phi.scalar().norm()

# %%
# The rate of a small mode, :math:`k = 2\pi(1, 1)`, against :math:`|k|^4/2`:
k_squared = 2 * (2 * np.pi) ** 2
small = T.grid(16, scheme="spectral").potential("cos(2*pi*(x + y))/1000000")
t1 = 1 / gf.conventions.decay_rate("calabi", k_squared)
decayed = gf.solve(flow, small, t1=t1, rtol=1e-8, atol=1e-16)
rate = np.log(small.norm() / decayed.last.norm()) / t1
expected = gf.conventions.decay_rate("calabi", k_squared)
print(f"measured {rate:.4f}, expected {expected:.4f}")
assert abs(rate / expected - 1) < 1e-4
