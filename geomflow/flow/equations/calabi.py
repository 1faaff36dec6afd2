"""Calabi flow of the potential."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.field import ComplexTorus, PotentialField
from geomflow.field.potential import ReferenceForm, kahler_class, reference_rows
from geomflow.flow.equation import Equation, checked_state
from geomflow.flow.equations.derived import Descent
from geomflow.flow.equations.kahler import LOG_KAPPA, kahler_monitors, log_det_stage, log_flat_volume
from geomflow.flow.flow import Flow
from geomflow.symbolic.ansatz import Typed
from geomflow.symbolic.functionals.kahler import KEnergy
from geomflow.symbolic.functionals.system import GradientSystem
from geomflow.symbolic.variation.kahler_frame import KahlerClass

if TYPE_CHECKING:
    import sympy

    from geomflow.symbolic.kahler import KahlerMetric


@final
@dataclass(frozen=True)
class CalabiFlow(Flow):
    """Calabi flow ∂_t φ = R − R̄ (Calabi 1982; eq. (B.9) of Halverson and Ruehle): the descent of the K-energy.

    R = −2 Δ_∂ log det g is the Riemannian scalar curvature; its mean R̄ is zero in every class of a torus. The
    equation is of fourth order and is computed in two stages: log det g, then its Laplacian. No constant κ is in the
    rate, which sees log v = log det g − log κ by its derivatives alone: one routine serves all Kähler classes.
    """

    name: ClassVar[str] = "calabi"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t φ = R − R̄."""
        return descent(ComplexTorus(dim=1)).equation

    def typed(self, dim: int) -> Typed:
        """∂_t g_{ab̄} = ∂_a∂_b̄ R: half of the Hessian and of what J makes of it.

        Parameters
        ----------
        dim : int
            Of the manifold.
        """
        return Typed("sym(Hess(R) + J[a,i]*J[b,j]*Hess(R)[a,b])/2")

    def of_potential(self, metric: KahlerMetric) -> sympy.Expr:
        """The rate of the potential, R up to its mean.

        Parameters
        ----------
        metric : KahlerMetric
            Of the potential.
        """
        return metric.scalar

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation of φ over the flat unit reference form, written out."""
        return descent(torus).components(torus)

    def on(self, state: Any) -> Equation:
        """The equation for a PotentialField."""
        field = checked_state(self, state, PotentialField, "grid.potential(...) on a ComplexTorus")
        form = ReferenceForm.of(field)
        system = _system(field.grid.torus, form, replace(kahler_class(field), kappa=gr.ONE))
        return Equation(
            program=system.program,
            statics=reference_rows(field),
            positive=("the smallest leading principal minor of g", form.metric.minors),
            stages=(log_det_stage(form.metric),),
            monitors=kahler_monitors(form.metric, gr.symbol(LOG_KAPPA)),
            numbers={LOG_KAPPA: log_flat_volume(field)},
            curvature="curvature_size",
            modulo="constants",
        )


def descent(torus: Any) -> Descent:
    """The gradient flow of the K-energy in Mabuchi's metric."""
    return Descent(KEnergy(torus).gradient_flow("mabuchi"))


@lru_cache(maxsize=16)
def _system(torus: Any, form: ReferenceForm, numbers: KahlerClass) -> GradientSystem:
    """The flow of potentials over a reference form: derived once for all the runs over it."""
    return descent(torus).derived.system(reference=form.nodes(), kahler_class=numbers)
