"""Kähler–Ricci flow of the potential, towards any prescribed volume density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Real
from sys import float_info
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, PositivityError
from geomflow.core.exact_numbers import fraction_of
from geomflow.core.program import Average, Program, Stage
from geomflow.field import HermitianField, PotentialField, ScalarField
from geomflow.field.potential import ReferenceForm, reference_rows
from geomflow.flow.equation import Equation, checked_state, equations_of
from geomflow.flow.equations.kahler import LOG_KAPPA, kahler_monitors, log_det_stage, log_flat_volume
from geomflow.flow.flow import Flow
from geomflow.flow.steppers.choose import fitting_stepper
from geomflow.flow.steppers.rosenbrock import SemiImplicit
from geomflow.symbolic.variation.kahler_frame import PHI

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.control import Stepper
    from geomflow.flow.problem import Problem

TARGET, MASS = "log_target", "mass_ratio"


@final
@dataclass(frozen=True)
class KahlerRicciFlow(Flow):
    """∂_t φ = speed · log v,  v = det(g_ref + ∂∂̄φ) / (κ ρ)  (Cao 1985; for ρ = 1, ∂_t g_{ab̄} = −R_{ab̄}).

    κ makes the two masses equal, ⟨κρ⟩ = ⟨det g_ref⟩. The steady state solves the complex Monge–Ampère equation
    det(g_ref + ∂∂̄φ) = κρ: Calabi's conjecture on the torus.

    Raises InputError for a speed that is not positive.

    Parameters
    ----------
    density : text, number, function, array or ScalarField
        ρ > 0, whatever ``grid.scalar`` takes; flat, ρ = 1, unless given.
    speed : float
        Positive; Hamilton's ∂_t g = −2 Ric has 2.
    """

    density: Any = None
    speed: float = 1

    def __post_init__(self) -> None:
        if isinstance(self.speed, bool) or not (isinstance(self.speed, Real) and 0 < self.speed <= float_info.max):
            raise InputError(f"the speed is {self.speed!r}; it must be a positive number (reversed, the flow is "
                             "ill-posed).")

    name: ClassVar[str] = "kahler-ricci"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t φ = speed log v."""
        import sympy

        t = sympy.Symbol("t")
        rate = sympy.Rational(fraction_of(self.speed)) * sympy.log(sympy.Symbol("v", positive=True))
        return sympy.Eq(sympy.Derivative(sympy.Function("phi")(t), t), rate, evaluate=False)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation of φ over the flat unit reference form, written out."""
        flat = Target(-torus.dim * gr.log(gr.constant(2)))
        return equations_of(self._program(ReferenceForm.flat(torus), flat), torus)

    def on(self, state: Any) -> Equation:
        """The equation for a PotentialField. Raises PositivityError when the prescribed density is not positive."""
        potential = checked_state(self, state, PotentialField, "grid.potential(...) on a ComplexTorus")
        form, target = ReferenceForm.of(potential), self._target(potential)
        rows = [row for row in (reference_rows(potential), target.row) if row is not None]
        return Equation(
            program=self._program(form, target),
            statics=np.concatenate(rows) if rows else None,
            positive=("the smallest leading principal minor of g", form.metric.minors),
            stages=(log_det_stage(form),),
            monitors=kahler_monitors(form, target.node),
            curvature="curvature_size",
            numbers=target.numbers,
            averages=() if target.row is None else (Average(MASS, form.metric.determinant, gr.exp(target.node)),),
            modulo="constants",
        )

    def default_stepper(self, problem: Problem) -> Stepper:
        """Semi-implicit towards a prescribed density, where only the steady state matters; else the fitting one.

        Parameters
        ----------
        problem : Problem
            As the flow was bound.
        """
        return fitting_stepper(problem) if self.density is None else SemiImplicit()

    def _program(self, form: ReferenceForm, target: Target) -> Program:
        given = target.row is not None
        excess = form.metric.log_det - target.node - (gr.log(gr.symbol(MASS)) if given else 0)
        statics = (*form.static_names, TARGET) if given else form.static_names
        stage = Stage((("rate_phi", excess * Fraction(self.speed)),))
        return Program(form.coordinates, (PHI,), statics, (MASS,) if given else tuple(target.numbers), (stage,))

    def _target(self, state: PotentialField) -> Target:
        """log κρ: a constant where everything is flat, else a given array."""
        log_flat, axes = log_flat_volume(state), len(state.grid.shape)
        if self.density is None and not isinstance(state.reference, HermitianField):
            return Target(gr.symbol(LOG_KAPPA), numbers={LOG_KAPPA: log_flat})
        density: ScalarField = state.grid.scalar(1 if self.density is None else self.density)
        if not density.min() > 0:
            raise PositivityError(f"the prescribed density must be positive; its least value is {density.min():.6g}: "
                                  "add a constant to it.")
        return Target(gr.jet(TARGET, (0,) * axes), (np.log(density.values / density.mean()) + log_flat)[None])


@dataclass(frozen=True)
class Target:
    """The logarithm of the volume that the flow runs towards: a node, and its values, a given array or a number.

    With a given array the total masses of det g and of the target differ by the error of the discretisation; their
    ratio is divided out of v at each state, so that v = 1 can be reached and φ does not drift.
    """

    node: gr.Node
    row: np.ndarray | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
