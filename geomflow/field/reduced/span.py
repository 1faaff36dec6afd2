"""Metrics on a span from a to b: F at any place from the regular field w and the ends, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import sympy

from geomflow.core.errors import InputError, PositivityError, ShapeError, require_known
from geomflow.core.graph.multiple_precision import in_multiple_precision
from geomflow.core.numbers import real_array
from geomflow.field.reduced.reading import ALLOWED, DIGITS, NEAR, RESOLVED
from geomflow.symbolic.ansatz.span import closing_of, ends_of, span_of
from geomflow.symbolic.given import given_freely

if TYPE_CHECKING:
    from geomflow.field.reduced.grid import ReducedGrid

SPIKE = 14.0
"""The logarithm of a ratio to the slope that is none: the profile does not vanish, or does by a higher power."""


def ends_in(grid: ReducedGrid, rows: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """a and b.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    rows : mapping
        Values of the regular fields by name.
    """
    span = span_of(grid.ansatz)
    assert span is not None
    low, high = (float(rows[end.name].flat[0]) if end.is_Symbol else 0.0 for end in (span.a, span.b))
    return low, high


def place_at(low: Any, high: Any, share: Any) -> Any:
    """y of a share u, of numbers, arrays, or numbers of many digits."""
    if low == 0:
        return high * share
    root = (high / low) ** 0.5
    return low * root * (1 + (root - 1) * share) / (1 + (root - 1) * (1 - share))


def stretch_at(low: Any, high: Any, share: Any) -> Any:
    """y_u."""
    if low == 0:
        return high
    root = (high / low) ** 0.5
    return (high - low) * root / (1 + (root - 1) * (1 - share)) ** 2


def share_at(low: Any, high: Any, y: Any) -> Any:
    """u of a place y."""
    if low == 0:
        return y / high
    root = (high / low) ** 0.5
    return root * (y - low) * (root + 1) / ((high - low) / low * (y + low * root))


def shares_of(grid: ReducedGrid, rows: Mapping[str, np.ndarray], points: Any) -> np.ndarray:
    """The shares u of places y.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    rows : mapping
        Values of the regular fields by name.
    points : (M,) array
        y.
    """
    low, high = ends_in(grid, rows)
    y = np.atleast_1d(np.asarray(points, dtype=float))
    slack = 4 * np.finfo(float).eps * high
    if not ((y >= low - slack) & (y <= high + slack)).all():
        raise InputError(f"a place is outside of the span from {low:.6g} to {high:.6g} on which the metric lives.")
    return np.clip(share_at(low, high, y), 0.0, 1.0)


def span_unknowns(grid: ReducedGrid, rows: Mapping[str, np.ndarray], shares: np.ndarray) -> dict[str, np.ndarray]:
    """F = m y_u ρ²/4 e^{ρ²w}, and the ends.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    rows : mapping
        Values of the regular fields by name.
    shares : array
        u at the same places.
    """
    closing, profile = closing_of(grid.ansatz), grid.ansatz.regular.fields[0]
    low, high = ends_in(grid, rows)
    square = 4 * shares * (1 - shares)
    size = float(closing.slope) / 4 * stretch_at(low, high, shares)
    found = {closing.unknown.name: size * square * np.exp(square * rows[profile.name])}
    return found | {end.name: np.full(len(square), rows[end.name].flat[0]) for end in ends_of(grid.ansatz)}


def span_rows(grid: ReducedGrid, given: Mapping[str, Any]) -> np.ndarray:
    """The regular fields of a state, (fields, N).

    Raises InputError and PositivityError for ends out of their order, and for profiles that do not vanish at the ends
    with the slopes of a smooth metric, or that are not positive between.

    Parameters
    ----------
    grid : ReducedGrid
        On a span.
    given : mapping
        F as text, an expression, a function of y, or an array at the points; numbers for the ends.
    """
    closing, span = closing_of(grid.ansatz), span_of(grid.ansatz)
    assert span is not None
    name, ends = closing.unknown.name, [end.name for end in span.ends]
    for key in given:
        require_known("unknown", key, (name, *ends))
    missing = [key for key in (name, *ends) if key not in given]
    if missing:
        raise InputError(f"the unknown '{missing[0]}' has no value: give one for each of {', '.join((name, *ends))}.")
    numbers = {key: _end(key, given[key]) for key in ends}
    low, high = (numbers.get(str(end), 0.0) for end in (span.a, span.b))
    if not (0 <= low < high < np.inf) or (low == 0 and len(ends) == 2):
        raise PositivityError(f"a span goes from a positive number to a larger one, and ({low:.6g}, {high:.6g}) was "
                              "given: the Kähler class is outside of its cone.")
    field = grid.ansatz.regular.fields[0]
    row = _of_profile(grid, given[name], numbers, float(closing.slope), low, high)
    kept = grid.basis_of(field).project @ row
    lost = float(np.abs(kept - row).max())
    if not lost <= RESOLVED * max(float(np.abs(row).max()), 1.0):
        raise InputError(f"the grid does not resolve '{name}': {lost:.2g} of it is lost. Take more points, or a "
                         "profile that is smooth up to the ends.")
    return np.stack([kept, *(np.full(grid.basis.size, numbers[key]) for key in ends)])


def _of_profile(grid: ReducedGrid, given: Any, numbers: Mapping[str, float], slope: float, low: float,
                high: float) -> np.ndarray:
    """w = log(4F/(m y_u ρ²))/ρ² at the points."""
    (shares,), square = grid.basis.x, grid.square(grid.ansatz.regular.fields[0])
    if isinstance(given, str | sympy.Basic | int | float) and not isinstance(given, bool):
        return _of_text(grid, given, numbers, slope, low, high)
    y = place_at(low, high, shares)
    values = real_array([given(s) for s in y] if callable(given) else given, "what is given for the profile")
    if values.shape != (grid.basis.size,):
        raise ShapeError(f"values of shape {values.shape} were given for the profile, and the grid has {grid.shape}.")
    if not values.min() > 0:
        raise PositivityError(f"the profile is {values.min():.6g} at a point: it must be positive between the ends.")
    return np.asarray(np.log(4 * values / (slope * stretch_at(low, high, shares) * square)) / square)


def _of_text(grid: ReducedGrid, given: Any, numbers: Mapping[str, float], slope: float, low: float,
             high: float) -> np.ndarray:
    """The same of an expression in y and the ends, with 40 digits."""
    chart, (name,) = grid.ansatz.metric.chart, grid.coordinates
    known = [*numbers]
    expression = chart.expression(given, parameters=known)
    strange = sorted({s.name for s in expression.free_symbols} - {name, *known})
    if strange:
        raise InputError(f"the profile depends on '{strange[0]}', and may depend on {', '.join((name, *known))}.")
    function = in_multiple_precision(expression, [name, *known])
    with mpmath.workdps(DIGITS):
        a, b, exact = mpmath.mpf(low), mpmath.mpf(high), [mpmath.mpf(numbers[key]) for key in known]

        def excess(u: Any) -> Any:
            value = function(place_at(a, b, u), *exact)
            if not (mpmath.im(value) == 0 and mpmath.re(value) > 0):
                place = float(place_at(a, b, u))
                raise PositivityError(f"the profile is {mpmath.nstr(value, 6)} at {name} = {place:.6g}: it must be "
                                      "positive between the ends.")
            return mpmath.log(value / (slope * stretch_at(a, b, u) * u * (1 - u)))

        for last in (False, True):
            _require_closing(excess, name, place_at(a, b, mpmath.mpf(int(last))), slope, last=last)
        return np.array([float(excess(u) / (4 * u * (1 - u))) for u in map(mpmath.mpf, map(float, grid.basis.x[0]))])


def _require_closing(excess: Any, name: str, end: Any, slope: float, *, last: bool) -> None:
    """Raises InputError for a profile that does not vanish at an end, or has another slope there than ±m."""
    share = excess(1 - NEAR if last else NEAR)
    if abs(share) < ALLOWED:
        return
    wanted, place = (-slope if last else slope), f"at the {'last' if last else 'first'} end, {name} = {float(end):.6g},"
    found = mpmath.nstr(wanted * mpmath.exp(share), 6)
    if share > SPIKE:
        raise InputError(f"{place} the profile does not vanish, and it must: orbits close there.")
    raise InputError(f"{place} the slope of the profile is {'0' if share < -SPIKE else found}, and a smooth metric has "
                     f"{wanted:g}; with another the metric has a cone there.")


def _end(name: str, given: Any) -> float:
    """A number for an end, which may be text such as "5/2". Raises InputError."""
    if not isinstance(given, str):
        return float(real_array(given, f"the end '{name}'", "give one real number").reshape(-1)[0])
    number = given_freely(given)
    if not (number.is_number and number.is_real):
        raise InputError(f"the end '{name}' is a number, and '{given}' was given.")
    return float(number)
