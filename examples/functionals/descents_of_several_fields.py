r"""
Descents of several fields
==========================

A functional of several fields is one line, in the words of rates. It is varied in all of them; the flow, its inner
products and its multipliers follow from that line. Three energies on curved tori:

.. math:: \int\Bigl(\tfrac14(1 - u^2)^2 + \tfrac{\kappa}{2}|\mathrm du|^2\Bigr)\mathrm dV,\qquad
    \tfrac14\int F_{ij}F^{ij}\,\mathrm dV,\qquad \int\bigl(c\,R^2 + |\mathrm df|^2\bigr)\,\mathrm dV .
"""

import numpy as np

import geomflow as gf

T = gf.Torus(dim=2)
grid = T.grid(32)
factor = "1 + 2*cos(2*pi*x)*cos(2*pi*y)/5"
g = grid.metric([[factor, 0], [0, factor]])


def falls_as_told(sol):
    """Whether the energy falls, by as much as is dissipated."""
    lost = sol["energy"][0] - sol["energy"][-1]
    return np.all(np.diff(sol["energy"]) < 0) and abs(
        np.trapezoid(sol["dissipation"], sol.monitor_times) / lost - 1) < 0.02


# %%
# One energy, two flows
# ---------------------
# In :math:`L^2` the descent is the equation of Allen and Cahn, in :math:`H^{-1}` that of Cahn and Hilliard, which keeps
# the mass :math:`\int u\,\mathrm dV`. The gradient of the textbook is decided to be the derived one.
E = gf.functionals.from_density(T, "(1 - u^2)^2/4 + kappa*dot(d(u), d(u))/2", fields="g u",
                                parameters={"kappa": 0.003})
assert E.certify_gradient({"u": "u^3 - u - kappa*laplacian(u)"})
start = grid.fields(g=g, u=grid.random_scalar(seed=1, amplitude=0.3, modes=3))
volume = g.volume_density().values
sols = {}
for name, metric, t1 in (("Allen and Cahn", "u:L2", 6), ("Cahn and Hilliard", "u:H-1", 0.12)):
    sols[name] = sol = gf.solve(E.gradient_flow(of="u", metric=metric), start, t1=t1, stepper="rkc", rtol=1e-4)
    mass = [float((s["u"].values * volume).mean()) for s in (sol.states[0], sol.last)]
    print(f"{name}: energy {sol['energy'][0]:.4f} to {sol['energy'][-1]:.4f}, mass {mass[0]:z.4f} to {mass[1]:z.4f}")
    assert falls_as_told(sol)
assert abs(mass[1] - mass[0]) < 1e-13

ends = {f"{name}, $t = {sol.times[-1]:g}$": sol.last for name, sol in sols.items()}
gf.plot.side_by_side({"start": start, **ends}, ["u"])
# sphinx_gallery_thumbnail_number = 1

# %%
# The field of a vector potential
# -------------------------------
# The energy of :math:`F = \mathrm dA` is that of Yang and Mills for U(1), and its descent :math:`\partial_t A =
# -\mathrm d^* F`. The field falls by heat, to the least energy of its class, here 0. What is :math:`\mathrm d\lambda`
# in :math:`A` does not move: :math:`\mathrm d^*\mathrm d^*F = 0`, so that :math:`\operatorname{div} A` stays, to the
# error of the grid. It is all that is left at the end, :math:`\lambda` a wave in :math:`x + 2y`.
Y = gf.functionals.from_density(T, "dot(F, F)/4", fields="g A:form", where={"F": "d(A)"})
assert Y.certify_gradient({"A": "-div(F)"})
fine = T.grid(32, order=8)
potential = fine.form(["sin(2*pi*y) + cos(2*pi*(x + 2*y))/3", "sin(2*pi*x)"])
yang_mills = Y.gradient_flow(of="A")
curved = fine.metric([[factor, 0], [0, factor]])
sol = gf.solve(yang_mills, fine.fields(g=curved, A=potential), t1=0.1, save_at=[0.01, 0.1], stepper="rkc")
gauge = gf.functionals.from_density(T, "div(A)^2", fields="g A:form")
before, after = gauge(sol.states[0]), gauge(sol.last)
print(f"energy {sol['energy'][0]:.3f} to {sol['energy'][-1]:.3f}, ∫|div A|² from {before:.5f} to {after:.5f}")
assert falls_as_told(sol)
assert abs(after / before - 1) < 1e-4
gf.plot.snapshots(sol, ["A_x", "A_y"])

# %%
# Curvature and a function that share a volume
# --------------------------------------------
# All fields of :math:`\int(cR^2 + |\mathrm df|^2)\,\mathrm dV` move, at a fixed volume and a fixed
# :math:`\int f\,\mathrm dV`.
C = gf.functionals.from_density(T, "c*R^2 + dot(d(f), d(f))", fields="g f", parameters={"c": 0.001})
assert C.certify()
g = grid.metric([["1 + cos(2*pi*y)/5", 0], [0, "1 + sin(2*pi*x)/5"]])
shared = grid.fields(g=g, f="sin(2*pi*(x + y))/4")
sol = gf.solve(C.gradient_flow(keep=["volume", "f"]), shared, t1=0.01, rtol=1e-3)
print(f"energy {sol['energy'][0]:.3f} to {sol['energy'][-1]:.3f}, volume changes by {np.ptp(sol['volume']):.0e}")
assert falls_as_told(sol)
assert np.ptp(sol["volume"]) < 1e-5
gf.plot.monitors(sol, ["energy", "dissipation", "volume", "curvature_max"])
