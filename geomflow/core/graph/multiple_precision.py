"""Expressions as functions in multiple precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import mpmath

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import from_sympy

if TYPE_CHECKING:
    import sympy

Function = Callable[..., Any]


def in_multiple_precision(expression: sympy.Expr, names: Sequence[str]) -> Function:
    """An expression as a function of coordinates in multiple precision.

    Parameters
    ----------
    expression : sympy expression
        Of the names.
    names : sequence of str
        The arguments, in order.
    """
    node, leaves = from_sympy(expression), [gr.symbol(name) for name in names]
    return lambda *x: gr.evaluate([node], dict(zip(leaves, x, strict=True)), _MULTIPLE)[0]


def precise(number: sympy.Expr) -> Any:
    """An exact number in multiple precision."""
    return gr.evaluate([from_sympy(number)], {}, _MULTIPLE)[0]


def _number(value: gr.Rational | str) -> Any:
    if isinstance(value, str):
        return mpmath.pi if value == "pi" else mpmath.mpc(0, 1)
    return mpmath.mpf(value.numerator) / value.denominator


def _power(base: Any, exponent: gr.Rational) -> Any:
    return mpmath.power(base, _number(exponent))


def _call(name: str, argument: Any) -> Any:
    return getattr(mpmath, {"abs": "fabs"}.get(name, name))(argument)


_MULTIPLE = gr.Arithmetic(_number, _power, _call)
