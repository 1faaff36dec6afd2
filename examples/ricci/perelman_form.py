r"""
Perelman's form of Ricci flow
=============================

At a fixed measure :math:`\mathrm dm = e^{-f}\mathrm dV`, Perelman's functional
:math:`F = \int (R + |\nabla f|^2)\,\mathrm dm` is a functional of the metric alone, and its gradient flow is

.. math:: \partial_t \hat g_{ij} = -2\left(R_{ij} + \nabla_i\nabla_j \hat f\right).

Run forward as it stands it is ill-posed: waves along their own direction grow like :math:`e^{|k|^2 t}`. But it is
Ricci flow, seen from coordinates that move, and there is an order in which every step is stable. The metric goes
forward under :math:`\partial_t g = -2\,\mathrm{Ric}`; the density :math:`e^{-f}` goes backward, from the end, under the
conjugate heat equation; then the diffeomorphisms :math:`\psi_t` of :math:`-\nabla f` are integrated, and
:math:`\hat g = \psi_t^* g`, :math:`\hat f = f\circ\psi_t`.
"""

import numpy as np

import geomflow as gf
from geomflow.field import ScalarField, laplacian_spectrum
from geomflow.flow.equations.perelman_rates import index_structures

# %%
# A metric, a measure, a run
# --------------------------
grid = gf.Torus(dim=2).grid(24, scheme="spectral")
off = "sin(2*pi*x)/10"
metric = grid.metric([["1 + cos(2*pi*x)*sin(2*pi*y)/5", off], [off, "1 + cos(2*pi*(x + y))/10"]])
form = gf.perelman_form(metric, t1=0.005, measure="exp(cos(2*pi*x)/2 + sin(2*pi*y)/4)", save_at=16)
form

# %%
# How far the coordinates have moved, where the run starts, and the dilaton there.
farthest = ScalarField(grid, np.linalg.norm(form.diffeomorphisms[0].displacement, axis=-1))
gf.plot.heatmap(farthest).set_title("how far points are moved, at $t = 0$", loc="left")

# %%
gf.plot.heatmap(form.dilatons[0]).set_title(r"the dilaton $\hat f$ at $t = 0$", loc="left")

# %%
# The gradient flow, pointwise
# ----------------------------
# The metrics are differentiated in time, by centred differences of order 8, and compared with
# :math:`-2(\mathrm{Ric} + \nabla^2\hat f)`.
weights = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
step = form.times[1] - form.times[0]
for i in range(4, 13, 2):
    moving = sum(w * g.values for w, g in zip(weights, form.metrics[i - 4 : i + 5])) / step
    rate = form.rate(i).values
    error = np.abs(moving - rate).max() / np.abs(rate).max()
    print(f"t = {form.times[i]:.6f}   relative error {error:.1e}")
    assert error < 1e-7
print(f"the measure is kept to {form.measure_drift():.1e}")

# %%
# F rises, at the rate :math:`2\int|\mathrm{Ric} + \nabla^2 f|^2\,\mathrm dm`.
energy, growth = form.energy(), form.growth()
for i in range(4, 13, 2):
    measured = weights @ energy[i - 4 : i + 5] / step
    print(f"t = {form.times[i]:.6f}   F = {energy[i]:.8f}   dF/dt = {measured:.6f}   predicted {growth[i]:.6f}")
    assert abs(measured / growth[i] - 1) < 1e-8
assert (np.diff(energy) > 0).all()

# %%
# The same geometry
# -----------------
# What does not depend on coordinates is that of Ricci flow: the area, :math:`\int R^2`, the spectrum of the Laplacian.
for i in (0, 8):
    for name, g in (("Ricci", form.classical.states[i]), ("Perelman", form.metrics[i])):
        lowest = "  ".join(f"{value:.8f}" for value in laplacian_spectrum(g, 5)[1:])
        print(f"{name:>9}: area {g.volume():.10f}   ∫R² {(g.scalar() ** 2).integral(g):.8f}   eigenvalues {lowest}")
assert abs(laplacian_spectrum(form.metrics[0]) - laplacian_spectrum(form.classical.states[0])).max() < 1e-6

# %%
# Which kernel?
# -------------
# As a flow of a tangent kernel this needs the kernel :math:`\tfrac12(g_{ik}g_{jl} + g_{il}g_{jk})`, which evolves with
# the metric. The frozen :math:`\delta_{ik}\delta_{jl}` raises F too, but depends on the coordinates.
found = index_structures(metric, form.measure)
print(found)
assert found.difference > 0.2
