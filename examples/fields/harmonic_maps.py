r"""
Maps that relax
===============

The harmonic map heat flow (Eells and Sampson 1964) of a map :math:`(u, v)` from a torus with the metric :math:`g` to a
surface of revolution :math:`\mathrm du^2 + h(u)^2\,\mathrm dv^2` descends the energy :math:`E` by the tension
:math:`\tau`,

.. math:: E = \tfrac12\int\left(|\mathrm du|^2 + h^2|\mathrm dv|^2\right)\mathrm dV,\qquad
    \tau^u = \Delta u - h h'\,|\mathrm dv|^2,\quad
    \tau^v = \Delta v + \frac{2h'}{h}\langle\mathrm du, \mathrm dv\rangle,
    \qquad \frac{\mathrm dE}{\mathrm dt} = -\int\left((\tau^u)^2 + h^2(\tau^v)^2\right)\mathrm dV.

Here the target is the torus in space with :math:`h = 2 + \cos u`, and the map goes round its hole once as :math:`x`
does: :math:`v` is an angle, :math:`\mathrm dv = 2\pi\,\mathrm dx + \mathrm d(\text{a periodic function})`.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf

plt.style.use("geomflow.plot.house")

# %%
# A map that winds
# ----------------
# The form :math:`w = 2\pi\,\mathrm dx` has no rate: it is given, and stays. What is lost of the energy is a field
# with an integral for its rate.
grid = gf.Torus(dim=2).grid(40, order=8)
factor = "1 + cos(2*pi*x)/3 + sin(2*pi*y)/4"
g = grid.metric([[factor, 0], [0, factor]])
start = grid.fields(g=g, w=grid.form(["2*pi", 0]), u="2 + cos(2*pi*y) + sin(2*pi*x)/2", v="sin(2*pi*(x + y))/2", lost=0)
flow = gf.Flow.from_expression(
    {"u": "tau_u", "v": "tau_v", "lost": "integral(tau_u^2 + h^2*tau_v^2)"},
    where={"h": "2 + cos(u)", "D": "d(v) + w", "tau_u": "laplacian(u) + h*sin(u)*dot(D, D)",
           "tau_v": "div(D) - 2*sin(u)/h*dot(d(u), D)"})
print(*(block.verdict for block in flow.character(start)), sep="\n")
flow

# %%
# The run
# -------
# The images of ten curves :math:`y = \text{const}`, whose colours go round as :math:`y` does, on the surface where they
# lie. All are drawn to the shortest circle, inside of the hole.
sol = gf.solve(flow, start, t1=0.1, save_at=[0.005, 0.03, 0.1], rtol=3e-7)
print(sol.outcome)


def in_space(u, v):
    return (2 + np.cos(u)) * np.cos(v), (2 + np.cos(u)) * np.sin(v), np.sin(u)


x, around = grid.points()[:, 0, 0], np.linspace(0, 2 * np.pi, 60)
figure, axes = plt.subplots(1, 4, figsize=(11, 2.5), subplot_kw={"projection": "3d"})
colours = plt.cm.ScalarMappable(plt.Normalize(0, 1), "twilight_shifted")
for ax, time, state in zip(axes, sol.times, sol.states):
    ax.plot_surface(*in_space(*np.meshgrid(around, around)), color="0.85", alpha=0.25, rcount=60, ccount=60)
    for j in range(0, 40, 4):
        u, v = (np.append(values[:, j], values[0, j]) for values in (state["u"].values, state["v"].values))
        ax.plot(*in_space(u, v + 2 * np.pi * np.append(x, 1)), color=colours.to_rgba(j / 40), linewidth=1.6)
    ax.set(title=f"$t = {time:g}$")
    ax.set(xlim=(-3, 3), ylim=(-3, 3), zlim=(-1, 1))
    ax.set_box_aspect((6, 6, 2), zoom=1.3)
    ax.view_init(elev=60)
    ax.set_axis_off()
figure.colorbar(colours, ax=axes, shrink=0.8, label="$y$")
# sphinx_gallery_thumbnail_number = 1

# %%
# The energy
# ----------
# What is left and what is lost make that of the start. In dimension two it does not see the conformal factor of
# :math:`g`: the least energy of a map that winds once, :math:`u = \pi` and :math:`v` harmonic, is
# :math:`\tfrac12(2\pi)^2`.


def energy(state):
    h = 2 + state["u"].map(np.cos)
    du, dv = ([state[name].derivative(index) + extra for index, extra in (((1, 0), winding), ((0, 1), 0))]
              for name, winding in (("u", 0), ("v", 2 * np.pi)))
    return (du[0] ** 2 + du[1] ** 2 + h**2 * (dv[0] ** 2 + dv[1] ** 2)).integral() / 2


for t, state in zip(sol.times, sol.states):
    E, lost = energy(state), state["lost"].mean()
    print(f"t = {t:.3f}   energy {E:.6f}   lost {lost:.6f}   together {E + lost:.6f}")
    assert abs((E + lost) / energy(start) - 1) < 1e-5
print(f"the least energy: {2 * np.pi**2:.6f}")
assert 0 < energy(sol.last) - 2 * np.pi**2 < 0.1
