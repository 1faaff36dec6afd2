"""Conformal solutions of Ricci flow on surfaces: Hamilton's cigar and the King–Rosenau solution."""

from __future__ import annotations

import sympy

from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric


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
