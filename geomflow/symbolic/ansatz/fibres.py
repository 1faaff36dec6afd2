"""Spheres among the orbits of an ansatz: which unknowns are their radii, alone or together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.measure import measure_of, normal
from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.exact import all_zero, compute, read_array
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.ring import ExactRing

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


@final
@dataclass(frozen=True)
class Fibre:
    """A round sphere of radius `cone` · u^{1/`exponent`} among the orbits, of an unknown u.

    Where several vanish together, the sphere is that of equal ones.

    Parameters
    ----------
    unknown : Unknown
        u.
    exponent : int
        1 where the metric holds u², 2 where it holds u.
    cone : sympy expression
        The radius where u is 1; of a circle its length over 2π.
    dim : int
        Of the sphere.
    share : sympy expression
        Of the sphere that the orbit is: 1/k of a quotient by k motions, which does not close to a point.
    """

    unknown: Unknown
    exponent: int
    cone: sympy.Expr
    dim: int
    share: sympy.Expr


def fibres(ansatz: Ansatz) -> dict[str, Fibre]:
    """The unknowns that are radii of round spheres among the orbits, by name."""
    found = {unknown.name: closed_by(ansatz, (unknown,)) for unknown in ansatz.unknowns}
    return {name: spheres[0] for name, spheres in found.items() if spheres}


def conformal_to(metric: Metric, unknown: Unknown, place: int) -> sympy.Matrix | None:
    """H with g = F(u) H in all components and 1 at (place, place), as in u² H and e^{2u} H; None if it is not."""
    for value in (1, 0):
        bare = metric.matrix.subs(unknown.value, value)
        whole = metric.matrix - metric.matrix[place, place] * bare
        if bare[place, place] == 1 and metric.matrix[place, place] != 1 and all_zero(list(whole), metric.chart):
            return bare
    return None


def power_of(metric: Metric, unknown: Unknown) -> tuple[sympy.Matrix, int] | None:
    """H and e with g = u^{2/e} H in all components that hold u; None where there are none."""
    held = metric.matrix.applyfunc(lambda entry: entry if entry.has(unknown.value) else sympy.Integer(0))
    for power in (1, 2):
        matrix = held.applyfunc(lambda entry, power=power: entry / unknown.value**power)
        if all_zero([entry.diff(unknown.value) for entry in matrix], metric.chart):
            return matrix.subs(unknown.value, 1), 2 // power
    return None


def share_of(metric: Metric, unknown: Unknown) -> tuple[sympy.Matrix, int] | None:
    """H and e with g = u^{2/e} H + what holds no u; None where there are none."""
    slope = metric.matrix.diff(unknown.value)
    for power in (1, 2):
        matrix = slope / (power * unknown.value ** (power - 1))
        if all_zero([entry.diff(unknown.value) for entry in matrix], metric.chart):
            return matrix.applyfunc(
                lambda entry: normal(entry, metric.chart) if entry.has(unknown.value) else entry), 2 // power
    return None


def closed_by(ansatz: Ansatz, unknowns: Sequence[Unknown]) -> tuple[Fibre, ...]:
    """The sphere that is a point where these unknowns vanish together, one fibre for each; () where there is none.

    With g = Σ u_k^{2/e_k} H_k + h it lies along the coordinates of which h knows nothing, and Σ H_k is round along
    these. A circle may go along with others (dψ + A), if nothing depends on where one is on it.
    """
    metric, chart = ansatz.metric, ansatz.metric.chart
    parts = [share_of(metric, unknown) if unknown.positive else None for unknown in unknowns]
    known = [part for part in parts if part is not None]
    if len(known) < len(unknowns):
        return ()
    total = sum((matrix for matrix, _ in known), sympy.zeros(metric.dim, metric.dim))
    rest = metric.matrix.xreplace({unknown.value: sympy.Integer(0) for unknown in unknowns})
    along = [n for n in range(metric.dim) if chart.coordinates[n] not in ansatz.coordinates and total[n, n] != 0
             and all_zero(list(rest.row(n)), chart)]
    own = {s for s in chart.symbols if s.name in ansatz.coordinates}
    if not along or total.free_symbols & own:
        return ()
    found = _circle(chart, along[0], total, rest) if len(along) == 1 else _sphere(chart, along, total)
    if found is None:
        return ()
    return tuple(Fibre(u, exponent, found[0], len(along), found[1])
                 for u, (_, exponent) in zip(unknowns, known, strict=True))


def _circle(chart: Chart, place: int, total: sympy.Matrix,
            rest: sympy.Matrix) -> tuple[sympy.Expr, sympy.Expr] | None:
    """The length over 2π of a circle with the metric c² (dψ + A)²; None where it is none."""
    symbol, square = chart.symbols[place], total[place, place]
    period = chart.periods.get(symbol.name)
    left = total - total.col(place) * total.row(place) / square
    if period is None or square.free_symbols or total.has(symbol) or rest.has(symbol) or not all_zero(left, chart):
        return None
    return sympy.sqrt(square) * period / (2 * sympy.pi), sympy.Integer(1)


def _sphere(chart: Chart, along: list[int], total: sympy.Matrix) -> tuple[sympy.Expr, sympy.Expr] | None:
    """The radius of a round sphere along some coordinates, and the share of it that the chart covers."""
    across = [n for n in range(chart.dim) if n not in along]
    if any(total[n, k] != 0 for n in across for k in range(chart.dim)):
        return None
    symbols = [chart.symbols[n] for n in along]
    names, count = [s.name for s in symbols], len(symbols)
    sphere = Metric(Chart(symbols, ranges={n: r for n, r in chart.ranges.items() if n in names},
                          periods={n: p for n, p in chart.periods.items() if n in names}), total.extract(along, along))
    scalar = normal(sphere.scalar, sphere.chart)
    if scalar.free_symbols or not scalar.is_positive or not _is_round(sphere, scalar / (count * (count - 1))):
        return None
    radius = sympy.sqrt(count * (count - 1) / scalar)
    return radius, _share(sphere, radius)


def _is_round(sphere: Metric, curvature: sympy.Expr) -> bool:
    """Whether R_lkij = K (g_li g_kj − g_lj g_ki)."""
    riemann, dim = sphere.riemann_lower, range(sphere.dim)

    def task(ring: ExactRing[sympy.Expr]) -> bool:
        g, rm, factor = read_array(ring, sphere.matrix), read_array(ring, riemann), ring.read(curvature)
        left = [rm[m, k, i, j] - factor * (g[m, i] * g[k, j] - g[m, j] * g[k, i])
                for m, k, i, j in np.ndindex((len(dim),) * 4)]
        return all(ring.is_zero(entry) for entry in left)

    return compute([*sphere.matrix, *riemann], sphere.chart, task)


def _share(sphere: Metric, radius: sympy.Expr) -> sympy.Expr:
    """The volume over that of the whole sphere; 1 where the chart does not say how far its coordinates go."""
    try:
        measure = measure_of(sphere, ())
    except InputError:
        return sympy.Integer(1)
    half = sympy.Rational(sphere.dim + 1, 2)
    whole = 2 * sympy.pi**half / sympy.gamma(half) * radius**sphere.dim
    return sympy.simplify(measure.density * measure.volume / whole)


def is_unit_sphere(chart: Chart, along: list[int], matrix: sympy.Matrix) -> bool:
    """Whether a metric along some coordinates is that of a round unit sphere."""
    found = _sphere(chart, along, matrix)
    return found is not None and found[0] == 1
