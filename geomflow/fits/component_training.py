"""Training the paper's finite network on the σ-loss: Adam on mini-batches, epoch by epoch; resumable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.report import FitReport
from geomflow.fits.components import ComponentNetwork, ComponentPlaces, patch_of
from geomflow.fits.fit import Fit, FitState, Last
from geomflow.flow.solution import Solution
from geomflow.flow.solver import solve
from geomflow.networks.perceptron import Perceptron
from geomflow.tangent.training import Adam, Optimiser

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_HELD_OUT, _MOST_HELD_OUT = 0.1, 10_000
_OUTPUT_START = 0.01


#: Columns of a report's history.
COLUMNS = ("epoch", "sigma held out", "pivot held out", "loss")


@final
class ComponentTraining(Fit):
    """The fit of a network of metric components: ``solve(fit, fit.start(), fit.length)``, and ``fit.metric(solution)``.

    Minimises the mean of w |1 − det g/(κ|Ω|²)| over mini-batches, eq. (B.11), w the weights of the points and κ that of
    Fubini–Study on the train points. A tenth of the points (at most 10,000) is held out by the seed and only watched.
    Each of the `epochs` goes through the train points in an order drawn from the seed and the number of the epoch, so
    that a resumed fit equals one that never stopped, bit for bit. The last layer starts at a hundredth of its
    deviation: the fit starts near g_FS. Raises `InputError` for points of several patches and sizes out of range.
    """

    name: ClassVar[str] = "component-network"

    def __init__(
        self,
        points: Points,
        *,
        hidden: Sequence[int] = (64, 64, 64),
        activation: str = "relu",
        epochs: int = 50,
        batch: int = 64,
        optimiser: Optimiser | None = None,
        seed: int = 0,
    ) -> None:
        self.variety, self.patch, self.seed = points.variety, patch_of(points), int(seed)
        self.optimiser = Adam(1e-3) if optimiser is None else optimiser
        self.network = component_perceptron(self.variety, hidden, activation)
        held = min(max(round(_HELD_OUT * len(points)), 1), _MOST_HELD_OUT)
        if not epochs >= 0:
            raise InputError(f"the fit cannot take {epochs} epochs; give a whole number >= 0")
        if not 1 <= batch <= len(points) - held:
            raise InputError(f"batches of {batch} points cannot be drawn from {len(points) - held} train points")
        train, unseen = points.split(1 - held / len(points), self.seed)
        self._places = train.coordinates
        self.train, self.held_out = ComponentPlaces.of(train), ComponentPlaces.of(unseen)
        self.batch, self.epochs = int(batch), int(epochs)
        self.kappa = self.train.quality(np.zeros_like(self.train.offset))[0]
        self._order = Last(lambda epoch: np.random.default_rng([self.seed, int(epoch)]).permutation(len(self.train)))

    def __content__(self) -> dict[str, Any]:
        """What the numbers depend on."""
        return {"variety": str(self.variety.polynomial.expression), "patch": self.patch, "seed": self.seed,
                "epochs": self.epochs, "batch": self.batch, "optimiser": self.optimiser, "network": repr(self.network),
                "points": [self._places, self.train.weights, self.held_out.weights]}

    @property
    def steps_per_epoch(self) -> int:
        """Mini-batches in an epoch; the last one may be smaller."""
        return -(-len(self.train) // self.batch)

    @property
    def length(self) -> int:
        """The time by which the fit has ended by itself: its steps and one."""
        return self.epochs * self.steps_per_epoch + 1

    def start(self) -> FitState:
        """Before the first step."""
        first = self.network.initial(self.seed)
        first[self.network.layout.slices[f"W{self.network.depth}"]] *= _OUTPUT_START
        return self._watched(FitState.of(
            parameters=first, memory=np.zeros((self.optimiser.slots, self.network.size)), taken=0, total=0.0,
            loss=np.nan, best=first, best_sigma=np.inf, sigma=np.inf, pivot=np.inf, watched=1))

    def step(self, state: FitState) -> FitState | Outcome:
        """One step of the optimiser on the next mini-batch."""
        taken, parameters, memory = state.count("taken"), state["parameters"], state["memory"]
        if taken >= self.epochs * self.steps_per_epoch:
            return self.outcome(state)
        epoch, number = divmod(taken, self.steps_per_epoch)
        rows = self._order(np.asarray(epoch))[number * self.batch : (number + 1) * self.batch]
        loss, gradient = self.loss(parameters, rows)
        move, change = self.optimiser.step(taken, -gradient, memory)
        total = state.number("total") + loss
        state = state.moved(parameters=parameters + move, memory=memory + change, taken=taken + 1, total=total)
        if (taken + 1) % self.steps_per_epoch or not np.isfinite(state["parameters"]).all():
            return state.moved(watched=0)
        return self._watched(state.moved(loss=total / self.steps_per_epoch, total=0.0))

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """The columns of a report's history, and whether loss, σ and pivot are those of this state."""
        loss, taken = state.number("loss"), state.number("taken")
        numbers = (taken / self.steps_per_epoch, state.number("sigma"), state.number("pivot"),
                   loss if np.isfinite(loss) else np.nan)
        return dict(zip(COLUMNS, numbers, strict=True)) | {"watched": state.number("watched")}

    def loss(self, parameters: np.ndarray, rows: np.ndarray | slice = slice(None)) -> tuple[float, np.ndarray]:
        """The mean of w |1 − v| over these train points (w of mean one over all of them) and its gradient (size,)."""
        inputs, weights = self.train.inputs[rows], self.train.weights[rows]
        with np.errstate(over="ignore", invalid="ignore"):
            output = self.network.values(parameters, inputs)
        share = weights * (len(self.train) / len(weights))
        part = ComponentPlaces(inputs, self.train.offset[rows], self.train.ratio[rows], share, self.train.n)
        volume, dual, _ = part.volume(output)
        with np.errstate(over="ignore", invalid="ignore"):
            excess = volume / self.kappa - 1
            cotangent = (share * np.sign(excess) / self.kappa)[:, None] * dual
        if not np.isfinite(cotangent).all():
            return np.nan, np.full(parameters.shape, np.nan)
        with np.errstate(over="ignore", invalid="ignore"):
            return float(share @ np.abs(excess)), self.network.vjp(parameters, inputs, cotangent)

    def _watched(self, state: FitState) -> FitState:
        """The state with σ and the least pivot on the held-out points, and the best one so far."""
        with np.errstate(over="ignore", invalid="ignore"):
            output = self.network.values(state["parameters"], self.held_out.inputs)
            _, sigma, least = self.held_out.quality(output)
        state = state.moved(sigma=sigma, pivot=least, watched=1)
        if least > 0 and sigma < state.number("best_sigma"):
            return state.moved(best=state["parameters"], best_sigma=sigma)
        return state

    def metric(self, solution: Solution) -> ComponentNetwork:
        """The metric that a solution has reached (after a divergence: the best that was watched), with its report."""
        state = solution.last
        outcome = self.outcome(state, solution.outcome.kind)
        parameters = state["best" if outcome.kind is OutcomeKind.diverged else "parameters"]
        epochs = state.count("taken") // self.steps_per_epoch
        report = FitReport.of(
            solution, COLUMNS, solution["watched"] == 1, outcome=outcome, loss="sigma",
            method=f"{epochs} epochs with batches of {self.batch}", parameters=self.network.size,
            points=len(self.train), held_out=len(self.held_out),
            settings={"epochs": epochs, "batch": self.batch, "seed": self.seed},
        )
        return ComponentNetwork(self.variety, self.patch, self.network, parameters.copy(), report)

    def outcome(self, state: FitState, kind: OutcomeKind = OutcomeKind.finished) -> Outcome:
        """How a fit has ended that solve says has ended so."""
        steps = state.count("taken")
        taken, time = f"{steps} steps on batches of {self.batch}", float(steps)
        if kind is OutcomeKind.diverged:
            message = (
                f"numbers stopped being finite after {taken}; take a smaller rate. The metric is the best one watched."
            )
            return Outcome(kind, message, time)
        least = self.train.volume(self.network.values(state["parameters"], self.train.inputs))[2]
        if not least.min() > 0:
            place = np.round(self._places[np.argmin(least)], 4).tolist()
            message = (
                f"the metric is not positive at {np.count_nonzero(least <= 0)} of {len(least)} train points, worst at "
                f"{place}, after {taken}; take more points or a smaller rate."
            )
            return Outcome(OutcomeKind.singular, message, time)
        kind = OutcomeKind.interrupted if kind is OutcomeKind.interrupted else OutcomeKind.finished
        return Outcome(kind, f"took {taken}.", time)


def component_perceptron(variety: Hypersurface, hidden: Sequence[int], activation: str) -> Perceptron:
    """The network 2N – hidden – n² of the paper, W ~ N(0, 2/fan-in) for ReLU and N(0, 1/fan-in) else, biases zero."""
    spread = 2.0**0.5 if activation == "relu" else 1.0
    return Perceptron(2 * variety.ambient.size, hidden, variety.dim**2, activation, "standard", spread)


def component_network(
    points: Points,
    *,
    hidden: Sequence[int] = (64, 64, 64),
    activation: str = "relu",
    epochs: int = 50,
    batch: int = 64,
    optimiser: Optimiser | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> ComponentNetwork:
    """The finite network of the paper's section 3: g_FS plus a network's components, fitted to the σ-loss (B.11).

    Three layers of 64 nodes with ReLU unless told otherwise; inputs are real and imaginary parts of the homogeneous
    coordinates of `points`, all in one patch; Adam with rate 1e-3 on mini-batches. `metric.report` says how the fit
    went, `geomflow.variety.gain(metric, unseen)` is its test gain. `ComponentTraining` can be stopped and resumed.
    Raises `InputError`.
    """
    fit = ComponentTraining(points, hidden=hidden, activation=activation, epochs=epochs, batch=batch,
                            optimiser=optimiser, seed=seed)
    return fit.metric(solve(fit, fit.start(), fit.length, max_steps=fit.length, progress=progress))
