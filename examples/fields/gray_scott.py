r"""
Spots on a curved torus
=======================

The reaction of Gray and Scott (1983): :math:`v` feeds on :math:`u`, which is fed at the rate :math:`F`, and both
diffuse,

.. math:: \partial_t u = a\,\Delta u - uv^2 + F(1 - u),\qquad \partial_t v = b\,\Delta v + uv^2 - (F + k)\,v.

Spots of :math:`v` form and divide until they fill the torus (Pearson 1993). Their size is a length, and the metric says
what a length is: where it is larger, spots look smaller in the coordinates.
"""

import sympy as sp

import geomflow as gf

# %%
# From one spot
# -------------
# The metric is five times as large in the middle of the torus as at its corner, where the first spot is.
grid = gf.Torus(dim=2).grid(64)
factor = "(3 - cos(2*pi*x) - cos(2*pi*y))/2"
g = grid.metric([[factor, 0], [0, factor]])
spot = "exp(5*cos(2*pi*x) + 4*cos(2*pi*y) + sin(2*pi*(x - y)) - 9)"
start = grid.fields(g=g, u=f"1 - {spot}/2", v=f"{spot}/4")
RATES = {"u": "a*laplacian(u) - u*v^2 + F*(1 - u)", "v": "b*laplacian(v) + u*v^2 - (F + k)*v"}
flow = gf.Flow.from_expression(RATES, a=6e-5, b=3e-5, F=0.03, k=0.062)
print(*(block.verdict for block in flow.character(start)))
flow

# %%
sol = gf.solve(flow, start, t1=4000, save_at=[500, 1000, 2000, 4000], rtol=1e-3, stepper="rkc")
gf.plot.snapshots(sol, ["v"], count=5)
# sphinx_gallery_thumbnail_number = 1

# %%
# The order, by a manufactured solution
# -------------------------------------
# Sources :math:`p, q` make two functions that we choose a solution; sympy finds them, from
# :math:`\Delta u = (\partial_x^2 u + \partial_y^2 u)/\lambda` of a metric :math:`\lambda\,(\mathrm dx^2 + \mathrm
# dy^2)`. The largest error falls as :math:`n^{-4}` on grids of order four.
t, x, y = sp.symbols("t x y")
U = 1 - sp.cos(2 * sp.pi * (x - t)) * sp.cos(2 * sp.pi * y) / 4
V = (2 + sp.sin(2 * sp.pi * x) * sp.cos(2 * sp.pi * y)) * sp.exp(-t) / 8
a, b, F, k = sp.Rational(1, 50), sp.Rational(1, 100), sp.Rational(3, 100), sp.Rational(3, 50)


def laplacian(f):
    return (sp.diff(f, x, 2) + sp.diff(f, y, 2)) / sp.sympify(factor)


sources = {"p": sp.diff(U, t) - a * laplacian(U) + U * V**2 - F * (1 - U),
           "q": sp.diff(V, t) - b * laplacian(V) - U * V**2 + (F + k) * V}
forced = gf.Flow.from_expression({name: f"{rate} + {source}" for (name, rate), source in zip(RATES.items(), "pq")},
                                 where=sources, a=a, b=b, F=F, k=k)
sizes, errors = [16, 24, 32, 48], []
for n in sizes:
    grid = gf.Torus(dim=2).grid(n, order=4)
    state = grid.fields(g=grid.metric([[factor, 0], [0, factor]]), u=U.subs(t, 0), v=V.subs(t, 0))
    last = gf.solve(forced, state, t1=0.2, stepper="rk45", rtol=1e-9).last
    ends = {"u": U.subs(t, 0.2), "v": V.subs(t, 0.2)}
    errors.append(max(last[name].max_distance(grid.scalar(end)) for name, end in ends.items()))
gf.plot.convergence(sizes, errors, order=4)
order = gf.plot.fitted_order(sizes, errors)
print(f"fitted order {order:.2f}")
assert abs(order - 4) < 0.2
