"""Ricci-flat Lorentzian metrics: Schwarzschild and Kerr."""

from __future__ import annotations

import sympy

from geomflow.symbolic.catalogue.geometry import Geometry, Known, constant
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric

MASS, SPIN = sympy.symbols("m a", positive=True)


def _chart() -> Chart:
    return Chart(
        "t r theta phi",
        ranges={"r": (0, sympy.oo), "theta": (0, sympy.pi)},
        periods={"phi": 2 * sympy.pi},
    )


def schwarzschild(mass: sympy.Expr = MASS) -> Geometry:
    """−(1 − 2m/r) dt² + dr²/(1 − 2m/r) + r²(dθ² + sin²θ dφ²): Ricci-flat, |Rm|² = 48m²/r⁶."""
    chart = _chart()
    _, r, theta, _ = chart.symbols
    mass = constant("mass", mass, chart)
    f = 1 - 2 * mass / r
    metric = Metric(chart, sympy.diag(-f, 1 / f, r**2, r**2 * sympy.sin(theta) ** 2))
    known = Known(ricci_flat=True, scalar=sympy.Integer(0), riemann_squared=48 * mass**2 / r**6)
    return Geometry("schwarzschild", "the Schwarzschild metric", metric, known, "K. Schwarzschild (1916)")


def kerr(mass: sympy.Expr = MASS, spin: sympy.Expr = SPIN) -> Geometry:
    """Kerr's metric in Boyer–Lindquist coordinates, Σ = r² + a²cos²θ: Ricci-flat, det g = −Σ² sin²θ."""
    chart = _chart()
    _, r, theta, _ = chart.symbols
    mass, spin = constant("mass", mass, chart), constant("spin", spin, chart)
    s = sympy.sin(theta) ** 2
    sigma, delta = r**2 + spin**2 * sympy.cos(theta) ** 2, r**2 - 2 * mass * r + spin**2
    drag = -2 * mass * r * spin * s / sigma
    around = (r**2 + spin**2 + 2 * mass * r * spin**2 * s / sigma) * s
    rows = [[-(1 - 2 * mass * r / sigma), 0, 0, drag], [0, sigma / delta, 0, 0], [0, 0, sigma, 0], [drag, 0, 0, around]]
    x = spin * sympy.cos(theta)
    norm = 48 * mass**2 * (r**2 - x**2) * (sigma**2 - 16 * r**2 * x**2) / sigma**6
    known = Known(ricci_flat=True, scalar=sympy.Integer(0), riemann_squared=norm, determinant=-(sigma**2) * s)
    return Geometry("kerr", "the Kerr metric", Metric(chart, rows), known, "R. Kerr, Phys. Rev. Lett. 11 (1963)")
