"""Energies of Kähler metrics on a span along runs: Calabi's, and Mabuchi's relative to extremal metrics.

In the momentum the K-energy relative to extremal fields is K = 2 ∫ (log(F/E) + E/F − 1) dV, E the profile of the
extremal metric: with the rate φ of potentials F_t = F² φ'', and with R D = h − 2 (D F)'' in the density D of volumes,
dK/dt = −∫ φ (R − R_E) dV, and along Calabi flow −∫ (R − R_E)² dV. It vanishes at the extremal metric and is positive
elsewhere (T. Mabuchi, Tohoku Math. J. 38, 1986; D. Guan, Math. Res. Lett. 6, 1999).
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.field.reduced.compiled import compiled_nodes
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.span import ends_in, place_at, span_unknowns
from geomflow.symbolic.ansatz.span import closing_of, ends_of


@final
class KahlerEnergies:
    """Monitors "calabi_energy", ∫(R − R̄)² dV, and "relative_k_energy".

    Parameters
    ----------
    grid : ReducedGrid
        On a span, of an ansatz with a Kähler form.
    scalar : Node
        R in regular fields.
    """

    def __init__(self, grid: ReducedGrid, scalar: gr.Node) -> None:
        measure = grid.ansatz.measure
        self._grid, self._whole = grid, float(measure.volume)
        self._evaluated = compiled_nodes(grid, [scalar, grid.ansatz.regular.node(measure.density)])

    def __call__(self, t: float, y: np.ndarray) -> dict[str, float]:
        rows = y.reshape(len(y), -1)
        scalar, density = self._evaluated(rows, {})
        weights = self._whole * self._grid.weights * density
        mean = (weights @ scalar) / weights.sum()
        found = {"calabi_energy": float(weights @ (scalar - mean) ** 2)}
        if self._extremal is not None:
            ratio = self._profile(rows) / self._extremal_at(rows)
            found["relative_k_energy"] = 2 * float(weights @ (np.log(ratio) + 1 / ratio - 1))
        return found

    @cached_property
    def _extremal(self) -> gr.Node | None:
        """E; None where it is not known exactly."""
        with suppress(InputError):
            return from_sympy(self._grid.ansatz.extremal().profile)
        return None

    def _profile(self, rows: np.ndarray) -> np.ndarray:
        (shares,) = self._grid.basis.x
        return span_unknowns(self._grid, self._named(rows), shares)[closing_of(self._grid.ansatz).unknown.name]

    def _extremal_at(self, rows: np.ndarray) -> np.ndarray:
        (shares,), named = self._grid.basis.x, self._named(rows)
        known = {gr.symbol(end.name): named[end.name].flat[0] for end in ends_of(self._grid.ansatz)}
        place = closing_of(self._grid.ansatz).unknown.value.args[0]
        known[gr.symbol(str(place))] = place_at(*ends_in(self._grid, named), shares)
        assert self._extremal is not None
        return np.asarray(gr.evaluate([self._extremal], known)[0])

    def _named(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip((f.name for f in self._grid.ansatz.regular.fields), rows, strict=True))
