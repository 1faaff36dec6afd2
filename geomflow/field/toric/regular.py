"""u^ij and Π l_a · det u_ij of u = Σ l_a log l_a + h, without a division by l_a: both are smooth up to the boundary.

With n⊥ = (−n₂, n₁), p = Π l_a and V = Σ_a n_a⊥ n_a⊥ᵀ Π_{c≠a} l_c they are

    p det u = Σ_{a<b} (n_a × n_b)² Π_{c≠a,b} l_c + tr(V Hess h) + p det Hess h,
    u^ij = (V + p adj Hess h) / (p det u).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from geomflow.field.toric.jets import Jet
from geomflow.symbolic.toric import Polygon

Three: TypeAlias = tuple[Any, Any, Any]
"""The entries 11, 12 and 22 of a symmetric matrix."""


@final
@dataclass(frozen=True)
class Regular:
    """What of u^ij does not depend on h, at places: numbers, arrays or jets.

    Parameters
    ----------
    product : array or Jet
        p.
    adjoint : three of these
        V.
    determinant : array or Jet
        p det u where h = 0.
    """

    product: Any
    adjoint: Three
    determinant: Any

    @classmethod
    def at(cls, polygon: Polygon, points: np.ndarray) -> Regular:
        """At places (N, 2)."""
        return _grown(polygon, [edge.normal @ points.T + float(edge.constant) for edge in _floats(polygon)])

    @classmethod
    def jets_at(cls, polygon: Polygon, points: np.ndarray) -> Regular:
        """With first and second derivatives."""
        return _grown(polygon, [Jet.affine(edge.normal @ points.T + float(edge.constant), tuple(edge.normal))
                                for edge in _floats(polygon)])

    def density(self, hessian: Three) -> Any:
        """p det u.

        Parameters
        ----------
        hessian : three arrays or jets
            h_11, h_12, h_22.
        """
        a, b, c = hessian
        v, w, z = self.adjoint
        return self.determinant + v * a + 2 * (w * b) + z * c + self.product * (a * c - b * b)

    def inverse(self, hessian: Three) -> tuple[Any, Three]:
        """p det u and u^ij.

        Parameters
        ----------
        hessian : three arrays or jets
            h_11, h_12, h_22.
        """
        a, b, c = hessian
        v, w, z = self.adjoint
        size, p = self.density(hessian), self.product
        return size, ((v + p * c) / size, (w - p * b) / size, (z + p * a) / size)


@dataclass(frozen=True)
class _Line:
    normal: np.ndarray
    constant: float


def _floats(polygon: Polygon) -> list[_Line]:
    return [_Line(np.array(edge.normal, dtype=float), float(edge.constant)) for edge in polygon.edges]


def _grown(polygon: Polygon, sides: list[Any]) -> Regular:
    """p, V and the determinant, side by side."""
    product, adjoint, determinant = 1.0, [0.0, 0.0, 0.0], 0.0  # type: Any, list[Any], Any
    for (a, b), side in zip(polygon.normals, sides, strict=True):
        v, w, z = adjoint
        determinant = side * determinant + (v * (a * a) + w * (2 * a * b) + z * (b * b))
        adjoint = [side * old + product * new for old, new in zip(adjoint, (b * b, -a * b, a * a), strict=True)]
        product = side * product
    return Regular(product, (adjoint[0], adjoint[1], adjoint[2]), determinant)
