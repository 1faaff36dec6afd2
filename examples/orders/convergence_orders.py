r"""
Orders of the stencils and of the steppers
==========================================

A stencil of order :math:`p` on a grid of :math:`n` points an axis leaves an error :math:`C n^{-p}`, and a stepper of
order :math:`q` with steps of length :math:`h` an error :math:`C h^q`. This page measures both against what is known,
each time it is built, and fails if a fitted order is off by more than 0.15.
"""

import numpy as np

import geomflow as gf

# %%
# Curvature of a metric
# ---------------------
# For :math:`g = e^{2u}\,\delta` on a torus of dimension two, :math:`R = -2 e^{-2u}\Delta_0 u`. With
# :math:`u = \tfrac15\sin 2\pi x\,\cos 2\pi y` the Laplacian is :math:`-8\pi^2 u`.
T = gf.Torus(dim=2)
exponent = "sin(2*pi*x)*cos(2*pi*y)/5"
text = f"exp(2*{exponent})"


def curvature_error(n, order):
    grid = T.grid(n, order=order)
    u = grid.scalar(exponent)
    exact = u.map(lambda values: 16 * np.pi**2 * values * np.exp(-2 * values))
    return grid.metric([[text, 0], [0, text]]).scalar().max_distance(exact)


ns = [32, 48, 64, 96]
errors = {f"order {p}": [curvature_error(n, p) for n in ns] for p in (2, 4, 6, 8)}
gf.plot.convergence(ns, errors, {f"order {p}": p for p in (2, 4, 6, 8)}, ylabel="largest error of R")
for p in (2, 4, 6, 8):
    assert abs(gf.plot.fitted_order(ns, errors[f"order {p}"]) - p) < 0.15

# %%
# A run, in space
# ---------------
# Conformal Ricci flow :math:`\partial_t u = \Delta_0\log u` to a fixed time, against the same run with spectral
# derivatives, in the same steps.
factor = "1 + cos(2*pi*x)*sin(2*pi*y)/3"
t1 = 2e-4


def run(n, **derivatives):
    state = T.grid(n, **derivatives).scalar(factor)
    return gf.solve(gf.ConformalRicciFlow(), state, t1=t1, stepper="rk45", control=gf.FixedStep(t1 / 150)).last


finest = 192
reference = run(finest, scheme="spectral").values
ns = [48, 64, 96]
errors = {
    f"order {p}": [
        float(np.max(np.abs(run(n, order=p).values - reference[:: finest // n, :: finest // n]))) for n in ns]
    for p in (2, 4, 6, 8)
}
gf.plot.convergence(ns, errors, {f"order {p}": p for p in (2, 4, 6, 8)}, ylabel="largest error of u")
for p in (2, 4, 6, 8):
    assert abs(gf.plot.fitted_order(ns, errors[f"order {p}"]) - p) < 0.15

# %%
# The steppers, in time
# ---------------------
# A quasilinear reaction–diffusion equation on the circle, with steps of fixed length, against very short ones. On a
# coarse grid it is not stiff, so that the orders are not hidden by stability.
equation = gf.Flow.from_expression("(1 + u^2)*laplacian(u)/200 + u*(1 - u^2)")
state = gf.Torus(dim=1).grid(8, scheme="spectral").scalar("1/2 + cos(2*pi*x)/3 + sin(2*pi*x)/5")
t1 = 2.0


def last(stepper, count):
    return gf.solve(equation, state, t1=t1, stepper=stepper, control=gf.FixedStep(t1 / count)).last


steppers = [gf.RK4(), gf.RK23(), gf.RK45(), gf.RKC(), gf.SemiImplicit()]
counts = [32, 48, 64, 96]
best = last(gf.RK45(), 800)
errors = {stepper.name: [last(stepper, count).max_distance(best) for count in counts] for stepper in steppers}
orders = {stepper.name: stepper.order for stepper in steppers}
gf.plot.convergence(counts, errors, orders, xlabel="steps", ylabel="largest error of u")
for name, order in orders.items():
    measured = gf.plot.fitted_order(counts, errors[name])
    print(f"{name:14s} order {order}, measured {measured:.3f}")
    assert abs(measured - order) < 0.15
