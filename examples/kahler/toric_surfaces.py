r"""
Toric Kähler surfaces
=====================

A metric on a toric surface is a convex function :math:`u = \sum_a l_a\log l_a + h` on its moment polygon, and its
equations are those of :math:`h`, a polynomial. On the plane blown up at three points, whose polygon is a hexagon, there
is a Kähler–Einstein metric (Siu, Tian). It is found by Gauss–Newton, and Kähler–Ricci flow tends to it. A surface that
is not K-stable has no extremal metric, and Calabi flow on it diverges.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf

# %%
# The Kähler–Einstein metric on the hexagon
# -----------------------------------------
# The error falls geometrically with the degree of the polynomials, of which the symmetries of the hexagon leave few.
hexagon = gf.Toric("dP3")
degrees = [6, 8, 10, 12, 14]
metrics = [hexagon.einstein(degree) for degree in degrees]
errors = [metric.residual for metric in metrics]
assert errors[-1] < 1e-5
plt.style.use("geomflow.plot.house")
fig, ax = plt.subplots(figsize=(4.8, 3.3))
ax.semilogy(degrees, errors, "o-")
ax.set(xlabel="degree", ylabel="largest residual")

# %%
# Its curvature is largest at the corners, the fixed points of the torus.
gf.plot.polygon(metrics[-1], "riemann")

# %%
# Kähler–Ricci flow
# -----------------
# The flow decays at :math:`\lambda/2 - 1`, where :math:`\lambda = 6.3228` is the lowest eigenvalue of
# :math:`-\Delta` on functions that the symmetries keep.
start = hexagon.grid(8, symmetric=True).state(h="(x1^2 + x1*x2 + x2^2)/10")
sol = gf.solve(gf.KahlerRicciFlow(normalised=True), start, t1=5.0, save_at=20)
steps = [before.distance(after) for before, after in pairwise(sol.states)]
rate = np.log(steps[-2] / steps[-1]) / (sol.times[-1] - sol.times[-2])
eigenvalue = metrics[-1].spectrum(2, symmetric=True)[1]
print(f"changes fall at the rate {rate:.4f}, and λ/2 − 1 is {eigenvalue / 2 - 1:.4f}")
assert abs(rate / (eigenvalue / 2 - 1) - 1) < 1e-3

# %%
# A curve contracts
# -----------------
# Without the normalisation the class moves, and the sides of the polygon move inwards. Here the curve over the short
# side contracts at :math:`T = 1`, where curvature is largest, and the plane is left. Drawn is :math:`|\mathrm{Rm}|`.
blow_up = gf.Toric([(1, 0), (6, 0), (0, 6), (0, 1)])
sol = gf.solve(gf.KahlerRicciFlow(), blow_up.grid(5, symmetric=True).state(), t1=2.0, save_at=[0.0, 0.5, 0.8, 2.0])
print(sol.singularity)
assert sol.singularity.kind == "contraction"
assert sol.singularity.time == 1
fig, axes = plt.subplots(1, 3, figsize=(9.0, 2.9))
for ax, state, t in zip(axes, sol.states[:3], sol.times[:3], strict=True):
    gf.plot.polygon(state, "riemann", ax=ax)
    ax.set(title=f"$t$ = {t:g}", xlim=(-0.3, 6.3), ylim=(-0.3, 6.3))

# %%
# An unstable surface
# -------------------
# Along the dashed line a function :math:`\max(0, l)` breaks for which Donaldson's :math:`L` is negative. Calabi flow
# runs away. This is Donaldson's polygon.
right = [(24, -7), (36, -3), (38, -2), (39, -1), (39, 1), (38, 2), (36, 3), (24, 7)]
unstable = gf.Toric(right + [(-x, -y) for x, y in right])
print(unstable.stability)
sol = gf.solve(gf.CalabiFlow(), unstable.grid(6, symmetric=True).state(), t1=1e9, rtol=1e-4)
print(sol.outcome)
assert sol.outcome.kind == "diverged"
fig, axes = plt.subplots(2, 1, figsize=(6.0, 4.4))
gf.plot.polygon(unstable, ax=axes[0])
gf.plot.polygon(sol, "h", ax=axes[1])
