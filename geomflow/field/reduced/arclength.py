"""Points apart by equal shares of the whole length: states brought to x ∝ arclength, and what keeps them there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import mpmath
import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.bases import polynomials
from geomflow.field.bases.basis import Basis
from geomflow.field.bases.circles import Circular, Drawn, Fourier
from geomflow.field.bases.clustering import Clustered
from geomflow.field.bases.polar import Legendre, Polar
from geomflow.field.reduced.fixed_point import BITS, DIGITS, Polynomial, quotient, to_fixed, to_mpmath, values
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.necks import poles, spheres
from geomflow.field.reduced.state import ReducedState
from geomflow.symbolic.ansatz.closing import radial

MOST, CLOSE = 60, 1e-12
"""Steps of Newton's method, and how small one is after which there are more than 12 digits."""

NECK = 6.0
"""The strength with which points are drawn to a neck: there they are e^6 times closer than far from it."""

DEEP = 0.65
"""Necks narrower than this share of the widest sphere are expected to pinch."""

NARROW = 1.5
"""How much wider than the narrowest a neck may be that points are drawn to: others stay wide as that one pinches."""


def lengthwise(basis: Basis) -> tuple[np.ndarray, np.ndarray]:
    """m with m · f = the mean of f along x, and D with D f = the regular speed ν of V_x = mean(f) − f.

    On an interval V = (sin X/m) ν, X = m (x − a): with f dX/dY = Σ h_k cos kY it is
    ν = −(sin Y/sin X) Σ h_k U_{k−1}(η)/k, k ≥ 1, η = cos Y. On a circle V has mean 0, or is 0 at a place.
    """
    if isinstance(basis, Circular):
        return basis.weights / basis.period, -basis.antiderivative
    if not isinstance(basis, Polar):
        raise InputError("points are kept apart by arclength on spectral grids: leave the order out, or take another "
                         "gauge.")
    mean = basis.weights / (basis.b - basis.a)
    eta = basis.eta
    ratio = eta.sin / basis.angles.sin
    to_cosines = _cosines(basis.n)
    numbers = np.arange(1, basis.n)
    turns = np.sin(np.outer(eta.value, numbers)) / eta.sin[:, None] / numbers
    without_mean = np.eye(basis.n) - np.outer(np.ones(basis.n), mean)
    return mean, -ratio[:, None] * (turns @ to_cosines[1:] @ (basis.stretch[:, None] * without_mean))


def _cosines(n: int) -> np.ndarray:
    """From values at Gauss's nodes in η to coefficients of cos kY, of the polynomial of degree below n."""
    y = np.pi * (np.arange(n) + 0.5) / n
    values = polynomials.legendre(n, polynomials.Angles.of(y))
    angles, weights = polynomials.gauss(n)
    inside = values @ (polynomials.legendre(n, angles).T * weights)
    factor = np.full(n, 2 / n)
    factor[0] = 1 / n
    return factor[:, None] * np.cos(np.outer(np.arange(n), y)) @ inside


def by_length(state: ReducedState, target: ReducedGrid | None = None) -> ReducedState:
    """The same metric with x ∝ arclength, on the same points or on a target's.

    Raises InputError for an ansatz without an unknown along x.
    """
    grid = target or state.grid
    along = radial(grid.ansatz, grid.coordinates[0]) if len(grid.coordinates) == 1 else None
    if along is None:
        raise InputError("only metrics of one coordinate x, whose g_xx has an unknown of its own, have x ∝ arclength.")
    name = f"log_{along[0].name}"
    own = state.packed[state.component_names.index(name)]
    if grid is state.grid and float(np.ptp(own)) < 1e-14 * max(1.0, float(np.abs(own).max())):
        return state
    with mpmath.workdps(DIGITS):
        return _Lengthened(state, name).on(grid)


def with_necks(state: ReducedState) -> ReducedState:
    """The state with points drawn to its narrow necks, minima of the radii of round spheres, mirrors among them.

    The narrowest comes first: there the points of a circle stay. Between poles or mirrors only deep necks are drawn to;
    of others it is not known whether they pinch, and points follow (`following`).
    """
    (basis,) = state.grid.bases
    if not isinstance(basis, Legendre | Fourier):
        return state
    known = state.grid.ansatz.fibres
    names = [field.unknown.name for field in spheres(state.grid) if known[field.unknown.name].dim > 1]
    closed = poles(state.grid)
    found = [pair for name in names for pair in zip(*state.necks(name), strict=True) if pair[0] not in closed]
    found.sort(key=lambda pair: pair[1])
    if not found or (isinstance(basis, Legendre) and found[0][1] > DEEP * max(state[name].max() for name in names)):
        return state
    places = [float(place) for place, radius in found if radius < NARROW * found[0][1]]
    return by_length(state, ReducedGrid(state.grid.ansatz, (_drawn(basis, places),)))


def _drawn(basis: Legendre | Fourier, places: Sequence[float]) -> Clustered | Drawn:
    """As many points, drawn to places."""
    if isinstance(basis, Fourier):
        turns = tuple((2 * np.pi * (x - basis.start) / basis.period, NECK) for x in places)
        return Drawn(basis.n, basis.period, turns, basis.start)
    angles = tuple((np.pi * (x - basis.a) / (basis.b - basis.a), NECK) for x in places)
    return Clustered(basis.n, basis.a, basis.b, angles, basis.modes)


@final
class _Lengthened:
    """A state as exact trigonometric polynomials along its coordinate, with e^L for the metric there."""

    def __init__(self, state: ReducedState, radial: str) -> None:
        self._state = state
        (basis,) = state.grid.bases
        if not isinstance(basis, Circular | Polar):
            raise InputError("x is made ∝ arclength on spectral grids: leave the order out.")
        self._basis, self._radial = basis, radial
        rows = dict(zip(state.component_names, state.packed, strict=True))
        self._series = {name: Polynomial.of(*self._modes(row)) for name, row in rows.items() if name != radial}
        cosines, sines = self._modes(np.exp(rows[radial]))
        self._whole = mpmath.mpf(float(cosines[0]))
        """The length over a turn of X, in units of it."""
        self._rate = tuple(row / cosines[0] for row in (cosines, sines))
        self._speed = Polynomial.of(*([mpmath.mpf(float(c)) / self._whole for c in row] for row in (cosines, sines)))

    def _modes(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients of cos kX and sin kX."""
        count = 2 * self._basis.n
        turns = np.arange(count) / count
        if isinstance(self._basis, Circular):
            x = self._basis.start + self._basis.period * turns
        else:
            x = self._basis.a + (self._basis.b - self._basis.a) * 2 * np.minimum(turns, 1 - turns)
        modes = np.fft.rfft(self._basis.at(x) @ row) / count * 2
        modes[0] /= 2
        modes[-1] /= 2
        sines = -modes.imag if isinstance(self._basis, Circular) else np.zeros(len(modes))
        return modes.real, sines

    def _angles(self, shares: list[Any]) -> np.ndarray:
        """X of shares (angles) of the whole length, by Newton's method: in floats, then in fixed point."""
        wanted = to_fixed(shares)
        found = to_fixed(self._near(np.array([float(share) for share in shares])))
        from_start = self._speed.integral()
        for _ in range(MOST):
            length, speed = values([from_start, self._speed], found)
            step = quotient(found + length - wanted, speed)
            found = found - step
            if abs(step).max() < 1 << BITS // 2:
                break
        return found

    def _near(self, shares: np.ndarray) -> np.ndarray:
        """The same to about 15 digits."""
        cosines, sines = self._rate
        numbers, found = np.arange(1, len(cosines)), shares.copy()
        for _ in range(MOST):
            turns = np.outer(found, numbers)
            cos, sin = np.cos(turns), np.sin(turns)
            length = found + sin @ (cosines[1:] / numbers) + (1 - cos) @ (sines[1:] / numbers)
            step = (length - shares) / (1 + cos @ cosines[1:] + sin @ sines[1:])
            found -= step
            if np.abs(step).max() < CLOSE:
                break
        return found

    def on(self, grid: ReducedGrid) -> ReducedState:
        """The values at the points of a grid, in arclength."""
        (basis,) = grid.bases
        targets = [self._target(basis, place) for place in range(basis.size)]
        fixed = self._angles(targets)
        names = [field.name for field in self._state.fields if field.name != self._radial]
        speeds, *found = map(to_mpmath, values([self._speed, *(self._series[name] for name in names)], fixed))
        angles, rows = to_mpmath(fixed), dict(zip(names, found, strict=True))
        rows[self._radial] = [mpmath.log(self._whole)] * len(targets)
        for field in self._state.fields:
            if field.factor is not None and field.name != self._radial:
                rows[field.name] = _divided(field.factor, rows[field.name], speeds, angles, targets)
        return ReducedState(grid, np.array([[float(value) for value in rows[f.name]] for f in self._state.fields]))

    def _target(self, basis: Basis, place: int) -> Any:
        if isinstance(basis, Polar):
            near = mpmath.mpf(float(basis.angles.near[place]))
            return mpmath.pi - near if basis.angles.far[place] else near
        assert isinstance(basis, Circular)
        return mpmath.mpf(float(basis.x[0][place] - basis.start)) * 2 * mpmath.pi / basis.period


def _divided(factor: Any, values: list[Any], speeds: list[Any], angles: list[Any], targets: list[Any]) -> list[Any]:
    """The field of ρ e^{ρ²w}, where w, dX/dY and both angles are given: log(ρ(X)/ρ(Y)) goes over to it."""
    found = []
    for value, speed, old, new in zip(values, speeds, angles, targets, strict=True):
        squares = [_square(factor, angle) for angle in (old, new)]
        log = mpmath.log(squares[0] / squares[1]) / 2 + mpmath.log(speed)
        found.append((log + squares[0] * value) / squares[1])
    return found


def _square(factor: Any, angle: Any) -> Any:
    """ρ² at X."""
    low, high = mpmath.sin(angle / 2) ** 2, mpmath.cos(angle / 2) ** 2
    return 4 * low * high if factor.low and factor.high else low if factor.low else high
