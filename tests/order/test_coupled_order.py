"""A metric and a function, coupled, with explicit time: a manufactured solution is met at the order of the stencils.

List's flow in DeTurck's gauge, written out, with a coupling that depends on time; sympy finds the sources that make a
chosen pair a solution, by textbook formulas of the exact metric.
"""

from functools import cache

import numpy as np
import pytest
import sympy as sp

import geomflow as gf

t, x, y = sp.symbols("t x y")
WAVE = 2 * sp.pi
G = sp.diag(1 + sp.cos(WAVE * y + 20 * t) / 5, 1 + sp.sin(WAVE * x) * sp.exp(-10 * t) / 5)
F = sp.cos(WAVE * (x - y) + 30 * t) / 4
END = 5e-4

RATES = {"g": "-2*Ric + Lie(W, g) + 2*(1 + t)*d(f)*d(f) + a*d(x)*d(x) + b*(d(x)*d(y) + d(y)*d(x)) + c*d(y)*d(y)",
         "f": "laplacian(f) + Lie(W, f) + cos(50*t)*f^2 + q"}
GAUGE = {"G": "flat.nabla(g)", "W": "G[i,k,i] - G[i,i,k]/2"}


def sources():
    """∂_t of the solution minus what the flow makes of it, W^k = g^{ij} Γ^k_ij."""
    metric = gf.Metric(gf.Chart("x y"), G, parameters="t")
    places = [(i, j) for i in range(2) for j in range(2)]
    field = [sum(metric.inverse[i, j] * metric.christoffel[k, i, j] for i, j in places) for k in range(2)]
    slope = sp.Matrix([sp.diff(F, x), sp.diff(F, y)])
    of_g = -2 * metric.ricci + metric.lie_derivative(field) + 2 * (1 + t) * slope * slope.T
    of_f = metric.laplacian(F) + sum(w * s for w, s in zip(field, slope, strict=True)) + sp.cos(50 * t) * F**2
    left = sp.diff(G, t) - of_g
    return {"a": left[0, 0], "b": left[0, 1], "c": left[1, 1], "q": sp.diff(F, t) - of_f}


@cache
def flow():
    return gf.Flow.from_expression(RATES, where={**GAUGE, **sources()}, covariant=False)


def error(n, **scheme):
    grid = gf.Torus(dim=2).grid(n, **scheme)
    metric = grid.metric([[str(entry.subs(t, 0)) for entry in row] for row in G.tolist()])
    last = gf.solve(flow(), grid.fields(g=metric, f=str(F.subs(t, 0))), t1=END, stepper="rk45", rtol=1e-10).last
    points = np.moveaxis(grid.points(), -1, 0)
    right = [np.broadcast_to(sp.lambdify((t, x, y), part)(END, *points), grid.shape)
             for part in (G[0, 0], G[0, 1], G[1, 1], F)]
    return np.abs(last.pack() - right).max()


@pytest.mark.parametrize(("order", "sizes"), [
    (2, (16, 24, 32)), (4, (24, 32, 48)), (6, (32, 40, 48)), (8, (48, 60, 72))])  # fmt: skip
def test_a_metric_and_a_function_with_time_converge_in_space(order, sizes):
    errors = [error(n, order=order) for n in sizes]
    assert -np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(order, abs=0.2)


def test_a_metric_and_a_function_with_time_converge_faster_than_any_power_on_spectral_grids():
    errors = [error(n, scheme="spectral") for n in (8, 12, 18)]
    assert errors[1] < 2e-2 * errors[0]
    assert errors[2] < 2e-2 * errors[1]
