"""The reference form of a Kähler potential: as expressions, as given arrays, and the numbers of its class."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.graph.node import exact
from geomflow.field.hermitian import HermitianField
from geomflow.symbolic.jets import field_node
from geomflow.symbolic.variation.kahler_frame import KahlerClass

if TYPE_CHECKING:
    from geomflow.field.potential import PotentialField

Pair = tuple[Fraction | int, Fraction | int]


@final
@dataclass(frozen=True)
class ReferenceForm:
    """g_{0,ab̄} as expressions: constants where it is constant, else the given arrays `static_names`."""

    coordinates: tuple[str, ...]
    entries: Any
    static_names: tuple[str, ...]

    @staticmethod
    def of(state: PotentialField) -> ReferenceForm:
        """The form of a potential field."""
        coordinates = state.grid.torus.coordinates
        if isinstance(state.reference, HermitianField):
            names = tuple(f"reference_{name}" for name in state.reference.component_names)
            return ReferenceForm(coordinates, None, names)
        return ReferenceForm(coordinates, exact_matrix(state.reference), ())

    @staticmethod
    def flat(torus: Any) -> ReferenceForm:
        """The flat unit form ½δ."""
        return ReferenceForm(tuple(torus.coordinates), exact_matrix(0.5 * np.eye(torus.dim)), ())

    @property
    def dim(self) -> int:
        """The complex dimension n."""
        return len(self.coordinates) // 2

    def nodes(self) -> np.ndarray:
        """Complex numbers of nodes, (n, n)."""
        result = np.empty((self.dim, self.dim), dtype=object)
        rows = iter(field_node(name, self.coordinates) for name in self.static_names)
        for a in range(self.dim):
            for b in range(a, self.dim):
                if self.static_names:
                    entry = gr.Complex(next(rows), next(rows) if a != b else gr.ZERO)
                else:
                    entry = gr.Complex(*map(gr.constant, self.entries[a][b]))
                result[a, b], result[b, a] = entry, entry.conjugate()
        return result


def exact_matrix(values: np.ndarray) -> tuple[tuple[Pair, ...], ...]:
    """A matrix of floats as pairs (re, im) of exact numbers."""
    return tuple(tuple((_exact(z.real), _exact(z.imag)) for z in row) for row in np.asarray(values, complex))


def _exact(value: float) -> Fraction | int:
    return exact(Fraction(float(value)))


def reference_rows(state: PotentialField) -> np.ndarray | None:
    """The reference form as given arrays, (n², *grid); None if it is constant."""
    return state.reference.pack() if isinstance(state.reference, HermitianField) else None


def flat_density(state: PotentialField) -> float:
    """κ = ⟨det g_0⟩, the constant density of the flat metric with the volume of the reference form.

    ⟨det(reference + ∂∂̄φ)⟩ is the same for every φ, so it is computed at φ = 0.
    """
    return float(np.mean(np.linalg.det(state.reference_values).real))


def kahler_class(state: PotentialField) -> KahlerClass:
    """The numbers of the class of a potential's metric, on its torus."""
    values = state.reference_values
    adjugates = np.linalg.det(values)[..., None, None] * np.linalg.inv(values)
    cofactors = adjugates.reshape(-1, *values.shape[-2:]).mean(axis=0).T
    cell = gr.constant(Fraction(state.grid.torus.cell_volume))
    return KahlerClass(gr.constant(Fraction(flat_density(state))), exact_matrix(cofactors), cell)
