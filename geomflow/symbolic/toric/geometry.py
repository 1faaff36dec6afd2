"""The metric of a symplectic potential in action and angle coordinates, exactly, and Abreu's equation derived from it.

g = ½ u_ij dx_i dx_j + 2 u^ij dθ_i dθ_j, where z_i = exp(y_i/2 + iθ_i) and y = ∂u/∂x: in the logarithms of z the
Hermitian metric is g_{ij̄} = u^ij (Guillemin 1994; Abreu 1998).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy

from geomflow.core.errors import ExpressionError, InputError
from geomflow.core.graph.sympy_bridge import as_sympy
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.components import Matrix
from geomflow.symbolic.exact import is_zero
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.parse import parse
from geomflow.symbolic.toric.polygon import Polygon

CHART = Chart("x1 x2 theta1 theta2", periods={"theta1": "2*pi", "theta2": "2*pi"})
X = CHART.symbols[:2]


def read_function(text: Any) -> sympy.Expr:
    """A function of x1 and x2 from text, a number or an expression."""
    if isinstance(text, str):
        return parse(text, X)
    try:
        found = as_sympy(text)
    except (sympy.SympifyError, ExpressionError):
        raise InputError(f"a function of x1 and x2 is text, a number or an expression, not {text!r}.") from None
    return found.subs({symbol: x for symbol in found.free_symbols for x in X if symbol.name == x.name})


def guillemin(polygon: Polygon) -> sympy.Expr:
    """Σ_a l_a log l_a."""
    sides = [sympy.Integer(0) + edge(X) for edge in polygon.edges]
    return sympy.Add(*(side * sympy.log(side) for side in sides))


def hessian_of(u: sympy.Expr) -> Matrix:
    """u_ij."""
    return Matrix(2, 2, [u.diff(p, q) for p in X for q in X])


def inverse_of(hessian: Matrix) -> Matrix:
    """u^ij."""
    (a, b), (_, c) = hessian.tolist()
    size = a * c - b * b
    return Matrix(2, 2, [c / size, -b / size, -b / size, a / size])


def metric_of(u: sympy.Expr, functions: Any = ()) -> Metric:
    """The metric of a symplectic potential."""
    hessian = hessian_of(u)
    zero = Matrix.zeros(2, 2)
    upper, lower = (hessian / 2).row_join(zero), zero.row_join(2 * inverse_of(hessian))
    return Metric(CHART, upper.col_join(lower).tolist(), functions=functions)


@cache
def abreu_equation() -> sympy.Eq:
    """R = −2 ∂_i∂_j u^ij (Abreu 1998), found equal to the scalar curvature of the metric of an unknown u."""
    u = sympy.Function("u")(*X)
    inverse = inverse_of(hessian_of(u))
    shown = -2 * sympy.Add(*(sympy.Derivative(inverse[i, j], X[i], X[j]) for i in (0, 1) for j in (0, 1)))
    assert is_zero(metric_of(u, "u").scalar - shown.doit())
    return sympy.Eq(sympy.Symbol("R"), shown, evaluate=False)
