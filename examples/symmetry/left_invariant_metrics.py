r"""
Left-invariant metrics on three groups
======================================

On a three-dimensional group the metrics :math:`A\sigma_1^2 + B\sigma_2^2 + C\sigma_3^2` with
:math:`\mathrm d\sigma^i = 2\lambda_i\,\sigma^j\wedge\sigma^k` stay of this form under Ricci flow, and

.. math:: A' = -\frac{4\left(\lambda_1^2A^2 - (\lambda_2B - \lambda_3C)^2\right)}{BC}

and cyclic. SU(2) becomes round and dies. On Nil one direction shrinks for ever and two grow, as powers of time. On Sol
two quantities are conserved, and lead :math:`A` and :math:`C` to one value while :math:`B` grows.
"""

import numpy as np

import geomflow as gf


def run(name, t1, **start):
    sol = gf.solve(gf.RicciFlow(), gf.catalogue.ansatz(name).state(**start), t1, save_at=100)
    return sol, np.array([[state[name] for state in sol.states] for name in "ABC"])


# %%
# SU(2) dies
# ----------
# Where :math:`A = B < C` the number :math:`c^2 = C^2/(C/A - 1)` is constant, and with :math:`w^2 = C/A - 1` one finds
# :math:`C = cw`, :math:`A = cw/(1 + w^2)`, :math:`T - t = c\,[w/(1 + w^2) + \arctan w]/8`. Closed forms are dotted, and
# :math:`B`, which stays :math:`A`, is dashed over it.
sol, _ = run("su2", 0.44, A=1, B=1, C=4)
T = 1 / 8 + np.pi / (6 * np.sqrt(3))
print(f"SU(2) dies at {sol.times[-1]:.10f}, and the formula says {T:.10f}")
assert abs(sol.times[-1] - T) < 1e-9
w, c = np.linspace(np.sqrt(3), 0, 200), 4 / np.sqrt(3)
(ax,) = gf.plot.profile(sol)
ax.get_lines()[1].set_linestyle("--")
ax.legend()
ax.plot(T - c / 8 * (w / (1 + w**2) + np.arctan(w)), np.array([c * w / (1 + w**2), c * w]).T, "k:")

# %%
# Nil expands
# -----------
# :math:`A = A_0u^{-1/3}`, :math:`B = B_0u^{1/3}` and :math:`C = C_0u^{1/3}`, where :math:`u = 1 + 12A_0t/(B_0C_0)`.
sol, found = run("nil", 10.0, A=2, B=1, C=1.5)
u = 1 + 12 * 2 / 1.5 * sol.times
closed = np.array([2 * u ** (-1 / 3), u ** (1 / 3), 1.5 * u ** (1 / 3)])
error = np.abs(found / closed - 1).max()
print(f"Nil follows its closed form to {error:.1e}")
assert error < 1e-9
(ax,) = gf.plot.profile(sol)
ax.plot(sol.times, closed.T, "k:")

# %%
# Sol tends to A = C
# ------------------
# :math:`AC` and :math:`B(A - C)` are constant.
sol, (A, B, C) = run("sol", 0.4, A=1, B=1, C=4)
drift = max(np.abs(A * C / 4 - 1).max(), np.abs(B * (C - A) / 3 - 1).max())
print(f"on Sol AC and B(A - C) drift by {drift:.1e}; at the end A = {A[-1]:.4f}, C = {C[-1]:.4f}, and √(AC) = 2")
assert drift < 1e-9
(ax,) = gf.plot.profile(sol)
ax.plot(sol.times, np.array([4 / C, 3 / (C - A), 4 / A]).T, "k:")
