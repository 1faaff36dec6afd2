"""Gradient descent in continuous time on the parameters of a network that is a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.flow.flow import Flow
from geomflow.flow.problem import Problem
from geomflow.flow.steppers.rkc import RKC
from geomflow.learn.flows.binding import checked_state, loss_at, parameter_equation, parameter_problem
from geomflow.learn.flows.loss import Setting
from geomflow.learn.models.wrapped import checked_model

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.steppers.stepper import Stepper
    from geomflow.learn.models.model import Model
    from geomflow.symbolic.functionals import Functional


@final
@dataclass(frozen=True)
class GradientFlow(Flow):
    """dθ_I/dt = −∂L/∂θ_I, with L = loss·E the functional of the metric that the model represents.

    Source: Halverson and Ruehle, eqs. (2.2)-(2.6). The metric follows dg = −∫Θ δL/δg with the tangent kernel Θ_t of the
    network at time t. It acts on a `ModelState`: ``model.on(grid)`` or ``model.on(points)``; on a grid the loss is
    differentiated as the grid does, on points from the network's exact derivatives, for local functionals.

    `parameters` are numbers for what the functional leaves open, `measure` its reference measure dm/dx on a grid.
    Monitors: "energy", L itself, and "dissipation" = |∂L/∂θ|², with d(energy)/dt = −dissipation.

    Raises InputError for a functional or a state of another kind.
    """

    functional: Functional
    model: Model
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    def __post_init__(self) -> None:
        from geomflow.symbolic.functionals import Functional

        if not isinstance(self.functional, Functional):
            raise InputError("GradientFlow needs a functional such as gf.functionals.KEnergy(torus), not "
                             f"{self.functional!r}.")
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

    def on(self, state: Any) -> Any:
        """The loss that is descended from the state, as numbers."""
        return loss_at(Setting(self.functional, self.parameters, self.measure), self.model,
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
