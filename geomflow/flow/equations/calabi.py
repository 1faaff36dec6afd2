"""Calabi flow of the potential."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from geomflow.field import ComplexTorus, PotentialField
from geomflow.flow.equation import Equation, checked_state
from geomflow.flow.equations.derived import Descent
from geomflow.flow.flow import Flow
from geomflow.symbolic.functionals.kahler import KEnergy

if TYPE_CHECKING:
    import sympy


@final
@dataclass(frozen=True)
class CalabiFlow(Flow):
    """Calabi flow ∂_t φ = R − R̄ (Calabi 1982; eq. (B.9) of Halverson and Ruehle): the descent of the K-energy.

    R = −2 Δ_∂ log det g is the Riemannian scalar curvature; its mean R̄ is zero in every class of a torus. The
    equation is of fourth order and is computed in two stages: log v, then its Laplacian.
    """

    @property
    def name(self) -> str:
        """"calabi"."""
        return "calabi"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t φ = R − R̄."""
        return descent(ComplexTorus(dim=1)).equation

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation of φ over the flat unit reference form, written out."""
        return descent(torus).components(torus)

    def on(self, state: Any) -> Equation:
        """The equation for a PotentialField."""
        field = checked_state(self, state, PotentialField, "grid.potential(...) on a ComplexTorus")
        found = descent(field.grid.torus).written(field)
        return replace(found, inner=None, monitors=tuple(m for m in found.monitors if m.name != "dissipation"))


def descent(torus: Any) -> Descent:
    """The gradient flow of the K-energy in Mabuchi's metric."""
    return Descent(KEnergy(torus).gradient_flow("mabuchi"))
