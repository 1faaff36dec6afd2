"""Gradient descent in continuous time on the parameters of a network that is a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.flow.flow import Flow
from geomflow.flow.problem import Problem
from geomflow.flow.steppers.rkc import RKC
from geomflow.networks.models.wrapped import checked_model
from geomflow.tangent.binding import checked_state, loss_at, parameter_equation, parameter_problem
from geomflow.tangent.loss import Continuum, Loss, checked_functional

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.steppers.stepper import Stepper
    from geomflow.networks.models.model import Model
    from geomflow.symbolic.functionals import Functional


@final
@dataclass(frozen=True)
class GradientFlow(Flow):
    """dθ_I/dt = −∂L/∂θ_I, with L = loss·E the functional of the metric that the model represents.

    Source: Halverson and Ruehle, eqs. (2.2)-(2.5). It acts on a `ModelState`: ``model.on(grid)`` or
    ``model.on(points)``. L is the sum (Vol/|B|) Σ l(x) of the functional's density over these points, made with the
    network's exact derivatives, and ∂L/∂θ is the gradient of that very sum, whatever the points are.
    ``Continuum(functional)`` takes averages of the continuum's δL/δg instead, eq. (2.6), and so do functionals that are
    no sum over points (Perelman's λ), on a grid: dg = −∫Θ δL/δg with the tangent kernel Θ_t of the network.

    `parameters` are numbers for what the functional leaves open, `measure` its reference measure dm/dx.
    Monitors: "energy", L itself, and "dissipation" = |∂L/∂θ|², with d(energy)/dt = −dissipation.

    Raises InputError for a functional or a state of another kind.
    """

    functional: Functional | Continuum
    model: Model
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    def __post_init__(self) -> None:
        checked_functional(self.functional, "GradientFlow")
        checked_model(self.model)

    @property
    def name(self) -> str:
        """The functional's name, with what flows."""
        return f"{self.functional.name}-parameters"

    @property
    def equation(self) -> sympy.Eq:
        """dθ_I/dt = −∂L/∂θ_I."""
        return parameter_equation()

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The one equation of all parameters."""
        return [self.equation]

    def on(self, state: Any) -> Loss:
        """The loss that is descended from the state, as numbers."""
        return loss_at(self.functional, self.parameters, self.measure, self.model,
                       checked_state(self, self.model, state))

    def bind(self, state: Any) -> Problem:
        """The initial value problem of the parameters, which starts at the state."""
        loss = self.on(state)

        def rate(t: float, y: np.ndarray, out: np.ndarray) -> None:
            out[...] = loss.descent(y.ravel()).reshape(y.shape)

        return parameter_problem(self, state, loss, rate)

    def default_stepper(self, problem: Problem) -> Stepper:
        """Stabilised Runge–Kutta: a tangent kernel times a functional's second derivative is stiff."""
        return RKC()
