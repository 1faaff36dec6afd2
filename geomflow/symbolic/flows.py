"""Deciding that exact metrics satisfy geometric flows: Ricci flow, Kähler–Ricci flow, solitons.

Every answer is for the ranges of the metric's chart; ExpressionError where it is undecided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.components import Matrix
from geomflow.symbolic.exact import is_zero
from geomflow.symbolic.given import exactly, given, namesake
from geomflow.symbolic.kahler import KahlerMetric
from geomflow.symbolic.metric import Metric


def ricci_flow_residual(metric: Metric, time: sympy.Symbol) -> Matrix:
    """∂_t g + 2 Ric of a metric whose components depend on the parameter `time`: zero along Ricci flow.

    Parameters
    ----------
    metric : Metric
        With components in the coordinates and the time.
    time : sympy.Symbol
        The parameter t, told by its name.
    """
    return Matrix(_slope(metric, time) + 2 * metric.ricci)


def _slope(metric: Metric | KahlerMetric, parameter: sympy.Symbol) -> sympy.Matrix:
    """The derivative of the components along the parameter of that name.

    Raises InputError if it is a coordinate.
    """
    if str(parameter) in metric.chart.coordinates:
        raise InputError(f"'{parameter}' is a coordinate of {metric.chart}; the parameter along which a metric changes "
                         "has a name of its own")  # fmt: skip
    return metric.matrix.diff(namesake(parameter, metric.matrix.free_symbols))


def satisfies_ricci_flow(metric: Metric, time: sympy.Symbol) -> bool:
    """Whether ∂_t g = −2 Ric, decided.

    Parameters
    ----------
    metric : Metric
        With components in the coordinates and the time.
    time : sympy.Symbol
        The parameter t, told by its name.
    """
    return is_zero(ricci_flow_residual(metric, time), metric.chart).decided()


def satisfies_kahler_ricci_flow(metric: KahlerMetric, time: sympy.Symbol, speed: Any = 1) -> bool:
    """Whether ∂_t g_{ab̄} = −speed · R_{ab̄}, decided; speed 2 is Hamilton's flow.

    Parameters
    ----------
    metric : KahlerMetric
        With components in the coordinates and the time.
    time : sympy.Symbol
        The parameter t, told by its name.
    speed : number, str or sympy.Expr
        2 is Hamilton's flow.
    """
    residual = _slope(metric, time) + exactly(given(speed)) * metric.ricci
    return is_zero(residual, metric.chart).decided()


def follows_rates(metric: Metric, rates: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether Ricci flow reduces to ordinary equations for parameters: Σ ∂g/∂p · rate(p) = −2 Ric, decided.

    Parameters
    ----------
    metric : Metric
        With components in the coordinates and the parameters.
    rates : mapping of sympy.Symbol to sympy.Expr
        dp/dt of each parameter.
    """
    change = sympy.zeros(metric.dim, metric.dim)
    for parameter, rate in rates.items():
        change += metric._expression(rate) * _slope(metric, parameter)
    return is_zero(Matrix(change + 2 * metric.ricci), metric.chart).decided()


def is_soliton(metric: Metric, field: Sequence[Any], constant: Any = 0) -> bool:
    """Whether Ric + ½ L_X g = λ g for the vector field X and λ = `constant`, decided.

    λ > 0 shrinks, λ = 0 is steady, λ < 0 expands.

    Parameters
    ----------
    metric : Metric
        g.
    field : (d,) sequence
        The components X^k, text or sympy.
    constant : number, str or sympy.Expr
        λ.
    """
    residual = metric.ricci + metric.lie_derivative(field) / 2 - metric._expression(constant) * metric.matrix
    return is_zero(Matrix(residual), metric.chart).decided()
