r"""
Graphs that move by their mean curvature
========================================

The graph of :math:`u` over a torus with the metric :math:`g`, in the space with the metric :math:`g + \mathrm du^2`,
has the area element :math:`W\,\mathrm dV` and the mean curvature :math:`H`,

.. math:: W = \sqrt{1 + |\mathrm du|^2},\qquad H = \operatorname{div}\frac{\nabla u}{W},\qquad \partial_t u = W H.

Moved so, each point has the speed :math:`H` along the normal, and area is lost at the rate
:math:`\mathrm dA/\mathrm dt = -\int H^2\,\mathrm dA`.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf
from geomflow.plot.style import diverging

plt.style.use("geomflow.plot.house")

# %%
# What is lost is a field too
# ---------------------------
# The area that is lost is a number of the whole state: a constant function whose rate is an integral.
grid = gf.Torus(dim=2).grid(48, order=8)
factor = "1 + cos(2*pi*x)/3"
g = grid.metric([[factor, 0], [0, factor]])
start = grid.fields(g=g, u="sin(2*pi*x)*sin(2*pi*y)/3 + cos(4*pi*(x - y))/12", lost=0)
flow = gf.Flow.from_expression({"u": "W*H", "lost": "integral(H^2*W)"},
                               where={"W": "sqrt(1 + dot(d(u), d(u)))", "H": "div(grad(u)/W)"})
print(*(block.verdict for block in flow.character(start)), sep="\n")
flow

# %%
# The run
# -------


def stretch(state):
    du = np.stack([state["u"].derivative(index).values for index in ((1, 0), (0, 1))], axis=-1)
    return grid.scalar(np.sqrt(1 + np.einsum("...i,...ij,...j", du, np.linalg.inv(g.values), du)))


def area(t, state):
    return stretch(state).integral(g)


sol = gf.solve(flow, start, t1=0.02, save_at=[0.002, 0.006, 0.02], monitors={"area": area}, rtol=1e-7)
print(sol.outcome)
x, y = np.moveaxis(grid.points(), -1, 0)
x, y = (np.pad(values, ((0, 1), (0, 1)), mode="linear_ramp", end_values=((0, 1), (0, 1))) for values in (x, y))
figure, axes = plt.subplots(1, 4, figsize=(11, 2.6), subplot_kw={"projection": "3d"})
for ax, time, state in zip(axes, sol.times, sol.states):
    u = np.pad(state["u"].values, ((0, 1), (0, 1)), mode="wrap")
    drawn = ax.plot_surface(x, y, u, cmap=diverging(), rcount=49, ccount=49, vmin=-0.4, vmax=0.4)
    ax.set(zlim=(-0.4, 0.4), title=f"$t = {time:g}$")
    ax.set_box_aspect((1, 1, 0.8), zoom=1.2)
    ax.set_axis_off()
figure.colorbar(drawn, ax=axes, shrink=0.8, label="$u$")
# sphinx_gallery_thumbnail_number = 1

# %%
# The area
# --------
# What is left and what is lost make the area of the start.
lost = [state["lost"].mean() for state in sol.states]
left = [area(t, state) for t, state in zip(sol.times, sol.states)]
for t, A, L in zip(sol.times, left, lost):
    print(f"t = {t:.3f}   area {A:.8f}   lost {L:.8f}   together {A + L:.8f}")
assert np.ptp(np.add(left, lost)) < 1e-5
assert np.all(np.diff(sol["area"]) < 0)
