r"""
Two relatives of Ricci flow
===========================

The renormalisation group of the sigma model gives Ricci flow, and at two loops RG-2 flow (Friedan 1985). Bourguignon
(1981) proposed another mixture of curvatures, with a number :math:`\rho`:

.. math:: \partial_t g_{ij} = -2R_{ij} - \tfrac\alpha2 R_{iklm}R_j{}^{klm},\qquad
    \partial_t g = -2\,(\mathrm{Ric} - \rho R g).

Neither is parabolic everywhere: on a surface of curvature :math:`K` the first is where :math:`1 + \alpha K > 0`
(Gimre, Guenther and Isenberg 2015), the second in dimension :math:`n` for :math:`\rho < \frac{1}{2(n-1)}` (Catino et
al. 2017). A run beyond that is refused.
"""

import numpy as np
import sympy as sp

import geomflow as gf
from geomflow.symbolic import is_zero

rg2 = gf.Flow.from_expression("-2*Ric[i,j] - alpha/2*R[i,k,l,m]*R[j,k,l,m]", alpha=0.05)
bourguignon = gf.Flow.from_expression("-2*(Ric - rho*R*g)", rho=0.3)
rg2

# %%
# Round spheres, exactly
# ----------------------
# A sphere stays round; its :math:`r^2` changes at the rate :math:`-2(n - 1) - \alpha\,(n - 1)/r^2` under RG-2 flow, and
# :math:`-2(n - 1)(1 - n\rho)` under Bourguignon's.
r, alpha, rho = sp.symbols("r alpha rho", positive=True)
for n in (2, 3, 4):
    g = gf.catalogue.get("round-sphere", dim=n, radius=r).metric
    lower, inverse = np.array(g.riemann_lower.tolist()), np.array(g.inverse.tolist())
    upper = np.einsum("jabc,ax,by,cz", lower, inverse, inverse, inverse, optimize="greedy")
    two_loops = -2 * g.ricci - alpha / 2 * sp.Matrix(np.einsum("iabc,jabc", lower, upper))
    mixture = -2 * (g.ricci - rho * g.scalar * g.matrix)
    unit = g.matrix / r**2
    assert is_zero(two_loops + (2 * (n - 1) + alpha * (n - 1) / r**2) * unit)
    assert is_zero(mixture + 2 * (n - 1) * (1 - n * rho) * unit)

# %%
# Bourguignon's bound
# -------------------
for n in (2, 3, 4):
    start = gf.Torus(dim=n).grid(8).random_metric(seed=1)
    bound = 1 / (2 * (n - 1))
    for value in (0.99 * bound, 1.01 * bound):
        verdict = gf.Flow.from_expression("-2*(Ric - rho*R*g)", rho=value).character(start)[0].verdict
        print(f"n = {n}, ρ = {value:.4f}: {verdict.partition(': ')[2]}")
try:
    gf.solve(gf.Flow.from_expression("-2*(Ric - rho*R*g)", rho=1.01 * bound), start, t1=1e-3)
except gf.GeomflowError as error:
    print(f"{type(error).__name__}: {error}")

# %%
# On a surface
# ------------
# There :math:`g = u\,(\mathrm dx^2 + \mathrm dy^2)` keeps that form, and :math:`K = -\Delta_0\log u/2u`. Two loops
# slow the flow where :math:`K < 0` and hasten it where :math:`K > 0`; Bourguignon's flow is Ricci flow at the speed
# :math:`1 - 2\rho`.
grid = gf.Torus(dim=2).grid(48, order=8)
factor = "exp(cos(2*pi*x)*cos(2*pi*y)/4 + cos(2*pi*(x - y))/10)"
start = grid.metric([[factor, 0], [0, factor]])
runs = {"Ricci": gf.RicciFlow(), "RG-2": rg2, "Bourguignon": bourguignon}
T1 = 0.01
ends = {name: gf.solve(flow, start, t1=T1, rtol=1e-8).last for name, flow in runs.items()}
for name, metric in {"start": start, **ends}.items():
    print(f"{name:<11} R from {metric.scalar().min():6.2f} to {metric.scalar().max():5.2f}")
gf.plot.side_by_side({"start": start, **ends}, ["scalar curvature"])

# %%
# The same by an equation of the conformal factor alone, where no curvature tensor is computed.
scalar = {"u": "laplacian(log(u)) - alpha*laplacian(log(u))^2/(4*u)"}
u = gf.solve(gf.Flow.from_expression(scalar, alpha=0.05), grid.scalar(factor), t1=T1, rtol=1e-8).last
print(f"RG-2: {np.abs(ends['RG-2'].values[..., 0, 0] - u.values).max():.1e}")
assert np.abs(ends["RG-2"].values - u.values[..., None, None] * np.eye(2)).max() < 1e-5
later = gf.solve(gf.RicciFlow(), start, t1=(1 - 2 * 0.3) * T1, rtol=1e-8).last
print(f"Bourguignon: {later.max_distance(ends['Bourguignon']):.1e}")
assert later.max_distance(ends["Bourguignon"]) < 1e-7

# %%
# Where the curvature is below :math:`-1/\alpha` RG-2 flow is ill-posed.
steep = gf.Flow.from_expression("-2*Ric[i,j] - alpha/2*R[i,k,l,m]*R[j,k,l,m]", alpha=0.3)
blocks = steep.character(start)
print(f"K ≥ {start.scalar().min() / 2:.1f}:", *(block.verdict for block in blocks), sep="\n")
assert any(block.growth for block in blocks)
