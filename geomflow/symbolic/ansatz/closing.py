"""How orbits close at a pole: which unknown vanishes there, and which multiple of it is a radius."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.domain import End, Interval
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
    """A round sphere of radius `cone` · u^{1/`exponent`} among the orbits, of the unknown u.

    Parameters
    ----------
    unknown : Unknown
        u.
    exponent : int
        1 where the metric holds u², 2 where it holds u.
    cone : sympy expression
        1 for spheres of two or more dimensions; of a circle its length over 2π.
    """

    unknown: Unknown
    exponent: int
    cone: sympy.Expr


def fibres(ansatz: Ansatz) -> dict[str, Fibre]:
    """The unknowns that are radii of round spheres among the orbits, by name."""
    found = {unknown.name: _fibre(ansatz.metric, unknown) for unknown in ansatz.unknowns}
    return {name: fibre for name, fibre in found.items() if fibre is not None}


def power_of(metric: Metric, unknown: Unknown) -> tuple[sympy.Matrix, int] | None:
    """H and e with g = u^{2/e} H in all components that hold u; None where there are none."""
    held = metric.matrix.applyfunc(lambda entry: entry if entry.has(unknown.value) else sympy.Integer(0))
    for power in (1, 2):
        matrix = held.applyfunc(lambda entry, power=power: entry / unknown.value**power)
        if all_zero([entry.diff(unknown.value) for entry in matrix], metric.chart):
            return matrix.subs(unknown.value, 1), 2 // power
    return None


def _fibre(metric: Metric, unknown: Unknown) -> Fibre | None:
    found = power_of(metric, unknown)
    if found is None or not unknown.positive:
        return None
    matrix, exponent = found
    held = [n for n in range(metric.dim) if any(matrix[n, k] != 0 for k in range(metric.dim))]
    others = [n for n in range(metric.dim) if n not in held]
    block = matrix.extract(held, held)
    own = {s.name for s in metric.chart.symbols if s.name in unknown.coordinates}
    apart = all(metric.matrix[n, k] == 0 for n in held for k in others)
    if not apart or {s.name for s in block.free_symbols} & own or any(metric.chart.coordinates[n] in own for n in held):
        return None
    symbols = [metric.chart.symbols[n] for n in held]
    if len(held) > 1:
        return Fibre(unknown, exponent, sympy.Integer(1)) if _is_unit_sphere(metric.chart, symbols, block) else None
    period = metric.chart.periods.get(symbols[0].name)
    if period is None or block.free_symbols:
        return None
    return Fibre(unknown, exponent, sympy.sqrt(block[0, 0]) * period / (2 * sympy.pi))


def _is_unit_sphere(chart: Chart, symbols: list[sympy.Symbol], matrix: sympy.Matrix) -> bool:
    """Whether R_lkij = g_li g_kj − g_lj g_ki."""
    names = [s.name for s in symbols]
    inner = Chart(symbols, ranges={n: r for n, r in chart.ranges.items() if n in names})
    riemann = Metric(inner, matrix).riemann_lower
    dim = range(len(symbols))

    def task(ring: ExactRing[sympy.Expr]) -> bool:
        g, rm = read_array(ring, matrix), read_array(ring, riemann)
        left = [rm[m, k, i, j] - (g[m, i] * g[k, j] - g[m, j] * g[k, i])
                for m, k, i, j in np.ndindex((len(dim),) * 4)]
        return all(ring.is_zero(entry) for entry in left)

    return compute([*matrix, *riemann], inner, task)


def closing_at(ansatz: Ansatz, end: End, name: str, at: sympy.Expr) -> Fibre | None:
    """The unknown that vanishes at an end of the coordinate `name`; None at a mirror, and where nothing vanishes.

    Raises InputError where an unknown cannot close smoothly, or where several can and nothing says which does.
    """
    if end.kind != "pole":
        return None
    known = fibres(ansatz)
    if end.closing:
        ansatz.unknown(end.closing)
        if end.closing not in known:
            raise InputError(f"'{end.closing}' is no radius of a round sphere among the orbits of {ansatz}, and these "
                             f"cannot close where it vanishes; such radii are {', '.join(known) or 'none'}.")
        return known[end.closing]
    if not known and is_closed(ansatz, name, at):
        return None
    if len(known) != 1:
        raise InputError(f"at a pole of {name} an unknown vanishes that is the radius of a round sphere, and there are "
                         f"{len(known)} such ({', '.join(known) or 'none'}): say which, as in "
                         f"Interval(a, b, ends=('pole:psi', 'mirror')).")
    return next(iter(known.values()))


def is_closed(ansatz: Ansatz, name: str, at: sympy.Expr) -> bool:
    """Whether the metric is one unknown times dx² + f² H + …, which closes smoothly where the coordinate is `at`.

    H is the metric of a round unit sphere, and f² begins with (x − at)² and has no cubic term.
    """
    metric, (unknown, *more) = ansatz.metric, ansatz.unknowns
    found = power_of(metric, unknown)
    if more or found is None or any(not entry.has(unknown.value) for entry in metric.matrix if entry != 0):
        return False
    bare, chart = found[0], metric.chart
    place, x = chart.coordinates.index(name), next(s for s in chart.symbols if s.name == name)
    held = [k for k in range(metric.dim) if k != place and bare[k, k].has(x)]
    apart = all(bare[k, j] == 0 for k in held for j in range(metric.dim) if j not in held)
    if not held or bare[place, place] != 1 or not apart or bare[held[0], held[0]].free_symbols != {x}:
        return False
    square, symbols = bare[held[0], held[0]], [chart.symbols[k] for k in held]
    sphere = bare.extract(held, held) / square
    if any(entry.has(x) for entry in sphere.applyfunc(sympy.cancel)):
        return False
    if len(held) == 1:
        square *= (chart.periods.get(symbols[0].name, 0) / (2 * sympy.pi)) ** 2
    elif not _is_unit_sphere(chart, symbols, sphere.applyfunc(sympy.cancel)):
        return False
    return [square.diff(x, k).subs(x, at) for k in range(4)] == [0, 0, 2, 0]


def _depends_beside_unknowns(ansatz: Ansatz, name: str) -> bool:
    """Whether the components depend on the coordinate beside the unknowns, as those of a conformal factor do."""
    symbol = sympy.Symbol(name)
    bare = ansatz.metric.matrix.xreplace({u.value: sympy.Integer(1) for u in ansatz.unknowns})
    return symbol.name in {s.name for s in bare.free_symbols}


def radial(ansatz: Ansatz, name: str) -> tuple[Unknown, int] | None:
    """The unknown u of g_xx = u^{2/e} along a coordinate, and e; None where there is no such unknown.

    It may occur nowhere else, nor the coordinate beside unknowns: then the metric is moved along x by moving unknowns.
    """
    place = ansatz.metric.chart.coordinates.index(name)
    if _depends_beside_unknowns(ansatz, name):
        return None
    for unknown in ansatz.unknowns:
        found = power_of(ansatz.metric, unknown)
        if found is not None and found[0] == _single(ansatz.metric.dim, place):
            return unknown, found[1]
    return None


def _single(dim: int, place: int) -> sympy.Matrix:
    """1 at (place, place), else 0."""
    return sympy.Matrix(dim, dim, lambda i, j: int(i == j == place))


def end_pair(domain: Interval) -> tuple[End, End]:
    """The two ends."""
    low, high = domain.ends
    return low, high
