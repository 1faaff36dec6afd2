"""Gradient descent in continuous time on the parameters of a network that is a metric, free or linearised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.grid import Grid
from geomflow.flow.flow import Flow
from geomflow.flow.problem import Problem, Violation
from geomflow.flow.steppers.rkc import RKC
from geomflow.networks.model import ModelState
from geomflow.networks.wrapped import Linearised, checked_model
from geomflow.tangent.loss import Continuum, GridLoss, Loss, Setting, checked_functional
from geomflow.tangent.sampled_loss import PointLoss, sampled_loss

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.control import Stepper
    from geomflow.flow.flow import Flow
    from geomflow.networks.model import Model
    from geomflow.symbolic.functionals import Functional
    from geomflow.tangent.loss import Continuum

Rate = Callable[[float, np.ndarray, np.ndarray], None]


def checked_state(flow: Flow, model: Model, state: Any) -> ModelState:
    """`state` if it is a state of the model.

    Raises InputError that says what was given and how to make the right one.
    """
    if not isinstance(state, ModelState):
        raise InputError(f"the flow '{flow.name}' acts on the parameters of a model: start it from model.on(grid) or "
                         f"model.on(points), not from a {type(state).__name__}.")
    if state.model is not model:
        twin = " (another object: make the model once, for flow and state)" if repr(model) == repr(state.model) else ""
        raise InputError(f"the flow '{flow.name}' is one of {model!r}, and the state belongs to {state.model!r}{twin}.")
    if not len(state.points):
        raise InputError("a loss is a mean over points, and the state has none: give points (p, d) with p >= 1.")
    return state


def loss_at(functional: Functional | Continuum, parameters: Mapping[str, float], measure: Any, model: Model,
            state: ModelState) -> Loss:
    """The loss of a model where the state samples it.

    A functional that is no sum over points (the eigenvalue λ) is descended on a grid as `Continuum` does it.
    """
    energy = functional.functional if isinstance(functional, Continuum) else functional
    setting = Setting(energy, parameters, measure)
    sampled = sampled_loss(setting, model, state)
    if sampled.local and not isinstance(functional, Continuum):
        state.require_positive()
        return sampled.ready()
    if isinstance(state.place, Grid):
        return GridLoss(setting, model, state.field())
    if not sampled.local or measure is not None:
        raise InputError(f"the gradient of {setting.functional.name} is not local, or has a measure of its own: flow "
                         "on a grid, model.on(torus.grid(...)), instead of on points.")
    state.require_positive()
    return PointLoss(sampled)


def parameter_problem(flow: Flow, state: ModelState, loss: Loss, rate: Rate, memory: np.ndarray | None = None
                      ) -> Problem:
    """The problem of an array (rows, n_parameters): the parameters, then the rows of a memory."""
    y0 = state.pack() if memory is None else np.concatenate([state.pack(), memory])

    def observe(t: float, y: np.ndarray) -> dict[str, float]:
        gradient = loss.descent(y[0])
        return {**loss.observe(y[0]), "dissipation": float(gradient @ gradient)}

    return Problem(
        y0=y0,
        rate=rate,
        unpack=state.unpack,
        check=lambda t, y: _placed(state, loss.check(y[0])),
        observe=observe,
        description=description(flow, state),
    )


def _placed(state: ModelState, found: Violation | None) -> Violation | None:
    """What was found, with the coordinates of its place."""
    return replace(found, where=state.where(found.place)) if found is not None and found.place else found


def description(flow: Flow, state: ModelState) -> dict[str, Any]:
    """JSON-able facts of a run for its store."""
    import sympy

    return {
        "flow": flow.name,
        "equation": f"{flow}; {flow!r}",
        "latex": sympy.latex(flow.equation),
        "components": ["theta"],
        "model": repr(state.model),
        "place": repr(state.place) if isinstance(state.place, Grid) else f"{len(state.place)} points",
        "state": type(state).__name__,
    }


def parameter_equation() -> sympy.Eq:
    """dθ_I/dt = −∂L/∂θ_I."""
    import sympy

    t, theta = sympy.Symbol("t"), sympy.Function("theta_I")
    loss = sympy.Function("L")
    left = sympy.Derivative(theta(t), t)
    return sympy.Eq(left, -sympy.Derivative(loss(theta(t)), theta(t)), evaluate=False)


@final
@dataclass(frozen=True)
class GradientFlow(Flow):
    """dθ_I/dt = −∂L/∂θ_I, with L = factor·E the functional of the metric that the model represents.

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

    def on(self, state: Any) -> Loss:  # type: ignore[override]  # parameters have no equation on a grid
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
