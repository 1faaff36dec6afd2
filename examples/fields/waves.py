r"""
Waves on a curved torus
=======================

Waves with respect to a metric, and with a mass after Klein and Gordon, are of second order in time: a system of first
order for the wave and its velocity,

.. math:: \partial_t u = v,\qquad \partial_t v = \Delta u - m^2 u,\qquad
    E = \tfrac12\int\left(v^2 + |\mathrm du|^2 + m^2u^2\right)\mathrm dV = \text{const}.

Waves travel along geodesics at the speed one. Where the metric is larger they cross the coordinates more slowly, as
light crosses glass: the bump of the metric below is a lens.
"""

import numpy as np

import geomflow as gf

# %%
# A pulse and a lens
# ------------------
# The equation knows itself to be hyperbolic, and is integrated by an explicit method.
grid = gf.Torus(dim=2).grid(64, scheme="spectral")
factor = "1 + 3*exp(9*cos(2*pi*(x - 1/2)) + 9*cos(2*pi*(y - 1/2)) - 18)"
g = grid.metric([[factor, 0], [0, factor]])
pulse = "exp(20*cos(2*pi*(x - 1/8)) - 20)"
start = grid.fields(g=g, u=pulse, v=f"40*pi*sin(2*pi*(x - 1/8))*{pulse}")  # to the right
waves = gf.Flow.from_expression({"u": "v", "v": "laplacian(u)"})
print(*(block.verdict for block in waves.character(start)))
waves

# %%
sol = gf.solve(waves, start, t1=0.6, save_at=[0.15, 0.3, 0.45, 0.6], rtol=1e-5)
gf.plot.snapshots(sol, ["u"], count=5)

# %%
# The energy
# ----------
# It is kept to the order of the stepper: that of Kutta's method, in steps of one length, loses :math:`O(\mathrm dt^5)`.


def energy(state):
    u, v = state["u"], state["v"]
    return (v**2 - u * g.laplacian(u)).integral(g) / 2  # ∫|du|² dV, by parts


lost = []
for steps in (60, 120, 240):
    last = gf.solve(waves, start, t1=0.3, stepper="rk4", control=gf.flow.FixedStep(0.3 / steps)).last
    lost.append(1 - energy(last) / energy(start))
    print(f"{steps} steps lose {lost[-1]:.1e} of the energy")
orders = np.log2(np.array(lost[:-1]) / lost[1:])
assert np.abs(orders - 5).max() < 0.3

# %%
# A mass
# ------
# On a flat torus the wave :math:`\cos kx` has the frequency :math:`\sqrt{|k|^2 + m^2}` after Klein and Gordon.
massive = gf.Flow.from_expression({"u": "v", "v": "laplacian(u) - m^2*u"}, m=10)
flat = grid.fields(g=grid.metric(), u="cos(2*pi*x)", v=0)
amplitude = gf.solve(massive, flat, t1=0.3, rtol=1e-8).last["u"].values[0, 0]
print(f"{amplitude:.7f}, exactly {np.cos(0.3 * np.hypot(2 * np.pi, 10)):.7f}")
assert abs(amplitude - np.cos(0.3 * np.hypot(2 * np.pi, 10))) < 1e-6
