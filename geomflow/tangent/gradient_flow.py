"""Descent in continuous time on the parameters of a network that is a metric, free or linearised, and its monitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.grid import Grid
from geomflow.flow import RKC, Problem, Stepper, Violation
from geomflow.flow.flow import Flow
from geomflow.kernels.spectrum import alignment, participation_ratio
from geomflow.networks.model import Model
from geomflow.networks.state import ModelState
from geomflow.networks.tangents import flattened_kernel
from geomflow.networks.wrapped import Linearised, checked_model
from geomflow.symbolic.functionals import Functional
from geomflow.tangent.loss import Continuum, ContinuumLoss, GridLoss, Loss, PosedFunctional, checked_functional
from geomflow.tangent.sampled_loss import PointLoss, sampled_loss

if TYPE_CHECKING:
    import sympy

Rate = Callable[[float, np.ndarray, np.ndarray], None]


class ParameterFlow(Flow):
    """Descent of L, the loss that a functional makes of the metric of `model`, in the model's parameters.

    It acts on a `ModelState`. Subclasses say at which state the descent starts, and how it steps.
    """

    functional: Functional | Continuum
    model: Model
    parameters: Mapping[str, float]
    measure: Any

    def __post_init__(self) -> None:
        checked_functional(self.functional, type(self).__name__)
        checked_model(self.model)

    @property
    def equation(self) -> sympy.Eq:
        """dθ_I/dt = −∂L/∂θ_I."""
        import sympy

        t, theta = sympy.Symbol("t"), sympy.Function("theta_I")
        left = sympy.Derivative(theta(t), t)
        return sympy.Eq(left, -sympy.Derivative(sympy.Function("L")(theta(t)), theta(t)), evaluate=False)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The one equation of all parameters."""
        return [self.equation]

    def on(self, state: Any) -> Loss:  # type: ignore[override]  # parameters have no equation on a grid
        """The loss that is descended from the state, as numbers."""
        return self._loss(self._start(self._checked(state)))

    def bind(self, state: Any) -> Problem:
        """The initial value problem of the parameters, which starts at the state."""
        start = self._start(self._checked(state))
        loss = self._loss(start)

        def rate(t: float, y: np.ndarray, out: np.ndarray) -> None:
            out[...] = loss.descent(y.ravel()).reshape(y.shape)

        return self._problem(start, loss, rate, start.pack())

    def default_stepper(self, problem: Problem) -> Stepper:
        """Stabilised Runge–Kutta: a tangent kernel times a functional's second derivative is stiff.

        Parameters
        ----------
        problem : Problem
            As the flow was bound.
        """
        return RKC()

    def _start(self, state: ModelState) -> ModelState:
        """Where the descent starts."""
        return state

    def _checked(self, state: Any) -> ModelState:
        """`state` if it is a state of the model; InputError that says what was given and how to make the right one."""
        if not isinstance(state, ModelState):
            raise InputError(f"the flow '{self.name}' acts on the parameters of a model: start it from model.on(grid) "
                             f"or model.on(points), not from a {type(state).__name__}.")
        if state.model is not self.model:
            twin = " (another object: make the model once, for flow and state)"
            raise InputError(f"the flow '{self.name}' is one of {self.model!r}, and the state belongs to "
                             f"{state.model!r}{twin if repr(self.model) == repr(state.model) else ''}.")
        if not len(state.points):
            raise InputError("a loss is a mean over points, and the state has none: give points (p, d) with p >= 1.")
        return state

    def _loss(self, state: ModelState) -> Loss:
        """The loss where the state samples it.

        A functional that is no sum over points (the eigenvalue λ) is descended on a grid as `Continuum` does it.
        """
        continuum = isinstance(self.functional, Continuum)
        energy = self.functional.functional if isinstance(self.functional, Continuum) else self.functional
        posed = PosedFunctional(energy, self.parameters, self.measure)
        sampled = sampled_loss(posed, state)
        if sampled.local and not continuum:
            state.require_positive()
            return sampled.ready()
        if isinstance(state.place, Grid):
            return GridLoss(posed, state.model, state.field())
        if not sampled.local or self.measure is not None:
            raise InputError(f"the gradient of {energy.name} is not local, or has a measure of its own: flow on a "
                             "grid, model.on(torus.grid(...)), instead of on points.")
        state.require_positive()
        return PointLoss(sampled)

    def _problem(self, state: ModelState, loss: Loss, rate: Rate, y0: np.ndarray) -> Problem:
        """The problem of an array y0 (rows, n_parameters): the parameters, then the rows of a memory."""

        def observe(t: float, y: np.ndarray) -> dict[str, float]:
            gradient = loss.descent(y[0])
            return {**loss.observe(y[0]), "dissipation": float(gradient @ gradient)}

        def check(t: float, y: np.ndarray) -> Violation | None:
            found = loss.check(y[0])
            return replace(found, where=state.where(found.place)) if found is not None and found.place else found

        return Problem(y0=y0, rate=rate, unpack=state.unpack, check=check, observe=observe,
                       description=self._description(state))

    def _description(self, state: ModelState) -> dict[str, Any]:
        """JSON-able facts of a run for its store."""
        import sympy

        return {
            "flow": self.name,
            "equation": f"{self}; {self!r}",
            "latex": sympy.latex(self.equation),
            "components": ["theta"],
            "model": repr(state.model),
            "place": repr(state.place) if isinstance(state.place, Grid) else f"{len(state.place)} points",
            "state": type(state).__name__,
        }


@final
@dataclass(frozen=True)
class GradientFlow(ParameterFlow):
    """dθ_I/dt = −∂L/∂θ_I, with L = factor·E the functional of the metric that the model represents.

    Source: Halverson and Ruehle, eqs. (2.2)-(2.5). It acts on a `ModelState`: ``model.on(grid)`` or
    ``model.on(points)``. L is the sum (Vol/|B|) Σ l(x) of the functional's density over these points, made with the
    network's exact derivatives, and ∂L/∂θ is the gradient of that very sum, whatever the points are.
    ``Continuum(functional)`` takes averages of the continuum's δL/δg instead, eq. (2.6), and so do functionals that are
    no sum over points (Perelman's λ), on a grid: dg = −∫Θ δL/δg with the tangent kernel Θ_t of the network.

    Monitors: "energy", L itself, and "dissipation" = |∂L/∂θ|², with d(energy)/dt = −dissipation.

    Raises InputError for a functional or a state of another kind.

    Parameters
    ----------
    functional : Functional or Continuum
        E, and how it is descended.
    model : Model
        What makes the metric.
    parameters : mapping
        Numbers for what the functional leaves open.
    measure : str, float, sympy.Expr, array or field, optional
        Its reference measure dm/dx.
    """

    functional: Functional | Continuum
    model: Model
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    @property
    def name(self) -> str:
        """The functional's name, with what flows."""
        return f"{self.functional.name}-parameters"


@final
@dataclass(frozen=True)
class LinearisedFlow(ParameterFlow):
    """Gradient flow of the model linearised at the parameters θ_0 of the state where the run starts:

        g^L(x) = g(x)|_{θ_0} + (θ_I − θ_{0,I}) ∂g(x)/∂θ_I|_{θ_0},    dθ_I/dt = −∂L[g^L]/∂θ_I

    (Halverson and Ruehle, eqs. (2.10) and (2.11)). With ``Continuum(functional)`` on a grid its metric follows the
    `KernelFlow` of the kernel frozen at θ_0, (2.12), exactly. Monitors are those of `GradientFlow`; the states of the
    solution belong to the linearised model.

    Parameters
    ----------
    functional : Functional or Continuum
        E, and how it is descended.
    model : Model
        g.
    parameters : mapping
        Numbers for what the functional leaves open.
    measure : str, float, sympy.Expr, array or field, optional
        Its reference measure dm/dx.
    """

    functional: Functional | Continuum
    model: Model
    parameters: Mapping[str, float] = field(default_factory=dict)
    measure: Any = None

    @property
    def name(self) -> str:
        """The functional's name, with what flows."""
        return f"{self.functional.name}-linearised"

    def _start(self, state: ModelState) -> ModelState:
        return Linearised(self.model, state.parameters).on(state.place, parameters=state.parameters)


POINTS = 32
"""Kernels are looked at on about so many of the state's points."""

Monitor = Callable[[float, ModelState], float]


def tangent_monitors(flow: Any, start: ModelState, points: int = POINTS) -> dict[str, Monitor]:
    """Monitors of the tangent kernel Θ_t of a run.

    Θ_t is the matrix over pairs (point, component) on some evenly chosen points of the state:

    kernel_drift         ‖Θ_t − Θ_0‖/‖Θ_0‖, Frobenius norms; zero for a frozen kernel
    kernel_alignment     ⟨D, Θ_t D⟩/(‖Θ_t‖_F |D|²) ∈ [0, 1], the alignment of Θ_t and D Dᵀ (Cristianini et al. 2001),
                         D the continuum's δL/δg on these points: one where Θ_t moves nothing but the gradient
    kernel_top           λ_max, the largest eigenvalue
    participation_ratio  (tr Θ_t)²/tr Θ_t²: how many directions can move

    Parameters
    ----------
    flow : GradientFlow, LinearisedFlow or Training
        What is run.
    start : ModelState
        Where the run starts.
    points : int
        About how many points are looked at.

    Examples
    --------
    >>> import geomflow as gf
    >>> T = gf.ComplexTorus(dim=1)
    >>> network = gf.networks.Perceptron(2, (16,), embedding=gf.networks.FourierEmbedding(T))
    >>> model = gf.networks.Rescaled(gf.networks.PotentialModel(T, network), 0.01)
    >>> flow = gf.GradientFlow(gf.functionals.KEnergy(T), model)
    >>> start = model.on(T.grid(8, scheme="spectral"), seed=0)
    >>> sol = gf.solve(flow, start, t1=1.0, monitors=gf.tangent.tangent_monitors(flow, start))
    >>> bool(sol["kernel_drift"][0] == 0 < sol["kernel_drift"][-1])
    True
    """
    if not isinstance(start, ModelState):
        raise InputError(f"tangent_monitors needs the state where the run starts, and {start!r} was given.")
    if not isinstance(flow, ParameterFlow):
        raise InputError(f"tangent_monitors needs a GradientFlow, LinearisedFlow or Training, and {flow!r} was given.")
    if points < 1:
        raise InputError(f"tangent_monitors looks at one point at least, and points is {points}.")
    loss = _continuum(flow, start)
    rows = np.unique(np.linspace(0, len(loss.points) - 1, min(points, len(loss.points))).astype(int))

    def kernel(state: ModelState) -> np.ndarray:
        theta = state.model.tangent_kernel(state.parameters, loss.points[rows])
        return flattened_kernel(theta, len(state.model.shape))

    first = kernel(start)

    @lru_cache(maxsize=1)
    def numbers(state: ModelState) -> dict[str, float]:
        matrix = kernel(state)
        covector = loss.derivative(state.parameters, rows).ravel()
        return _numbers(matrix, first, covector)

    def monitor(name: str) -> Monitor:
        return lambda t, state: numbers(state)[name]

    return {name: monitor(name) for name in ("kernel_drift", "kernel_alignment", "kernel_top", "participation_ratio")}


def _continuum(flow: ParameterFlow, start: ModelState) -> ContinuumLoss:
    """The loss whose functional derivative D is looked at."""
    functional = flow.functional if isinstance(flow.functional, Continuum) else Continuum(flow.functional)
    loss = GradientFlow(functional, start.model, flow.parameters, flow.measure).on(start)
    assert isinstance(loss, ContinuumLoss)
    return loss


def _numbers(matrix: np.ndarray, first: np.ndarray, covector: np.ndarray) -> dict[str, float]:
    spectrum = np.linalg.eigvalsh(matrix)
    return {
        "kernel_drift": float(np.linalg.norm(matrix - first) / np.linalg.norm(first)),
        "kernel_alignment": alignment(covector, matrix @ covector, float(np.linalg.norm(matrix))),
        "kernel_top": float(spectrum[-1]),
        "participation_ratio": participation_ratio(spectrum),
    }
