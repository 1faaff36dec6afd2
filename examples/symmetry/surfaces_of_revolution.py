r"""
A spheroid becomes round
========================

Ricci flow of a surface moves the metric by its Gaussian curvature, :math:`\partial_t g = -2Kg`. By Gauss–Bonnet the
area of a sphere falls at the rate :math:`8\pi` whatever its shape, so that it dies at :math:`T = A_0/8\pi`, and by
then it is round (Hamilton, Chow). We start from the prolate spheroid with the semi-axes 1, 1 and 2.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf

# %%
# The spheroid
# ------------
# :math:`\chi^2\mathrm dx^2 + \psi^2\mathrm d\theta^2`, with :math:`x` the parametric angle.
A0 = 2 * np.pi * (1 + 4 * np.pi / (3 * np.sqrt(3)))
T = A0 / (8 * np.pi)
sphere = gf.catalogue.ansatz("sphere", n=1)
start = sphere.grid(48).state(chi="sqrt(cos(x)^2 + 4*sin(x)^2)", psi="sin(x)")
sol = gf.solve(gf.RicciFlow(), start, 1.0, save_at=T - np.geomspace(T, 1e-3 * T, 61)[1:])
print(sol.outcome)
gf.plot.embedding(sol)

# %%
# Area and curvature
# ------------------
# The area follows its law; the curvatures at the pole and at the equator, 16 to 1 at first,
# meet on :math:`1/(2(T - t))`.
t, kept = sol.times[:-1], list(sol.states)[:-1]
area = np.array([state.volume() for state in kept])
K = np.array([state.scalar_at([0.0, np.pi / 2]) / 2 for state in kept])
print(f"dies at T = {T:.9f}; area less A₀ - 8πt: {np.abs(area - A0 + 8 * np.pi * t).max():.1e}")
print(f"K at the pole over K at the equator: {K[0, 0] / K[0, 1]:.4f} first, {K[-1, 0] / K[-1, 1]:.5f} last")
assert np.abs(area - A0 + 8 * np.pi * t).max() < 1e-8
assert abs(K[0, 0] / K[0, 1] - 16) < 1e-4
assert abs(K[-1, 0] / K[-1, 1] - 1) < 1e-4

# %%
plt.style.use("geomflow.plot.house")
_, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
left.plot(t, area, label="area")
left.plot([0, T], [A0, 0], "k:", label=r"$A_0 - 8\pi t$")
right.loglog(T - t, K, label=["$K$ at the pole", "$K$ at the equator"])
right.loglog(T - t, 1 / (2 * (T - t)), "k:", label="$1/(2(T - t))$")
left.set_xlabel("time $t$")
right.set_xlabel("time left, $T - t$")
right.invert_xaxis()
left.legend()
right.legend()
