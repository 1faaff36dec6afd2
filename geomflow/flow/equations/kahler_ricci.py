"""Kähler–Ricci flow of the potential, towards any prescribed volume density."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from sys import float_info
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, PositivityError
from geomflow.core.exact_numbers import fraction_of
from geomflow.core.program import Program, Stage
from geomflow.field import PotentialField, ScalarField
from geomflow.field.potential import ReferenceForm, reference_rows
from geomflow.flow.equation import Equation, checked_state, equations_of
from geomflow.flow.equations.kahler import Target, kahler_monitors, log_det_stage, log_flat_volume, masses
from geomflow.flow.flow import Flow
from geomflow.flow.steppers.choose import fitting_stepper
from geomflow.flow.steppers.rosenbrock import SemiImplicit
from geomflow.symbolic.ansatz import Typed
from geomflow.symbolic.jets import field_node
from geomflow.symbolic.variation.kahler_frame import PHI

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.control import Stepper
    from geomflow.flow.problem import Problem
    from geomflow.symbolic.kahler import KahlerMetric

TARGET = "log_target"


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
    normalised : bool
        Of metrics with symmetry, whose class moves: keep the volume, ∂_t g = −Ric + R̄ g/d. On a torus R̄ = 0.
    """

    density: Any = None
    speed: float = 1
    normalised: bool = False

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

    def typed(self, dim: int) -> Typed:
        """"-Ric", which moves the Kähler class; with the mean of R where it is normalised.

        Raises InputError where a density is prescribed, which is that of a torus.

        Parameters
        ----------
        dim : int
            Of the manifold.
        """
        if self.density is not None:
            raise InputError("a density is prescribed on a torus, not for metrics with symmetry: leave it out.")
        speed = fraction_of(self.speed)
        return Typed(f"-{speed}*Ric" + (f" + {speed}*mean(R)/{dim}*g" if self.normalised else ""))

    def of_potential(self, metric: KahlerMetric) -> sympy.Expr:
        """The rate of the potential, speed times log det g up to a constant.

        Parameters
        ----------
        metric : KahlerMetric
            Of the potential.
        """
        import sympy

        return sympy.Rational(fraction_of(self.speed)) * sympy.log(metric.determinant)

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
            stages=(log_det_stage(form.metric),),
            monitors=kahler_monitors(form.metric, target.node),
            curvature="curvature_size",
            numbers=target.numbers,
            averages=target.averages,
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
        statics = form.static_names if target.row is None else (*form.static_names, TARGET)
        parameters = (*(average.parameter for average in target.averages), *target.numbers)
        stage = Stage((("rate_phi", target.excess(form.metric) * Fraction(self.speed)),))
        return Program(form.coordinates, (PHI,), statics, parameters, (stage,))

    def _target(self, state: PotentialField) -> Target:
        """κρ: a number of the class where ρ is one, else a given array."""
        metric = ReferenceForm.of(state).metric
        if self.density is None:
            return Target.flat(state, metric)
        density: ScalarField = state.grid.scalar(self.density)
        if not density.min() > 0:
            raise PositivityError(f"the prescribed density must be positive; its least value is {density.min():.6g}: "
                                  "add a constant to it.")
        node, log_density = field_node(TARGET, state.grid.torus.coordinates), np.log(density.values / density.mean())
        return Target(node, (log_density + log_flat_volume(state))[None], mass=masses(metric, node))

