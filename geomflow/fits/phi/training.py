"""Fitting φ-networks: Adam on mini-batches, then Gauss–Newton steps on mini-batches; resumable, the same for a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.report import FitReport
from geomflow.fits.fit import OPERATIONS, Fit, FitState
from geomflow.fits.loss import Loss, loss_of
from geomflow.fits.phi.inputs import input_count
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.phi.objective import FramePoints
from geomflow.fits.phi.steps import AdamStep, GaussNewton
from geomflow.flow.solution import Solution
from geomflow.flow.solver import solve
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.measures import checked_volume

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_HELD_OUT, _MOST_HELD_OUT = 0.1, 10_000
_OUTPUT_START = 0.01

#: Core-seconds of work unless told otherwise.
WORK = 600.0
COLUMNS = ("work", "sigma held out", "pivot held out", "loss", "adam steps", "gauss-newton steps")


@final
@dataclass(frozen=True)
class Recipe:
    """Settings of a fit: `share` of the work is Adam's; batch sizes; the two kinds of steps; precision of the steps.

    Step lengths are constant for the first 70% of each phase and then fall linearly to zero. A row is added to the
    history every `watch` steps. Measures on held-out points and everything about the fitted metric are in double
    precision whatever `precision` is.
    """

    share: float = 0.05
    batches: tuple[int, int] = (1000, 1000)
    phases: tuple[AdamStep, GaussNewton] = field(default_factory=lambda: (AdamStep(), GaussNewton()))
    watch: tuple[int, int] = (100, 25)
    precision: str = "single"

    def costs(self, size: int, dim: int) -> tuple[float, float]:
        """A step of either kind in core-seconds of work, with `size` parameters on a variety of dimension `dim`."""
        pairs = zip(self.phases, self.batches, strict=True)
        adam, newton = (phase.operations(count, size, dim) / OPERATIONS for phase, count in pairs)
        return adam, newton

    def steps(self, work: float, size: int, dim: int) -> tuple[int, int]:
        """How many steps of either kind so much work pays for, at least one. Raises `InputError`."""
        if not (work and work > 0):
            raise InputError(f"the fit may take {work} core-seconds of work; give a positive number, or steps")
        adam, newton = self.costs(size, dim)
        return max(round(self.share * work / adam), 1), max(round((1 - self.share) * work / newton), 1)


@final
class PhiTraining(Fit):
    """The fit of a φ-network: ``solve(fit, fit.start(), fit.length)``, and ``fit.metric(solution)``.

    The points are split in train and held-out points (a tenth, at most 10,000) by the seed. Mini-batches are drawn from
    dμ_Ω by seed, phase and step number, so that a resumed fit equals one that was never stopped, bit for bit.
    `steps` are those of Adam and of Gauss–Newton; unless given, what about `work` core-seconds pay for (`OPERATIONS`
    floating-point operations each, counted and not measured).
    A `network` of one's own takes the place of `hidden` and `activation`; `first` (size,) are the parameters to start
    at, else drawn by the seed, the weights of the last layer times 0.01. States hold the `parameters` and the `best`
    ones, which had the least σ on the held-out points when these were watched.
    Raises `UnderdeterminedError` (fewer train points than parameters) and `InputError` (unknown loss, ReLU, no work).
    """

    name: ClassVar[str] = "phi-network"

    def __init__(
        self,
        variety: Hypersurface,
        points: Points,
        *,
        steps: tuple[int, int] | None = None,
        work: float | None = WORK,
        hidden: Sequence[int] = (64, 64, 64),
        activation: str = "gelu",
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
        found = self.recipe.steps(work, self.network.size, variety.dim) if steps is None else steps
        self.steps = int(found[0]), int(found[1])
        self.train, self.held_out = self._split(points)
        self._fast, self._exact = ComplexHessian(self.network, self.recipe.precision), ComplexHessian(self.network)

    def __content__(self) -> dict[str, Any]:
        """What the numbers depend on."""
        return {"variety": str(self.variety.polynomial.expression), "class": self.kahler_class, "seed": self.seed,
                "loss": self.loss.text, "steps": self.steps, "recipe": self.recipe, "network": repr(self.network),
                "first": self.first, "points": [self._places, self.train.weights, self.held_out.weights]}

    def _split(self, points: Points) -> tuple[FramePoints, FramePoints]:
        held = min(max(round(_HELD_OUT * len(points)), 1), _MOST_HELD_OUT)
        if len(points) - held < self.network.size:
            raise UnderdeterminedError(
                f"{self.network.size} parameters and {len(points) - held} train points ({held} of {len(points)} are "
                f"held out): the fit is under-determined; take {5 * self.network.size} points or a smaller network"
            )
        train, unseen = points.split(1 - held / len(points), self.seed)
        self._places, self._unseen = train.coordinates, unseen
        return FramePoints.of(train, self.kahler_class), FramePoints.of(unseen, self.kahler_class)

    @property
    def length(self) -> int:
        """The time by which the fit has ended by itself: its steps and one."""
        return sum(self.steps) + 1

    def start(self) -> FitState:
        """Before the first step."""
        size = self.network.size
        kappa, sigma, least = self._quality(self.first)
        state = FitState.of(parameters=self.first, moments=np.zeros((2, size)), move=np.zeros(size), kappa=[kappa],
                            steps=[0, 0], loss=np.nan, best=self.first, best_sigma=np.inf, sigma=np.inf, pivot=np.inf,
                            watched=1)
        return self._watched(state, sigma, least)

    def step(self, state: FitState) -> FitState | Outcome:
        """A step of Adam until all of these are taken, then of Gauss–Newton."""
        taken = state["steps"].astype(int)
        phase = 0 if taken[0] < self.steps[0] else 1
        step, total = int(taken[phase]), self.steps[phase]
        if step >= total or not np.isfinite(state.number("sigma")):
            return self.outcome(state)
        batch = self.train.draw(self.recipe.batches[phase], [self.seed, phase, step])
        state = self.recipe.phases[phase].step(state, self._fast, batch, self.loss, _scale(step, total))
        due = (step + 1) % self.recipe.watch[phase] == 0 or step + 1 == total
        if not (due and np.isfinite(state["parameters"]).all()):
            return state.moved(watched=0)
        return self._watched(state, *self._quality(state["parameters"])[1:])

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """The columns of a report's history, and whether σ and the pivot are those of this state."""
        adam, newton = state["steps"]
        costs, loss = self.recipe.costs(self.network.size, self.variety.dim), state.number("loss")
        numbers = (adam * costs[0] + newton * costs[1], state.number("sigma"), state.number("pivot"),
                   loss if np.isfinite(loss) else np.nan, adam, newton)
        return dict(zip(COLUMNS, numbers, strict=True)) | {"watched": state.number("watched")}

    def _watched(self, state: FitState, sigma: float, least: float) -> FitState:
        state = state.moved(sigma=sigma, pivot=least, watched=1)
        if least > 0 and sigma < state.number("best_sigma"):
            return state.moved(best=state["parameters"], best_sigma=sigma)
        return state

    def _quality(self, parameters: np.ndarray) -> tuple[float, float, float]:
        return self.held_out.quality(self._exact(parameters, self.held_out.inputs)[1])

    def metric(self, solution: Solution) -> PhiNetwork:
        """The metric that a solution has reached (after a divergence: the best that was watched), with its report."""
        state = solution.last
        outcome = self.outcome(state, solution.outcome.kind)
        parameters = state["best" if outcome.kind is OutcomeKind.diverged else "parameters"]
        steps = tuple(state["steps"].astype(int).tolist())
        report = FitReport.of(
            solution, COLUMNS, solution["watched"] == 1, outcome=outcome, loss=self.loss.text,
            method=f"{steps[0]} steps of Adam and {steps[1]} of Gauss–Newton", parameters=self.network.size,
            points=len(self.train.weights), held_out=len(self.held_out.weights),
            settings={"steps": steps, "seed": self.seed},
        )
        metric = PhiNetwork(self.variety, self.network, parameters.copy(), self.kahler_class, report)
        if self._quality(parameters)[2] > 0:
            checked_volume(metric, self._unseen)
        return metric

    def outcome(self, state: FitState, kind: OutcomeKind = OutcomeKind.finished) -> Outcome:
        """How a fit has ended that solve says has ended so."""
        adam, newton = state["steps"].astype(int)
        taken, time = f"{adam} steps of Adam and {newton} of Gauss–Newton", float(adam + newton)
        if kind is OutcomeKind.diverged or not np.isfinite(state.number("sigma")):
            message = (
                f"numbers stopped being finite after {taken}; take a larger damping or a smaller rate. "
                "The metric is the best one that was watched."
            )
            return Outcome(OutcomeKind.diverged, message, time)
        least = self.train.volume(self._exact(state["parameters"], self.train.inputs)[1])[2]
        if not least.min() > 0:
            place = np.round(self._places[np.argmin(least)], 4).tolist()
            message = (
                f"the metric is not positive at {np.count_nonzero(least <= 0)} of {len(least)} train points, worst at "
                f"{place}: after {taken} the fit is outside the Kähler cone; fit longer or with a smaller rate."
            )
            return Outcome(OutcomeKind.singular, message, time)
        kind = OutcomeKind.interrupted if kind is OutcomeKind.interrupted else OutcomeKind.finished
        return Outcome(kind, f"took {taken}.", time)


def phi_metric(
    variety: Hypersurface,
    points: Points,
    *,
    hidden: Sequence[int] = (64, 64, 64),
    activation: str = "gelu",
    loss: str | Loss = "(v - 1)^2",
    steps: tuple[int, int] | None = None,
    work: float | None = WORK,
    seed: int = 0,
    progress: bool | None = None,
    recipe: Recipe | None = None,
    kahler_class: Sequence[float] | None = None,
) -> PhiNetwork:
    """The metric g_FS + ∂∂̄φ of a network φ that minimises `loss` on `points`; `metric.report` says how the fit went.

    `loss` is "sigma" (the σ-measure, eq. (B.11)) or F of a functional E_F = ∫F(v) dμ_Ω as text, eq. (B.12). The fit
    takes the given `steps` (Adam, Gauss–Newton), or as many as about `work` core-seconds pay for, counted and not
    measured: the metric is the same on machines of any speed. See `PhiTraining`, which can be stopped and resumed.
    g_FS is that of the class `kahler_class`, any positive numbers t_i, one for each factor; 1 unless given.
    Raises `UnderdeterminedError` and `InputError`; warns (`VolumeWarning`) as `geomflow.variety.checked_volume` does,
    on the held-out points. Leaving the positive cone is an outcome: `metric.report.outcome`.
    """
    fit = PhiTraining(variety, points, steps=steps, work=work, hidden=hidden, activation=activation, loss=loss,
                      seed=seed, recipe=recipe, kahler_class=kahler_class)
    return fit.metric(solve(fit, fit.start(), fit.length, max_steps=fit.length, progress=progress))


def small_start(network: Perceptron, seed: int, factor: float = _OUTPUT_START) -> np.ndarray:
    """Parameters drawn by the seed, the weights of the last layer times `factor`: a metric near Fubini–Study."""
    start = network.initial(seed)
    start[network.layout.slices[f"W{network.depth}"]] *= factor
    return start


def _total(constant: int) -> int:
    """Steps of a phase whose first `constant` ones are of full length: about 10/7 of them."""
    return constant + 3 * constant // 7 + 1


def _scale(step: int, total: int) -> float:
    """1 in the first 70% of a phase, then falling linearly to zero."""
    constant = (7 * total + 9) // 10 + 1
    while constant > 0 and _total(constant) > total:
        constant -= 1
    return 1.0 if step < constant else (total - step) / (total - constant)
