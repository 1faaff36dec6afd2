"""Metrics with rotational symmetry cut at necks, and the pieces as states on spheres of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import final

import numpy as np
import sympy

from geomflow.core.errors import InputError
from geomflow.field.bases.clustering import Clustered
from geomflow.field.bases.polynomials import Angles
from geomflow.field.reduced.arclength import NECK, by_length
from geomflow.field.reduced.caps import Cap, Series, log_sinc, make_cap, nodes, ratio_of_curvatures
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.state import ReducedState
from geomflow.symbolic.ansatz import Ansatz, Circle, Interval
from geomflow.symbolic.ansatz.closing import radial
from geomflow.symbolic.ansatz.regular_fields import RegularField
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric

LOST = 1e-3
"""What the modes of a grid may lack of log ψ."""


@final
@dataclass(frozen=True)
class Warped:
    """A state as ds² + ψ(s)² g_{S^n}, s the arclength from the start of its coordinate.

    Raises InputError for what is no such metric.

    Parameters
    ----------
    state : ReducedState
        With x ∝ arclength.
    """

    state: ReducedState

    @classmethod
    def of(cls, state: ReducedState) -> Warped:
        """Of a state in any coordinate."""
        require_warped(state.grid.ansatz)
        return cls(by_length(state))

    @property
    def ansatz(self) -> Ansatz:
        """Of the state."""
        return self.state.grid.ansatz

    @cached_property
    def field(self) -> RegularField:
        """That of ψ."""
        return next(f for f in self.state.fields if f.unknown.name in self.ansatz.fibres)

    @cached_property
    def n(self) -> int:
        """The dimension of the spheres."""
        return self.ansatz.metric.dim - 1

    @cached_property
    def speed(self) -> float:
        """ds/dx."""
        along = radial(self.ansatz, self.state.grid.coordinates[0])
        assert along is not None
        return float(self.state[along[0].name][0]) ** (1 / along[1])

    @property
    def is_closed(self) -> bool:
        """Whether the coordinate goes round a circle."""
        return not isinstance(self._domain, Interval)

    @property
    def _domain(self) -> Circle | Interval:
        found = self.ansatz.domain[self.state.grid.coordinates[0]]
        assert isinstance(found, Circle | Interval)
        return found

    @property
    def length(self) -> float:
        """The whole arclength."""
        return self.speed * float(self._domain.length if isinstance(self._domain, Interval) else self._domain.period)

    def x(self, s: np.ndarray) -> np.ndarray:
        """The coordinate."""
        start = float(self._domain.a) if isinstance(self._domain, Interval) else 0.0
        return start + (np.mod(s, self.length) if self.is_closed else s) / self.speed

    def radius(self, s: np.ndarray) -> np.ndarray:
        """ψ."""
        return np.asarray(self.state.at(self.field.unknown.name, self.x(s)) ** (1 / self.field.exponent))

    def slope(self, s: np.ndarray) -> np.ndarray:
        """ψ_s."""
        return np.asarray(self.state.grid.basis.at(self.x(s)) @ self._slopes)

    @cached_property
    def _slopes(self) -> np.ndarray:
        value = self.field.unknown.value
        radius = value ** sympy.Rational(1, self.field.exponent)
        return self.state.evaluated(radius.diff(value.args[0])) / self.speed

    def smooth(self, s: np.ndarray) -> np.ndarray:
        """w of ψ = (ℓ/π) sin X e^{w sin²X}, X = πs/ℓ, of a metric with two poles."""
        row = self.state.packed[self.state.component_names.index(self.field.name)]
        return np.asarray(self.state.grid.basis.at(self.x(s)) @ row)

    @cached_property
    def orbit(self) -> float:
        """The volume of an orbit over ψ^n."""
        measure = self.ansatz.measure
        density = self.state.evaluated(measure.density) / self.speed
        radii = np.ravel(self.state[self.field.unknown.name]) ** (1 / self.field.exponent)
        widest = int(np.argmax(radii))
        return float(measure.volume * density[widest] / radii[widest] ** self.n)

    @cached_property
    def necks(self) -> np.ndarray:
        """The arclengths of local minima of ψ, by increasing s."""
        start = self.x(np.zeros(1))[0]
        return (self.state.necks(self.field.unknown.name).places - start) * self.speed


def require_warped(ansatz: Ansatz) -> None:
    """Raises InputError unless an ansatz is u² dx² + v² g_{S^n}, n ≥ 2, between two poles or on a circle."""
    (name, *more) = ansatz.coordinates or ("",)
    found = None if more or not name else radial(ansatz, name)
    known = [fibre for fibre in ansatz.fibres.values() if fibre.unknown.coordinates == ansatz.coordinates]
    fits = found is not None and len(known) == 1 and len(ansatz.unknowns) == 2 and ansatz.metric.dim > 2
    if not fits or not ansatz.metric.matrix.is_diagonal():
        raise InputError(f"necks are cut of metrics chi(x)^2 dx^2 + psi(x)^2 g_S^n, n = 2 or more, and {ansatz} is "
                         "none: take an ansatz such as gf.catalogue.ansatz('sphere', n=2).")
    domain = ansatz.domain[name]
    poles = isinstance(domain, Interval) and all(end.kind == "pole" for end in domain.ends)
    if not poles and not isinstance(domain, Circle):
        raise InputError(f"necks are cut of metrics between two poles or on a circle, and {ansatz} is on another "
                         "interval: double it at its mirrors.")


@final
@dataclass(frozen=True)
class Neck:
    """A neck that is cut: its caps, and how the metric was there.

    Parameters
    ----------
    place, radius : float
        The arclength and ψ there.
    reach : float
        How far from there metrics are changed.
    ratio : float
        The largest |K₀/K₁| up to there, of planes along s and across it: 0 on a cylinder.
    volume : float
        Of what is taken away, less that of the two caps.
    caps : pair of Cap
        Of the pieces before and after it.
    """

    place: float
    radius: float
    reach: float
    ratio: float
    volume: float
    caps: tuple[Cap, Cap]

    @classmethod
    def of(cls, warped: Warped, place: float, length: float) -> Neck:
        """Cut at s = `place`, so that nothing changes farther than `length` times ψ from it.

        Raises InputError where that is beyond a pole, or all around a circle.
        """
        radius = float(warped.radius(np.array([place]))[0])
        reach = length * radius
        room = warped.length / 2 if warped.is_closed else min(place, warped.length - place)
        if not reach < room:
            raise InputError(f"{length:g} radii of the neck, {reach:.4g}, reach "
                             f"{'around the circle' if warped.is_closed else 'beyond the pole'}, which is {room:.4g} "
                             f"away: take a length below {room / radius:.3g}, such as "
                             f"Surgery(..., length={0.5 * room / radius:.2g}).")
        sides = [(lambda v, side=side: warped.radius(place + side * (reach - v)),
                  lambda v, side=side: -side * warped.slope(place + side * (reach - v))) for side in (-1, 1)]
        ratio = max(float(np.abs(ratio_of_curvatures(*side, reach)).max()) for side in sides)
        caps = [make_cap(*side, reach) for side in sides]
        gone = [float(Series.of(reach, side[0](nodes(reach)) ** warped.n).integral(reach)) for side in sides]
        lost = sum(gone) - sum(cap.volume(warped.n) for cap in caps)
        return cls(place, radius, reach, ratio, warped.orbit * lost, (caps[0], caps[1]))


@final
@dataclass(frozen=True)
class Piece:
    """The metric between two of its necks, or a neck and a pole, closed by caps.

    Parameters
    ----------
    warped : Warped
        The metric as it was.
    start, end : float
        The arclengths between which it is as it was.
    caps : pair of Cap or None
        At the two ends; None at a pole.
    """

    warped: Warped
    start: float
    end: float
    caps: tuple[Cap | None, Cap | None]

    @property
    def length(self) -> float:
        """The whole arclength."""
        return self.end - self.start + sum(cap.length for cap in self.caps if cap)

    @property
    def _before(self) -> float:
        return self.caps[0].length if self.caps[0] else 0.0

    def state(self, points: int) -> ReducedState:
        """The piece on a grid of its own, points drawn to caps and to the necks that are left.

        Raises InputError where these points do not resolve it.

        Parameters
        ----------
        points : int
            How many.
        """
        ansatz = closed(self.warped.ansatz)
        (domain,) = ansatz.domain.values()
        assert isinstance(domain, Interval)
        basis = Clustered(points, float(domain.a), float(domain.b), self._places())
        grid = ReducedGrid(ansatz, (basis,))
        closing = next(f for f in ansatz.regular.fields if f.factor is not None)
        square = np.sin(basis.angles.near) ** 2
        values = (self._log_ratio(basis.angles) - log_sinc(basis.angles.near)) / square
        kept = grid.basis_of(closing).project @ values
        if not (lost := float(np.max(square * np.abs(kept - values)))) <= LOST:
            raise InputError(f"{points} points do not resolve a piece with its cap: {lost:.2g} of log psi is lost. "
                             "Take more, Surgery(..., points=...), or cut at a larger radius.")
        along = np.full(points, np.log(self.length / float(domain.length)))
        return ReducedState(grid, np.stack([kept if f is closing else along for f in ansatz.regular.fields]))

    def _places(self) -> tuple[tuple[float, float], ...]:
        """Where points are drawn to, and how strongly: to caps as much as they are smaller than the piece."""
        scale = np.pi / self.length
        caps = [(float(np.pi * k), float(np.log(self.length / cap.radius)))
                for k, cap in enumerate(self.caps) if cap]
        turns = (0, self.warped.length) if self.warped.is_closed else (0,)
        inside = [s + turn for s in self.warped.necks for turn in turns if self.start < s + turn < self.end]
        return (*caps, *((scale * (s - self.start + self._before), NECK) for s in inside))

    def _log_ratio(self, angles: Angles) -> np.ndarray:
        """log(ψ/d), d the distance from the nearer end, at the angles of this piece."""
        found = np.empty(len(angles.near))
        for side in (0, 1):
            own = angles.far == bool(side)
            found[own] = self._from_end(side, self.length / np.pi * angles.near[own])
        return found

    def _from_end(self, side: int, distance: np.ndarray) -> np.ndarray:
        """log(ψ/d) at distances d from an end."""
        cap, other, found = self.caps[side], self.caps[1 - side], np.empty(len(distance))
        capped = distance < (cap.length if cap else 0.0)
        beyond = self.length - distance < (other.length if other else 0.0)
        kept = ~capped & ~beyond
        if cap and capped.any():
            found[capped] = cap.log_ratio(distance[capped])
        if other and beyond.any():
            left = self.length - distance[beyond]
            found[beyond] = other.log_ratio(left) + np.log(left / distance[beyond])
        along = self.length - distance[kept] if side else distance[kept]
        s = self.start + along - self._before
        found[kept] = np.log(self.warped.radius(s) / distance[kept]) if cap else self._from_pole(s, distance[kept])
        return found

    def _from_pole(self, s: np.ndarray, distance: np.ndarray) -> np.ndarray:
        angle = np.pi * distance / self.warped.length
        return self.warped.smooth(s) * np.sin(angle) ** 2 + log_sinc(angle)


def pieces(warped: Warped, necks: list[Neck]) -> list[Piece]:
    """What is left between necks, in their order; on a circle the last goes on from the last neck to the first.

    Raises InputError where a neck is so near to another, or to a pole, that their changes would meet.
    """
    whole = warped.length
    if warped.is_closed:
        gaps = list(pairwise([*necks, None]))
        found = [_between(warped, a, b or necks[0], 0.0 if b else whole) for a, b in gaps]
    else:
        found = [_between(warped, a, b, 0.0) for a, b in pairwise([None, *necks, None])]
    for piece in found:
        if not piece.end > piece.start:
            raise InputError("two necks, or a neck and a pole, are nearer than what surgery changes: take a smaller "
                             "radius, or a shorter length.")
    return found


def _between(warped: Warped, low: Neck | None, high: Neck | None, turn: float) -> Piece:
    start = low.place + low.reach if low else 0.0
    end = high.place - high.reach + turn if high else warped.length
    return Piece(warped, start, end, (low and low.caps[1], high and high.caps[0]))


def closed(ansatz: Ansatz) -> Ansatz:
    """The ansatz of a sphere: itself between two poles, of one on a circle the same metric between two poles."""
    (name,) = ansatz.coordinates
    if isinstance(ansatz.domain[name], Interval):
        return ansatz
    chart = ansatz.metric.chart
    ranges = {**chart.ranges, name: (0, sympy.pi)}
    periods = {key: period for key, period in chart.periods.items() if key != name}
    metric = Metric(Chart(chart.coordinates, ranges=ranges, periods=periods), ansatz.metric.matrix)
    end = f"pole:{next(iter(ansatz.fibres))}"
    return Ansatz(metric, [u.name for u in ansatz.unknowns], Interval(0, sympy.pi, end))
