"""Where unknowns of one coordinate are least and largest: necks and bumps, to the accuracy of the basis."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.ansatz import Interval
from geomflow.symbolic.ansatz.axis import HIGH_ROOT, LOW_ROOT
from geomflow.symbolic.ansatz.regular_fields import RegularField, even_ends

if TYPE_CHECKING:
    from geomflow.field.reduced.state import ReducedState

NOISE = 1e-12
"""Slopes smaller than this beside the largest value over the length are zero."""

ACCURACY = 1e-14
"""Of places."""


class Extrema(NamedTuple):
    """Places and values of extrema, by increasing place.

    Parameters
    ----------
    places : (M,) array
        In the coordinate.
    values : (M,) array
        Of the unknown there.
    """

    places: np.ndarray
    values: np.ndarray


def extrema(state: ReducedState, name: str, sign: int) -> Extrema:
    """The local minima (sign 1) or maxima (−1) of an unknown: roots of its derivative's interpolant.

    An end about which the unknown is even counts, one where it vanishes does not. Raises InputError for an unknown
    that is not a function of one coordinate, along which alone the grid is.
    """
    require_known("unknown", name, state.unknowns)
    field = next(f for f in state.fields if f.unknown.name == name)
    if len(state.grid.bases) != 1 or len(field.unknown.coordinates) != 1:
        raise InputError(f"necks and bumps are those of functions of one coordinate, and '{field.unknown}' on "
                         f"{state.grid!r} is none.")
    slope, x = sign * _slope(state, field), state.grid.places
    values = state.grid.fine @ slope
    seen = np.flatnonzero(np.abs(values) > NOISE * np.abs(state[name]).max() / np.ptp(x))
    turns = [(x[a], x[b]) for a, b in pairwise(seen) if values[a] < 0 < values[b]]
    ends = _at_ends(state, field, values[seen[0]], values[seen[-1]]) if len(seen) else []
    places = np.sort([*ends, *(_root(state, slope, low, high) for low, high in turns)])
    return Extrema(places, state.at(name, places) if len(places) else places)


def _at_ends(state: ReducedState, field: RegularField, first: float, last: float) -> list[float]:
    """Ends that are minima where the slope is `first` and `last` beside them; the two of a circle are one."""
    x = state.grid.places
    domain = state.grid.ansatz.domain[state.grid.coordinates[0]]
    if not isinstance(domain, Interval):
        return [x[0]] if last < 0 < first else []
    low, high = even_ends(field, domain)
    return [*([x[0]] if low and first > 0 else []), *([x[-1]] if high and last < 0 else [])]


def _slope(state: ReducedState, field: RegularField) -> np.ndarray:
    """u' at the points, without what it vanishes like at ends about which u is even."""
    (symbol,) = field.unknown.value.args
    slope = state.evaluated(field.unknown.value.diff(symbol))
    domain = state.grid.ansatz.domain[symbol.name]
    if not isinstance(domain, Interval):
        return slope
    for even, root in zip(even_ends(field, domain), (LOW_ROOT, HIGH_ROOT), strict=True):
        if even:
            slope = slope / state.grid.statics[f"{root}_{symbol.name}"]
    return slope


def _root(state: ReducedState, slope: np.ndarray, low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda x: float((state.grid.basis.at([x]) @ slope)[0]), low, high, xtol=ACCURACY))
