"""Left-invariant metrics A σ₁² + B σ₂² + C σ₃² on Nil and SU(2), and the equations that Ricci flow becomes."""

from __future__ import annotations

import sympy

from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric

A, B, C = sympy.symbols("A B C", positive=True)


def nil() -> Geometry:
    """Heisenberg's group, dσ¹ = 2σ²∧σ³: σ¹ = dz + 2x dy, σ² = dx, σ³ = dy.

    With D = 12t + BC/A: A(t) = A^{2/3}(BC)^{1/3} D^{−1/3}, B(t) = A^{1/3}B^{2/3}C^{−1/3} D^{1/3}, and C likewise.
    """
    chart = Chart("x y z")
    x = chart.symbols[0]
    forms = sympy.Matrix([[0, 2 * x, 1], [1, 0, 0], [0, 1, 0]])
    third = sympy.Rational(1, 3)
    d = 12 * TIME + B * C / A
    moving = (
        A ** (2 * third) * (B * C) ** third * d**-third,
        A**third * B ** (2 * third) * C**-third * d**third,
        A**third * C ** (2 * third) * B**-third * d**third,
    )
    known = Known(
        scalar=-2 * A / (B * C),
        rates={A: -4 * A**2 / (B * C), B: 4 * A / C, C: 4 * A / B},
        flow=_left_invariant(forms, *moving),
    )
    metric = Metric(chart, _left_invariant(forms, A, B, C))
    return Geometry(
        "nil", "the left-invariant metrics of Nil", metric, known, "J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992)"
    )


def su2() -> Geometry:
    """SU(2) = S³ in Euler angles, dσ¹ = 2σ²∧σ³ cyclic (the unit sphere is A = B = C = 1).

    Ricci flow becomes A' = −8 + 4(B² + C² − A²)/(BC), and cyclic.
    """
    chart = Chart("psi theta phi", ranges={"theta": (0, sympy.pi)}, periods={"psi": 4 * sympy.pi, "phi": 2 * sympy.pi})
    psi, theta, _ = chart.symbols
    sin, cos = sympy.sin, sympy.cos
    forms = (
        sympy.Matrix(
            [
                [0, -sin(psi), cos(psi) * sin(theta)],
                [0, cos(psi), sin(psi) * sin(theta)],
                [1, 0, cos(theta)],
            ]
        )
        / 2
    )
    known = Known(
        rates={p: -8 + 4 * (q**2 + r**2 - p**2) / (q * r) for p, q, r in ((A, B, C), (B, C, A), (C, A, B))},
        scalar=4 / A + 4 / B + 4 / C - 2 * (A**2 + B**2 + C**2) / (A * B * C),
    )
    metric = Metric(chart, _left_invariant(forms, A, B, C))
    return Geometry("su2", "the left-invariant metrics of SU(2)", metric, known, "J. Milnor, Adv. Math. 21 (1976)")


def _left_invariant(forms: sympy.Matrix, *weights: sympy.Expr) -> sympy.Matrix:
    return forms.T * sympy.diag(*weights) * forms
