"""Metric components of a network in one coordinate patch, and its training on the σ-loss: Adam, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError
from geomflow.core.hermitian import unpack
from geomflow.core.outcome import Outcome
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.fits.fit import FitState, Last
from geomflow.fits.held_out import HeldOutTraining, held_out_count, small_start
from geomflow.fits.points import WeightedPoints, patch_of, real_coordinates
from geomflow.flow.solver import solve
from geomflow.networks.activation import ActivationName
from geomflow.networks.perceptron import Perceptron
from geomflow.tangent.training import Adam, Optimiser
from geomflow.variety import FubiniStudy, HermitianMetric, Hypersurface, Points


@final
class ComponentNetwork(HermitianMetric, kind="geomflow component-network 1"):
    """g = g_FS + M, the n² outputs of a network being the real components of the Hermitian matrix M in one patch.

    The outputs are the diagonal, then real and imaginary part of each M_{ab̄}, a < b, in the patch's local coordinates;
    the inputs are real, then imaginary parts of the homogeneous coordinates, the patch's scaled to one (Halverson and
    Ruehle, section 3). Such a metric is Hermitian, but neither closed nor defined outside its patch; it has no
    potential. `geomflow.sigma(metric, points)` takes it as any other. Raises `InputError` for points of other patches.

    Parameters
    ----------
    variety : Hypersurface
        In N homogeneous coordinates.
    patch : tuple of int
        The coordinate that is one in each factor, then the one that is eliminated.
    network : Perceptron
        From 2N inputs to n² outputs, else `InputError`.
    parameters : (size,) array
        Those of the network.
    report : FitReport, optional
        How the fit that made it went.
    """

    def __init__(
        self,
        variety: Hypersurface,
        patch: tuple[int, ...],
        network: Perceptron,
        parameters: np.ndarray,
        report: FitReport | None = None,
    ) -> None:
        self.variety, self.patch, self.network, self.report = variety, tuple(patch), network, report
        self.parameters = network.layout.checked(parameters)
        self.reference = FubiniStudy(variety)
        needed = 2 * variety.ambient.size, variety.dim**2
        if (network.inputs, network.outputs) != needed:
            raise InputError(
                f"the network takes {network.inputs} inputs to {network.outputs} outputs, and metrics in a patch of "
                f"the {variety} need {needed[0]} (real and imaginary parts) and {needed[1]} (components)"
            )

    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄} in local coordinates, (P, n, n)."""
        return self.reference.at(points) + self.change(points)

    def change(self, points: Points) -> np.ndarray:
        """M = g − g_FS, (P, n, n).

        Parameters
        ----------
        points : Points
            P of them, in the patch.
        """
        self.check(points)
        return unpack(self.network.values(self.parameters, real_coordinates(points)))

    def check(self, points: Points) -> None:
        """Raise `InputError` if the points are on another variety or in another patch."""
        super().check(points)
        if patch_of(points) != self.patch:
            raise InputError(f"the metric is known in the patch {self.patch}, and the points are in {patch_of(points)}")

    def record(self) -> dict[str, Any]:
        """Network, parameters, patch and report."""
        return {"network": self.network.to_json(), "patch": np.array(self.patch), "parameters": self.parameters,
                **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> ComponentNetwork:
        """The metric of these."""
        patch = tuple(file.array("patch", "i", len(variety.ambient.dims) + 1).tolist())
        parameters, report = file.numbers("parameters", "f", None), read_report(file, "ComponentReport")
        return cls(variety, patch, Perceptron.from_file(file), parameters, report)

    def __repr__(self) -> str:
        return f"g_FS + M with {self.network} in the patch {self.patch}, on the {self.variety}"


@final
class ComponentTraining(HeldOutTraining[ComponentNetwork]):
    """The fit of a network of metric components: ``solve(fit, fit.start(), fit.length)``, and ``fit.metric(solution)``.

    Minimises the mean of w |1 − det g/(κ|Ω|²)| over mini-batches, eq. (B.11), w the weights of the points and κ that of
    Fubini–Study on the train points. A tenth of the points (at most 10,000) is held out by the seed and only watched.
    Each epoch goes through the train points in an order drawn from the seed and the number of the epoch, so
    that a resumed fit equals one that never stopped, bit for bit. The last layer starts at a hundredth of its
    deviation: the fit starts near g_FS. Raises `InputError` for points of several patches and sizes out of range.

    Parameters
    ----------
    points : Points
        In one patch.
    hidden : sequence of int
        Widths of the hidden layers.
    activation : str
        Of the network.
    epochs : int
        How often the train points are gone through.
    batch : int
        Points in a mini-batch.
    optimiser : Optimiser, optional
        Adam(1e-3) unless given.
    seed : int
        Draws the points held out, the parameters to start at and the batches.
    """

    name: ClassVar[str] = "component-network"
    columns: ClassVar[tuple[str, ...]] = ("epoch", "sigma held out", "pivot held out", "loss")
    blown: ClassVar[str] = "take a smaller rate"
    lost: ClassVar[str] = "take more points or a smaller rate"

    def __init__(
        self,
        points: Points,
        *,
        hidden: Sequence[int] = (64, 64, 64),
        activation: ActivationName = "relu",
        epochs: int = 50,
        batch: int = 64,
        optimiser: Optimiser | None = None,
        seed: int = 0,
    ) -> None:
        self.variety, self.patch, self.seed = points.variety, patch_of(points), int(seed)
        self.optimiser = Adam(1e-3) if optimiser is None else optimiser
        self.network = component_perceptron(self.variety, hidden, activation)
        train = len(points) - held_out_count(len(points))
        if not epochs >= 0:
            raise InputError(f"the fit cannot take {epochs} epochs; give a whole number >= 0")
        if not 1 <= batch <= train:
            raise InputError(f"batches of {batch} points cannot be drawn from {train} train points")
        self.hold_out(points, WeightedPoints.in_patch)
        self.batch, self.epochs = int(batch), int(epochs)
        assert self.train.offset is not None
        self.kappa = self.train.quality(np.zeros_like(self.train.offset))[0]
        self._order = Last(lambda epoch: np.random.default_rng([self.seed, int(epoch)]).permutation(len(self.train)))

    def __content__(self) -> dict[str, Any]:
        """What the numbers depend on."""
        return {"variety": str(self.variety.polynomial.expression), "patch": self.patch, "seed": self.seed,
                "epochs": self.epochs, "batch": self.batch, "optimiser": self.optimiser, "network": repr(self.network),
                "points": [self.places, self.train.weights, self.held_out.weights]}

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
        first = small_start(self.network, self.seed)
        return self.watched(FitState.of(
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
        return self.watched(state.moved(loss=total / self.steps_per_epoch, total=0.0))

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """The columns of a report's history, and whether loss, σ and pivot are those of this state."""
        loss, taken = state.number("loss"), state.number("taken")
        numbers = (taken / self.steps_per_epoch, state.number("sigma"), state.number("pivot"),
                   loss if np.isfinite(loss) else np.nan)
        return dict(zip(self.columns, numbers, strict=True)) | {"watched": state.number("watched")}

    def loss(self, parameters: np.ndarray, rows: np.ndarray | slice = slice(None)) -> tuple[float, np.ndarray]:
        """The mean of w |1 − v| over these train points (w of mean one over all of them) and its gradient (size,).

        Parameters
        ----------
        parameters : (size,) array
            Those of the network.
        rows : slice or array of int
            Which train points.
        """
        inputs, weights = self.train.inputs[rows], self.train.weights[rows]
        with np.errstate(over="ignore", invalid="ignore"):
            output = self.network.values(parameters, inputs)
        share = weights * (len(self.train) / len(weights))
        volume, dual, _ = self.train.volume(output, rows)
        with np.errstate(over="ignore", invalid="ignore"):
            excess = volume / self.kappa - 1
            cotangent = (share * np.sign(excess) / self.kappa)[:, None] * dual
        if not np.isfinite(cotangent).all():
            return np.nan, np.full(parameters.shape, np.nan)
        with np.errstate(over="ignore", invalid="ignore"):
            return float(share @ np.abs(excess)), self.network.vjp(parameters, inputs, cotangent)

    def change(self, parameters: np.ndarray, points: WeightedPoints) -> np.ndarray:
        """The outputs of the network."""
        return self.network.values(parameters, points.inputs)

    def taken(self, state: FitState) -> tuple[int, str]:
        """Mini-batches."""
        steps = state.count("taken")
        return steps, f"{steps} steps on batches of {self.batch}"

    def described(self, state: FitState) -> dict[str, Any]:
        """Epochs, the size of batches and the seed."""
        epochs = state.count("taken") // self.steps_per_epoch
        return {"method": f"{epochs} epochs with batches of {self.batch}", "loss": "sigma",
                "settings": {"epochs": epochs, "batch": self.batch, "seed": self.seed}}

    def made(self, parameters: np.ndarray, report: FitReport) -> ComponentNetwork:
        """The network with its report."""
        return ComponentNetwork(self.variety, self.patch, self.network, parameters, report)


def component_perceptron(variety: Hypersurface, hidden: Sequence[int], activation: ActivationName) -> Perceptron:
    """The network 2N – hidden – n² of the paper, W ~ N(0, 2/fan-in) for ReLU and N(0, 1/fan-in) else, biases zero."""
    spread = 2.0**0.5 if activation == "relu" else 1.0
    return Perceptron(2 * variety.ambient.size, hidden, variety.dim**2, activation, "standard", spread)


def component_network(
    points: Points,
    *,
    hidden: Sequence[int] = (64, 64, 64),
    activation: ActivationName = "relu",
    epochs: int = 50,
    batch: int = 64,
    optimiser: Optimiser | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> ComponentNetwork:
    """The finite network of the paper's section 3: g_FS plus a network's components, fitted to the σ-loss (B.11).

    Inputs are real and imaginary parts of the homogeneous coordinates. `metric.report` says how the fit
    went, `geomflow.variety.gain(metric, unseen)` is its test gain. `ComponentTraining` can be stopped and resumed.
    Raises `InputError`.

    Parameters
    ----------
    points : Points
        In one patch.
    hidden : sequence of int
        Widths of the hidden layers.
    activation : str
        Of the network.
    epochs : int
        How often the train points are gone through.
    batch : int
        Points in a mini-batch.
    optimiser : Optimiser, optional
        Adam(1e-3) unless given.
    seed : int
        Draws the points held out, the parameters to start at and the batches.
    progress : bool or None
        Whether a bar is shown; None for only on a terminal.
    """
    fit = ComponentTraining(points, hidden=hidden, activation=activation, epochs=epochs, batch=batch,
                            optimiser=optimiser, seed=seed)
    return fit.metric(solve(fit, fit.start(), fit.length, max_steps=fit.length, progress=progress))
