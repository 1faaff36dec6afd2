"""From a loss and a state of a model to the `Problem` that `solve` integrates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.grid import Grid
from geomflow.flow.problem import Problem, Violation
from geomflow.networks.models.state import ModelState
from geomflow.tangent.grid_loss import GridLoss
from geomflow.tangent.loss import Continuum, Loss, Setting
from geomflow.tangent.point_loss import PointLoss
from geomflow.tangent.sampled_loss import sampled_loss

if TYPE_CHECKING:
    import sympy

    from geomflow.flow.flow import Flow
    from geomflow.networks.models.model import Model
    from geomflow.symbolic.functionals import Functional

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
    setting = Setting(getattr(functional, "functional", functional), parameters, measure)
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
