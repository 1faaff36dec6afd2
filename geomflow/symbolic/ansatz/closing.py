"""How orbits close at the ends of an interval: which unknowns vanish there, and which multiples of them are radii."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.domain import End, Interval
from geomflow.symbolic.ansatz.fibres import Fibre, closed_by, conformal_to, fibres, is_unit_sphere, power_of
from geomflow.symbolic.ansatz.unknowns import Unknown

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


def closing_at(ansatz: Ansatz, end: End, name: str, at: sympy.Expr) -> tuple[Fibre, ...]:
    """The unknowns that vanish at an end of the coordinate `name`; none at a mirror, and where nothing vanishes.

    Raises InputError where unknowns cannot close smoothly, or where several can and nothing says which do.
    """
    if not end.closes:
        return ()
    found = _named(ansatz, end, name) if end.names else _found(ansatz, end, name, at)
    for fibre in found:
        if fibre.share != 1:
            raise InputError(f"at the {end.kind} of {name} the orbits are {fibre.share} of a sphere of dimension "
                             f"{fibre.dim}, and do not close smoothly to a point: take a bolt, or the whole sphere.")
    return found


def _named(ansatz: Ansatz, end: End, name: str) -> tuple[Fibre, ...]:
    """The unknowns that the user has named."""
    found = closed_by(ansatz, [ansatz.unknown(own) for own in end.names])
    if not found and len(end.names) == 1:
        raise InputError(f"'{end.names[0]}' is no radius of a round sphere among the orbits of {ansatz}, and these "
                         f"cannot close where it vanishes; such radii are {', '.join(fibres(ansatz)) or 'none'}.")
    if not found:
        raise InputError(f"{', '.join(end.names)}, where they are equal, are no radius of a round sphere among the "
                         f"orbits of {ansatz}: these cannot close where they vanish together.")
    _require_kind(ansatz, end, name, found)
    return found


def _require_kind(ansatz: Ansatz, end: End, name: str, found: Sequence[Fibre]) -> None:
    whole = found[0].dim + 1 == ansatz.metric.dim
    if end.kind == "nut" and not whole:
        raise InputError(f"at a nut of {name} all orbits close to a point, and where {_told(found)} vanishes others "
                         "stay: that is a bolt.")
    if end.kind == "bolt" and whole:
        raise InputError(f"at a bolt of {name} some orbits stay, and where {_told(found)} vanishes all close to a "
                         "point: that is a pole, or a nut.")


def _told(found: Sequence[Fibre]) -> str:
    return " and ".join(f"'{fibre.unknown.name}'" for fibre in found)


def _found(ansatz: Ansatz, end: End, name: str, at: sympy.Expr) -> tuple[Fibre, ...]:
    """The unknowns that can vanish, where there is no choice."""
    if end.kind == "nut":
        return _at_nut(ansatz, name)
    known = fibres(ansatz)
    if end.kind == "bolt":
        known = {own: fibre for own, fibre in known.items() if fibre.dim + 1 < ansatz.metric.dim}
    elif not known and is_closed(ansatz, name, at):
        return ()
    if not known and end.kind == "pole":
        raise InputError(f"nothing closes at the pole of {name}: no unknown is the radius of a round sphere, and "
                         f"the metric is no multiple F(u) (d{name}² + f² g_S), f = {name} − {at} + O(({name} − {at})³),"
                         " of whole circles or spheres.")
    if len(known) != 1:
        raise InputError(f"at a {end.kind} of {name} an unknown vanishes that is the radius of a round sphere, and "
                         f"there are {len(known)} such ({', '.join(known) or 'none'}): say which, as in "
                         f"Interval(a, b, ends=('{end.kind}:psi', 'mirror')).")
    return (next(iter(known.values())),)


def _at_nut(ansatz: Ansatz, name: str) -> tuple[Fibre, ...]:
    """All unknowns but the one along the coordinate."""
    along = radial(ansatz, name)
    own = [u for u in ansatz.unknowns if along is None or u != along[0]]
    found = closed_by(ansatz, own)
    if not found or found[0].dim + 1 < ansatz.metric.dim:
        raise InputError(f"at a nut of {name} all orbits close to a point together, as a sphere does that is round "
                         f"where {', '.join(u.name for u in own) or 'all unknowns'} are equal; the orbits of {ansatz} "
                         "are no such sphere. Take a pole or a bolt, or scale the unknowns so that they are equal "
                         "there.")
    return found


def is_closed(ansatz: Ansatz, name: str, at: sympy.Expr) -> bool:
    """Whether the metric is a function of one unknown times dx² + f² H + …, closing smoothly where x is `at`.

    H is the metric of a round unit sphere, and f² begins with (x − at)² and has no cubic term.
    """
    metric, (unknown, *more), chart = ansatz.metric, ansatz.unknowns, ansatz.metric.chart
    place, x = chart.coordinates.index(name), next(s for s in chart.symbols if s.name == name)
    bare = None if more else conformal_to(metric, unknown, place)
    if bare is None:
        return False
    held = [k for k in range(metric.dim) if k != place and bare[k, k].has(x)]
    apart = all(bare[k, j] == 0 for k in held for j in range(metric.dim) if j not in held)
    if not held or bare[place, place] != 1 or not apart or bare[held[0], held[0]].free_symbols != {x}:
        return False
    square = bare[held[0], held[0]]
    sphere = sympy.zeros(metric.dim, metric.dim)
    for k, j in product(held, held):
        sphere[k, j] = sympy.cancel(bare[k, j] / square)
    if sphere.has(x):
        return False
    if len(held) == 1:
        square *= (chart.periods.get(chart.symbols[held[0]].name, 0) / (2 * sympy.pi)) ** 2
    elif not is_unit_sphere(chart, held, sphere):
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
