"""Bryant's steady soliton dr² + w(r)² g_{S^{n−1}}: its equations, and the exact power series at the centre.

No closed form is known. With a potential f, Ric + ∇²f = 0 becomes f'' = (n−1) w''/w and
w w'' = (n−2)(1 − w'²) + w w' f'; smooth at the centre, w = r + a r³ + ..., f' = 6a(n−1) r + ..., and
R + |∇f|² = R(0) = −6n(n−1)a everywhere. Positive curvature is a < 0.
"""

from __future__ import annotations

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.catalogue.geometry import Geometry, Known
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric

SHAPE = sympy.Symbol("a", negative=True)


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
