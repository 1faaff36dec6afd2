r"""
Curves that shorten
===================

Phases after Allen and Cahn (1979), :math:`u = -1` and :math:`u = 1`, with the metric :math:`g`,

.. math:: \partial_t u = \Delta u + \frac{u - u^3}{\varepsilon^2},\qquad
    E(u) = \int \left(\tfrac12|\mathrm du|^2 + \frac{(1 - u^2)^2}{4\varepsilon^2}\right)\mathrm dV,

descend the energy :math:`E`. The interface between them, of width :math:`\varepsilon`, moves by its geodesic curvature
as :math:`\varepsilon \to 0`: curve shortening. By Gauss and Bonnet the area :math:`A` of a disc :math:`D` inside it
falls at the rate

.. math:: \frac{\mathrm dA}{\mathrm dt} = -\int_{\partial D}\kappa\,\mathrm ds = -2\pi + \int_D \frac R2\,\mathrm dV.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf

plt.style.use("geomflow.plot.house")

# %%
# From a clover to a round disc
# -----------------------------
# The profile across an interface is :math:`\tanh(\cdot/\sqrt2\,\varepsilon)`. Lengths are largest at the corners of the
# cell and in its middle.
EPS = 0.025
grid = gf.Torus(dim=2).grid(96)
factor = "exp(cos(2*pi*x)*cos(2*pi*y)/2)"
g = grid.metric([[factor, 0], [0, factor]])
x, y = np.moveaxis(grid.points(), -1, 0) - 0.5
clover = 0.33 + 0.1 * np.cos(3 * np.arctan2(y, x)) - np.hypot(x, y)
gf.Flow.from_expression({"u": "laplacian(u) + (u - u^3)/eps^2"}, eps=EPS)

# %%
# The area, the right-hand side of the law and the energy are watched; half of :math:`1 + u` is one inside.
half_curvature = g.scalar() / 2


def area(t, state):
    return ((state["u"] + 1) / 2).integral(g)


def law(t, state):
    return ((state["u"] + 1) / 2 * half_curvature).integral(g) - 2 * np.pi


def energy(t, state):
    u = state["u"]
    return ((1 - u**2) ** 2 / (4 * EPS**2) - u * g.laplacian(u) / 2).integral(g)  # ∫|du|² dV, by parts


def shortened(eps, watched):
    flow = gf.Flow.from_expression({"u": "laplacian(u) + (u - u^3)/eps^2"}, eps=eps)
    start = grid.fields(g=g, u=np.tanh(clover / (np.sqrt(2) * eps)))
    return gf.solve(flow, start, t1=0.04, save_at=40, monitors=watched, rtol=1e-4)


sol = shortened(EPS, {"area": area, "law": law, "energy": energy})
print(sol.outcome)
gf.plot.snapshots(sol, ["u"])
# sphinx_gallery_thumbnail_number = 1

# %%
# The law of Gauss and Bonnet
# ---------------------------
# It holds from when the profile is that of an interface, the better the thinner this is.
gf.plot.monitors(sol, ["area", "energy"])
assert np.all(np.diff(sol["energy"]) < 0)

# %%
# The slope of the area, and what the law says it is, for interfaces of three widths:


def missed(sol):
    """How far the area falls from t = 0.01 on, beside what the law says."""
    late = sol.monitor_times > 0.01
    fallen = np.diff(sol["area"][late][[0, -1]])[0]
    return abs(fallen / np.trapezoid(sol["law"][late], sol.monitor_times[late]) - 1)


widths = [0.05, 0.035, EPS]
sols = [shortened(eps, {"area": area, "law": law}) for eps in widths]
errors = [missed(run) for run in sols]
figure, ax = plt.subplots(figsize=(6.4, 3.4))
for eps, error, run in zip(widths, errors, sols):
    print(f"ε = {eps}: the law is missed by {100 * error:.2f} %")
    middle = (run.monitor_times[1:] + run.monitor_times[:-1]) / 2
    (line,) = ax.plot(middle, np.diff(run["area"]) / np.diff(run.monitor_times), label=rf"$\varepsilon = {eps}$")
    ax.plot(run.monitor_times, run["law"], "--", color=line.get_color())
ax.set(xlabel="time $t$", ylabel=r"$\mathrm{d}A/\mathrm{d}t$", title="measured, and dashed by the law",
       ylim=(-5.5, -4.2))
ax.legend()
assert errors[0] > errors[1] > errors[2]
assert errors[2] < 0.01
