"""Solitons and ancient solutions: Hamilton's cigar, King and Rosenau's solution, Bryant's soliton.

Bryant's steady soliton is dr² + w(r)² g_{S^{n−1}}; no closed form is known. With a potential f, Ric + ∇²f = 0 becomes
f'' = (n−1) w''/w and w w'' = (n−2)(1 − w'²) + w w' f'; smooth at the centre, w = r + a r³ + ...,
f' = 6a(n−1) r + ..., and R + |∇f|² = R(0) = −6n(n−1)a everywhere. Positive curvature is a < 0.
"""

from __future__ import annotations

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric

SHAPE = sympy.Symbol("a", negative=True)


def cigar() -> Geometry:
    """Hamilton's cigar (dx² + dy²)/(1 + x² + y²): steady; u(t) = 1/(e^{4t} + x² + y²), R = 4/(1 + x² + y²)."""
    chart = Chart("x y")
    x, y = chart.symbols
    flow = sympy.eye(2) / (sympy.exp(4 * TIME) + x**2 + y**2)
    known = Known(
        scalar=4 / (1 + x**2 + y**2),
        flow=flow,
        soliton=((-2 * x, -2 * y), sympy.Integer(0)),
    )
    return Geometry(
        "cigar", "Hamilton's cigar", Metric(chart, flow.subs(TIME, 0)), known, "R. Hamilton, Contemp. Math. 71 (1988)"
    )


def king_rosenau() -> Geometry:
    """The King–Rosenau solution on S², t < 0: u = sinh(−t)/(cosh x + cosh t) on R × R/4πZ, area −8πt."""
    time = TIME
    chart = Chart("x y", periods={"y": 4 * sympy.pi})
    x, _ = chart.symbols
    flow = sympy.sinh(-time) / (sympy.cosh(x) + sympy.cosh(time)) * sympy.eye(2)
    scalar = (sympy.cosh(time) * sympy.cosh(x) + 1) / (sympy.sinh(-time) * (sympy.cosh(x) + sympy.cosh(time)))
    known = Known(scalar=scalar, flow=flow, extinction=sympy.Integer(0))
    facts = (
        "The metric depends on the time t < 0 itself; it becomes round as t rises to 0 and two cigars as t falls.",
    )
    return Geometry(
        "king-rosenau",
        "the King-Rosenau solution",
        Metric(chart, flow),
        known,
        "J. King (1993), P. Rosenau (1995)",
        facts,
    )


def bryant(dim: int = 3) -> Geometry:
    """The soliton with its profile as the unknown function w(r); `bryant_series` gives its Taylor polynomial."""
    if dim < 3:
        raise InputError(f"Bryant's soliton has dimension 3 or more, not {dim}")
    angles = [f"theta{k + 1}" for k in range(dim - 1)]
    chart = Chart(["r", *angles], ranges={"r": (0, sympy.oo)} | dict.fromkeys(angles[:-1], (0, sympy.pi)))
    r = chart.symbols[0]
    w = sympy.Function("w", positive=True)(r)
    factors = [w**2]
    for angle in chart.symbols[1:-1]:
        factors.append(factors[-1] * sympy.sin(angle) ** 2)
    n = sympy.Integer(dim)
    slope = w.diff(r)
    known = Known(scalar=(n - 1) * ((n - 2) * (1 - slope**2) / w**2 - 2 * w.diff(r, 2) / w))
    facts = ("Steady soliton: f'' = (n-1) w''/w and w w'' = (n-2)(1 - w'^2) + w w' f'.",
             "R + |grad f|^2 is constant, equal to -6 n (n-1) a with w = r + a r^3 + ...")  # fmt: skip
    title = f"Bryant's soliton of dimension {dim}"
    return Geometry("bryant", title, Metric(chart, sympy.diag(1, *factors)), known, "R. Bryant (2005)", facts)


def bryant_equations(w: sympy.Expr, slope: sympy.Expr, r: sympy.Symbol, dim: int = 3) -> tuple[sympy.Expr, sympy.Expr]:
    """The residuals w f'' − (n−1) w'' and w w'' − (n−2)(1 − w'²) − w w' f' for a profile w and `slope` = f'."""
    first = w * slope.diff(r) - (dim - 1) * w.diff(r, 2)
    second = w * w.diff(r, 2) - (dim - 2) * (1 - w.diff(r) ** 2) - w * w.diff(r) * slope
    return first, second


def bryant_series(
    terms: int, r: sympy.Symbol, dim: int = 3, shape: sympy.Expr = SHAPE
) -> tuple[sympy.Expr, sympy.Expr]:
    """Exact Taylor polynomials of w and f': `terms` coefficients each, rational in the shape parameter a.

    Each step solves two linear equations for the next coefficients.
    """
    w, slope = r + shape * r**3, 6 * shape * (dim - 1) * r
    for k in range(2, terms):
        next_w, next_f = sympy.symbols("next_w next_f", cls=sympy.Dummy)
        trial = bryant_equations(w + next_w * r ** (2 * k + 1), slope + next_f * r ** (2 * k - 1), r, dim)
        wanted = [_coefficient(e, r, p) for e, p in zip(trial, (2 * k - 1, 2 * k), strict=True)]
        (solution,) = sympy.linsolve(wanted, [next_w, next_f])
        w, slope = (
            w + sympy.factor(solution[0]) * r ** (2 * k + 1),
            slope + sympy.factor(solution[1]) * r ** (2 * k - 1),
        )
    return w, slope


def _coefficient(expression: sympy.Expr, r: sympy.Symbol, power: int) -> sympy.Expr:
    return sympy.Poly(sympy.expand(expression), r).coeff_monomial(r**power)
