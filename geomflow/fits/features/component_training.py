"""Training the paper's finite network on the σ-loss: Adam on mini-batches, epoch by epoch; resumable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.progress import counter
from geomflow.fits.features.components import ComponentNetwork, ComponentPlaces, ComponentReport, patch_of
from geomflow.networks.perceptron import Perceptron
from geomflow.tangent.optimisers import Adam, Optimiser

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_HELD_OUT, _MOST_HELD_OUT = 0.1, 10_000
_OUTPUT_START = 0.01


@final
class ComponentTraining:
    """A fit of a network of metric components that can be stopped, saved and resumed.

    Minimises the mean of w |1 − det g/(κ|Ω|²)| over mini-batches, eq. (B.11), w the weights of the points and κ that of
    Fubini–Study on the train points. A tenth of the points (at most 10,000) is held out by the seed and only watched.
    Every epoch goes through the train points in an order drawn from the seed and the number of the epoch, so that a
    resumed fit equals one that never stopped, bit for bit. The last layer starts at a hundredth of its deviation: the
    fit starts near g_FS. Raises `InputError` for points of several patches and sizes out of range.
    """

    def __init__(
        self,
        points: Points,
        *,
        hidden: Sequence[int] = (64, 64, 64),
        activation: str = "relu",
        batch: int = 64,
        optimiser: Optimiser | None = None,
        seed: int = 0,
    ) -> None:
        self.variety, self.patch, self.seed = points.variety, patch_of(points), int(seed)
        self.optimiser = Adam(1e-3) if optimiser is None else optimiser
        self.network = component_perceptron(self.variety, hidden, activation)
        held = min(max(round(_HELD_OUT * len(points)), 1), _MOST_HELD_OUT)
        if not 1 <= batch <= len(points) - held:
            raise InputError(f"batches of {batch} points cannot be drawn from {len(points) - held} train points")
        train, unseen = points.split(1 - held / len(points), self.seed)
        self._places = train.coordinates
        self.train, self.held_out, self.batch = ComponentPlaces.of(train), ComponentPlaces.of(unseen), int(batch)
        self.kappa = self.train.quality(np.zeros_like(self.train.offset))[0]
        self.parameters = self.network.initial(self.seed)
        self.parameters[self.network.layout.slices[f"W{self.network.depth}"]] *= _OUTPUT_START
        self.memory = np.zeros((self.optimiser.slots, self.network.size))
        self.step, self.seconds, self.total = 0, 0.0, 0.0
        self.history: list[tuple[float, ...]] = []
        self.best = (np.inf, self.parameters.copy())
        self._watch(np.nan)

    @property
    def steps_per_epoch(self) -> int:
        """Mini-batches in an epoch; the last one may be smaller."""
        return -(-len(self.train) // self.batch)

    def run(self, epochs: int = 50, progress: bool | None = None) -> ComponentNetwork:
        """Fit until `epochs` are done in all; an interruption (Ctrl-C) ends the fit with that outcome."""
        if not epochs >= 0:
            raise InputError(f"the fit cannot take {epochs} epochs; give a whole number >= 0")
        interrupted, began, before = False, perf_counter(), self.seconds
        with counter("component network", progress, epochs) as tick:
            try:
                while self.step < epochs * self.steps_per_epoch and np.isfinite(self.parameters).all():
                    self._advance()
                    self.seconds = before + perf_counter() - began
                    if self.step % self.steps_per_epoch == 0:
                        self._watch(self.total / self.steps_per_epoch)
                        self.total = 0.0
                        tick(self.history[-1][3])
            except KeyboardInterrupt:
                interrupted = True
        return self.metric(interrupted)

    def _advance(self) -> None:
        """One step of the optimiser on the next mini-batch."""
        epoch, number = divmod(self.step, self.steps_per_epoch)
        order = self._order(epoch)
        loss, gradient = self.loss(self.parameters, order[number * self.batch : (number + 1) * self.batch])
        move, change = self.optimiser.step(self.step, -gradient, self.memory)
        self.parameters = self.parameters + move
        self.memory = self.memory + change
        self.total += loss
        self.step += 1

    def _order(self, epoch: int) -> np.ndarray:
        if getattr(self, "_drawn", (None,))[0] != epoch:
            self._drawn = epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.train))
        return self._drawn[1]

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

    def _watch(self, loss: float) -> None:
        sigma, least = np.nan, np.nan
        if np.isfinite(self.parameters).all():
            with np.errstate(over="ignore", invalid="ignore"):
                _, sigma, least = self.held_out.quality(self.network.values(self.parameters, self.held_out.inputs))
        self.history.append((self.seconds, self.step / self.steps_per_epoch, loss, sigma, least))
        if least > 0 and sigma < self.best[0]:
            self.best = (sigma, self.parameters.copy())

    def metric(self, interrupted: bool = False) -> ComponentNetwork:
        """The metric as it is now (after a divergence: the best that was watched), with its report."""
        healthy = bool(np.isfinite(self.parameters).all())
        parameters = self.parameters if healthy else self.best[1]
        outcome = self._outcome(parameters, healthy, interrupted)
        counts = self.network.size, len(self.train), len(self.held_out), self.step // self.steps_per_epoch
        report = ComponentReport(outcome, *counts, self.batch, self.seed, np.array(self.history))
        return ComponentNetwork(self.variety, self.patch, self.network, parameters.copy(), report)

    def _outcome(self, parameters: np.ndarray, healthy: bool, interrupted: bool) -> Outcome:
        taken = f"{self.step} steps on batches of {self.batch}"
        if not healthy:
            message = (
                f"numbers stopped being finite after {taken}; take a smaller rate. The metric is the best one watched."
            )
            return Outcome(OutcomeKind.diverged, message, self.seconds)
        least = self.train.volume(self.network.values(parameters, self.train.inputs))[2]
        if not least.min() > 0:
            place = np.round(self._places[np.argmin(least)], 4).tolist()
            message = (
                f"the metric is not positive at {np.count_nonzero(least <= 0)} of {len(least)} train points, worst at "
                f"{place}, after {taken}; take more points or a smaller rate."
            )
            return Outcome(OutcomeKind.singular, message, self.seconds)
        kind = OutcomeKind.interrupted if interrupted else OutcomeKind.finished
        return Outcome(kind, f"took {taken}.", self.seconds)

    def save(self, path: str | Path) -> None:
        """Write everything but the points to an .npz file."""
        from geomflow.fits.features.component_store import save_training

        save_training(self, path)

    def restore(self, path: str | Path) -> ComponentTraining:
        """Take up what `save` wrote, in a training made with the same arguments; raises `StoreError` for others."""
        from geomflow.fits.features.component_store import restore_training

        restore_training(self, path)
        return self


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
    options = {"hidden": hidden, "activation": activation, "batch": batch, "optimiser": optimiser, "seed": seed}
    return ComponentTraining(points, **options).run(epochs, progress)
