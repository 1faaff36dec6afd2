"""Fitting φ-networks: Adam on mini-batches, then Gauss–Newton steps on mini-batches; resumable, the same for a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.content import content
from geomflow.core.errors import InputError
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.progress import Tick, counter
from geomflow.fits.loss import Loss, loss_of
from geomflow.fits.phi.inputs import input_count
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.phi.objective import FramePoints
from geomflow.fits.phi.report import PhiReport
from geomflow.fits.phi.steps import AdamStep, GaussNewton, State
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.measures import checked_volume

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_HELD_OUT, _MOST_HELD_OUT = 0.1, 10_000
_OUTPUT_START = 0.01


@final
@dataclass(frozen=True)
class Recipe:
    """Settings of a fit: `share` of the time is Adam's; batch sizes; the two kinds of steps; precision of the steps.

    Step lengths are constant for the first 70% of each phase and then fall linearly to zero. Measures on held-out
    points and everything about the fitted metric are in double precision whatever `precision` is.
    """

    share: float = 0.05
    batches: tuple[int, int] = (1000, 1000)
    phases: tuple[AdamStep, GaussNewton] = field(default_factory=lambda: (AdamStep(), GaussNewton()))
    watch: tuple[int, int] = (100, 25)
    precision: str = "single"


@final
class PhiTraining:
    """A fit that can be stopped, saved and resumed.

    The points are split in train and held-out points (a tenth, at most 10,000) by the seed. Mini-batches are drawn from
    dμ_Ω by seed, phase and step number, so that a resumed fit equals one that was never stopped, bit for bit.
    A `network` of one's own takes the place of `hidden` and `activation`; `start` (size,) are the parameters to start
    at, else drawn by the seed, the weights of the last layer times 0.01.
    Raises `UnderdeterminedError` (fewer train points than parameters) and `InputError` (unknown loss, ReLU).
    """

    def __init__(
        self,
        variety: Hypersurface,
        points: Points,
        *,
        hidden: Sequence[int] = (64, 64, 64),
        activation: str = "gelu",
        loss: str | Loss = "(v - 1)^2",
        seed: int = 0,
        kahler_class: Sequence[float] | None = None,
        recipe: Recipe | None = None,
        network: Perceptron | None = None,
        start: np.ndarray | None = None,
    ) -> None:
        self.variety, self.seed, self.loss, self.recipe = variety, int(seed), loss_of(loss), recipe or Recipe()
        if network is None and not len(hidden):
            raise InputError("hidden is empty: without a hidden layer φ is linear in its inputs; give widths such as "
                             "(64, 64)")
        own = Perceptron(input_count(variety.ambient), hidden, 1, activation, "standard", bias_std=0.1)
        self.network = own if network is None else network
        start = small_start(self.network, self.seed) if start is None else self.network.layout.checked(start)
        self.kahler_class = PhiNetwork(variety, self.network, start, kahler_class).kahler_class
        self.train, self.held_out = self._split(points)
        self._fast, self._exact = ComplexHessian(self.network, self.recipe.precision), ComplexHessian(self.network)
        self.state = State.start(start, self._quality(start)[0])
        self.totals: list[int | None] = [None, None]
        self.seconds = 0.0
        self.history: list[tuple[float, ...]] = []
        self.best = (np.inf, start)
        self._watcher: Callable[[tuple[int, int], np.ndarray], None] | None = None

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

    def run(
        self,
        seconds: float | None = 600.0,
        steps: tuple[int, int] | None = None,
        progress: bool | None = None,
        watch: Callable[[tuple[int, int], np.ndarray], None] | None = None,
    ) -> PhiNetwork:
        """Fit for about `seconds` in all, or for given numbers of `steps` (Adam, Gauss–Newton), then for any time.

        The number of steps that the seconds bought is in the report; given as `steps`, it gives the same metric again.
        An interruption (Ctrl-C) ends the fit with that outcome. `watch` is called with the steps taken and a copy of
        the parameters whenever a row is added to the history.
        """
        self._watcher = watch
        if steps is not None:
            self.totals = [int(k) for k in steps]
        elif not (seconds and seconds > 0):
            raise InputError(f"the fit may take {seconds} seconds; give a positive number, or steps")
        interrupted, began, before = False, perf_counter(), self.seconds

        def clock() -> float:
            self.seconds = before + perf_counter() - began
            return self.seconds

        with counter("φ-network", progress) as tick:
            try:
                alive = self._watch(clock(), np.nan, tick)
                ends = [None, None] if steps is not None else [seconds * self.recipe.share, seconds]
                for phase in (0, 1):
                    alive = alive and self._phase(phase, ends[phase], clock, tick)
            except KeyboardInterrupt:
                interrupted = True
        return self.metric(interrupted)

    def _phase(self, phase: int, end: float | None, clock, tick: Tick) -> bool:
        """One kind of steps until its total; where that is open, 70% of the time up to `end` fixes it."""
        first = clock()
        method, count, often = self.recipe.phases[phase], self.recipe.batches[phase], self.recipe.watch[phase]
        while True:
            step, total = self.state.steps[phase], self.totals[phase]
            if total is None and clock() >= first + 0.7 * (end - first):
                total = self.totals[phase] = _total(step)
            if total is not None and step >= total:
                return True
            batch = self.train.draw(count, [self.seed, phase, step])
            loss = method.step(self.state, self._fast, batch, self.loss, _scale(step, total))
            watched = (step + 1) % often == 0 or step + 1 == total
            healthy = bool(np.isfinite(self.state.parameters).all())
            if not healthy or (watched and not self._watch(clock(), loss, tick)):
                return False

    def _quality(self, parameters: np.ndarray) -> tuple[float, float, float]:
        return self.held_out.quality(self._exact(parameters, self.held_out.inputs)[1])

    def _watch(self, seconds: float, loss: float, tick: Tick) -> bool:
        """A row of history; False where numbers stopped making sense."""
        parameters = self.state.parameters
        _, sigma, least = self._quality(parameters)
        self.history.append((seconds, *self.state.steps, loss, sigma, least))
        if self._watcher is not None:
            self._watcher((self.state.steps[0], self.state.steps[1]), parameters.copy())
        if not np.isfinite(sigma):
            return False
        if least > 0 and sigma < self.best[0]:
            self.best = (sigma, parameters.copy())
        tick(sigma)
        return True

    def metric(self, interrupted: bool = False) -> PhiNetwork:
        """The metric as it is now (after a divergence: the best that was watched), with its report."""
        parameters = self.state.parameters
        healthy = np.isfinite(parameters).all() and np.isfinite(self.history[-1][4])
        if not healthy:
            parameters = self.best[1]
        outcome = self._outcome(parameters, healthy, interrupted)
        counts = len(self.train.weights), len(self.held_out.weights)
        steps = self.state.steps[0], self.state.steps[1]
        history = np.array(self.history)
        report = PhiReport(outcome, self.network.size, *counts, steps, self.seed, self.loss.text, history)
        metric = PhiNetwork(self.variety, self.network, parameters.copy(), self.kahler_class, report)
        if self._quality(parameters)[2] > 0:
            checked_volume(metric, self._unseen)
        return metric

    def _outcome(self, parameters: np.ndarray, healthy: bool, interrupted: bool) -> Outcome:
        taken = f"{self.state.steps[0]} steps of Adam and {self.state.steps[1]} of Gauss–Newton"
        if not healthy:
            message = (
                f"numbers stopped being finite after {taken}; take a larger damping or a smaller rate. "
                "The metric is the best one that was watched."
            )
            return Outcome(OutcomeKind.diverged, message, self.seconds)
        least = self.train.volume(self._exact(parameters, self.train.inputs)[1])[2]
        if not least.min() > 0:
            place = np.round(self._places[np.argmin(least)], 4).tolist()
            message = (
                f"the metric is not positive at {np.count_nonzero(least <= 0)} of {len(least)} train points, worst at "
                f"{place}: after {taken} the fit is outside the Kähler cone; fit longer or with a smaller rate."
            )
            return Outcome(OutcomeKind.singular, message, self.seconds)
        kind = OutcomeKind.interrupted if interrupted else OutcomeKind.finished
        return Outcome(kind, f"took {taken}.", self.seconds)

    @property
    def made(self) -> str:
        """What a fit depends on besides its network and its numbers of steps, the points by a digest."""
        return json.dumps(content([self.loss.text, self.kahler_class, self.seed, self.recipe, self._places]))

    def save(self, path: str | Path) -> None:
        """Write everything but the points to an .npz file."""
        from geomflow.fits.phi.store import save_training

        save_training(self, path)

    def restore(self, path: str | Path) -> PhiTraining:
        """Take up what `save` wrote, in a training made with the same arguments; raises `StoreError` for others."""
        from geomflow.fits.phi.store import restore_training

        restore_training(self, path)
        return self


def phi_metric(
    variety: Hypersurface,
    points: Points,
    *,
    hidden: Sequence[int] = (64, 64, 64),
    activation: str = "gelu",
    loss: str | Loss = "(v - 1)^2",
    seconds: float | None = 300.0,
    steps: tuple[int, int] | None = None,
    seed: int = 0,
    progress: bool | None = None,
    recipe: Recipe | None = None,
    kahler_class: Sequence[float] | None = None,
) -> PhiNetwork:
    """The metric g_FS + ∂∂̄φ of a network φ that minimises `loss` on `points`; `metric.report` says how the fit went.

    `loss` is "sigma" (the σ-measure, eq. (B.11)) or F of a functional E_F = ∫F(v) dμ_Ω as text, eq. (B.12). The fit
    takes about `seconds`, or exactly the given `steps` (Adam, Gauss–Newton); see `PhiTraining`, which can be resumed.
    g_FS is that of the class `kahler_class`, any positive numbers t_i, one for each factor; 1 unless given.
    Raises `UnderdeterminedError` and `InputError`; warns (`VolumeWarning`) as `geomflow.variety.checked_volume` does,
    on the held-out points. Leaving the positive cone is an outcome: `metric.report.outcome`.
    """
    options = {"hidden": hidden, "activation": activation, "loss": loss, "seed": seed, "recipe": recipe}
    options["kahler_class"] = kahler_class
    return PhiTraining(variety, points, **options).run(seconds, steps, progress)


def small_start(network: Perceptron, seed: int, factor: float = _OUTPUT_START) -> np.ndarray:
    """Parameters drawn by the seed, the weights of the last layer times `factor`: a metric near Fubini–Study."""
    start = network.initial(seed)
    start[network.layout.slices[f"W{network.depth}"]] *= factor
    return start


def _total(constant: int) -> int:
    """Steps of a phase whose first `constant` ones are of full length: about 10/7 of them."""
    return constant + 3 * constant // 7 + 1


def _scale(step: int, total: int | None) -> float:
    """1 in the first 70% of a phase, then falling linearly to zero."""
    if total is None:
        return 1.0
    constant = (7 * total + 9) // 10 + 1
    while constant > 0 and _total(constant) > total:
        constant -= 1
    return 1.0 if step < constant else (total - step) / (total - constant)
