"""The volume of orbits: integrals over a manifold with symmetry become integrals over the coordinates of unknowns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import final

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.exact import all_zero, compute
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.signs import root_of_modulus

_PLACES = tuple(map(sympy.sympify, ("pi/2", "pi/3", "1/2", "1", "1/3", "2", "-1/2", "3", "0")))
"""Where the coordinates along orbits are put: the first that lie in the ranges and give a number."""


@final
@dataclass(frozen=True)
class Measure:
    """√det g over the orbits: `density` is a function of the unknowns' coordinates, `volume` its factor.

    ∫ s dV = `volume` · ∫ s `density` dx for a function s that is constant on orbits. Along a coordinate without ends
    or period, unit length is taken.
    """

    density: sympy.Expr
    volume: sympy.Expr


def measure_of(metric: Metric, own: Sequence[str]) -> Measure:
    """The measure of a metric whose unknowns depend on the `own` coordinates.

    Raises InputError where the volume density does not split into a function of these and one of all others.
    """
    at_point, share = _split(metric, own)
    endless = _endless(share, metric.chart, own)
    if endless:
        raise InputError(f"the volume of an orbit is infinite along {endless[0].name}: give the chart a range or a "
                         "period for it.")
    return Measure(at_point, _integrated(share, metric.chart, own))


def relative_measure_of(metric: Metric, own: Sequence[str]) -> Measure:
    """The same, but with the volume 1 for orbits of infinite volume: what runs tell of how volumes change.

    On groups that are not unimodular this is a left-invariant measure, unique up to a factor.
    """
    at_point, share = _split(metric, own)
    finite = not _endless(share, metric.chart, own)
    return Measure(at_point, _integrated(share, metric.chart, own) if finite else sympy.Integer(1))


def _split(metric: Metric, own: Sequence[str]) -> tuple[sympy.Expr, sympy.Expr]:
    """√det g at one place of each orbit, and the function of coordinates along orbits that is left."""
    chart, density = metric.chart, _density(metric)
    at_point = on_orbit(density, chart, own)
    share = normal(density / at_point, chart)
    slopes = [share.diff(s) for s in chart.symbols if s.name in own]
    if not all_zero(slopes, chart):
        raise InputError(f"the volume density {density} is no product of a function of {', '.join(own)} and one of the "
                         "other coordinates: there is no volume of orbits.")
    return at_point, share


def _density(metric: Metric) -> sympy.Expr:
    """√|det g|; of a diagonal metric by its factors, which stay apart."""
    if not metric.matrix.is_diagonal():
        return metric.volume_form
    return root_of_modulus(sympy.prod(metric.matrix.diagonal()), metric.chart.ranges)


def on_orbit(expression: sympy.Expr, chart: Chart, own: Sequence[str]) -> sympy.Expr:
    """The expression at one place of each orbit: all coordinates but the `own` are put to numbers."""
    others = [s for s in chart.symbols if s.name not in own and expression.has(s)]
    candidates = [inside(chart, s.name) for s in others]
    for places in product(*candidates):
        found = expression.xreplace(dict(zip(others, places, strict=True)))
        if not found.has(sympy.zoo, sympy.nan, sympy.oo) and found != 0:
            return found
    return sympy.Integer(0)


def inside(chart: Chart, name: str) -> list[sympy.Expr]:
    """Places along a coordinate that lie in its range."""
    low, high = chart.ranges.get(name, (-sympy.oo, sympy.oo))
    return [place for place in _PLACES if low < place and place < high]


def _integrated(share: sympy.Expr, chart: Chart, own: Sequence[str]) -> sympy.Expr:
    """The integral over orbits along coordinates of which it is a function, or which have ends."""
    for s in chart.symbols:
        low, high = _extent(chart, s)
        if s.name not in own and low.is_finite and high.is_finite:
            share = sympy.integrate(share, (s, low, high))
    return normal(share, chart)


def _endless(share: sympy.Expr, chart: Chart, own: Sequence[str]) -> list[sympy.Symbol]:
    """Coordinates along orbits without ends or period on which the density depends."""
    return [s for s in chart.symbols
            if s.name not in own and share.has(s) and not all(bound.is_finite for bound in _extent(chart, s))]


def _extent(chart: Chart, s: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
    low, high = chart.ranges.get(s.name, (sympy.Integer(0), chart.periods.get(s.name, sympy.oo)))
    return low, low + chart.periods[s.name] if s.name in chart.periods else high


def normal(expression: sympy.Expr, chart: Chart) -> sympy.Expr:
    """The normal form of an expression in the first ring that holds it."""
    found: sympy.Expr = compute([expression], chart, lambda ring: ring.write([ring.read(expression)])[0])
    return found
