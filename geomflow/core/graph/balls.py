"""Values as complex balls (Arb, through python-flint): a ball that excludes zero is a proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint

from geomflow.core.graph.evaluate import Arithmetic, evaluate
from geomflow.core.graph.node import Node, Rational

BITS = 400


def ball_values(roots: Sequence[Node], point: Mapping[Node, Any], bits: int = BITS) -> list[Any] | None:
    """The values at a point of rationals and pairs (re, im) of them; None outside the domain of definition.

    At a point of real numbers an absolute value or a sign is defined where its argument is real.
    """
    use = ON_PLANES if any(isinstance(value, tuple) for value in point.values()) else ON_LINES
    previous, flint.ctx.prec = flint.ctx.prec, bits
    try:
        return evaluate(roots, {leaf: ball(value) for leaf, value in point.items()}, use)
    except (ZeroDivisionError, _NotReal):
        return None
    finally:
        flint.ctx.prec = previous


def ball(value: Rational | tuple[Rational, Rational]) -> Any:
    """A rational, or a pair (re, im) of them, as a ball."""
    if isinstance(value, tuple):
        return flint.acb(*(flint.arb(flint.fmpq(v.numerator, v.denominator)) for v in value))
    return flint.acb(flint.fmpq(value.numerator, value.denominator))


class _NotReal(ArithmeticError):
    """The modulus of a number that is not real."""


def _number(value: Rational | str) -> Any:
    if isinstance(value, str):
        return flint.acb.pi() if value == "pi" else flint.acb(0, 1)
    return ball(value)


def _power(base: Any, exponent: Rational) -> Any:
    if exponent.denominator == 1:
        return base ** int(exponent)
    return base.sqrt() ** exponent.numerator if exponent.denominator == 2 else base ** ball(Fraction(exponent))


def _call(name: str, argument: Any) -> Any:
    if name == "abs":
        return flint.acb(abs(argument))
    return argument.sgn() if name == "sign" else getattr(argument, name)()


def _real_call(name: str, argument: Any) -> Any:
    if name in ("abs", "sign"):
        if not argument.imag.contains(0):
            raise _NotReal
        argument = flint.acb(argument.real)
    return _call(name, argument)


ON_LINES, ON_PLANES = Arithmetic(_number, _power, _real_call), Arithmetic(_number, _power, _call)
"""Where all symbols are real, and where some are complex."""
