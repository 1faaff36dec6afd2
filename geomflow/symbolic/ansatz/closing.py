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


def closing_at(ansatz: Ansatz, end: End, name: str) -> Fibre | None:
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
    if not known and _closes_by_itself(ansatz, name):
        return None
    if len(known) != 1:
        raise InputError(f"at a pole of {name} an unknown vanishes that is the radius of a round sphere, and there are "
                         f"{len(known)} such ({', '.join(known) or 'none'}): say which, as in "
                         f"Interval(a, b, ends=('pole:psi', 'mirror')).")
    return next(iter(known.values()))


def _closes_by_itself(ansatz: Ansatz, name: str) -> bool:
    """Whether the components depend on the coordinate beside the unknowns, as those of a conformal factor do."""
    symbol = sympy.Symbol(name)
    bare = ansatz.metric.matrix.xreplace({u.value: sympy.Integer(1) for u in ansatz.unknowns})
    return symbol.name in {s.name for s in bare.free_symbols}


def radial(ansatz: Ansatz, name: str) -> tuple[Unknown, int] | None:
    """The unknown u of g_xx = u^{2/e} along a coordinate, and e; None where there is no such unknown."""
    place = ansatz.metric.chart.coordinates.index(name)
    for unknown in ansatz.unknowns:
        found = power_of(ansatz.metric, unknown)
        if found is not None and found[0][place, place] == 1:
            return unknown, found[1]
    return None


def end_pair(domain: Interval) -> tuple[End, End]:
    """The two ends."""
    low, high = domain.ends
    return low, high
