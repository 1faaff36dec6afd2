"""Extremal Kähler metrics on a span, exactly: the scalar curvature is affine in the momentum.

R is linear in F, R D = h − 2 (D F)'' with the density D of volumes, so that (D F)'' = (h − (A + By) D)/2 is integrated,
and F = 0, F' = ±m at the ends are four linear equations (E. Calabi, Extremal Kähler metrics, 1982).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.ansatz.exact_places import checked_class, formula, values_at
from geomflow.symbolic.ansatz.measure import measure_of
from geomflow.symbolic.ansatz.span import closing_of, ends_of, span_of
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.given import given_freely
from geomflow.symbolic.show import InLatex, latex

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


@final
@dataclass(frozen=True)
class Extremal(InLatex):
    """The extremal metric of each Kähler class. Made by `ansatz.extremal()`.

    Parameters
    ----------
    ansatz : Ansatz
        What the metrics are of.
    profile : sympy expression
        F, in y and the ends.
    scalar : sympy expression
        R = A + By.
    futaki : sympy expression
        ∫ (y − ȳ)(R − R̄) dV, Futaki's invariant of the field J∇y; R is constant where it vanishes.
    ends : mapping
        The ends that are numbers, by name.
    """

    ansatz: Ansatz
    profile: sympy.Expr
    scalar: sympy.Expr
    futaki: sympy.Expr
    ends: Mapping[str, sympy.Expr] = field(default_factory=dict)

    def of(self, **ends: object) -> Extremal:
        """That of one class.

        Raises UnknownNameError for another name, PositivityError for a class that is outside of its cone.

        Parameters
        ----------
        **ends : number or text
            The ends by name, such as a=1, b=2.
        """
        for name in ends:
            require_known("end", name, [end.name for end in ends_of(self.ansatz)])
        numbers = {name: given_freely(value) for name, value in ends.items()}
        fixed = {**self.ends, **numbers}
        checked_class(self.ansatz, fixed)
        profile, scalar, futaki = (sympy.factor(_with(part, numbers)) for part in
                                   (self.profile, self.scalar, self.futaki))
        return Extremal(self.ansatz, profile, scalar, futaki, fixed)

    def at(self, y: Any) -> np.ndarray:
        """F at places y, to the last digit.

        Raises InputError where an end is free, and for places outside of the span.

        Parameters
        ----------
        y : (M,) array
            Places.
        """
        return values_at(self.ansatz, self.profile, self.ends, {}, y)

    def scalar_at(self, y: Any, text: str = "R") -> np.ndarray:
        """A function of the metric at places y, such as "R" or "Rm2", from the exact geometry; see `at`.

        Parameters
        ----------
        y : (M,) array
            Places.
        text : str
            In the language of `Flow.from_expression`.
        """
        expression = self.scalar if text == "R" else formula(self.ansatz, self.profile, text)
        return values_at(self.ansatz, expression, self.ends, {}, y)

    def __exact__(self) -> tuple[sympy.Expr, ...]:
        return self.profile, self.scalar, self.futaki

    def __str__(self) -> str:
        return f"F = {self.profile}, R = {self.scalar}"

    __repr__ = __str__

    def _latex(self, printer: object = None) -> str:
        return rf"F = {latex(self.profile)}, \quad R = {latex(self.scalar)}"


def _with(expression: sympy.Expr, numbers: Mapping[str, sympy.Expr]) -> sympy.Expr:
    return expression.xreplace({s: numbers[s.name] for s in expression.free_symbols if s.name in numbers})


def extremal_on(ansatz: Ansatz) -> Extremal:
    """The extremal metrics of an ansatz. Raises InputError where it is on no span, or R is not linear in F."""
    span = span_of(ansatz)
    if span is None:
        raise InputError(f"extremal metrics are found of metrics on a Span, such as the ansatz \"momentum\"; this is "
                         f"{ansatz}.")
    closing, measure = closing_of(ansatz), measure_of(ansatz.metric, ansatz.coordinates)
    value, m, density = closing.unknown.value, closing.slope, measure.density
    y = value.args[0]
    given = sympy.expand(sympy.cancel(ansatz.scalar("R") * density + 2 * (density * value).diff(y, 2)))
    if given.has(value) or not all_zero([given.diff(value)], ansatz.metric.chart):
        raise InputError("the scalar curvature of this metric is not linear in its profile: find extremal metrics by "
                         "steady(CalabiFlow(), ...).")
    unknown = low, slope, shift, tilt = sympy.symbols("A B c0 c1")
    bent = sympy.integrate(sympy.integrate(sympy.expand((given - (low + slope * y) * density) / 2), y), y)
    profile = sympy.expand((bent + shift + tilt * y) / density)
    ends = [profile.subs(y, span.b), profile.diff(y).subs(y, span.b) + m]
    ends += [shift, tilt] if span.a == 0 else [profile.subs(y, span.a), profile.diff(y).subs(y, span.a) - m]
    found = sympy.solve(ends, unknown, dict=True)[0]
    scalar = sympy.factor(found[low]) + sympy.factor(found[slope]) * y
    whole, first, second = (sympy.integrate(density * y**k, (y, span.a, span.b)) for k in range(3))
    spread = sympy.cancel(found[slope] * (second - first**2 / whole))
    return Extremal(ansatz, sympy.factor(profile.subs(found)), scalar, sympy.factor(measure.volume * spread))
