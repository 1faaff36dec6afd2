"""What a catalogue entry is: a metric, what is known of it, and how each claim is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.chart import Chart, ComplexChart
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.flows import follows_rates, is_soliton, satisfies_kahler_ricci_flow, satisfies_ricci_flow
from geomflow.symbolic.given import exactly, given, given_freely, names_in
from geomflow.symbolic.kahler import KahlerMetric
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.show import InLatex

TIME = sympy.Symbol("t", real=True)


def constant(what: str, value: Any, chart: Chart | ComplexChart) -> sympy.Expr:
    """A parameter of an entry: a number or an expression in names that neither the chart nor `TIME` has.

    Raises InputError for other names: a radius that is called r is no coordinate r.
    """
    expression = chart.expression(value)
    taken = sorted(names_in([expression]) & {*chart.coordinates, TIME.name})
    if taken:
        raise InputError(f"the {what} is {value}, but '{taken[0]}' is the name of a coordinate or of the time here; "
                         "give it another name")  # fmt: skip
    return expression


@final
@dataclass(frozen=True)
class Known:
    """Claims about a metric; what is None is not claimed.

    Parameters
    ----------
    ricci_flat : bool, optional
        Whether Ric = 0.
    einstein_constant : sympy expression, optional
        λ of Ric = λ g.
    scalar, riemann_squared, determinant : sympy expressions, optional
        R, |Rm|² and det g.
    flow : (d, d) sympy matrix, optional
        The solution of ∂_t g = −2 Ric that starts at the metric (at `TIME` = 0 unless the entry says otherwise).
    extinction : sympy expression, optional
        The time at which it ends.
    rates : mapping from symbols, optional
        The ordinary equations that Ricci flow becomes for parameters.
    soliton : pair, optional
        (X, λ) of Ric + ½ L_X g = λ g.
    """

    ricci_flat: bool | None = None
    einstein_constant: sympy.Expr | None = None
    scalar: sympy.Expr | None = None
    riemann_squared: sympy.Expr | None = None
    determinant: sympy.Expr | None = None
    flow: sympy.Matrix | None = None
    extinction: sympy.Expr | None = None
    rates: Mapping[sympy.Symbol, sympy.Expr] | None = None
    soliton: tuple[tuple[sympy.Expr, ...], sympy.Expr] | None = None


@final
@dataclass(frozen=True)
class Geometry(InLatex):
    """A metric with a name, what is known of it, and where that is from.

    Parameters
    ----------
    name, title : str
        The key in the catalogue, and the words for it.
    metric : Metric or KahlerMetric
        The metric.
    known : Known
        What is claimed of it.
    source : str
        Who found it, and where.
    facts : tuple of str
        What else is known, in words.
    """

    name: str
    title: str
    metric: Metric | KahlerMetric
    known: Known
    source: str
    facts: tuple[str, ...] = field(default=())

    def flow(self, time: Any = TIME) -> Metric | KahlerMetric | None:
        """The solution of Ricci flow through this metric, if it is known.

        Parameters
        ----------
        time : str, number or sympy expression
            When.
        """
        if self.known.flow is None:
            return None
        moved = self.known.flow.subs(TIME, given_freely(time))
        return type(self.metric)(self.metric.chart, moved)

    @cached_property
    def verified(self) -> dict[str, bool]:
        """Every claim that is made, and whether it was decided to be true."""
        checks: dict[str, Callable[[Any], bool]] = {
            "ricci_flat": lambda claim: self.metric.is_ricci_flat is claim,
            "einstein_constant": lambda claim: self._same(self.metric.einstein_constant, claim),
            "scalar": lambda claim: self._same(self.metric.scalar, claim),
            "riemann_squared": lambda claim: self._same(self._norm(), claim),
            "determinant": lambda claim: self._same(self.metric.determinant, claim),
            "flow": lambda claim: self._flows(),
            "rates": lambda claim: isinstance(self.metric, Metric) and follows_rates(self.metric, claim),
            "soliton": lambda claim: isinstance(self.metric, Metric) and is_soliton(self.metric, *claim),
        }
        claims = {name: getattr(self.known, name) for name in checks}
        return {name: checks[name](claim) for name, claim in claims.items() if claim is not None}

    def _norm(self) -> sympy.Expr:
        metric = self.metric
        return metric.riemann_squared if isinstance(metric, KahlerMetric) else metric.kretschmann

    def _flows(self) -> bool:
        moving = self.flow()
        if isinstance(moving, KahlerMetric):
            return satisfies_kahler_ricci_flow(moving, TIME, speed=2)
        return isinstance(moving, Metric) and satisfies_ricci_flow(moving, TIME)

    def _same(self, value: sympy.Expr | None, claim: sympy.Expr) -> bool:
        return value is not None and bool(all_zero([value - claim], self.metric.chart))

    def __str__(self) -> str:
        return f"{self.title}: {self.metric}"

    __repr__ = __str__

    def __exact__(self) -> sympy.Matrix:
        return self.metric.matrix

    def _latex(self, printer: Any = None) -> str:
        return rf"\text{{{self.title}: }} {self.metric._latex()}"


def einstein_known(metric: Metric | KahlerMetric, constant: Any, **more: Any) -> Known:
    """What follows from Ric = λ g: R = dλ, g(t) = (1 − 2λt) g, and the end at 1/(2λ) where λ > 0."""
    constant = exactly(given(constant))
    dim = metric.dim * (2 if isinstance(metric, KahlerMetric) else 1)
    flow = (1 - 2 * constant * TIME) * metric.matrix
    extinction = 1 / (2 * constant) if constant.is_positive else None
    claims = {
        "einstein_constant": constant,
        "scalar": dim * constant,
        "flow": sympy.Matrix(flow),
        "extinction": extinction,
    }
    return Known(**{**claims, **more})
