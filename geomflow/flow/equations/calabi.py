"""Calabi flow of the potential."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, final

from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage
from geomflow.field import PotentialField
from geomflow.field.reference_form import reference_rows
from geomflow.flow.equation import Equation, checked_state, equations_of
from geomflow.flow.equations.kahler import PHI, KahlerSetting, log_flat_volume
from geomflow.flow.flow import Flow

if TYPE_CHECKING:
    import sympy


@final
@dataclass(frozen=True)
class CalabiFlow(Flow):
    """Calabi flow ∂_t φ = R − R̄ (Calabi 1982; eq. (B.9) of Halverson and Ruehle).

    R = −2 Δ_∂ log det g is the Riemannian scalar curvature; its mean R̄ is zero in every class of a torus. The
    equation is of fourth order and is computed in two stages: log det g, then its Laplacian.
    """

    @property
    def name(self) -> str:
        """"calabi"."""
        return "calabi"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t φ = R − R̄."""
        import sympy

        t = sympy.Symbol("t")
        rate = sympy.Symbol("R") - sympy.Symbol("Rbar")
        return sympy.Eq(sympy.Derivative(sympy.Function("phi")(t), t), rate, evaluate=False)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation of φ over the flat unit reference form, written out."""
        return equations_of(_program(KahlerSetting.flat(torus)), torus)

    def on(self, state: Any) -> Equation:
        """The equation for a PotentialField."""
        field = checked_state(self, state, PotentialField, "grid.potential(...) on a ComplexTorus")
        setting = KahlerSetting.of(field)
        return Equation(
            program=_program(setting),
            statics=reference_rows(field),
            positive=("the smallest leading principal minor of g", setting.minors()),
            stages=(setting.log_det_stage,),
            monitors=setting.monitors(gr.constant(Fraction(log_flat_volume(field)))),
            curvature="curvature_size",
            modulo="constants",
        )


def _program(setting: KahlerSetting) -> Program:
    stages = (setting.log_det_stage, Stage((("rate_phi", setting.scalar),)))
    return Program(setting.coordinates, (PHI,), setting.static_names, (), stages)
