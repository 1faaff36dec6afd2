"""U(n)-invariant Kähler metrics in Calabi's momentum y: dy²/2F + 2F η² + 2y g_{CP^{n−1}} with ω = d(y η)."""

from __future__ import annotations

import sympy

from geomflow.core.numbers import whole
from geomflow.symbolic.ansatz import Ansatz, Span
from geomflow.symbolic.catalogue.frames import hopf
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric


def momentum(n: int = 2, k: int = 1) -> Ansatz:
    """dy²/2F + 2F η² + 2y g_{CP^{n−1}}, a < y < b: U(n)-invariant Kähler metrics on P(O ⊕ O(−k)) over CP^{n−1}.

    y = P'(s) and F = P''(s) of a potential P, s = log|z|²; η is the contact form of S^{2n−1}/Z_k, ω = d(y η). F
    vanishes at both ends, F' = k at a, where CP^{n−1} has the normal bundle O(−k), and −k at b. For k = 1 that is CP^n
    blown up at a point, for n = 2 the surface F_k of Hirzebruch.

    Unknowns F, and the ends a, b, of which the Kähler class consists. E. Calabi, Extremal Kähler metrics (1982).
    """
    return _invariant(n, whole(k, "the degree k of the normal bundle O(-k)", 1), Span("a", "b"))


def momentum_ball(n: int = 2) -> Ansatz:
    """dy²/2F + 2F η² + 2y g_{CP^{n−1}}, 0 < y < b: U(n)-invariant Kähler metrics on CP^n, a point at y = 0.

    F = y(b − y)/b is the metric of Fubini and Study.

    Unknowns F, and the end b. E. Calabi, Extremal Kähler metrics (1982).
    """
    return _invariant(n, 1, Span(0, "b"))


def _invariant(n: int, k: int, span: Span) -> Ansatz:
    n = whole(n, "the complex dimension n", 2)
    circles, radii = [f"psi{j}" for j in range(n)], [f"r{j}" for j in range(1, n)]
    periods = {**dict.fromkeys(circles, 2 * sympy.pi), circles[-1]: 2 * sympy.pi / k}
    chart = Chart(["y", *circles, *radii], periods=periods,
                  ranges={"y": (0, sympy.oo), **dict.fromkeys(radii, (0, sympy.pi / 2))})
    contact, base = hopf(chart, 1)
    y = chart.symbols[0]
    profile = sympy.Function("F", positive=True)(y)
    metric = 2 * profile * contact.T * contact + 2 * y * base
    metric[0, 0] = 1 / (2 * profile)
    return Ansatz(Metric(chart, metric), "F", span, form=_exterior(y * contact, chart))


def _exterior(one_form: sympy.Matrix, chart: Chart) -> sympy.Matrix:
    """dα."""
    return sympy.Matrix(chart.dim, chart.dim, lambda i, j: (one_form[j].diff(chart.symbols[i])
                                                            - one_form[i].diff(chart.symbols[j])))
