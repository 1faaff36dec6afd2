"""The flow of the model linearised in its parameters, which a frozen tangent kernel governs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from geomflow.flow.flow import Flow
from geomflow.flow.problem import Problem
from geomflow.flow.steppers.rkc import RKC
from geomflow.networks.models.linearised import Linearised
from geomflow.tangent.binding import checked_state, parameter_equation
from geomflow.tangent.gradient_flow import GradientFlow

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.steppers.stepper import Stepper
    from geomflow.networks.models.model import Model
    from geomflow.symbolic.functionals import Functional
    from geomflow.tangent.loss import Continuum


@final
@dataclass(frozen=True)
class LinearisedFlow(Flow):
    """Gradient flow of the model linearised at the parameters θ_0 of the state where the run starts:

        g^L(x) = g(x)|_{θ_0} + (θ_I − θ_{0,I}) ∂g(x)/∂θ_I|_{θ_0},    dθ_I/dt = −∂L[g^L]/∂θ_I

    (Halverson and Ruehle, eqs. (2.10) and (2.11)). With ``Continuum(functional)`` on a grid its metric follows the
    `KernelFlow` of the kernel frozen at θ_0, (2.12), exactly. Arguments and monitors are those of `GradientFlow`; the
    states of the solution belong to the linearised model.
    """

    functional: Functional | Continuum
    model: Model
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    def __post_init__(self) -> None:
        GradientFlow(self.functional, self.model, self.parameters, self.measure)

    @property
    def name(self) -> str:
        """The functional's name, with what flows."""
        return f"{self.functional.name}-linearised"

    @property
    def equation(self) -> sympy.Eq:
        """dθ_I/dt = −∂L/∂θ_I, with L at g^L."""
        return parameter_equation()

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The one equation of all parameters."""
        return [self.equation]

    def on(self, state: Any) -> Any:
        """The loss that is descended from the state, as numbers."""
        flow, start = self._linearised(state)
        return flow.on(start)

    def bind(self, state: Any) -> Problem:
        """The initial value problem of the parameters, which starts at the state."""
        flow, start = self._linearised(state)
        return flow.bind(start)

    def _linearised(self, state: Any) -> tuple[GradientFlow, Any]:
        given = checked_state(self, self.model, state)
        model = Linearised(self.model, given.parameters)
        return (GradientFlow(self.functional, model, self.parameters, self.measure),
                model.on(given.place, parameters=given.parameters))

    def default_stepper(self, problem: Problem) -> Stepper:
        """Stabilised Runge–Kutta."""
        return RKC()
