"""Points that follow necks and tips along a run: the same metric with other shares of its length between points."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import final

import numpy as np

from geomflow.field.reduced import polynomials
from geomflow.field.reduced.grading import Grading, inverse
from geomflow.field.reduced.grid import ReducedGrid, factor_of
from geomflow.field.reduced.necks import spheres
from geomflow.field.reduced.polar import Polar
from geomflow.field.reduced.polynomials import Angles
from geomflow.field.reduced.state import square_at, unknowns_from
from geomflow.symbolic.ansatz import Interval

TOO_WIDE, UNRESOLVED = 1.5, 1e-8
"""How many times farther apart than they would be the points at a neck or a pole may get before they are placed anew,
and what the shortest waves hold then."""

NARROW = 0.3
"""The width of what points are drawn to, in radii of curvature."""

FINER = 8
"""Places between points at which the length is known."""


@final
class Follower:
    """Draws the points of a grid between poles or mirrors to where a metric needs them.

    Along a run each point keeps its share of the length, and √g_xx tells the shares: so a state knows where its points
    are, and one grid serves throughout.

    Parameters
    ----------
    grid : ReducedGrid
        With one coordinate.
    radial : str
        The regular field L = log √g_xx.
    square : function
        From rows of fields (fields, N) to |Rm|² at the points.
    """

    def __init__(self, grid: ReducedGrid, radial: str, square: Callable[[np.ndarray], np.ndarray]) -> None:
        (basis,) = grid.bases
        assert isinstance(basis, Polar)
        self._grid, self._basis, self._square = grid, basis, square
        self._fields = grid.ansatz.regular.fields
        self._radial = [field.name for field in self._fields].index(radial)
        domain = grid.ansatz.domain[grid.coordinates[0]]
        assert isinstance(domain, Interval)
        self._poles = [place for place, end in zip((0, -1), domain.ends, strict=True) if end.kind == "pole"]
        self._bases = [grid.basis_of(field) for field in self._fields]
        self._spheres = [field.unknown.name for field in spheres(grid)]
        self._unit = (basis.b - basis.a) / np.pi

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray | None:
        """The same metric with its points elsewhere; None where they may stay."""
        rows = y.reshape(len(y), -1)
        if not np.isfinite(rows).all() or self._tail(rows) < UNRESOLVED:
            return None
        speeds = np.exp(self._modes @ rows[self._radial]) * self._speeds
        length = _Length(speeds)
        turns, curvatures = self._needs(rows, speeds)
        shares = length.share(turns)
        grading = Grading(shares, NARROW / (length.unit * curvatures))
        now = np.interp(turns, self._fine.value, speeds)
        if not (now > TOO_WIDE * length.unit * grading.speed(shares)).any():
            return None
        return self._placed(rows, length, grading).reshape(y.shape)

    def _tail(self, rows: np.ndarray) -> float:
        return max(basis.tail(row) for basis, row in zip(self._bases, rows, strict=True))

    @cached_property
    def _fine(self) -> Angles:
        """Many Y, evenly, the ends too."""
        return Angles.of(np.linspace(0, np.pi, FINER * self._basis.n + 1))

    @cached_property
    def _modes(self) -> np.ndarray:
        """From values at the points to those at the many Y."""
        return self._at(self._fine)

    def _at(self, eta: Angles) -> np.ndarray:
        return polynomials.legendre(self._basis.kept, eta) @ self._basis.analysis

    @cached_property
    def _speeds(self) -> np.ndarray:
        """dx/dY at the many Y."""
        return self._unit * self._basis.reach(self._fine)[1]

    @cached_property
    def _squares(self) -> dict[str, np.ndarray]:
        """ρ² at the many Y."""
        x = np.clip(self._basis.a + self._unit * self._basis.reach(self._fine)[0].value, self._basis.a, self._basis.b)
        return {f.name: square_at(self._grid, f, x) for f in self._fields if f.factor is not None}

    def _needs(self, rows: np.ndarray, speeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Y of the poles and necks, and √K there: of |Rm|² = 2d(d − 1)K² next to poles, of ψ_ss/ψ at necks."""
        dim, turns = self._grid.ansatz.metric.dim, self._fine.value
        norms = self._square(rows)
        found = [(turns[k], float(norms[k] / (2 * dim * (dim - 1))) ** 0.25) for k in self._poles]
        for radius in self._radii(rows):
            for k in np.flatnonzero((radius[1:-1] < radius[:-2]) & (radius[1:-1] <= radius[2:])) + 1:
                bend = (radius[k + 1] + radius[k - 1] - 2 * radius[k]) / (turns[1] * speeds[k]) ** 2
                found.append((turns[k], np.sqrt(bend / radius[k])))
        places, curvatures = np.array(found).reshape(-1, 2).T
        return places, np.maximum(curvatures, 1e-300)

    def _radii(self, rows: np.ndarray) -> list[np.ndarray]:
        """The radii of round spheres among the orbits, at the many Y."""
        fine = {f.name: self._modes @ row for f, row in zip(self._fields, rows, strict=True)}
        values = unknowns_from(self._fields, fine, self._squares, self._grid)
        return [values[name] for name in self._spheres]

    def _placed(self, rows: np.ndarray, length: _Length, grading: Grading) -> np.ndarray:
        """The fields where the shares of the points are those of a map."""
        basis, wanted = self._basis, grading.positions(self._basis.eta)
        old = length.inverse(wanted)
        found = self._at(old) @ rows.T
        radial = np.log(grading.speed(wanted.value) * length.unit / (basis.stretch * self._unit))
        gained = found[:, self._radial] - radial
        placed = found.T.copy()
        placed[self._radial] = radial
        before = basis.reach(old)[0]
        for place, field in enumerate(self._fields):
            if field.factor is not None:
                was, now = (factor_of(field.factor, x.from_start, x.from_end) for x in (before, basis.angles))
                placed[place] = (np.log(was / now) / 2 + gained + was * placed[place]) / now
            placed[place] = self._bases[place].project @ placed[place]
        return placed


class _Length:
    """Arclength along Y, as a series of sin kY, from its speeds at many Y.

    unit  the whole length over π
    """

    def __init__(self, speeds: np.ndarray) -> None:
        found = np.fft.rfft(np.concatenate([speeds, speeds[-2:0:-1]])).real[: len(speeds) // 2] / (len(speeds) - 1)
        found[0] /= 2
        self.unit = float(found[0])
        self._cosines = found / self.unit
        self._numbers = np.arange(len(found))
        self._table = np.linspace(0, np.pi, len(speeds))

    def share(self, turns: np.ndarray) -> np.ndarray:
        """π times the share of the length before each Y."""
        return _integral(self._cosines, turns)

    def inverse(self, shares: Angles) -> Angles:
        """Y of such shares, from the nearer end."""
        found = np.empty_like(shares.near)
        for far, series in ((False, self._cosines), (True, self._cosines * (-1.0) ** self._numbers)):
            chosen = shares.far == far
            found[chosen] = inverse(lambda y, h=series: _integral(h, y), lambda y, h=series: _slope(h, y), self._table,
                                    shares.near[chosen])
        beyond = found > np.pi / 2
        return Angles(np.where(beyond, np.pi - found, found), np.where(beyond, ~shares.far, shares.far))


def _integral(series: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """∫_0^Y Σ h_k cos kY, h_0 = 1."""
    numbers = np.arange(1, len(series))
    return np.asarray(turns + np.sin(np.outer(turns, numbers)) @ (series[1:] / numbers))


def _slope(series: np.ndarray, turns: np.ndarray) -> np.ndarray:
    return np.asarray(np.cos(np.outer(turns, np.arange(len(series)))) @ series)
