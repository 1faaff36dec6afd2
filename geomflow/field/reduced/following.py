"""Points that follow necks and tips along a run: the same metric with other shares of its length between points."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import cast, final

import numpy as np

from geomflow.field.bases import polynomials
from geomflow.field.bases.grading import Grading, inverse
from geomflow.field.bases.polar import Legendre, Polar
from geomflow.field.bases.polynomials import Angles
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.necks import spheres
from geomflow.field.reduced.scales import Scales
from geomflow.symbolic.ansatz import Interval

TOO_WIDE = 1.5
"""How many times farther apart than they would be points at a neck or a pole get before they are placed anew, if that
leaves less in the shortest waves."""

UNRESOLVED, ABANDONED = 1e-8, 1e-4
"""What these hold then, at least; and where the basis itself draws points to places, which are given up late: beside
a tip on such a basis a mode grows that the equation does not have."""

TIP, NECK = 1.0, 0.3
"""The widths of what points are drawn to, in radii of curvature: where they get denser more steeply towards a pole, a
mode grows there that the equation does not have."""

LEAST = 1e-100
"""Curvatures are not smaller."""

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
        self._mirrors = tuple(end.kind != "pole" for end in domain.ends)
        self._poles = [place for place, end in zip((0, -1), domain.ends, strict=True) if end.kind == "pole"]
        self._bases = [cast(Polar, grid.basis_of(field)) for field in self._fields]
        self._resolved = UNRESOLVED if isinstance(basis, Legendre) else ABANDONED
        self._spheres = [field.unknown.name for field in spheres(grid)]
        self._unit = (basis.b - basis.a) / np.pi

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray | None:
        """The same metric with its points elsewhere; None where they may stay."""
        rows = y.reshape(len(y), -1)
        if not np.isfinite(rows).all() or (tail := self._tail(rows)) < self._resolved:
            return None
        length, grading, excess = self._wanted(rows)
        if excess < TOO_WIDE:
            return None
        placed = self._placed(rows, length, grading)
        return placed.reshape(y.shape) if self._tail(placed) < tail else None

    def placed(self, y: np.ndarray) -> np.ndarray:
        """The same metric with its points where it needs them."""
        rows = y.reshape(len(y), -1)
        return self._placed(rows, *self._wanted(rows)[:2]).reshape(y.shape)

    def _wanted(self, rows: np.ndarray) -> tuple[_Length, Grading, float]:
        """The length, the map from Y to its shares that a metric needs, and how far from it points are, at most."""
        speeds = np.exp(self._modes @ rows[self._radial]) * self._speeds
        length = _Length(speeds)
        turns, widths = self._needs(rows, speeds)
        shares = length.share(turns)
        grading = Grading(shares, widths / length.unit)
        now = np.interp(turns, self._fine.value, speeds)
        return length, grading, float((now / (length.unit * grading.speed(shares))).max(initial=0.0))

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
    def _scales(self) -> dict[str, Scales]:
        """What vanishes of each field at the many Y."""
        x = np.clip(self._basis.a + self._unit * self._basis.reach(self._fine)[0].value, self._basis.a, self._basis.b)
        return self._grid.scales_at(x)

    def _needs(self, rows: np.ndarray, speeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Y of the poles and necks, and how wide they are: |Rm|² = 2d(d − 1)K² next to poles, K = ψ_ss/ψ at necks."""
        dim, turns = self._grid.ansatz.metric.dim, self._fine.value
        norms = self._square(rows)
        found = [(turns[k], TIP / max(float(norms[k]) / (2 * dim * (dim - 1)), LEAST) ** 0.25) for k in self._poles]
        for radius in self._radii(rows):
            before, after = np.roll(radius, 1), np.roll(radius, -1)
            before[0], after[-1] = radius[1], radius[-2]
            necks = (radius < before) & (radius <= after)
            necks[[0, -1]] &= self._mirrors
            for k in np.flatnonzero(necks):
                bend = (before[k] + after[k] - 2 * radius[k]) / (turns[1] * speeds[k]) ** 2
                found.append((turns[k], NECK / np.sqrt(max(bend / radius[k], LEAST))))
        places, widths = np.array(found).reshape(-1, 2).T
        return places, widths

    def _radii(self, rows: np.ndarray) -> list[np.ndarray]:
        """The radii of round spheres among the orbits, at the many Y."""
        fine = {f.name: self._modes @ row for f, row in zip(self._fields, rows, strict=True)}
        values = self._grid.unknowns(fine, self._scales)
        return [values[name] for name in self._spheres]

    def _placed(self, rows: np.ndarray, length: _Length, grading: Grading) -> np.ndarray:
        """The fields where the shares of the points are those of a map."""
        basis, wanted = self._basis, grading.positions(self._basis.eta)
        old = length.inverse(wanted)
        before = self._at(old) @ rows.T
        placed = before.T.copy()
        placed[self._radial] = np.log(grading.speed(wanted.value) * length.unit / (basis.stretch * self._unit))
        names, start = [field.name for field in self._fields], basis.reach(old)[0]
        for place, field in enumerate(self._fields):
            if field.factor is not None:
                was, now = (field.factor.of_halves(x.from_start / 2, x.from_end / 2) for x in (start, basis.angles))
                beside = names.index(field.beside)
                gained = np.log(was / now) / 2 + before[:, beside] - placed[beside]
                placed[place] = (gained + was * placed[place]) / now
        return np.array([basis.project @ row for basis, row in zip(self._bases, placed, strict=True)])


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
            found[chosen] = inverse(partial(_integral, series), partial(_slope, series), self._table,
                                    shares.near[chosen])
        beyond = found > np.pi / 2
        return Angles(np.where(beyond, np.pi - found, found), np.where(beyond, ~shares.far, shares.far))


def _integral(series: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """∫_0^Y Σ h_k cos kY, h_0 = 1."""
    numbers = np.arange(1, len(series))
    return np.asarray(turns + np.sin(np.outer(turns, numbers)) @ (series[1:] / numbers))


def _slope(series: np.ndarray, turns: np.ndarray) -> np.ndarray:
    return np.asarray(np.cos(np.outer(turns, np.arange(len(series)))) @ series)
