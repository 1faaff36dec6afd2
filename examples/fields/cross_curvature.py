r"""
Cross-curvature flow, where it is exact
=======================================

On a three-manifold whose sectional curvatures have one sign, Chow and Hamilton (2004) deform the metric by its cross
curvature, the adjugate of the Einstein tensor :math:`E = \mathrm{Ric} - \tfrac12 Rg`,

.. math:: h_{ij} = \det(E^k{}_l)\,(E^{-1})_{ij} = E_{ik}E^k{}_j - (\operatorname{tr}E)\,E_{ij}
    + \tfrac12\left((\operatorname{tr}E)^2 - |E|^2\right) g_{ij},

by :math:`\partial_t g = 2h` where curvature is negative, and by :math:`\partial_t g = -2h` where it is positive. The
second form of :math:`h`, by Cayley and Hamilton, has no inverse, and is a line of the language. No metric on a torus
has curvature of one sign, so that no torus can be shown. What is exact can be.
"""

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp

import geomflow as gf
from geomflow.symbolic import is_zero

plt.style.use("geomflow.plot.house")


def cross_curvature(g):
    E = g.einstein
    mixed = g.inverse * E
    trace, square = mixed.trace(), (mixed * mixed).trace()
    return E * mixed - trace * E + (trace**2 - square) / 2 * g.matrix


# %%
# Round and hyperbolic space
# --------------------------
# Both have :math:`h = g/r^4`: :math:`r^4` changes at the constant rate :math:`\mp 4`.
r = sp.Symbol("r", positive=True)
for name in ("round-sphere", "hyperbolic-space"):
    g = gf.catalogue.get(name, dim=3, radius=r).metric
    assert is_zero(cross_curvature(g) - g.matrix / r**4)

# %%
# Squashed three-spheres
# ----------------------
# :math:`g = A\,(\sigma^1)^2 + B\,(\sigma^2)^2 + C\,(\sigma^3)^2` on SU(2), in the frame dual to the :math:`\sigma^i`.
# There the tensor is diagonal and the same everywhere, and so it is at one point.
g = gf.catalogue.get("su2").metric
psi, theta, _ = g.chart.symbols
forms = sp.Matrix([[0, -sp.sin(psi), sp.cos(psi) * sp.sin(theta)], [0, sp.cos(psi), sp.sin(psi) * sp.sin(theta)],
                   [1, 0, sp.cos(theta)]]) / 2
frame = forms.inv()
place = {psi: 0, theta: sp.pi / 2}
h = (frame.T * cross_curvature(g) * frame).subs(place).applyfunc(sp.factor)
assert is_zero(cross_curvature(g) - forms.T * h * forms)
assert h.is_diagonal()
h[2, 2]

# %%
# Ordinary differential equations
# -------------------------------
# These are flows without derivatives. At each point of a circle another sphere starts, with :math:`A = B = 1` and its
# own :math:`C`. The sectional curvatures, minus those of :math:`E`, are positive for :math:`C < \tfrac43`:
equal = {symbol: 1 for symbol in h.free_symbols if symbol.name in "AB"}
mixed = (forms * g.inverse * g.einstein * frame).subs(place | equal).applyfunc(sp.factor)
assert mixed.is_diagonal()
print("sectional curvatures:", *(-mixed[i, i] for i in range(3)), sep="  ")

# %%
# All become round before they vanish.
rates = {name: -2 * h[i, i] for i, name in enumerate("ABC")}
circle = gf.Torus(dim=1).grid(24)
flow = gf.Flow.from_expression(rates)
start = circle.fields(A=1, B=1, C="1 + cos(2*pi*x)/4")
sol = gf.solve(flow, start, t1=0.2, save_at=60, rtol=1e-9)
squash = np.array([state["C"].values / state["A"].values for state in sol.states])
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharex=True)
colours = plt.cm.ScalarMappable(plt.Normalize(0.75, 1.25), "viridis")
for j in range(0, 13, 2):
    colour = colours.to_rgba(squash[0, j])
    axes[0].plot(sol.times, [state["A"].values[j] for state in sol.states], color=colour)
    axes[1].plot(sol.times, squash[:, j], color=colour)
axes[0].plot(sol.times, np.sqrt(1 - 4 * sol.times), ":", color="black", label=r"round: $\sqrt{1 - 4t}$")
axes[0].legend()
axes[0].set(xlabel="time $t$", title="$A$", xticks=np.linspace(0, 0.2, 5))
axes[1].set(xlabel="time $t$", title="$C/A$")
figure.colorbar(colours, ax=axes, label="$C$ at the start")
print(f"C/A is from {squash[0].min():.3f} to {squash[0].max():.3f} at the start, "
      f"from {squash[-1].min():.3f} to {squash[-1].max():.3f} at the end")
assert np.all(np.diff(np.abs(squash - 1), axis=0) < 1e-8)
round_one = sol.last["A"].values[6]
print(f"the round one: A² = {round_one**2:.9f}, exactly {1 - 4 * 0.2:.9f}")
assert abs(round_one**2 - (1 - 4 * 0.2)) < 1e-7

# %%
# On a torus
# ----------
# Some curvatures have the wrong sign, and the equation is refused with either.
state = gf.Torus(dim=3).grid(8).random_metric(seed=1)
words = {"E": "Ric - R*g/2", "s": "trace(E)", "h": "E[i,k]*E[k,j] - s*E + (s^2 - dot(E, E))/2*g"}
for rate in ("2*h", "-2*h"):
    verdict = gf.Flow.from_expression(rate, where=words).character(state)[0].verdict
    print(f"{rate}: {verdict.partition(': ')[2]}")
    assert "ill-posed" in verdict
