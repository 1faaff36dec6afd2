r"""
Phase separation on a curved torus
==================================

Two liquids that do not mix, :math:`u = -1` and :math:`u = 1`, on a torus with the metric :math:`g`. After Cahn and
Hilliard (1958) the flux of :math:`u` follows the gradient of the chemical potential
:math:`\mu = u^3 - u - \kappa\Delta u`,

.. math:: \partial_t u = \Delta\,(u^3 - u - \kappa\Delta u),
    \qquad E(u) = \int \left(\tfrac{1}{4}(1 - u^2)^2 + \tfrac{\kappa}{2}|\mathrm du|^2\right) \mathrm dV,

which is the descent of the energy :math:`E` that keeps the mass :math:`\int u\,\mathrm dV`. Small changes of a mixture
:math:`u = 0` grow on a flat torus where :math:`\kappa|k|^2 < 1`; then drops form, and the interfaces between them, of
width :math:`\sqrt\kappa`, shorten.
"""

import numpy as np

import geomflow as gf

# %%
# A state of two fields
# ---------------------
# The metric has no rate and stays as it is. Curvature comes from a conformal factor: lengths are largest in the middle
# of the cell and at its corners.
grid = gf.Torus(dim=2).grid(48)
factor = "1 + 2*cos(2*pi*x)*cos(2*pi*y)/5"
g = grid.metric([[factor, 0], [0, factor]])
start = grid.fields(g=g, u=grid.random_scalar(seed=1, amplitude=0.3, modes=3))
flow = gf.Flow.from_expression({"u": "laplacian(u^3 - u - kappa*laplacian(u))"}, kappa=0.003)
print(*(block.verdict for block in flow.character(start)))
flow

# %%
# The run
# -------
# Mass and energy are watched as functions of time and state; on a surface :math:`|\mathrm du|^2\,\mathrm dV` does not
# depend on the conformal factor.
volume = g.volume_density().values


def mass(t, state):
    return float((state["u"].values * volume).mean())


def energy(t, state):
    u = state["u"].values
    gradient = -float((u * state["u"].laplacian().values).mean())  # ∫|du|² dx dy, by parts
    return float(((1 - u**2) ** 2 * volume).mean()) / 4 + 0.003 * gradient / 2


times = np.linspace(0, 0.15, 13)
watched = {"mass": mass, "energy": energy}
sol = gf.solve(flow, start, t1=0.15, save_at=times, monitors=watched, stepper="rkc", rtol=1e-3)
print(sol.outcome)
gf.plot.snapshots(sol, ["u"])
# sphinx_gallery_thumbnail_number = 1

# %%
# What is kept, and what falls
# ----------------------------
# What stands under :math:`\Delta` is computed on the grid first and then differentiated, in the form
# :math:`\partial_k(\sqrt g\,g^{kl}\partial_l\mu)/\sqrt g`: the mass is kept to rounding, on a curved torus too.
gf.plot.monitors(sol, ["energy", "mass", "u_min", "u_max"])
print(f"mass changes by {np.ptp(sol['mass']):.0e}, energy from {sol['energy'][0]:.4f} to {sol['energy'][-1]:.4f}")
assert np.ptp(sol["mass"]) < 1e-13
assert np.all(np.diff(sol["energy"]) < 0)

# %%
# The rate of growth
# ------------------
# On the flat torus a wave with :math:`|k|^2 = 4\pi^2` grows at the rate :math:`|k|^2(1 - \kappa|k|^2)`.
flat = grid.fields(g=grid.metric(), u="cos(2*pi*x)/10000")
last = gf.solve(flow, flat, t1=0.01, stepper="rkc", rtol=1e-6).last["u"].max()
rate, right = np.log(last * 10000) / 0.01, 4 * np.pi**2 * (1 - 0.003 * 4 * np.pi**2)
print(f"rate {rate:.5f}, exactly {right:.5f}")
assert abs(rate / right - 1) < 1e-4
