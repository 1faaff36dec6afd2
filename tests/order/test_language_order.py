"""Typed rates converge at the order of the stencils, and with explicit time at the order of the stepper.

A smooth solution is chosen on a metric that stands still; sympy finds the sources that make it one, by textbook
formulas in components.
"""

from functools import cache

import numpy as np
import pytest
import sympy as sp

import geomflow as gf
from geomflow.flow import RK4, RK23, RK45, RKC, ROS2, FixedStep, SemiImplicit

t, x, y = sp.symbols("t x y")
WAVE = 2 * sp.pi
G = sp.Matrix([[1 + sp.cos(WAVE * y) / 5, sp.sin(WAVE * x) / 10],
               [sp.sin(WAVE * x) / 10, 1 + sp.sin(WAVE * x) / 5]])
U = sp.sin(WAVE * x + 30 * t) * sp.cos(WAVE * y) / 2
V = sp.cos(WAVE * (x - y)) * sp.exp(-20 * t)
PLANE = gf.Torus(dim=2)


def slope(sizes, errors):
    """The exponent p of error ≈ C n^(−p), by least squares in logarithms."""
    return -np.polyfit(np.log(sizes), np.log(errors), 1)[0]


def divergence(vector):
    """∂_i (√g X^i)/√g."""
    density = sp.sqrt(G.det())
    return sum(sp.diff(density * part, s) for part, s in zip(vector, (x, y), strict=True)) / density


def gradient(scalar):
    return G.inv() * sp.Matrix([sp.diff(scalar, x), sp.diff(scalar, y)])


def sources():
    """∂_t of the solution minus what the flow makes of it."""
    pairing = (sp.Matrix([sp.diff(U, x), sp.diff(U, y)]).T * gradient(V))[0]
    of_u = divergence((1 + U**2) * gradient(U)) + (1 + t) * divergence(gradient(V)) / 2 - U * V
    of_v = divergence(gradient(V)) + pairing + sp.cos(50 * t) * U
    return {"p": sp.diff(U, t) - of_u, "q": sp.diff(V, t) - of_v}


RATES = {"u": "div((1 + u^2)*grad(u)) + (1 + t)*laplacian(v)/2 - u*v + p",
         "v": "laplacian(v) + dot(d(u), d(v)) + cos(50*t)*u + q"}


@cache
def typed():
    return gf.Flow.from_expression(RATES, where=sources())


def on(grid, time):
    points = np.moveaxis(grid.points(), -1, 0)
    return {name: np.broadcast_to(sp.lambdify((t, x, y), f)(time, *points), grid.shape)
            for name, f in (("u", U), ("v", V))}


def error(n, **scheme):
    grid, end = PLANE.grid(n, **scheme), 0.001
    start = grid.fields(g=grid.metric([[str(part) for part in row] for row in G.tolist()]), **on(grid, 0.0))
    last = gf.solve(typed(), start, t1=end, stepper="rk45", rtol=1e-10).last
    return max(np.abs(last[name].values - right).max() for name, right in on(grid, end).items())


@pytest.mark.parametrize(("order", "sizes"), [
    (2, (16, 24, 32)), (4, (24, 32, 48)), (6, (32, 40, 48)), (8, (60, 70, 80))])  # fmt: skip
def test_two_fields_with_time_converge_in_space(order, sizes):
    errors = [error(n, order=order) for n in sizes]
    assert slope(sizes, errors) == pytest.approx(order, abs=0.15)


def test_two_fields_with_time_converge_faster_than_any_power_on_spectral_grids():
    errors = [error(n, scheme="spectral") for n in (8, 14, 20)]
    assert errors[1] < 1e-2 * errors[0]
    assert errors[2] < 1e-2 * errors[1]


LINE = gf.Torus(dim=1)
ONE, OTHER = sp.sin(WAVE * x + 4 * t), sp.cos(WAVE * x) * sp.exp(-3 * t)


def typed_with_time(heat):
    """Two fields whose stiff parts depend on time, of waves that a grid of 16 points has, with their products."""
    size = WAVE ** (2 * heat)
    high = "laplacian({0})" if heat == 1 else "-laplacian(laplacian({0}))"
    rates = {"u": f"(2 + sin(7*t))*{high.format('u')}/c - u*v + p", "v": f"{high.format('v')}/c + cos(5*t)*u^2 + q"}
    waves = {s: (-1) ** (heat + 1) * sp.diff(s, x, 2 * heat) / size for s in (ONE, OTHER)}
    p = sp.diff(ONE, t) - (2 + sp.sin(7 * t)) * waves[ONE] + ONE * OTHER
    q = sp.diff(OTHER, t) - waves[OTHER] - sp.cos(5 * t) * ONE**2
    return gf.Flow.from_expression(rates, c=size, where={"p": p, "q": q})


@pytest.mark.parametrize(("stepper", "heat", "steps"), [
    (RK4(), 1, (160, 320, 640)), (RK23(), 1, (160, 320, 640)), (RK45(), 1, (80, 120, 160)), (RKC(), 1, (160, 320, 640)),
    (SemiImplicit(), 1, (160, 320, 640)), (SemiImplicit(), 2, (160, 320, 640)),
    (SemiImplicit(ROS2), 2, (160, 320, 640))])  # fmt: skip
def test_explicit_time_keeps_the_order_of_the_stepper(stepper, heat, steps):
    grid, end = LINE.grid(16, scheme="spectral"), 1.0
    start = grid.fields(u=str(ONE.subs(t, 0)), v=str(OTHER.subs(t, 0)))
    errors = []
    for n in steps:
        last = gf.solve(typed_with_time(heat), start, t1=end, stepper=stepper, control=FixedStep(end / n)).last
        right = [sp.lambdify((t, x), f)(end, grid.points()[..., 0]) for f in (ONE, OTHER)]
        errors.append(np.abs(last.pack() - right).max())
    assert slope(steps, errors) == pytest.approx(stepper.order, abs=0.15)
