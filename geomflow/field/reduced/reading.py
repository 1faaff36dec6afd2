"""Values of unknowns as users give them: text, expressions, functions, numbers or arrays, read into regular fields.

Text is evaluated with 40 digits, so that what vanishes at a pole is divided there without loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import mpmath
import numpy as np
import sympy

from geomflow.core.errors import InputError, PositivityError, ShapeError
from geomflow.core.graph.multiple_precision import Function, in_multiple_precision, precise
from geomflow.core.numbers import real_array
from geomflow.field.bases.axes import OneAxis
from geomflow.symbolic.ansatz import Interval
from geomflow.symbolic.ansatz.axis import HIGH_ROOT, Ended, closing_axis
from geomflow.symbolic.ansatz.regular_fields import RegularField

if TYPE_CHECKING:
    from geomflow.field.reduced.grid import ReducedGrid

DIGITS = 40
NEAR = mpmath.mpf("1e-12")
"""How near to an end its slopes are looked at, in shares of the interval."""

ALLOWED = 1e-6
"""By how much a cone angle, or the slope of an even function at an end, may be off, relative to what it should be."""

CONE = 1e-6
"""The least share of a full circle that is called a cone, and one over the largest."""

RESOLVED = 1e-3
"""What the modes that a grid keeps may lack of a profile, relative to its size."""

SEEN = 8
"""About how many places along a mirror slopes are looked at."""


@final
@dataclass(frozen=True)
class Profile:
    """The values of one unknown.

    Parameters
    ----------
    grid : ReducedGrid
        Where it is wanted.
    name : str
        Of the unknown.
    values : (N,) array
        At the points.
    function : callable, optional
        At any place, in multiple precision; none where an array was given.
    """

    grid: ReducedGrid
    name: str
    values: np.ndarray
    function: Function | None = None

    def require_positive(self, field: RegularField) -> None:
        """Raises PositivityError where an unknown that must be positive is not."""
        if field.exponent == 0:
            return
        at, seen = self._seen
        worst = int(np.argmin(seen))
        if not seen[worst] > 0:
            told = ", ".join(f"{n} = {x[worst]:.6g}" for n, x in zip(self.grid.coordinates, at, strict=True))
            raise PositivityError(f"'{self.name}' is {seen[worst]:.6g}{f' at {told}' if told else ''}: the metric is "
                                  "degenerate there. It must be positive inside.")

    @cached_property
    def _seen(self) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """The places where it is looked at, and the values: between the points too, where there is a function."""
        x = self.grid.basis.x
        if self.function is None or len(x) != 1:
            return x, self.values
        (basis,) = self.grid.bases
        assert isinstance(basis, OneAxis)
        fine = basis.spread(8 * len(self.values) + 1)[1:-1]
        return (fine,), np.array([float(self.function(mpmath.mpf(float(s)))) for s in fine])

    def regular(self, field: RegularField, beside: Profile | None) -> np.ndarray:
        """The values of the regular field, (N,). Raises InputError for a cone, and for a slope at an end."""
        if self.function is None or (beside is not None and beside.function is None):
            return self._of_numbers(field, beside)
        self._require_smooth_ends(field, beside)
        with mpmath.workdps(DIGITS):
            points = list(zip(*self.grid.basis.x, strict=True)) or [()]
            return np.array([float(self._at(field, beside, [mpmath.mpf(float(s)) for s in x])) for x in points])

    def _at(self, field: RegularField, beside: Profile | None, x: list[Any]) -> Any:
        assert self.function is not None
        value = self.function(*x)
        if field.exponent == 0:
            return value
        log = mpmath.log(value) / field.exponent
        if field.factor is None:
            return log - self._grown(field, x)
        square, axis = self._square(field, x[0]), self._axis
        root = precise(closing_axis(axis).scale(field.factor)) * mpmath.sqrt(square) / precise(field.cone)
        return (log - self._grown(field, x) - self._log_beside(field, beside, x) - mpmath.log(root)) / square

    def _grown(self, field: RegularField, x: list[Any]) -> Any:
        """The part of log u / `exponent` that grows at infinity."""
        if not field.power:
            return mpmath.mpf(0)
        return -mpmath.mpf(field.power) / (2 * field.exponent) * mpmath.log(self._shares(x[0])[1])

    def _log_beside(self, field: RegularField, beside: Profile | None, x: list[Any]) -> Any:
        assert beside is not None
        assert beside.function is not None
        (own,) = (f for f in self.grid.ansatz.regular.fields if f.name == field.beside)
        return mpmath.log(beside.function(*x)) / own.exponent - self._grown(own, x)

    def _square(self, field: RegularField, x: Any) -> Any:
        assert field.factor is not None
        return field.factor.of_halves(*self._shares(x))

    @cached_property
    def _shares(self) -> Callable[[Any], tuple[Any, Any]]:
        """(1 ∓ ξ)/2 at a place."""
        x = sympy.Symbol(self._coordinate, real=True)
        low, high = (in_multiple_precision(share, [self._coordinate]) for share in self._axis.shares(x))
        return lambda place: (low(place), high(place))

    def _require_smooth_ends(self, field: RegularField, beside: Profile | None) -> None:
        """A function that is even about each end, with the cone angle of a smooth metric where it vanishes."""
        if len(self.grid.coordinates) != 1:
            self._require_even_across(field)
            return
        (domain,) = self.grid.ansatz.domain.values()
        if not isinstance(domain, Interval):
            return
        with mpmath.workdps(DIGITS):
            reach = precise(domain.reach)
            for place, (end, kind) in enumerate(zip((domain.a, domain.b), domain.ends, strict=True)):
                if kind.kind == "infinity":
                    self._require_decay(field, beside, reach)
                elif kind.even:
                    inward = (1 - 2 * place) * reach
                    one, two = ([precise(end) + share * NEAR * inward] for share in (1, 2))
                    closes = field.factor is not None and (field.factor.low, field.factor.high)[place]
                    told = f"{self._coordinate} = {end}"
                    (self._require_no_cone if closes else self._require_even)(field, beside, told, one, two)

    def _require_decay(self, field: RegularField, beside: Profile | None, reach: Any) -> None:
        """A function that grows by the power that is stated, and is smooth in 1/x² beside it."""
        one, two = (self._at(field, beside, [share * reach / NEAR]) for share in (1, 2))
        growth, size = float((two - one) / mpmath.log(2)) * (field.exponent or 1), 1 + abs(one)
        if not abs(two - one) < ALLOWED * size:
            raise InputError(f"at infinity '{self.name}' grows by the power {field.power + growth:.6g} of "
                             f"{self._coordinate}, and the end says {field.power}: state the power there, as in "
                             f"\"infinity: {self.name}=1\", or change '{self.name}'.")
        if not abs(two - one) / NEAR < ALLOWED * size:
            raise InputError(f"at infinity '{self.name}' has terms beside its power of {self._coordinate} that are not "
                             f"smooth in 1/{self._coordinate}^2: take another coordinate, such as its square root.")

    def _require_even_across(self, field: RegularField) -> None:
        """Of two coordinates: a function that is even about each mirror, at places along the other coordinate."""
        with mpmath.workdps(DIGITS):
            for axis, name in enumerate(self.grid.coordinates):
                domain = self.grid.ansatz.domain[name]
                if not isinstance(domain, Interval):
                    continue
                others = np.unique(self.grid.basis.x[1 - axis])
                for place, end in enumerate((domain.a, domain.b)):
                    inward = (1 - 2 * place) * precise(domain.length)
                    for other in others[:: -(-len(others) // SEEN)]:
                        pair = [[precise(end) + share * NEAR * inward, mpmath.mpf(float(other))] for share in (1, 2)]
                        one, two = (x if axis == 0 else x[::-1] for x in pair)
                        self._require_even(field, None, f"{name} = {end}", one, two)

    def _require_no_cone(self, field: RegularField, beside: Profile | None, end: str, one: list[Any],
                         two: list[Any]) -> None:
        excess = self._at(field, beside, one) * self._square(field, one[0])
        if not abs(excess) < ALLOWED:
            raise self._cone(field, end, float(mpmath.exp(excess * field.exponent)))

    def _cone(self, field: RegularField, end: str, share: float) -> InputError:
        if not CONE < share < 1 / CONE:
            what = "does not vanish" if share > 1 else "vanishes faster"
            return InputError(f"at {end} the orbits close, where '{self.name}' vanishes in proportion to the distance; "
                              f"it {what}: give it a simple zero there, as sin has.")
        return InputError(f"at {end} the orbits close with {share:.6g} of the slope of '{self.name}' that a smooth "
                          f"metric has: there is a cone of {360 * share:.4g} degrees. Multiply '{self.name}' by a "
                          f"function that is {1 / share:.6g} there, or change '{field.beside.removeprefix('log_')}'.")

    def _require_even(self, field: RegularField, beside: Profile | None, end: str, one: list[Any],
                      two: list[Any]) -> None:
        values = [self._at(field, beside, x) for x in (one, two)]
        slope = (values[1] - values[0]) / NEAR
        if not abs(slope) < ALLOWED * (1 + abs(values[0])):
            raise InputError(f"at {end} '{self.name}' has a slope, and a smooth metric has an even function there: "
                             "make its first derivative vanish.")

    @property
    def _axis(self) -> Ended:
        assert self.grid.axis is not None
        return self.grid.axis

    @property
    def _coordinate(self) -> str:
        return self.grid.coordinates[0]

    def _of_numbers(self, field: RegularField, beside: Profile | None) -> np.ndarray:
        if field.exponent == 0:
            return self.values
        log = np.log(self.values) / field.exponent - growth_log(self.grid, field) / field.exponent
        if field.factor is None:
            return np.asarray(log)
        assert beside is not None
        (own,) = (f for f in self.grid.ansatz.regular.fields if f.name == field.beside)
        square = self.grid.square(field)
        root = float(closing_axis(self._axis).scale(field.factor)) / float(field.cone) * np.sqrt(square)
        along = (np.log(beside.values) - growth_log(self.grid, own)) / own.exponent
        excess = log - along - np.log(root)
        self._require_no_cone_in(field, excess)
        return np.asarray(excess / square)

    def _require_no_cone_in(self, field: RegularField, excess: np.ndarray) -> None:
        """As for functions, of numbers at points that resolve the logarithm of the slope, to what is resolved."""
        assert field.factor is not None
        basis, ends = self.grid.basis, _ends(self.grid)
        if np.abs(basis.project @ excess - excess).max() > RESOLVED:
            return
        closes = (field.factor.low, field.factor.high)
        for end, value, closed in zip(ends, basis.at(ends) @ excess, closes, strict=True):
            if closed and abs(value) > RESOLVED:
                raise self._cone(field, f"{self._coordinate} = {end:.6g}", float(np.exp(value * field.exponent)))

    def smooth(self, field: RegularField, values: np.ndarray) -> np.ndarray:
        """The values as the grid's modes have them. Raises InputError for a profile that these do not resolve."""
        kept = self.grid.basis_of(field).project @ values
        lost, size = float(np.max(np.abs(kept - values))), float(np.max(np.abs(values)))
        if not lost <= RESOLVED * max(size, 1.0):
            raise InputError(f"the grid does not resolve '{self.name}': {lost:.2g} of it is lost. Take more points, or "
                             "a profile that is smooth, and even about poles and mirrors.")
        return np.asarray(kept)


def growth_log(grid: ReducedGrid, field: RegularField) -> Any:
    """log Γ^p of a field at the points, which grows at infinity."""
    if not field.power:
        return 0.0
    (name,) = field.unknown.coordinates
    return -field.power * np.log(grid.statics[f"{HIGH_ROOT}_{name}"])


def profile_of(grid: ReducedGrid, name: str, given: Any) -> Profile:
    """What was given for an unknown. Raises ExpressionError, ShapeError and InputError for what it cannot be."""
    size = grid.basis.size
    if isinstance(given, str | sympy.Basic | int | float) and not isinstance(given, bool):
        return _of_expression(grid, name, given)
    if callable(given):
        points = zip(*grid.basis.x, strict=True)
        values = real_array([given(*x) for x in points], f"what the function for '{name}' gives")
    else:
        values = real_array(given, f"what is given for '{name}'")
        if values.shape not in (grid.shape, (size,)):
            raise ShapeError(f"values of shape {values.shape} were given for '{name}', and the grid has {grid.shape}.")
    if values.size != size:
        raise ShapeError(f"the function for '{name}' must give a number at each point, not values of shape "
                         f"{values.shape[1:]}.")
    values = values.reshape(size)
    if not np.isfinite(values).all():
        raise InputError(f"'{name}' is not finite at a point of the grid.")
    return Profile(grid, name, values)


def _of_expression(grid: ReducedGrid, name: str, given: Any) -> Profile:
    chart = grid.ansatz.metric.chart
    expression = chart.expression(given)
    symbols = [s for s in chart.symbols if s.name in grid.coordinates]
    strange = sorted({s.name for s in expression.free_symbols} - {s.name for s in symbols})
    if strange:
        raise InputError(f"'{name}' depends on '{strange[0]}', and may depend on "
                         f"{', '.join(grid.coordinates) or 'nothing: give a number'}.")
    if expression.has(sympy.nan, sympy.oo, -sympy.oo, sympy.zoo):
        raise _not_finite(name, given)
    function = in_multiple_precision(expression, [s.name for s in symbols])
    with mpmath.workdps(DIGITS):
        points = list(zip(*grid.basis.x, strict=True)) or [()]
        try:
            values = np.array([float(mpmath.mpf(function(*map(mpmath.mpf, map(float, x))))) for x in points])
        except (TypeError, ValueError, ZeroDivisionError):
            values = np.full(len(points), np.nan)
    if not np.isfinite(values).all():
        raise _not_finite(name, given)
    return Profile(grid, name, values, function)


def _not_finite(name: str, given: Any) -> InputError:
    return InputError(f"'{name}' = {given} is not a finite real number at a point of the grid.")


def _ends(grid: ReducedGrid) -> tuple[float, float]:
    (basis,) = grid.bases
    assert isinstance(basis, OneAxis)
    low, high = basis.spread(2)
    return float(low), float(high)
