"""Circles turned along a run, so that the narrowest neck stays where points are drawn to: an isometry, nothing more."""

from __future__ import annotations

from typing import final

import numpy as np

from geomflow.field.bases.circles import Drawn
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.necks import spheres

LAG = 0.25
"""How far a neck may get from where points are drawn to, in its radii."""


@final
class Turner:
    """Turns a circle by the distance of the narrowest neck from the first place of its points.

    Parameters
    ----------
    grid : ReducedGrid
        Of one coordinate on a circle, with points drawn to places.
    radial : str
        The regular field log √g_xx.
    """

    def __init__(self, grid: ReducedGrid, radial: str) -> None:
        (basis,) = grid.bases
        assert isinstance(basis, Drawn)
        self._grid, self._basis = grid, basis
        self._radial = [field.name for field in grid.ansatz.regular.fields].index(radial)
        self._names = [field.unknown.name for field in spheres(grid)]
        self._still = basis.start + basis.period * basis.places[0][0] / (2 * np.pi)

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray | None:
        """The same metric turned; None where its neck is close to the place."""
        rows = y.reshape(len(y), -1)
        if not np.isfinite(rows).all():
            return None
        far, radius = self._neck(rows)
        if abs(far) * np.exp(rows[self._radial]).mean() < LAG * radius:
            return None
        return (rows @ self._basis.at(self._basis.x[0] + far).T).reshape(y.shape)

    def _neck(self, rows: np.ndarray) -> tuple[float, float]:
        """How far along x the narrowest place is from where it should be, and its radius."""
        grid, fields = self._grid, self._grid.ansatz.regular.fields
        fine = {f.name: grid.fine @ row for f, row in zip(fields, rows, strict=True)}
        values = grid.unknowns(fine, {})
        radii = np.min([values[name] for name in self._names], axis=0)[:-1]
        least = int(np.argmin(radii))
        before, here, after = radii[[least - 1, least, (least + 1) % len(radii)]]
        bend = before + after - 2 * here
        place = least + ((before - after) / (2 * bend) if bend > 0 else 0.0)
        around = np.append(grid.places[-2] - self._basis.period, grid.places)
        x = float(np.interp(place, np.arange(len(around)) - 1, around))
        half = self._basis.period / 2
        return (x - self._still + half) % self._basis.period - half, float(here)
