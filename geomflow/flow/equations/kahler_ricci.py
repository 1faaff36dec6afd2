"""Kähler–Ricci flow of the potential, towards any prescribed volume density."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.codegen import Program, Stage
from geomflow.core import graph as gr
from geomflow.core.errors import InputError, PositivityError
from geomflow.field import PotentialField, ScalarField
from geomflow.flow.equation import Equation, checked_state, equations_of
from geomflow.flow.equations.kahler import PHI, KahlerSetting, log_flat_volume, reference_rows
from geomflow.flow.flow import Flow

if TYPE_CHECKING:
    import sympy


TARGET = "log_target"


@final
@dataclass(frozen=True)
class KahlerRicciFlow(Flow):
    """∂_t φ = speed · log v,  v = det(g_ref + ∂∂̄φ) / (κ ρ)  (Cao 1985; MATH: ∂_t g_{ab̄} = −R_{ab̄} for ρ = 1).

    `density` prescribes ρ > 0, anything that ``grid.scalar`` takes (flat, ρ = 1, unless given); κ makes the two
    masses equal, ⟨κρ⟩ = ⟨det g_ref⟩. The steady state solves the complex Monge–Ampère equation
    det(g_ref + ∂∂̄φ) = κρ: Calabi's conjecture on the torus. Hamilton's speed, ∂_t g = −2 Ric, is ``speed=2``.

    Raises InputError for a speed that is not positive.
    """

    density: Any = None
    speed: float = 1

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise InputError(f"the speed is {self.speed!r}; it must be positive (the reversed flow is ill-posed).")

    @property
    def name(self) -> str:
        """"kahler-ricci"."""
        return "kahler-ricci"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t φ = speed log v."""
        import sympy

        t = sympy.Symbol("t")
        rate = sympy.nsimplify(self.speed) * sympy.log(sympy.Symbol("v", positive=True))
        return sympy.Eq(sympy.Derivative(sympy.Function("phi")(t), t), rate, evaluate=False)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation of φ over the flat unit reference form, written out."""
        setting = KahlerSetting.flat(torus)
        return equations_of(self._program(setting, gr.constant(torus.dim) * -gr.log(2), ()), torus)

    def on(self, state: Any) -> Equation:
        """The equation for a PotentialField. Raises PositivityError when the prescribed density is not positive."""
        field = checked_state(self, state, PotentialField, "grid.potential(...) on a ComplexTorus")
        setting, log_flat = KahlerSetting.of(field), log_flat_volume(field)
        statics = reference_rows(field)
        if self.density is None:
            target, names = gr.constant(Fraction(log_flat)), setting.static_names
        else:
            target, names = setting.field(TARGET), (*setting.static_names, TARGET)
            row = self._log_target(field, log_flat)[None]
            statics = row if statics is None else np.concatenate([statics, row])
        return Equation(
            program=self._program(setting, target, names),
            statics=statics,
            positive=("the smallest leading principal minor of g", setting.minors()),
            stages=(setting.log_det_stage,),
            monitors=setting.monitors(target),
            curvature="curvature_size",
            modulo="constants",
        )

    def _program(self, setting: KahlerSetting, target: gr.Node, statics: tuple[str, ...]) -> Program:
        rate = (setting.metric.log_det - target) * Fraction(self.speed)
        return Program(setting.coordinates, (PHI,), statics, (), (Stage((("rate_phi", rate),)),))

    def _log_target(self, state: PotentialField, log_flat: float) -> np.ndarray:
        density: ScalarField = state.grid.scalar(self.density)
        if not density.min() > 0:
            raise PositivityError(f"the prescribed density must be positive, and its least value is {density.min():.6g}: "
                                  "add a constant to it.")
        return np.log(density.values / density.mean()) + log_flat
