"""How orbits close at the ends of a span, and how these ends move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.domain import Span
from geomflow.symbolic.ansatz.unknowns import Unknown

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


@final
@dataclass(frozen=True)
class Closing:
    """How an unknown F closes a circle: g_yy = c/F, the circle has the length 2π√(F/m²c), F' = ±m at the ends.

    Parameters
    ----------
    unknown : Unknown
        F.
    slope : sympy expression
        m.
    """

    unknown: Unknown
    slope: sympy.Expr


def closing_of(ansatz: Ansatz) -> Closing:
    """The unknown that vanishes at both ends of a span, and its slope there.

    Raises InputError where there is not one unknown F with c/F along the coordinate and a multiple of F on a circle.
    """
    (name,), metric = ansatz.coordinates, ansatz.metric
    place = metric.chart.coordinates.index(name)
    for unknown in ansatz.unknowns if len(ansatz.unknowns) == 1 else ():
        along = sympy.cancel(metric.matrix[place, place] * unknown.value)
        for k, circle in enumerate(metric.chart.coordinates):
            around = sympy.cancel(metric.matrix[k, k] / unknown.value)
            if along.is_number and around.is_number and circle in metric.chart.periods:
                turn = 2 * sympy.pi / metric.chart.periods[circle]
                return Closing(unknown, sympy.simplify(2 * turn * sympy.sqrt(along / around)))
    raise InputError(f"at the ends of a span an unknown F({name}) vanishes, the only one of the metric, with a number "
                     f"over F for g_{name}{name} and a number times F for a coordinate that has a period; this metric "
                     "has none.")


def stretch_of(name: str) -> sympy.Symbol:
    """y_u, what densities by y are multiplied with to be by shares u of a span."""
    return sympy.Symbol(f"{name}_u", positive=True)


def span_of(ansatz: Ansatz) -> Span | None:
    """The span on which the unknowns of an ansatz live; None where there is none."""
    return next((domain for domain in ansatz.domain.values() if isinstance(domain, Span)), None)


def ends_of(ansatz: Ansatz) -> tuple[Unknown, ...]:
    """The ends of spans that move."""
    span = span_of(ansatz)
    return () if span is None else span.ends


def end_rates(ansatz: Ansatz, speed: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The rates of the ends that move, −v there, where F = 0 and F' = ±m.

    Parameters
    ----------
    ansatz : Ansatz
        Whose ends.
    speed : sympy expression
        v, of the field that keeps the coordinate.
    """
    span = span_of(ansatz)
    return () if span is None else tuple(_at_end(ansatz, -speed, end.value) for end in span.ends)


def _at_end(ansatz: Ansatz, expression: sympy.Expr, end: sympy.Expr) -> sympy.Expr:
    """An expression where F = 0, F' = m at the first end, −m at the last; higher slopes must not matter."""
    closing, (name,) = closing_of(ansatz), ansatz.coordinates
    y = next(s for s in ansatz.metric.chart.symbols if s.name == name)
    value = closing.unknown.value
    slope = -closing.slope if end == span_of(ansatz).b else closing.slope  # type: ignore[union-attr]
    jets = sorted(expression.atoms(sympy.Derivative), key=lambda d: -len(d.variables))
    symbols = {jet: slope if len(jet.variables) == 1 else sympy.Dummy() for jet in jets}
    found = sympy.cancel(sympy.together(expression.xreplace(symbols)).xreplace({value: sympy.Integer(0)}))
    if found.atoms(sympy.Dummy):
        raise InputError(f"the end {end} of {name} moves with higher derivatives of {closing.unknown}, and is no "
                         "number of its own.")
    return found.xreplace({y: end})
