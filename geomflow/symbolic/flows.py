"""Deciding that exact metrics satisfy geometric flows: Ricci flow, Kähler–Ricci flow, solitons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from geomflow.core.errors import ShapeError
from geomflow.symbolic.exact import all_zero, is_zero
from geomflow.symbolic.kahler import KahlerMetric
from geomflow.symbolic.metric import Matrix, Metric


def ricci_flow_residual(metric: Metric, time: sympy.Symbol) -> Matrix:
    """∂_t g + 2 Ric of a metric whose components depend on the parameter `time`: zero along Ricci flow."""
    return Matrix(metric.matrix.diff(time) + 2 * metric.ricci)


def satisfies_ricci_flow(metric: Metric, time: sympy.Symbol) -> bool:
    """Whether ∂_t g = −2 Ric, decided."""
    return is_zero(ricci_flow_residual(metric, time), metric.chart.symbols)


def satisfies_kahler_ricci_flow(metric: KahlerMetric, time: sympy.Symbol, speed: Any = 1) -> bool:
    """Whether ∂_t g_{ab̄} = −speed · R_{ab̄}, decided; speed 2 is Hamilton's flow."""
    residual = metric.matrix.diff(time) + speed * metric.ricci
    return is_zero(residual, metric.chart.all_symbols)


def satisfies_conformal_flow(factor: sympy.Expr, coordinates: Sequence[sympy.Symbol], time: sympy.Symbol) -> bool:
    """Whether u (dx² + dy²) follows Ricci flow, u_t = Δ_0 log u, decided.

    Raises ShapeError unless there are two coordinates.
    """
    if len(coordinates) != 2:
        raise ShapeError(f"a conformal factor on a surface has 2 coordinates, not {len(coordinates)}")
    spread = sum(sympy.diff(sympy.diff(factor, x) / factor, x) for x in coordinates)
    return all_zero([sympy.diff(factor, time) - spread], coordinates)


def follows_rates(metric: Metric, rates: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether Ricci flow reduces to ordinary equations for parameters: Σ ∂g/∂p · rate(p) = −2 Ric, decided."""
    change = sympy.zeros(metric.dim, metric.dim)
    for parameter, rate in rates.items():
        change += rate * metric.matrix.diff(parameter)
    return is_zero(Matrix(change + 2 * metric.ricci), metric.chart.symbols)


def is_soliton(metric: Metric, field: Sequence[Any], constant: Any = 0) -> bool:
    """Whether Ric + ½ L_X g = λ g for the vector field X and λ = `constant`, decided.

    λ > 0 shrinks, λ = 0 is steady, λ < 0 expands.
    """
    residual = metric.ricci + metric.lie_derivative(field) / 2 - sympy.sympify(constant) * metric.matrix
    return is_zero(Matrix(residual), metric.chart.symbols)
