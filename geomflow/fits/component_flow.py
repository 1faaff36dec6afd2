"""The discrete flow of metric components on points of one chart, driven by a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.hermitian import multiplicity, pack, unpack
from geomflow.core.numbers import whole
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.report import FitReport
from geomflow.core.threads import each, slices
from geomflow.distribute import Workers, as_workers
from geomflow.fits.component_metric import ComponentMetric, KernelSums, checked_labels, on_points
from geomflow.fits.fit import Fit, FitState, Last
from geomflow.fits.objective import Evaluation, Loss, Objective, loss_of
from geomflow.fits.points import patch_of
from geomflow.fits.rates import FallingRate, PointwiseRate, Rate, rate_of
from geomflow.flow import Solution, solve
from geomflow.kernels.kernel import Kernel
from geomflow.variety import FubiniStudy, Points
from geomflow.variety.routines import hermitian


@final
@dataclass(frozen=True, eq=False)
class ComponentObjective(Objective):
    """L = Σ_p w_p F(v_p) on points with weights w of sum one, v = det g/(κ|Ω|²), κ = Σ_p w_p det g/|Ω|².

    F = |v − 1| gives σ, eq. (B.11) of Halverson and Ruehle, other F their E_F, eq. (B.12). Metrics are packed, (P, n²).
    Evaluations hold packed g⁻¹ (P, n²) and the least pivot of g over that of Fubini–Study at each point, (P,), which is
    one at the start and not positive where g is not.

    Parameters
    ----------
    reference : (P, n²) array
        Packed g_FS.
    weights : (P,) array
        w.
    omega2 : (P,) array
        |Ω|².
    unit : (P, n) array
        Pivots of g_FS.
    loss : Loss
        F.
    """

    reference: np.ndarray
    weights: np.ndarray
    omega2: np.ndarray
    unit: np.ndarray
    loss: Loss

    @classmethod
    def of(cls, points: Points, loss: Loss) -> ComponentObjective:
        """At points of a variety, from its Fubini–Study metric."""
        reference = pack(FubiniStudy(points.variety).at(points))
        return cls(reference, points.mass, points.omega2, _inverted(reference)[2], loss)

    def evaluate(self, coefficients: np.ndarray) -> Evaluation:
        """What is there for a metric, positive or not."""
        value, inverse, pivots = _inverted(coefficients)
        with np.errstate(over="ignore", invalid="ignore"):
            least = (pivots / self.unit).min(axis=1)
            return self.seen(value / self.omega2, float(least.min()), (inverse, least))

    def gradient(self, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
        """P ∂L/∂g at each point, packed (P, n²), and η that would bring each v to one on its own, (P,).

        ∂L/∂g_p = w_p v_p (F'(v_p) − Σ_q w_q v_q F'(v_q)) g_p⁻¹; the sum is the change of κ. The factor P makes the
        update of a point by itself independent of their number.

        Parameters
        ----------
        evaluation : Evaluation
            From `evaluate`.
        """
        (inverse, _), v = evaluation.at, evaluation.v
        slope = self.loss.evaluate(v)[1]
        force = len(slope) * self.weights * v * (slope - self.weights @ (v * slope))
        square = inverse**2 @ multiplicity(round(inverse.shape[1] ** 0.5))
        gap = np.log(v)
        newton = np.divide(gap, force * square, out=np.zeros_like(gap), where=force != 0)
        return force[:, None] * inverse, newton

    def sizes(self, inverse: np.ndarray, change: np.ndarray) -> np.ndarray:
        """The Frobenius norm of a change relative to the metric of that inverse, (P,).

        Parameters
        ----------
        inverse : (P, n²) array
            Packed inverses of the metrics.
        change : (P, n²) array
            Packed changes.
        """
        out, n = np.empty(len(change)), round(change.shape[1] ** 0.5)
        each(lambda s: hermitian.sizes(inverse[s], change[s], n, out[s]), slices(len(change)))
        return out


def _inverted(g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """det, packed inverse and pivots."""
    n = round(g.shape[1] ** 0.5)
    out = np.empty(len(g)), np.empty(g.shape), np.empty((len(g), n))
    each(lambda s: hermitian.inverses(g[s], n, out[0][s], out[1][s], out[2][s]), slices(len(g)))
    return out


#: What is watched, and with "step" the columns of a report: "size" is that of the step that led there.
WATCHED = ("sigma", "loss", "pivot", "size")
NORMALISATIONS = ("largest", "mean")
#: σ below this is rounding.
ROUNDING = 1e-15
#: A flow whose loss is so many times that of the start, or whose step so many times the metric, has diverged.
BLOWN, LONGEST = 3.0, 10.0


@final
class ComponentFlow(Fit):
    """The discrete metric flow of a kernel on train points, Halverson and Ruehle, eq. (2.8) and section 3.

    Step t of `steps` changes the metric at every point x by

        g(x) ← g(x) − η_t Σ_p K(x, x_p) D_p,        D_p = P ∂L/∂g_p,   L = Σ_p w_p F(v_p),   v = det g/(κ|Ω|²),

    starting at Fubini–Study; w are the weights of dμ_Ω with sum one, κ = Σ_p w_p det g_p/|Ω|²_p moves with the metric,
    p runs over the P train points, and K acts as δ_ik δ_jl K on components, eq. (2.23). Only Σ_t η_t D is needed to
    predict g elsewhere. The factor P makes the update of a point by itself independent of P.

    The size of an update is its largest relative change of a train metric, max_p √tr (g_p⁻¹ δg_p)². `run` goes to the
    last step; ``solve(flow, flow.start(), flow.length, store=path, resume=True)`` can be stopped and goes on to the
    same bits, and ``flow.metric(solution)`` is the metric of what it gives.
    Nothing quadratic in P is kept for Gaussians; matrices of network kernels up to 256 MB are.

    Ends that are not errors (`metric.report.outcome`): steady; singular, where the metric at a train point would stop
    being positive; diverged, where a step is too long: it changes a metric by ten times itself, leaves the positive
    ones by more than Fubini–Study, triples the loss of the start, or overflows. The metric then is the last good one.
    Raises InputError for points in several charts, an unknown loss, rates and clips that are not positive, and empty
    clusters; UnknownNameError for another normalisation; ShapeError for labels of another shape.

    Parameters
    ----------
    points : Points
        In one chart: `gv.sample_patch(X, n, seed, patch=0, elim=1)`.
    kernel : Kernel
        Of points, as FubiniStudyGeodesicGaussian(s), eq. (3.5), FubiniStudyGaussian(s), its positive twin, and
        NearestKernel(), the paper's Delta kernel; or of real coordinates, as NetworkKernel("relu", weight_std=80.52,
        bias_std=5.716), which gets those of `CoordinateKernel`.
    loss : str or Loss
        "sigma", F = |v − 1|, eq. (B.11); or F of an E_F as text, eq. (B.12).
    rate : float or Rate, optional
        η: a number (the paper's plain steps), FallingRate, or PointwiseRate for kernels narrower than the distance of
        neighbours. Unless given: PointwiseRate() where Σ_{q≠p} K(x_p, x_q) < K(x_p, x_p) at all train points, which
        reaches rounding in some ten steps; else FallingRate(0.1, 1e-3) with normalise="largest".
    steps : int
        At least one.
    normalise : str, optional
        "largest": each update is divided by its size, so that η is the size of the step; "mean": sums over train points
        become means, Σ K D/Σ K.
    clip : float, optional
        Larger updates are scaled down to it; below one no step leaves positivity at a train point.
    clusters : (P,) array of int, optional
        The cluster of each point: K is zero between clusters, and a test point belongs to that of its nearest train
        point. See `batched_labels`.
    """

    name: ClassVar[str] = "component-flow"

    def __init__(
        self,
        points: Points,
        kernel: Kernel,
        *,
        loss: str | Loss = "sigma",
        rate: float | Rate | None = None,
        steps: int = 300,
        normalise: str | None = None,
        clip: float | None = None,
        clusters: Any = None,
    ) -> None:
        self.points, self.loss = _one_chart(points), loss_of(loss)
        self.steps, self.clip = whole(steps, "the number of steps", 1), _checked_clip(clip)
        labels = None if clusters is None else checked_labels(clusters, len(points))
        self.sums = KernelSums(on_points(kernel, points), points, labels, _named(normalise) == "mean")
        self.rate, self.normalise = _scaled(rate, normalise, self.sums)
        self.objective = ComponentObjective.of(points, self.loss)
        self.workers: Workers | None = None
        self._evaluate = Last(self.objective.evaluate)
        self._first = self.objective.evaluate(self.objective.reference)

    def __content__(self) -> dict[str, Any]:
        """What the numbers depend on."""
        sums = self.sums
        return {"variety": str(self.points.variety.polynomial.expression), "kernel": sums.kernel,
                "points": [self.points.coordinates, self.points.weights], "clusters": sums.labels, "mean": sums.mean,
                "loss": self.loss.text, "rate": self.rate, "steps": self.steps, "normalise": self.normalise,
                "clip": self.clip}

    @property
    def length(self) -> int:
        """The time by which the flow has ended by itself: its steps and one."""
        return self.steps + 1

    def start(self) -> FitState:
        """Fubini–Study, which is also the best so far."""
        reference = self.objective.reference
        zero, loss = np.zeros_like(reference), self._first.energy
        return FitState.of(coefficients=zero, g=reference, taken=0, loss=loss, sigma=self._first.sigma, pivot=1.0,
                           size=0.0, best=zero, best_taken=0, best_loss=loss)

    def run(self, *, progress: bool | None = None, workers: Any = None) -> ComponentMetric:
        """The metric after all steps, or where the flow ends.

        `progress` shows a bar: True, False, or None for only on a terminal. Ctrl-C ends the run with that outcome.
        `workers` spreads the sums over all pairs, as in `Kernel.apply`, with the same metric on processors of one kind;
        sums over kept matrices and neighbours stay here.

        Parameters
        ----------
        progress : bool or None
            Whether a bar is shown; None for only on a terminal.
        workers : object
            Who adds the sums over all pairs, as in `Kernel.apply`; None for this process.
        """
        with as_workers(workers) as team:
            going = copy(self)
            going.workers = team
            return self.metric(solve(going, self.start(), self.length, max_steps=self.length, progress=progress))

    def metric(self, solution: Solution[FitState]) -> ComponentMetric:
        """The metric that a solution has reached (after a divergence the best one), with its report.

        Parameters
        ----------
        solution : Solution
            Of this flow.
        """
        state, outcome = solution.last, solution.outcome
        diverged = outcome.kind is OutcomeKind.diverged
        taken = state.count("best_taken" if diverged else "taken")
        if outcome.kind is OutcomeKind.interrupted or (outcome.kind is OutcomeKind.finished and taken < self.steps):
            outcome = self._outcome(taken, OutcomeKind.interrupted)
        report = FitReport.of(
            solution, ("step", *WATCHED), slice(taken + 1), outcome=outcome, method=f"{taken} steps of a kernel flow",
            loss=self.loss.text, parameters=state["coefficients"].size, points=len(self.points),
            settings={"rate": repr(self.rate), "normalise": self.normalise, "clip": self.clip},
        )
        return ComponentMetric(self.sums, unpack(state["best" if diverged else "coefficients"]), report)

    def step(self, state: FitState) -> FitState | Outcome:
        """Take one step, or say why it cannot be taken."""
        taken, evaluation = state.count("taken"), self._evaluate(state["g"])
        if taken == self.steps:
            return self._outcome(taken, OutcomeKind.finished)
        if evaluation.sigma <= ROUNDING:
            return Outcome(OutcomeKind.steady, f"σ is at rounding after {taken} steps.", float(taken))
        with np.errstate(all="ignore"):
            change, update, size = self._update(taken, evaluation)
            g = state["g"] + update
            after = self.objective.evaluate(g)
            finite = np.isfinite(after.sigma) and np.isfinite(after.at[0]).all()
            loss = after.energy if finite else np.nan
        bad = self._refused(state, update, after, loss, size)
        if bad is not None:
            return bad
        self._evaluate.put(g, after)
        coefficients = state["coefficients"] + change
        state = state.moved(coefficients=coefficients, g=g, taken=taken + 1, loss=loss, sigma=after.sigma,
                            pivot=after.least, size=size)
        if loss <= state.number("best_loss"):
            return state.moved(best=coefficients, best_taken=taken + 1, best_loss=loss)
        return state

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """σ, the loss, the least pivot of g over that of Fubini–Study, and the size of the step that led there."""
        return {name: state.number(name) for name in WATCHED}

    def _update(self, taken: int, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray, float]:
        """The change of the coefficients, that of the train metrics, and its size, normalised and clipped."""
        force, newton = self.objective.gradient(evaluation)
        eta = self.rate.at(taken, self.steps, newton)
        change = -(np.ones(len(force)) * eta)[:, None] * force
        update = self.sums(change, self.workers)
        size = float(self.objective.sizes(evaluation.at[0], update).max())
        factor = float(eta) / size if self.normalise == "largest" and size > 0 else 1.0
        if self.clip is not None and factor * size > self.clip:
            factor = self.clip / size
        return factor * change, factor * update, factor * size

    def _refused(
        self, state: FitState, update: np.ndarray, after: Evaluation, loss: float, size: float
    ) -> Outcome | None:
        """Why a step is not taken: numbers that blow up, or a metric that would not be positive."""
        step, start = state.count("taken") + 1, self._first.energy
        if not np.isfinite(size):
            return self._diverged(state, f"numbers stopped being finite in step {step}", size)
        if size > LONGEST:
            return self._diverged(state, f"step {step} changes the metric by {size:.3g} times itself", size)
        if not after.least > 0:
            return self._left(state, np.nonzero(~(after.at[1] > 0))[0], update, size)
        if not loss <= BLOWN * start:
            what = f"step {step} raises the loss to {loss:.3g}, from {start:.3g} at the start"
            return self._diverged(state, what, size)
        return None

    def _left(self, state: FitState, bad: np.ndarray, update: np.ndarray, size: float) -> Outcome:
        """The outcome where the metric would stop being positive at the train points `bad`."""
        moved = self.objective.sizes(self._first.at[0][bad], update[bad])
        where = f"at {len(bad)} of {len(self.points)} train points, worst at point {bad[np.argmax(moved)]}"
        step = state.count("taken") + 1
        if moved.max() > 1:
            far = f"{moved.max():.3g} times Fubini–Study, out of the positive ones {where}"
            return self._diverged(state, f"step {step} moves the metric by {far}", size)
        message = f"the metric would stop being positive in step {step} {where}; {self._advice(step - 1, size)}"
        return Outcome(OutcomeKind.singular, message, float(step))

    def _diverged(self, state: FitState, what: str, size: float) -> Outcome:
        """The outcome of steps that are too long; the metric then is the best one so far."""
        message = f"{what}; {self._advice(state.count('best_taken'), size)}"
        return Outcome(OutcomeKind.diverged, message, state.number("taken") + 1)

    def _advice(self, step: int, size: float) -> str:
        rate = float(np.ravel(self.rate.at(step, self.steps, np.ones(1)))[0])
        less = f"a rate below {0.1 * rate / size:.2g}" if np.isfinite(size) and size > 0.1 else "a smaller rate"
        return f"take {less}, one that falls, or clip=0.5. The metric is that after step {step}."

    def _outcome(self, taken: int, kind: OutcomeKind) -> Outcome:
        return Outcome(kind, f"took {taken} of {self.steps} steps.", float(taken))


def _named(normalise: str | None) -> str | None:
    if normalise is not None and normalise not in NORMALISATIONS:
        raise UnknownNameError.among("normalisation", str(normalise), NORMALISATIONS)
    return normalise


def _scaled(rate: float | Rate | None, normalise: str | None, sums: KernelSums) -> tuple[Rate, str | None]:
    """Rate and normalisation; without a rate, those that suit how far the kernel couples the train points."""
    if rate is None:
        if normalise != "largest" and sums.coupling < 1:
            return PointwiseRate(), normalise
        return FallingRate(), normalise or "largest"
    chosen = rate_of(rate)
    if normalise == "largest" and not chosen.uniform:
        raise InputError("updates divided by their largest need one rate for all points: give a number or a "
                         "FallingRate, or leave normalise out.")
    return chosen, normalise


def _one_chart(points: Any) -> Points:
    if not isinstance(points, Points) or len(points) < 2:
        raise InputError(f"a flow takes at least two points of a variety, such as gv.sample_patch(X, 1000, seed=0, "
                         f"patch=0, elim=1), and {points!r} was given.")
    patch_of(points)
    return points


def _checked_clip(clip: float | None) -> float | None:
    if clip is not None and not 0 < clip < np.inf:
        raise InputError(f"the clip is the largest relative change of a step, a positive number, and it is {clip!r}.")
    return clip
