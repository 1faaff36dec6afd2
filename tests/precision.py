"""Values of graphs in multiple precision, to which others are compared."""

from __future__ import annotations

from fractions import Fraction

import mpmath

from geomflow.core import graph as gr


def mpmath_arithmetic(digits: int = 50) -> gr.Arithmetic:
    """Arithmetic with the given number of decimal digits, by mpmath."""
    context = mpmath.mp.clone()
    context.dps = digits

    def number(value):
        if isinstance(value, str):
            return context.pi if value == "pi" else context.mpc(0, 1)
        return context.mpf(value.numerator) / value.denominator

    def power(base, exponent):
        return base ** int(exponent) if exponent.denominator == 1 else base ** number(Fraction(exponent))

    def function(name, argument):
        return abs(argument) if name == "abs" else getattr(context, name)(argument)

    return gr.Arithmetic(number, power, function)
