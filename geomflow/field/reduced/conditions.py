"""What stays as it is at ends that are given: rates of regular fields are made to keep it, by the least change."""

from __future__ import annotations

from functools import cached_property
from typing import final

import numpy as np

from geomflow.field.bases.polar import Polynomials
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.symbolic.ansatz import Interval
from geomflow.symbolic.ansatz.regular_fields import RegularField


@final
class Conditions:
    """Values, or slopes, of the logarithms of unknowns that stay at given ends; of √g_xx always the slope.

    With DeTurck's gauge the end itself does not move then. Rates are changed by the polynomials that are least in L²
    and carry the value or the slope: what is left is a Galerkin method on functions that satisfy the conditions.

    Parameters
    ----------
    grid : ReducedGrid
        With one coordinate.
    radial : str
        The regular field log √g_xx.
    """

    def __init__(self, grid: ReducedGrid, radial: str) -> None:
        self._grid, self._radial = grid, radial
        (domain,) = grid.ansatz.domain.values()
        assert isinstance(domain, Interval)
        pairs = zip((float(domain.a), float(domain.b)), domain.ends, strict=True)
        self._ends = [(place, end.kept == "slopes") for place, end in pairs if end.kind == "given"]

    def kept(self, rates: np.ndarray) -> np.ndarray:
        """Rates (fields, *grid, …) with which nothing changes that is given.

        Parameters
        ----------
        rates : (fields, *grid, …) array
            Of the regular fields, those beside others behind them.
        """
        if not self._ends:
            return rates
        found = rates.copy()
        names = [field.name for field in self._grid.ansatz.regular.fields]
        for place, field in enumerate(self._grid.ansatz.regular.fields):
            own, beside, carried = self._rows[field.name]
            excess = own @ found[place]
            if field.beside:
                excess += beside @ found[names.index(field.beside)]
            found[place] -= carried @ excess
        return found

    @cached_property
    def _rows(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        return {field.name: self._of(field) for field in self._grid.ansatz.regular.fields}

    def _of(self, field: RegularField) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The conditions on a field and on the one beside it, (ends, N), and what carries each, (N, ends)."""
        basis = self._grid.basis_of(field)
        assert isinstance(basis, Polynomials)
        plain = np.stack([self._row(place, slopes or field.name == self._radial) for place, slopes in self._ends])
        own = plain
        if field.factor is not None:
            own = plain * self._grid.square(field)
        on_modes = own @ basis.modes_at_nodes
        return own, plain, basis.modes_at_nodes @ np.linalg.pinv(on_modes)

    def _row(self, place: float, slope: bool) -> np.ndarray:
        """The value or the slope at an end, of values at the points, (N,)."""
        basis = self._grid.basis
        row = basis.at([place])[0]
        return row @ basis.derivative((1,)) if slope else row
