"""Formulas of metrics on a span as numbers at places of it, to the last digit of a float."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import sympy

from geomflow.core.errors import InputError, PositivityError
from geomflow.core.graph.multiple_precision import in_multiple_precision
from geomflow.core.numbers import real_array
from geomflow.symbolic.ansatz.span import closing_of, span_of

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz

DIGITS = 40
"""With which formulas are evaluated, and of numbers that are known by an equation alone."""

LEAST = mpmath.mpf(10) ** -40
"""The place for y = 0, where formulas are 0/0: what they are there differs by as little."""

CANCELLED = 24
"""How many times more digits are taken than a place has zeros after the point, which cancel."""

SLACK = 4 * np.finfo(float).eps
"""By which share of it a place may be beyond an end, by rounding."""


def formula(ansatz: Ansatz, profile: sympy.Expr, text: str) -> sympy.Expr:
    """A function of the metric with a profile, such as "R" or "Rm2", of the exact geometry.

    Parameters
    ----------
    ansatz : Ansatz
        On a span.
    profile : sympy expression
        F.
    text : str
        In the language of `Flow.from_expression`.
    """
    return ansatz.scalar(text).subs(closing_of(ansatz).unknown.value, profile).doit()


def values_at(ansatz: Ansatz, expression: sympy.Expr, ends: Mapping[str, sympy.Expr],
              numbers: Mapping[sympy.Symbol, sympy.Expr], y: Any) -> np.ndarray:
    """A formula at places, (M,).

    Raises InputError where an end is free, for what is no number, and for places outside of the span.

    Parameters
    ----------
    ansatz : Ansatz
        On a span.
    expression : sympy expression
        In y, symbols with numbers, and ends.
    ends : mapping
        The ends that are numbers, by name. A last end that is not there is infinitely far.
    numbers : mapping of symbol to number
        Of other symbols.
    y : (M,) array
        Places.
    """
    place = closing_of(ansatz).unknown.value.args[0]
    free = sorted(s.name for s in expression.free_symbols - {place, *numbers})
    if free:
        raise InputError(f"the end '{free[0]}' of this metric is free: give a number, as in .of({free[0]}=1).")
    places = np.atleast_1d(real_array(y, f"the places {place}")).ravel()
    _require_inside(ansatz, ends, places)
    function = in_multiple_precision(expression, [symbol.name for symbol in (place, *numbers)])
    with mpmath.workdps(DIGITS):
        known = [mpmath.mpf(str(sympy.N(number, DIGITS))) for number in numbers.values()]
        return np.array([_value(function, mpmath.mpf(float(s)), known) for s in places])


def checked_class(ansatz: Ansatz, ends: Mapping[str, sympy.Expr]) -> None:
    """Raises PositivityError for ends that are not positive, or not in their order.

    Parameters
    ----------
    ansatz : Ansatz
        On a span.
    ends : mapping
        Those that are known, by name.
    """
    low, high = _span_of(ansatz, ends)
    if (low is not None and low.is_number and high.is_number and not low < high) or any(
            number.is_number and not number.is_positive for number in ends.values()):
        told = ", ".join(f"{name} = {number}" for name, number in ends.items())
        raise PositivityError(f"a span goes from a positive number to a larger one, and {told} was given: the Kähler "
                              "class is outside of its cone.")


def _span_of(ansatz: Ansatz, ends: Mapping[str, sympy.Expr]) -> tuple[sympy.Expr | None, sympy.Expr]:
    span = span_of(ansatz)
    assert span is not None
    low = sympy.S.Zero if span.a == 0 else ends.get(span.a.name)
    return low, ends.get(span.b.name, sympy.oo)


def _require_inside(ansatz: Ansatz, ends: Mapping[str, sympy.Expr], places: np.ndarray) -> None:
    low, high = _span_of(ansatz, ends)
    least, last = float(low), float(high)  # type: ignore[arg-type]
    bad = ~(np.isfinite(places) & (places >= least * (1 - SLACK)) & (places <= last * (1 + SLACK)))
    if bad.any():
        raise InputError(f"the place {places[bad][0]:.6g} is outside of the span from {least:.6g} to {last:.6g} on "
                         "which the metric lives.")


def _value(function: Any, place: Any, known: list[Any]) -> float:
    place = max(place, LEAST)
    zeros = max(0, -int(mpmath.floor(mpmath.log10(place))))
    with mpmath.workdps(DIGITS + CANCELLED * zeros):
        return float(function(place, *known))
