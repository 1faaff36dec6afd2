"""Fitting φ-networks: Adam on mini-batches, then Gauss–Newton steps on mini-batches; resumable, the same for a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.report import FitReport
from geomflow.fits.fit import OPERATIONS, FitState
from geomflow.fits.held_out import HeldOutTraining, held_out_count, small_start
from geomflow.fits.objective import Loss, loss_of
from geomflow.fits.phi_network import PhiNetwork
from geomflow.fits.phi_steps import AdamStep, GaussNewton
from geomflow.fits.points import WeightedPoints
from geomflow.fits.projective import input_count
from geomflow.flow.solver import solve
from geomflow.networks.activation import ActivationName
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.networks.perceptron import Perceptron
from geomflow.variety import Hypersurface, Points, checked_volume
from geomflow.variety.errors import UnderdeterminedError

#: Core-seconds of work unless told otherwise.
WORK = 600.0


@final
@dataclass(frozen=True)
class Recipe:
    """Settings of a fit in two phases, Adam and Gauss–Newton.

    Step lengths are constant for the first 70% of each phase and then fall linearly to zero. Measures on held-out
    points and everything about the fitted metric are in double precision whatever `precision` is.

    Parameters
    ----------
    share : float
        Of the work, Adam's.
    batches : (int, int)
        Points in a batch of either phase.
    phases : (AdamStep, GaussNewton)
        The steps of either phase.
    watch : (int, int)
        A row is added to the history every so many steps.
    precision : "single" or "double"
        Of the steps.
    """

    share: float = 0.05
    batches: tuple[int, int] = (1000, 1000)
    phases: tuple[AdamStep, GaussNewton] = field(default_factory=lambda: (AdamStep(), GaussNewton()))
    watch: tuple[int, int] = (100, 25)
    precision: str = "single"

    def costs(self, size: int, dim: int) -> tuple[float, float]:
        """A step of either kind in core-seconds of work, with `size` parameters on a variety of dimension `dim`.

        Parameters
        ----------
        size : int
            Parameters of the network.
        dim : int
            The dimension of the variety.
        """
        pairs = zip(self.phases, self.batches, strict=True)
        adam, newton = (phase.operations(count, size, dim) / OPERATIONS for phase, count in pairs)
        return adam, newton

    def steps(self, work: float, size: int, dim: int) -> tuple[int, int]:
        """How many steps of either kind so much work pays for, at least one. Raises `InputError`.

        Parameters
        ----------
        work : float
            Core-seconds.
        size : int
            Parameters of the network.
        dim : int
            The dimension of the variety.
        """
        if not (work and work > 0):
            raise InputError(f"the fit may take {work} core-seconds of work; give a positive number, or steps")
        adam, newton = self.costs(size, dim)
        return max(round(self.share * work / adam), 1), max(round((1 - self.share) * work / newton), 1)


@final
class PhiTraining(HeldOutTraining[PhiNetwork]):
    """The fit of a φ-network: ``solve(fit, fit.start(), fit.length)``, and ``fit.metric(solution)``.

    The points are split in train and held-out points (a tenth, at most 10,000) by the seed. Mini-batches are drawn from
    dμ_Ω by seed, phase and step number, so that a resumed fit equals one that was never stopped, bit for bit.
    States hold the `parameters` and the `best`
    ones, which had the least σ on the held-out points when these were watched.
    Raises `UnderdeterminedError` (fewer train points than parameters) and `InputError` (unknown loss, ReLU, no work).

    Parameters
    ----------
    variety : Hypersurface
        Where the metric lives.
    points : Points
        More than 10/9 of the parameters.
    steps : (int, int), optional
        Steps of Adam and of Gauss–Newton; as many as `work` pays for unless given.
    work : float or None
        Core-seconds, of 2·10¹⁰ counted operations each.
    hidden : sequence of int
        Widths of the hidden layers.
    activation : str
        Smooth, such as "gelu", "tanh" or "sin".
    loss : str or Loss
        "sigma", eq. (B.11), or F of E_F = ∫F(v) dμ_Ω as text, eq. (B.12).
    seed : int
        Draws the points held out, the parameters to start at and the batches.
    kahler_class : sequence of float, optional
        The t_i > 0 of g_FS, one for each factor; 1 unless given.
    recipe : Recipe, optional
        Batches, kinds of steps and precision.
    network : Perceptron, optional
        One of your own, in place of `hidden` and `activation`.
    first : (size,) array, optional
        Where to start; drawn by the seed unless given, the last layer's weights times 0.01.
    """

    name: ClassVar[str] = "phi-network"
    columns: ClassVar[tuple[str, ...]] = (
        "work", "sigma held out", "pivot held out", "loss", "adam steps", "gauss-newton steps"
    )  # fmt: skip
    blown: ClassVar[str] = "take a larger damping or a smaller rate"
    lost: ClassVar[str] = "it is outside the Kähler cone; fit longer or with a smaller rate"

    def __init__(
        self,
        variety: Hypersurface,
        points: Points,
        *,
        steps: tuple[int, int] | None = None,
        work: float | None = WORK,
        hidden: Sequence[int] = (64, 64, 64),
        activation: ActivationName = "gelu",
        loss: str | Loss = "(v - 1)^2",
        seed: int = 0,
        kahler_class: Sequence[float] | None = None,
        recipe: Recipe | None = None,
        network: Perceptron | None = None,
        first: np.ndarray | None = None,
    ) -> None:
        self.variety, self.seed, self.loss, self.recipe = variety, int(seed), loss_of(loss), recipe or Recipe()
        if network is None and not len(hidden):
            raise InputError("hidden is empty: without a hidden layer φ is linear in its inputs; give widths such as "
                             "(64, 64)")
        own = Perceptron(input_count(variety.ambient), hidden, 1, activation, "standard", bias_std=0.1)
        self.network = own if network is None else network
        self.first = small_start(self.network, self.seed) if first is None else self.network.layout.checked(first)
        self.kahler_class = PhiNetwork(variety, self.network, self.first, kahler_class).kahler_class
        found = self.recipe.steps(work or 0.0, self.network.size, variety.dim) if steps is None else steps
        self.steps = int(found[0]), int(found[1])
        self._require_points(len(points))
        self.hold_out(points, lambda part: WeightedPoints.in_frames(part, self.kahler_class))
        self._fast, self._exact = ComplexHessian(self.network, self.recipe.precision), ComplexHessian(self.network)

    def __content__(self) -> dict[str, Any]:
        """What the numbers depend on."""
        return {"variety": str(self.variety.polynomial.expression), "class": self.kahler_class, "seed": self.seed,
                "loss": self.loss.text, "steps": self.steps, "recipe": self.recipe, "network": repr(self.network),
                "first": self.first, "points": [self.places, self.train.weights, self.held_out.weights]}

    def _require_points(self, count: int) -> None:
        held = held_out_count(count)
        if count - held < self.network.size:
            raise UnderdeterminedError(
                f"{self.network.size} parameters and {count - held} train points ({held} of {count} are held out): the "
                f"fit is under-determined; take {5 * self.network.size} points or a smaller network"
            )

    @property
    def length(self) -> int:
        """The time by which the fit has ended by itself: its steps and one."""
        return sum(self.steps) + 1

    def start(self) -> FitState:
        """Before the first step."""
        size = self.network.size
        kappa = self.held_out.quality(self.change(self.first, self.held_out))[0]
        state = FitState.of(parameters=self.first, moments=np.zeros((2, size)), move=np.zeros(size), kappa=[kappa],
                            steps=[0, 0], loss=np.nan, best=self.first, best_sigma=np.inf, sigma=np.inf, pivot=np.inf,
                            watched=1)
        return self.watched(state)

    def step(self, state: FitState) -> FitState | Outcome:
        """A step of Adam until all of these are taken, then of Gauss–Newton."""
        taken = state["steps"].astype(int)
        phase = 0 if taken[0] < self.steps[0] else 1
        step, total = int(taken[phase]), self.steps[phase]
        if not np.isfinite(state.number("sigma")):
            return self.outcome(state, OutcomeKind.diverged)
        if step >= total:
            return self.outcome(state)
        batch = self.train.draw(self.recipe.batches[phase], [self.seed, phase, step])
        state = self.recipe.phases[phase].step(state, self._fast, batch, self.loss, _scale(step, total))
        due = (step + 1) % self.recipe.watch[phase] == 0 or step + 1 == total
        if not (due and np.isfinite(state["parameters"]).all()):
            return state.moved(watched=0)
        return self.watched(state)

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """The columns of a report's history, and whether σ and the pivot are those of this state."""
        adam, newton = state["steps"]
        costs, loss = self.recipe.costs(self.network.size, self.variety.dim), state.number("loss")
        numbers = (adam * costs[0] + newton * costs[1], state.number("sigma"), state.number("pivot"),
                   loss if np.isfinite(loss) else np.nan, adam, newton)
        return dict(zip(self.columns, numbers, strict=True)) | {"watched": state.number("watched")}

    def change(self, parameters: np.ndarray, points: WeightedPoints) -> np.ndarray:
        """∂∂̄φ in the frame, in double precision."""
        return self._exact(parameters, points.inputs)[1]

    def taken(self, state: FitState) -> tuple[int, str]:
        """Of both kinds."""
        adam, newton = state["steps"].astype(int)
        return adam + newton, f"{adam} steps of Adam and {newton} of Gauss–Newton"

    def described(self, state: FitState) -> dict[str, Any]:
        """The steps of both kinds and the seed: the same points and these give the same metric."""
        steps = tuple(state["steps"].astype(int).tolist())
        return {"method": self.taken(state)[1], "loss": self.loss.text, "settings": {"steps": steps, "seed": self.seed}}

    def made(self, parameters: np.ndarray, report: FitReport) -> PhiNetwork:
        """The network with its report; its volume is checked on the held-out points, if it is positive there."""
        metric = PhiNetwork(self.variety, self.network, parameters, self.kahler_class, report)
        if self.held_out.quality(self.change(parameters, self.held_out))[2] > 0:
            checked_volume(metric, self.unseen)
        return metric


def phi_metric(
    variety: Hypersurface,
    points: Points,
    *,
    hidden: Sequence[int] = (64, 64, 64),
    activation: ActivationName = "gelu",
    loss: str | Loss = "(v - 1)^2",
    steps: tuple[int, int] | None = None,
    work: float | None = WORK,
    seed: int = 0,
    progress: bool | None = None,
    recipe: Recipe | None = None,
    kahler_class: Sequence[float] | None = None,
) -> PhiNetwork:
    """The metric g_FS + ∂∂̄φ of a network φ that minimises `loss` on `points`; `metric.report` says how the fit went.

    Work is counted and not measured: the metric is the same on machines of any speed. `PhiTraining` is the same fit,
    which can be stopped and resumed.
    Raises `UnderdeterminedError` and `InputError`; warns (`VolumeWarning`) as `geomflow.variety.checked_volume` does,
    on the held-out points. Leaving the positive cone is an outcome: `metric.report.outcome`.

    Parameters
    ----------
    variety : Hypersurface
        Where the metric lives.
    points : Points
        More than 10/9 of the parameters.
    hidden : sequence of int
        Widths of the hidden layers.
    activation : str
        Smooth, such as "gelu", "tanh" or "sin".
    loss : str or Loss
        "sigma", eq. (B.11), or F of E_F = ∫F(v) dμ_Ω as text, eq. (B.12).
    steps : (int, int), optional
        Steps of Adam and of Gauss–Newton; as many as `work` pays for unless given.
    work : float or None
        Core-seconds, of 2·10¹⁰ counted operations each.
    seed : int
        Draws the points held out, the parameters to start at and the batches.
    progress : bool or None
        Whether a bar is shown; None for only on a terminal.
    recipe : Recipe, optional
        Batches, kinds of steps and precision.
    kahler_class : sequence of float, optional
        The t_i > 0 of g_FS, one for each factor; 1 unless given.
    """
    fit = PhiTraining(variety, points, steps=steps, work=work, hidden=hidden, activation=activation, loss=loss,
                      seed=seed, recipe=recipe, kahler_class=kahler_class)
    return fit.metric(solve(fit, fit.start(), fit.length, max_steps=fit.length, progress=progress))


def _total(constant: int) -> int:
    """Steps of a phase whose first `constant` ones are of full length: about 10/7 of them."""
    return constant + 3 * constant // 7 + 1


def _scale(step: int, total: int) -> float:
    """1 in the first 70% of a phase, then falling linearly to zero."""
    constant = (7 * total + 9) // 10 + 1
    while constant > 0 and _total(constant) > total:
        constant -= 1
    return 1.0 if step < constant else (total - step) / (total - constant)
